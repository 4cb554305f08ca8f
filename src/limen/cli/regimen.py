"""Commands: regimens in and out."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limen.cli.output import Json, print_json
from limen.errors import InputError

if TYPE_CHECKING:
    from limen.pharmacology.regimen import Dose

_CMT = "CMT=ROUTE, such as 1=iv; repeatable."


def register(app: typer.Typer) -> None:
    """Add ``limen regimen show``, ``limen regimen import`` and ``limen regimen export``."""
    group = typer.Typer(name="regimen", help="Doses as they will be given, and NONMEM-style records in and out.")

    @group.command("show")
    def show(
        dose: Annotated[list[str], typer.Option(help="As for simulate; repeatable.")],
        weight_kg: Annotated[float | None, typer.Option(help="For doses by weight.")] = None,
        json: Json = False,
    ) -> None:
        """Each step in milligrams, and the total."""
        doses = _resolved(dose, weight_kg)
        if json:
            print_json({"doses": _rows(doses), "total_mg": sum(item.amount_mg for item in doses)})
            return
        typer.echo("\n".join(_words(item) for item in doses))
        typer.echo(f"{sum(item.amount_mg for item in doses):g} mg in all")

    @group.command("import")
    def import_records(
        file: Annotated[str, typer.Argument(help="CSV with ID TIME AMT RATE II ADDL SS EVID CMT DV, or -.")],
        cmt: Annotated[list[str], typer.Option(help=_CMT)],
        json: Json = False,
    ) -> None:
        """Read dosing records: hours, milligrams of base, mg/h, ng/mL."""
        from limen.pharmacology.nonmem import read_records

        subjects = read_records(read_text(file), routes_of(cmt), where="standard input" if file == "-" else file)
        if json:
            print_json(
                [
                    {
                        "id": subject.id,
                        "doses": _rows(subject.doses),
                        "steady": [
                            {**row, "interval_min": item.interval_min, "resets": item.resets}
                            for item, row in zip(
                                subject.steady, _rows([item.dose for item in subject.steady]), strict=True
                            )
                        ],
                        "resets_min": list(subject.resets_min),
                        "observations": [
                            {"at_min": seen.at_min, "value_ng_per_mL": seen.value_ng_per_mL, "cmt": seen.cmt}
                            for seen in subject.observations
                        ],
                    }
                    for subject in subjects
                ]
            )
            return
        for subject in subjects:
            typer.echo(f"{subject.id}: {len(subject.doses)} doses, {len(subject.observations)} measurements")
            for at_min in subject.resets_min:
                typer.echo(f"  the body is emptied at {at_min:g} min")
            for item in subject.steady:
                alone = "nothing else in the body" if item.resets else "added to what is there"
                typer.echo(f"  {_words(item.dose)}, every {item.interval_min:g} min since ever; {alone}")
            typer.echo("\n".join(f"  {_words(item)}" for item in subject.doses))

    @group.command("export")
    def export_records(
        dose: Annotated[list[str], typer.Option(help="As for simulate; repeatable.")],
        cmt: Annotated[list[str], typer.Option(help=_CMT)],
        weight_kg: Annotated[float | None, typer.Option(help="For doses by weight.")] = None,
        id: Annotated[str, typer.Option(help="What stands in the column ID.")] = "1",
        json: Json = False,
    ) -> None:
        """Write doses as records on standard output."""
        from limen.pharmacology.nonmem import Subject, write_records

        route_cmts = {route: number for number, route in routes_of(cmt).items()}
        text = write_records([Subject(id, _resolved(dose, weight_kg))], route_cmts)
        if json:
            header, *rows = (line.split(",") for line in text.splitlines())
            print_json([dict(zip(header, row, strict=True)) for row in rows])
        else:
            sys.stdout.write(text)

    app.add_typer(group)


def _resolved(texts: Sequence[str], weight_kg: float | None) -> tuple[Dose, ...]:
    from limen.pharmacology.infusion_lines import check_lines, parse_steps
    from limen.pharmacology.patient import PatientProfile
    from limen.pharmacology.regimen import resolve

    weight_kg = PatientProfile(weight_kg=weight_kg).weight_kg
    doses = tuple(resolve(order, weight_kg) for text in texts for order in parse_steps(text, where="--dose"))
    check_lines(doses, where="--dose")
    return doses


def _rows(doses: Sequence[Dose]) -> list[dict[str, Any]]:
    return [
        {
            "amount_mg": dose.amount_mg,
            "route": dose.route,
            "start_min": dose.start_min,
            "duration_min": dose.duration_min,
            "rate_mg_per_h": dose.amount_mg / dose.duration_min * 60.0 if dose.duration_min else None,
            "line": dose.line,
        }
        for dose in doses
    ]


def _words(dose: Dose) -> str:
    over = (
        f" over {dose.duration_min:g} min ({dose.amount_mg / dose.duration_min * 60:g} mg/h)"
        if dose.duration_min
        else ""
    )
    return f"{dose.amount_mg:g} mg {dose.route}{over} at {dose.start_min:g} min on line {dose.line}"


def routes_of(pairs: Sequence[str]) -> dict[int, str]:
    """What ``--cmt`` says of each compartment."""
    routes: dict[int, str] = {}
    for pair in pairs:
        number, _, route = pair.partition("=")
        if not number.strip().isdecimal() or len(number) > 6 or not route.strip():
            raise InputError(f"cannot read {pair!r:.40}", where="--cmt", allowed=_CMT)
        if int(number) in routes:
            raise InputError(f"CMT {int(number)} stands twice", where="--cmt", allowed="each CMT once")
        routes[int(number)] = route.strip()
    return routes


def read_text(path: str) -> str:
    """A file's text, or standard input's."""
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "not UTF-8 text"
        raise InputError(f"cannot read the file: {reason}", where=path, allowed="a CSV file") from None
