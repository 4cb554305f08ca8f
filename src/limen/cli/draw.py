"""Commands: pictures that no other command makes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from limen.cli.output import Json, check_ending, print_json, read_json, write_whole
from limen.errors import InputError

if TYPE_CHECKING:
    from limen.pharmacology.patient import PatientProfile
    from limen.pharmacology.regimen import Dose

_PICTURES = (".svg", ".png")

_Patient = Annotated[str, typer.Option(help="JSON file of the patient, or - for standard input.")]
_Dose = Annotated[list[str], typer.Option(help="AMOUNT UNIT ROUTE [over DURATION] [at TIME]; repeatable.")]
_Until = Annotated[str, typer.Option(help="Horizon, such as '4 h'.")]
_Product = Annotated[str, typer.Option(help="racemic, s-ketamine or esketamine-nasal.")]


def register(app: typer.Typer) -> None:
    """Add ``limen draw models`` and ``limen draw attainment``."""
    group = typer.Typer(name="draw", help="Pictures of models side by side and of patients inside a window.")
    group.command("models")(_models)
    group.command("attainment")(_attainment)
    app.add_typer(group)


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
