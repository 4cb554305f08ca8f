"""Commands: screening, interactions and consent."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

import typer

from limen.cli.case import read_case
from limen.cli.output import Json, print_json, read_json

_MARK = {"block": "BLOCK", "hold": "HOLD ", "warn": "WARN ", "info": "INFO "}


def register(app: typer.Typer) -> None:
    """Add ``limen screen``, ``limen consent`` and ``limen interactions``."""

    @app.command()
    def screen(
        case: Annotated[str, typer.Argument(help="A CASE or a FHIR R4 Bundle as JSON, or - for standard input.")],
        on: Annotated[
            str | None, typer.Option(help="The day of the decision; default: the CASE's own; today for a Bundle.")
        ] = None,
        indication: Annotated[str | None, typer.Option(help="Default for a Bundle: trd.")] = None,
        product: Annotated[str | None, typer.Option(help="Default for a Bundle: racemic.")] = None,
        route: Annotated[str | None, typer.Option(help="Default for a Bundle: iv.")] = None,
        setting: Annotated[str | None, typer.Option(help="Default for a Bundle: clinic.")] = None,
        protocol: Annotated[str | None, typer.Option(help="A protocol ID.")] = None,
        json: Json = False,
    ) -> None:
        """Screen a referral: the verdict, every finding with its input and source, and what is missing."""
        from limen.care.screening import screen as judge

        named = {"indication": indication, "product": product, "route": route, "setting": setting, "protocol": protocol}
        known, report = read_case(read_json(case), on, named)
        result = judge(known).to_json()
        if report is not None:
            result["import"] = report
        if json:
            print_json(result)
        else:
            typer.echo("\n".join(_lines(result)))

    @app.command()
    def consent(
        indication: Annotated[str, typer.Option(help="What is treated.")],
        product: Annotated[str, typer.Option(help="racemic, s-ketamine or esketamine-nasal.")] = "racemic",
        route: Annotated[str | None, typer.Option(help="Route of the ketamine.")] = None,
        setting: Annotated[str | None, typer.Option(help="Where it is given.")] = "clinic",
        json: Json = False,
    ) -> None:
        """Print what a patient is told before a course, heading by heading, with its version."""
        from limen.care.consent import consent_form

        form = consent_form(indication, product, route, setting).to_json()
        if json:
            print_json(form)
            return
        typer.echo(f"Version {form['version']}; a signature stands {form['expires_after_days']} days.")
        for item in form["items"]:
            typer.echo(f"[ ] {item['title']}. {item['text']}")
            typer.echo(f"        {item['id']} [{item['verification']}: {', '.join(item['sources'])}]")

    @app.command()
    def interactions(
        drugs: Annotated[list[str], typer.Argument(metavar="DRUG...", help="Medicines as a label names them.")],
        route: Annotated[str, typer.Option(help="Route of the ketamine.")],
        product: Annotated[str | None, typer.Option(help="racemic, s-ketamine or esketamine-nasal.")] = None,
        json: Json = False,
    ) -> None:
        """Look up what medicines do together with ketamine by one route."""
        from limen.care.interactions import check

        result = check(route, product, drugs).to_json()
        if json:
            print_json(result)
            return
        for finding in result["findings"]:
            ratio = finding["effect"]["auc_ratio"]
            exposure = f" (exposure x {ratio:g})" if ratio is not None else ""
            typer.echo(
                f"{_MARK[finding['level']]} {finding['rule']}  {finding['because']}{exposure}. {finding['action']}."
            )
            if finding["confirm"]:
                sure = f"{finding['confidence_pct']:g} %"
                typer.echo(
                    f"        {finding['drug']} is read as {finding['resolved']} ({sure} alike): confirm the name."
                )
        for name in result["unknown"]:
            near = result["suggestions"].get(name)
            asked = f" Did you mean {' or '.join(near)}?" if near else ""
            typer.echo(f"?     {name}: not recognised; nothing is known about it here. Ask the pharmacist.{asked}")
        for name in result["no_finding"]:
            typer.echo(f"-     {name}: recognised; no rule is about it")


def _lines(result: dict[str, Any]) -> list[str]:
    lines = [f"Verdict on {result['on']}: {result['verdict'].upper()}"]
    for finding in result["findings"]:
        lines.append(f"{_MARK[finding['level']]} {finding['rule']}  {finding['title']}. {finding['because']}.")
        lines.append(f"        {finding['action']}. [{finding['verification']}: {', '.join(finding['sources'])}]")
    if result["todo"]:
        lines.append("Missing, to do:")
        for item in result["todo"]:
            asked = f": {', '.join(item['about'])}" if item["about"] else ""
            told = "" if item["why"] == f"{item['title']} not known" else f", {item['why']}"
            lines.append(f"  {_MARK[item['level']]} {item['who']:<10} {item['title']}{asked}{told}")
            lines.append(f"        for {', '.join(item['rules'])}")
    if result["ask_again"]:
        lines.append("Ask again at this visit, because it can block:")
        for item in result["ask_again"]:
            last = f"last {item['last']} on {item['taken_on']}" if item["taken_on"] else item["last"] or "never asked"
            done = "asked today" if item["asked_today"] else last
            lines.append(f"  {'[x]' if item['asked_today'] else '[ ]'} {item['who']:<10} {item['title']}: {done}")
    lines.append(f"{len(result['passed'])} rules passed: {', '.join(item['rule'] for item in result['passed'])}")
    for title, key in (
        ("Keys not read", "unknown_inputs"),
        ("Conditions that no rule reads", "unread_conditions"),
        ("Medicines not recognised", "unrecognised_medications"),
    ):
        if result[key]:
            lines.append(f"{title}: {', '.join(result[key])}")
    history = result["antidepressant_trials"]
    if history:
        lines.append(f"Antidepressant trials: {history['because']}")
        lines += [f"  {row['verdict']:<10} {row['drug']}: {row['because']}" for row in history["trials"]]
        if history["disagreement"]:
            lines.append(f"  Disagreement: {history['disagreement']}")
    for item in result["medications_to_confirm"]:
        lines.append(f"Confirm: {item['drug']} was read as {item['read_as']} ({item['confidence_pct']:g} % alike)")
    if "import" in result:
        account = result["import"]
        lines.append(f"Imported {len(account['imported'])} of {account['entries']} entries of the bundle")
        left_out = Counter(row["outcome"] for row in account["not_imported"])
        lines += [f"  {count} not imported: {why}" for why, count in left_out.items()]
    return lines
