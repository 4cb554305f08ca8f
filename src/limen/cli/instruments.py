"""Commands: the instruments, and the words a clinic holds for them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from limen.cli.output import Json, print_json


def register(app: typer.Typer) -> None:
    """Add ``limen instruments list``, ``show`` and ``text``."""
    instruments = typer.Typer(name="instruments", help="Questionnaires and rating scales.", no_args_is_help=True)

    @instruments.command("list")
    def listed(json: Json = False) -> None:
        """Every instrument with its items, its rule and whether its words are held."""
        from limen.knowledge.instruments import instruments as every

        rows = [_row(item) for item in every().values()]
        if json:
            print_json(rows)
            return
        for row in rows:
            typer.echo(f"{row['id']:18} {row['items']:>3} items  {row['words']:22} {row['title']}")

    @instruments.command()
    def show(name: Annotated[str, typer.Argument(metavar="ID", help="Such as PHQ-9.")], json: Json = False) -> None:
        """One instrument: items, missing answers, bands, cuts, safety item, change that matters, licence, words."""
        from limen.knowledge.instruments import get_instrument

        found = get_instrument(name)
        if json:
            print_json(found.model_dump(mode="json", exclude_none=True))
            return
        typer.echo("\n".join(_lines(found)))

    @instruments.command()
    def text(
        file: Annotated[str, typer.Argument(metavar="FILE", help="The clinic's own words of one instrument, as YAML.")],
        install: Annotated[
            str | None,
            typer.Option(metavar="FOLDER", help="Put it there once it fits: LIMEN_HOME/texts of the clinic."),
        ] = None,
        json: Json = False,
    ) -> None:
        """Check words that the clinic holds under its own right, and print them as they will be asked."""
        import shutil
        from pathlib import Path

        from limen.errors import InputError
        from limen.knowledge.instruments import get_instrument
        from limen.knowledge.site_texts import read_site_text

        found = read_site_text(Path(file))
        if install is not None:
            target = Path(install) / f"{get_instrument(found.instrument).id.lower().replace('/', '-')}.yaml"
            if target.exists():
                raise InputError(
                    "there is a text already", where=str(target), allowed="a new one; move the old one away"
                )
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
        if json:
            print_json(found.model_dump(mode="json"))
            return
        typer.echo(f"{found.instrument}, {found.language}; right: {found.right}\n{found.stem}")
        for number, item in enumerate(found.items, start=1):
            typer.echo(f"  {number}. {item} ({' / '.join(found.options_of(number))})")

    app.add_typer(instruments)


def _row(item: Any) -> dict[str, Any]:
    words = {"ship": "not shipped yet", "load": "the clinic loads them", "score": "may not be held"}[item.licence.text]
    return {
        "id": item.id,
        "title": item.title,
        "items": item.item_count,
        "rule": item.rule,
        "licence": item.licence.text,
        "words": "shipped" if item.wording else words,
    }


def _lines(item: Any) -> list[str]:
    lines = [f"{item.id}, version {item.version}: {item.title} ({item.recall}; {item.rater})"]
    if item.items is not None:
        lines.append(f"  {item.items.count} items of {item.items.low} to {item.items.high}, rule {item.rule}")
    if item.rule not in {"profile", "c-ssrs-triage"}:
        lines.append(f"  total {item.lowest_total} to {item.highest_total}; {item.better} is better")
    lines.append(f"  missing answers made up: up to {item.missing.prorate_up_to}. {item.missing.note}".rstrip())
    if item.bands:
        bands = "; ".join(f"{band.low}-{band.high} {band.name}" for band in item.bands.ranges)
        lines.append(f"  bands {bands} [{item.bands.verification.value}]")
    if item.safety:
        rungs = "; ".join(f"{rung.at_least} and over: {rung.action.replace('-', ' ')}" for rung in item.safety.rungs)
        lines.append(f"  safety item {item.safety.item}: {rungs}")
    for title, amounts in (("better by", item.changes), ("worse by", item.declines)):
        lines += [
            f"  {title} {amount.points or amount.pct}{'' if amount.points else ' %'}: {amount.name} "
            f"[{amount.verification.value}]"
            for amount in amounts
        ]
    lines += [f"  remission {rule.flag} [{rule.verification.value}]" for rule in item.remission]
    lines.append(f"  words {_row(item)['words']}: {item.licence.statement} [{item.licence.verification.value}]")
    return lines + [f"  {note}" for note in item.notes]
