"""Commands: pictures that no other command makes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from limen.cli.output import Json, check_ending, print_json, read_json, write_whole
from limen.errors import InputError

if TYPE_CHECKING:
    from limen.pharmacology.patient import PatientProfile
    from limen.pharmacology.regimen import Dose
    from limen.reports.plots import Limit

_PICTURES = (".svg", ".png")
_LIMIT = re.compile(r"(?P<output>\w+)=(?P<value>\d+(?:\.\d+)?)\s+(?P<name>\S.*)")

_Patient = Annotated[str, typer.Option(help="JSON file of the patient, or - for standard input.")]
_Dose = Annotated[list[str], typer.Option(help="AMOUNT UNIT ROUTE [over DURATION] [at TIME]; repeatable.")]
_Until = Annotated[str, typer.Option(help="Horizon, such as '4 h'.")]
_Product = Annotated[str, typer.Option(help="racemic, s-ketamine or esketamine-nasal.")]


def register(app: typer.Typer) -> None:
    """Add ``limen draw forecast``, ``limen draw models`` and ``limen draw attainment``."""
    group = typer.Typer(
        name="draw", help="Pictures: a forecast with limits, models side by side, patients in a window."
    )
    group.command("forecast")(_forecast)
    group.command("models")(_models)
    group.command("attainment")(_attainment)
    app.add_typer(group)


def _forecast(
    patient: _Patient,
    dose: _Dose,
    until: _Until,
    plot: Annotated[str, typer.Option(help="Draw to this .svg or .png file.")],
    show: Annotated[
        list[str] | None, typer.Option(help="An output to draw, such as dissociation_pct; repeatable.")
    ] = None,
    soft: Annotated[list[str] | None, typer.Option(help="OUTPUT=NUMBER NAME, a dashed limit; repeatable.")] = None,
    hard: Annotated[list[str] | None, typer.Option(help="OUTPUT=NUMBER NAME, a hatched wall; repeatable.")] = None,
    product: _Product = "racemic",
    population: Annotated[int, typer.Option(help="Virtual patients of each model.")] = 500,
    seed: Annotated[int, typer.Option(help="Seed of the virtual patients.")] = 1,
) -> None:
    """The ensemble's forecast with the lanes you choose and limits by their names."""
    import numpy as np

    from limen.pharmacology.forecast import forecast
    from limen.reports.plots import draw_forecast
    from limen.units import parse_duration_min

    check_ending(plot, _PICTURES, "--plot")
    if seed < 0:
        raise InputError(f"seed {seed}", where="--seed", allowed="0 or more")
    limits = [*(_limit(text, "soft") for text in soft or ()), *(_limit(text, "hard") for text in hard or ())]
    profile, doses = _read(patient, dose)
    until_min = parse_duration_min(until, where="--until")
    rng = np.random.default_rng(seed) if population else None
    result = forecast(doses, profile, product, until_min, max(1.0, until_min / 240.0), population, rng)
    lanes = None if not show else list(dict.fromkeys((*show, *(limit.output for limit in limits))))
    picture = draw_forecast(result, outputs=lanes, limits=limits).written_as(Path(plot).suffix)
    write_whole(plot, lambda path: path.write_bytes(picture))
    typer.echo(f"Drawn: {plot}, {len(result.members)} models, {population} virtual patients of each")


def _limit(text: str, kind: Literal["soft", "hard"]) -> Limit:
    from limen.pharmacology.wording import parts
    from limen.reports.plots import Limit

    found = _LIMIT.fullmatch(text.strip())
    if found is None:
        raise InputError(
            f"cannot read {text!r}", where=f"--{kind}", allowed="OUTPUT=NUMBER NAME, such as 'sbp_change_mmHg=40 pause'"
        )
    return Limit(found["output"], float(found["value"]), parts(found["output"])[1], found["name"], kind)


def _models(
    patient: _Patient,
    dose: _Dose,
    until: _Until,
    plot: Annotated[str, typer.Option(help="Draw to this .svg or .png file.")],
    product: _Product = "racemic",
    json: Json = False,
) -> None:
    """Every model of the ensemble for the same dose in the same patient: its typical curve and its kind of blood."""
    from limen.pharmacology.forecast import forecast
    from limen.reports.plots import members_picture
    from limen.units import parse_duration_min

    check_ending(plot, _PICTURES, "--plot")
    profile, doses = _read(patient, dose)
    result = forecast(doses, profile, product, parse_duration_min(until, where="--until"), wanted_effects=())
    picture = members_picture(result, "; ".join(dose)).written_as(Path(plot).suffix)
    write_whole(plot, lambda path: path.write_bytes(picture))
    if json:
        print_json([member.to_json() for member in result.members])
        return
    for member in result.members:
        for name, values in member.typical.items():
            typer.echo(f"{member.id:20} {member.matrix:9} {name}: peak {max(values[~(values != values)]):.0f}")


def _attainment(
    patient: _Patient,
    dose: _Dose,
    until: _Until,
    output: Annotated[str, typer.Option(help="Such as ketamine_effect_site_ng_per_mL or dissociation_pct.")],
    low: Annotated[float, typer.Option(help="Lower end of the window, in the unit that the output's name ends in.")],
    high: Annotated[float, typer.Option(help="Upper end.")],
    product: _Product = "racemic",
    population: Annotated[int, typer.Option(help="Virtual patients of each model.")] = 500,
    seed: Annotated[int, typer.Option(help="Seed of the virtual patients.")] = 1,
    plot: Annotated[str | None, typer.Option(help="Draw to this .svg or .png file.")] = None,
    json: Json = False,
) -> None:
    """How many virtual patients a regimen keeps inside a window, and how many below and above it, over time."""
    import numpy as np

    from limen.pharmacology.attainment import attainment
    from limen.units import parse_duration_min

    check_ending(plot, _PICTURES, "--plot")
    if seed < 0:
        raise InputError(f"seed {seed}", where="--seed", allowed="0 or more")
    profile, doses = _read(patient, dose)
    found = attainment(
        doses,
        profile,
        output,
        low,
        high,
        product=product,
        until_min=parse_duration_min(until, where="--until"),
        n=population,
        rng=np.random.default_rng(seed),
    )
    if plot is not None:
        from limen.reports.plots import target_attainment

        picture = target_attainment(found).written_as(Path(plot).suffix)
        write_whole(plot, lambda path: path.write_bytes(picture))
    if json:
        print_json(found.to_json())
        return
    best = found.best
    typer.echo(
        f"{output} inside {low:g} to {high:g} {found.unit}: most at {found.time_h[best]:.2f} h,"
        f" {found.inside_pct[best]:.1f} in 100 ({found.below_pct[best]:.1f} below, {found.above_pct[best]:.1f} above);"
        f" {found.patients} virtual patients of each of {len(found.members)} models"
    )


def _read(patient: str, dose: list[str]) -> tuple[PatientProfile, list[Dose]]:
    from limen.pharmacology.patient import PatientProfile
    from limen.pharmacology.regimen import parse_dose, resolve

    profile, _ = PatientProfile.from_json(read_json(patient))
    return profile, [resolve(parse_dose(text, where="--dose"), profile.weight_kg) for text in dose]
