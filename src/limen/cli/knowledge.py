"""Commands: knowledge and its evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from limen.cli.output import Json, print_json

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from limen.knowledge.lint import Finding


def register(app: typer.Typer) -> None:
    """Add ``limen knowledge check``, ``freeze``, ``diff`` and ``export``, and ``limen evidence show`` and its like."""
    knowledge = typer.Typer(name="knowledge", help="The clinic's rules as data.", no_args_is_help=True)
    evidence = typer.Typer(name="evidence", help="Where every number comes from.", no_args_is_help=True)

    @knowledge.command()
    def check(
        on: Annotated[
            str | None, typer.Option(help="The day that ends are counted from, 2026-11-22; default: today.")
        ] = None,
        strict: Annotated[bool, typer.Option("--strict", help="Exit 2 for a warning too.")] = False,
        json: Json = False,
    ) -> None:
        """Lint the knowledge: one finding a line with file and line; exit 2 where something must be mended.

        Errors: files that do not fit their schema, claims without a source, names of nothing, units, ranges and
        orders that cannot be, bands that overlap, doubles, and what has ended. Warnings: what ends within 90 days,
        sources that nothing cites, and marks that a seller's page cannot carry.
        """
        from limen.care.dossier import knowledge_roots
        from limen.knowledge.index import claims
        from limen.knowledge.lint import lint
        from limen.knowledge.release import knowledge_release, package_text

        found = lint(knowledge_roots(), _day(on), package_text=package_text())
        errors = [item for item in found if item.level == "error"]
        warnings = [item for item in found if item.level == "warning"]
        every = claims(knowledge_roots()) if not errors else ()
        result = {
            "release": knowledge_release() if not errors else None,
            "claims": len(every),
            "unverified": sum(claim.mark == "M" for claim in every),
            "problems": [_found(item) for item in errors],
            "warnings": [_found(item) for item in warnings],
        }
        if json:
            print_json(result)
        else:
            for item in found:
                typer.echo(f"{item.where}: {item.level}: {item.what} [{item.check}]", err=item.level == "error")
            if not errors:
                typer.echo(
                    f"Knowledge {result['release']}: {result['claims']} claims, every source found; "
                    f"{result['unverified']} unverified, for the medical director to sign off; "
                    f"{len(warnings)} warnings."
                )
        if errors or (strict and warnings):
            raise typer.Exit(2)

    @knowledge.command()
    def freeze(
        file: str = typer.Argument(metavar="FILE", help="A new file."),
    ) -> None:
        """Write the knowledge as it stands into one file, for the director to sign and to compare with later."""
        from limen.knowledge.snapshot import snapshot

        held = snapshot()
        _write_new(file, held)
        typer.echo(f"{file}: knowledge {held['release']}, {len(held['files'])} files")

    @knowledge.command()
    def diff(
        file: str = typer.Argument(metavar="FILE", help="What `freeze` wrote, or - for standard input."),
        json: Json = False,
    ) -> None:
        """What has changed since the knowledge that was signed: each place, what it was and what it is."""
        from limen.cli.output import read_json
        from limen.knowledge.changes import changed_rules
        from limen.knowledge.snapshot import snapshot

        now = snapshot()
        was = read_json(file)
        found = changed_rules(was, now)
        places = [place.to_json() for item in found for place in item.places]
        if json:
            told = [item.to_json() for item in found]
            print_json({"was": was["release"], "now": now["release"], "changes": places, "rules": told})
            return
        typer.echo(f"{was['release']} -> {now['release']}: {len(found)} rules and texts, {len(places)} changes")
        for item in found:
            seen = f" (seen in: {', '.join(item.screens)})" if item.screens else ""
            typer.echo(f"{item.kind} {item.name}: {item.change}{seen}")
            for place in item.places:
                typer.echo(f"  {place.file} {place.where}: {_short(place.was)} -> {_short(place.now)}")

    @knowledge.command()
    def export(
        folder: Annotated[str, typer.Argument(metavar="FOLDER", help="An empty or new folder.")],
        tables: Annotated[
            bool, typer.Option("--tables", help="Tables for the medical director to sign, as PDF and as Markdown.")
        ] = False,
        site: Annotated[str, typer.Option(help="The clinic's name, for the tables.")] = "",
        on: Annotated[str | None, typer.Option(help="The day on the tables; default: today.")] = None,
    ) -> None:
        """Write instruments and protocols as FHIR R4, or with --tables every rule as tables to sign."""
        from pathlib import Path

        from limen.errors import InputError

        day = _day(on)
        into = Path(folder)
        if into.exists() and (not into.is_dir() or any(into.iterdir())):
            raise InputError("there is something already", where=folder, allowed="an empty or new folder")
        typer.echo(_export_tables(into, site, day) if tables else _export_fhir(into))

    @evidence.command()
    def show(
        name: str = typer.Argument(metavar="ID", help="A rule, protocol, model, source, claim or dispute: SEL-04."),
        json: Json = False,
    ) -> None:
        """What speaks for and against one rule, protocol, model or claim, and who rests on one source."""
        from limen.care.dossier import dossier

        result = dossier(name)
        if json:
            print_json(result)
        elif "sides" in result:
            typer.echo("\n".join(_dispute_lines(result)))
        else:
            typer.echo("\n".join(_dossier_lines(result)))

    @evidence.command()
    def contradictions(
        about: str | None = typer.Argument(None, metavar="[ID]", help="Only those that bear on a rule or protocol."),
        json: Json = False,
    ) -> None:
        """Every question that sources answer differently: each side with its claims, and what this product does."""
        from limen.care.dossier import contradictions as every
        from limen.errors import InputError

        found = [item for item in every() if about is None or about in (item["id"], *item["bears_on"])]
        if not found:
            raise InputError(
                f"no contradiction bears on {about!r}",
                where="ID",
                allowed="a rule in dispute; without a name all are listed",
            )
        if json:
            print_json(found)
        else:
            typer.echo("\n\n".join("\n".join(_dispute_lines(item)) for item in found))

    @evidence.command()
    def affects(
        name: str = typer.Argument(metavar="ID", help="A source, claim, dispute or rule."),
        json: Json = False,
    ) -> None:
        """What to look at when a source or a claim changes: rules, protocols, screens and texts that depend on it."""
        from limen.care.dossier import affects as of

        result = of(name)
        if json:
            print_json(result)
            return
        typer.echo(f"{result['id']} ({result['kind']})")
        for kind, owners in result["owners"].items():
            typer.echo(f"  {kind}: {', '.join(owners)}")
        for item in result["rests"]:
            typer.echo(f"    {item['at']} {item['owner']}: {item['text']} [{item['mark'] or 'no mark'}]")
        for title in ("disputes", "referred_by", "commands", "screens", "texts"):
            if result[title]:
                typer.echo(f"  {title.replace('_', ' ')}: {'; '.join(result[title])}")

    app.add_typer(knowledge)
    app.add_typer(evidence)


def _export_fhir(into: Path) -> str:
    from limen.interop.fhir.definitions import activity_definitions, plan_definition, questionnaire
    from limen.knowledge.instruments import instruments
    from limen.knowledge.protocols import protocols

    made = [questionnaire(item) for item in instruments().values()]
    made += [plan_definition(item) for item in protocols().values()]
    activities = [activity for item in protocols().values() for activity in activity_definitions(item)]
    into.mkdir(parents=True, exist_ok=True)
    for resource in (*made, *activities):
        _write_new(str(into / f"{resource['resourceType']}-{resource['id']}.json"), resource)
    return (
        f"{into}: {len(instruments())} Questionnaires, {len(protocols())} PlanDefinitions, "
        f"{len(activities)} ActivityDefinitions"
    )


def _export_tables(into: Path, site: str, on: date) -> str:
    from limen.reports.paper import pdf, render
    from limen.reports.rules_to_sign import markdown, rules_to_sign

    made = rules_to_sign(on, site=site)
    paper = pdf(render(made))
    into.mkdir(parents=True, exist_ok=True)
    (into / "rules-to-sign.md").write_text(markdown(made), encoding="utf-8")
    (into / "rules-to-sign.pdf").write_bytes(paper)
    return f"{into}: rules-to-sign.pdf and rules-to-sign.md, {len(made.parts)} parts"


def _day(text: str | None) -> date:
    from datetime import date

    from limen.errors import InputError

    if text is None:
        return date.today()  # noqa: DTZ011 - the clinic's own calendar day
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"day {text!r}", where="--on", allowed="a day such as 2026-11-22") from None


def _found(item: Finding) -> dict[str, Any]:
    return {
        "where": item.where,
        "what": item.what,
        "level": item.level,
        "check": item.check,
        "file": item.file,
        "line": item.line,
        "owner": item.owner,
    }


def _dossier_lines(result: dict[str, Any]) -> list[str]:
    lines = [f"{result['id']}: {result['title']} [{result['verification']}]"]
    if not result.get("traced", True):
        lines.append("  no source that was read stands behind this: a clinic rule or unverified, for the director")
    if "grade" in result:
        lines.append(f"  {result['grade']['words']}; carries at most the mark {result['grade']['strongest_mark']}")
    lines += [f"  + {text}" for text in result["claims_for"]]
    lines += [f"  - {text}" for text in result["claims_against"]]
    for source in result["sources"]:
        doi = f" doi:{source['doi']}" if source["doi"] else ""
        lines.append(f"  {source['key']}: {source['citation']} [{source['grade']}]{doi}")
    if result.get("disputes"):
        lines.append(f"  disputed: {', '.join(result['disputes'])}")
    if result["used_by"]:
        lines.append(f"  used by {', '.join(result['used_by'])}")
    return lines


def _dispute_lines(item: dict[str, Any]) -> list[str]:
    lines = [f"{item['id']}: {item['title']}"]
    for side in item["sides"]:
        lines.append(f"  {side['answer']}")
        lines += [f"    {claim['text']} [{claim['verification']}; {claim['kind']}]" for claim in side["claims"]]
    lines.append(f"  held: {item['held']}")
    lines.append(f"  bears on {', '.join(item['bears_on'])}")
    return lines


def _write_new(file: str, content: Any) -> None:
    """Write JSON whole, and never over what is there."""
    import json
    from pathlib import Path

    from limen.errors import InputError

    text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    try:
        with Path(file).open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise InputError("there is a file already", where=file, allowed="a new name") from None
    except OSError as problem:
        raise InputError(f"cannot write: {problem.strerror}", where=file, allowed="a writable folder") from None


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
