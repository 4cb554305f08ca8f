"""Commands: the engine against every published observation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from limen.cli.output import Json, print_json
from limen.errors import InputError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from limen.pharmacology.validation.comparison import Checked, Comparison
    from limen.pharmacology.validation.schema import Row


def register(app: typer.Typer) -> None:
    """Add ``limen validate``."""

    @app.command()
    def validate(
        only: Annotated[
            list[str] | None, typer.Option(help="Observation, such as 3 or E7; repeatable. All where left out.")
        ] = None,
        write_docs: Annotated[
            str | None, typer.Option(help="Write the page and its pictures into this folder.")
        ] = None,
        json: Json = False,
    ) -> None:
        """What was seen in people beside what is predicted: every published observation, pass or miss, and why.

        A miss is a result and not an error.
        """
        from limen.pharmacology.validation.comparison import report, verify
        from limen.pharmacology.validation.observations import checks, chosen

        if write_docs is not None and only:
            raise InputError("the page holds every observation", where="--only", allowed="nothing beside --write-docs")
        found = _compared(chosen(only or []), quiet=json)
        checked = [] if only else list(verify(checks()))
        if write_docs is not None:
            _write(write_docs, found, checked)
        if json:
            print_json(report(found, checked))
        else:
            _show(found, checked)


def _compared(rows: tuple[Row, ...], *, quiet: bool) -> list[Comparison]:
    """Every comparison, with a bar on standard error where a person looks on."""
    from rich.console import Console
    from rich.progress import track

    from limen.pharmacology.validation.comparison import compare

    console = Console(stderr=True)
    return [
        item
        for row in track(rows, "Predicting", console=console, disable=quiet or not console.is_terminal, transient=True)
        for item in compare([row])
    ]


def _write(folder: str, found: list[Comparison], checked: list[Checked]) -> None:
    from limen.reports.validation_page import pages

    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name, text in pages(found, checked).items():
            (target / name).write_text(text, encoding="utf-8")
    except OSError as problem:
        raise InputError(f"cannot write: {problem.strerror}", where=folder, allowed="a writable folder") from None


def _show(found: list[Comparison], checked: list[Checked]) -> None:
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    from limen.pharmacology.validation.comparison import counted
    from limen.pharmacology.validation.rule import RULE
    from limen.pharmacology.validation.words import check_cells, count_words, mark_of, observed_words

    console = Console(highlight=False)
    for line in RULE:
        console.print(Text(line))
    row = question = None
    for item in found:
        if item.row is not row:
            row = item.row
            console.print(Text(f"\n{row.id}  {row.title} [{mark_of(item)}]", style="bold"))
            sampled = "" if row.matrix == "effect" else f"; sampled: {row.matrix}"
            console.print(Padding(Text(f"{row.population}{sampled}"), (0, 0, 0, 4)))
        if (item.setting, item.observed, item.what) != question:
            question = (item.setting, item.observed, item.what)
            seen = f": seen {observed_words(item)}" if item.observed else ""
            console.print(Padding(Text(f"{item.what}{seen}"), (0, 0, 0, 4)))
        console.print(Padding(_line(item), (0, 0, 0, 6)))
    if checked:
        console.print(Text("\nThe code against its printed parameters, within 1 %", style="bold"))
        for check in checked:
            console.print(Text("  ".join(check_cells(check))))
    console.print()
    for line in count_words(counted(found), checked):
        console.print(Text(line))


def _line(item: Comparison) -> RenderableType:
    """One answer: status, ratio, by whom, the number, and why."""
    from rich.table import Table
    from rich.text import Text

    from limen.pharmacology.validation.words import cells

    *_, by, predicted, ratio, status, why = cells(item)
    grid = Table.grid(padding=(0, 1))
    for width in (9, 5, 18):
        grid.add_column(width=width, no_wrap=True)
    grid.add_column(ratio=1, overflow="fold")
    grid.add_row(*map(Text, (status, ratio, by, f"{predicted}: {why}" if predicted else why)))
    return grid
