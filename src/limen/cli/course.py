"""Commands: what treatment does over days and weeks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limen.cli.output import Json, check_ending, print_json, read_json, write_whole
from limen.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from limen.pharmacology.exposure import Curve
    from limen.pharmacology.outcome import Flag
    from limen.pharmacology.patient import PatientProfile
    from limen.pharmacology.regimen import Dose, DoseOrder
    from limen.reports.plots.page import Picture

PICTURES = (".svg", ".png")
# Rows of the readable form.
_SHOWN = 15

Doses = Annotated[list[str], typer.Option(help="AMOUNT UNIT ROUTE [over DURATION] [at TIME]; repeatable.")]
PatientFile = Annotated[str | None, typer.Option(help="JSON file of the patient, or - for standard input.")]
Population = Annotated[int, typer.Option(help="Draws, for percentiles.")]
Plot = Annotated[str | None, typer.Option(help="Draw to this .svg or .png file.")]
Seed = Annotated[int, typer.Option(help="Seed of the draws.")]


def register(app: typer.Typer) -> None:
    """Add ``limen course antidepressant``, ``limen course relapse`` and ``limen course pain``."""
    group = typer.Typer(name="course", help="What treatment does over days and weeks, each number with its source.")

    @group.command("antidepressant")
    def antidepressant(
        dose: Doses,
        product: Annotated[str, typer.Option(help="racemic or esketamine-nasal.")] = "racemic",
        patient: PatientFile = None,
        repeat: Annotated[int, typer.Option(help="How many sessions of the one dose given.")] = 1,
        spacing: Annotated[str, typer.Option(help="Between those sessions.")] = "3.5 d",
        control: Annotated[str, typer.Option(help="The placebo arm shown: inert or active (midazolam).")] = "inert",
        until: Annotated[str, typer.Option(help="Horizon.")] = "28 d",
        every: Annotated[str, typer.Option(help="Step of the curves.")] = "6 h",
        population: Population = 0,
        seed: Seed = 1,
        plot: Plot = None,
        json: Json = False,
    ) -> None:
        """MADRS difference from placebo over one or many sessions, by dose group."""
        from limen.pharmacology.courses.antidepressant import course, group_of
        from limen.units import parse_duration_min

        check_ending(plot, PICTURES, "--plot")
        profile = _profile(patient)
        orders = _repeated(_orders(dose), repeat, parse_duration_min(spacing, where="--spacing"))
        groups = {group_of(product, one.route, *_amount(one, profile.weight_kg)) for one in orders}
        if len(groups) > 1:
            raise InputError(
                f"doses of several groups: {', '.join(sorted(groups))}",
                where="--dose",
                allowed="one dose group a course",
            )
        session_days = [one.at_min / 1440.0 for one in orders]
        result = course(
            groups.pop(),
            session_days,
            until_days=parse_duration_min(until, where="--until") / 1440.0,
            every_h=parse_duration_min(every, where="--every") / 60.0,
            control=control,  # type: ignore[arg-type]  # refused there, with what is allowed
            n=population,
            rng=_rng(population, seed),
        )
        if plot is not None:
            from limen.reports.plots.course import antidepressant_picture

            _draw(antidepressant_picture(result, session_days), plot)
        _show(result.to_json(), result.outputs, result.time_days, result.flags, json)

    @group.command("relapse")
    def relapse(
        stage: Annotated[
            str | None, typer.Argument(help="A stage of treatment; all are listed where none is given.")
        ] = None,
        until: Annotated[str, typer.Option(help="Horizon.")] = "180 d",
        every: Annotated[str, typer.Option(help="Step of the curves.")] = "1 d",
        population: Population = 0,
        seed: Seed = 1,
        plot: Plot = None,
        json: Json = False,
    ) -> None:
        """Share still well after response, by stage of treatment, with the row it was read from."""
        check_ending(plot, PICTURES, "--plot")
        from limen.pharmacology.courses.relapse import course
        from limen.pharmacology.courses.relapse import relapse as stages
        from limen.units import parse_duration_min

        if stage is None:
            rows = [{"stage": name, **row.model_dump(mode="json")} for name, row in stages().stages.items()]
            if json:
                print_json(rows)
            else:
                for row in rows:
                    typer.echo(f"{row['stage']:28} {row['title']}{' (no curve)' if row['missing'] else ''}")
            return
        result = course(
            stage,
            until_days=parse_duration_min(until, where="--until") / 1440.0,
            every_days=parse_duration_min(every, where="--every") / 1440.0,
            n=population,
            rng=_rng(population, seed),
        )
        if plot is not None:
            from limen.reports.plots.course import relapse_picture

            if not result.outputs:
                raise InputError(f"{stage} has no curve to draw", where="--plot", allowed="a stage with a curve")
            _draw(relapse_picture(result), plot)
        _show(result.to_json(), result.outputs, result.time_days, result.flags, json)

    @group.command("pain")
    def pain(
        dose: Doses,
        patient: Annotated[str, typer.Option(help="JSON file of the patient, or - for standard input.")],
        model: Annotated[str, typer.Option(help="Kinetic model of S-ketamine.")] = "fanta-otto-2021",
        until: Annotated[str, typer.Option(help="Horizon.")] = "77 d",
        every: Annotated[str, typer.Option(help="Step of the curves.")] = "1 d",
        population: Population = 0,
        seed: Seed = 1,
        plot: Plot = None,
        json: Json = False,
    ) -> None:
        """Relief of CRPS-1 pain during and after days of S-ketamine, in responders and over all patients."""
        from limen.pharmacology.courses.pain_relief import course
        from limen.pharmacology.regimen import resolve
        from limen.units import parse_duration_min

        check_ending(plot, PICTURES, "--plot")
        profile = _profile(patient)
        doses: list[Dose] = [resolve(order, profile.weight_kg) for order in _orders(dose)]
        with _Progress(population) as progress:
            result = course(
                doses,
                profile,
                model=model,
                until_days=parse_duration_min(until, where="--until") / 1440.0,
                every_days=parse_duration_min(every, where="--every") / 1440.0,
                n=population,
                rng=_rng(population, seed),
                progress=progress.update,
            )
        if plot is not None:
            from limen.reports.plots.course import pain_relief_picture

            _draw(pain_relief_picture(result), plot)
        _show(result.to_json(), result.outputs, result.time_days, result.flags, json)

    app.add_typer(group)


class _Progress:
    """A bar on standard error while virtual patients are solved; nothing where there are none."""

    def __init__(self, patients: int) -> None:
        from rich.console import Console
        from rich.progress import Progress

        self._bar = Progress(console=Console(stderr=True), transient=True, disable=patients <= 0)
        self._task = self._bar.add_task("virtual patients", total=max(patients, 1))

    def __enter__(self) -> _Progress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def update(self, done: int, whole: int) -> None:
        """So many of the patients are done."""
        self._bar.update(self._task, completed=done, total=whole)


def _draw(picture: Picture, path: str) -> None:
    drawn = picture.written_as(Path(path).suffix)
    write_whole(path, lambda part: part.write_bytes(drawn))


def _profile(path: str | None) -> PatientProfile:
    from limen.pharmacology.patient import PatientProfile

    return PatientProfile() if path is None else PatientProfile.from_json(read_json(path))[0]


def _orders(texts: Sequence[str]) -> list[DoseOrder]:
    from limen.pharmacology.regimen import parse_dose

    return [parse_dose(text, where="--dose") for text in texts]


def _repeated(orders: list[DoseOrder], times: int, spacing_min: float) -> list[DoseOrder]:
    from dataclasses import replace

    if times < 1 or times > 1000:
        raise InputError(f"{times} sessions", where="--repeat", allowed="1 to 1000")
    if times == 1:
        return orders
    if len(orders) > 1:
        raise InputError("several doses cannot be repeated", where="--repeat", allowed="one --dose, or 1")
    if spacing_min <= 0:
        raise InputError("sessions on top of each other", where="--spacing", allowed="over 0")
    return [replace(orders[0], at_min=orders[0].at_min + place * spacing_min) for place in range(times)]


def _amount(order: DoseOrder, weight_kg: float | None) -> tuple[float, float | None]:
    """Milligrams with the weight they are for; a dose by weight is the same for any."""
    from limen.pharmacology.regimen import resolve

    known_kg = 70.0 if weight_kg is None and order.is_per_kg else weight_kg
    return resolve(order, known_kg).amount_mg, known_kg


def _rng(population: int, seed: int) -> np.random.Generator | None:
    import numpy as np

    if seed < 0:
        raise InputError(f"seed {seed}", where="--seed", allowed="0 or more")
    return np.random.default_rng(seed) if population else None


def _show(
    entry: dict[str, Any], outputs: Mapping[str, Curve], time_days: Any, flags: Iterable[Flag], json: bool
) -> None:
    if json:
        print_json(entry)
        return
    if outputs:
        last = len(time_days) - 1
        rows = [["day", *outputs]]
        for place in sorted({round(step * last / (_SHOWN - 1)) for step in range(_SHOWN)}):
            rows.append([f"{time_days[place]:.2f}", *(_cell(curve, place) for curve in outputs.values())])
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        for row in rows:
            typer.echo("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))
    for flag in flags:
        typer.echo(f"[{flag.code}] {flag.message}")


def _cell(curve: Curve, place: int) -> str:
    amount = curve.typical[place]
    if amount != amount:
        return "not read"
    spread = curve.between_patients
    if spread is None:
        return f"{amount:.1f}"
    return f"{amount:.1f} ({spread.p05[place]:.1f} to {spread.p95[place]:.1f})"
