"""Commands: aiming at a level, comparing two plans, changing the route."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limen.cli.output import Json, name_and_number, print_json, read_json
from limen.errors import InputError

if TYPE_CHECKING:
    from limen.pharmacology.patient import PatientProfile
    from limen.pharmacology.regimen import Dose
    from limen.pharmacology.targets import Target, Wall

_Patient = Annotated[str, typer.Option(help="JSON file of the patient, or - for standard input.")]
_Product = Annotated[str, typer.Option(help="racemic, s-ketamine or esketamine-nasal.")]
_Population = Annotated[int, typer.Option(help="Virtual patients of each model, for percentiles.")]
_Seed = Annotated[int, typer.Option(help="Seed of the virtual patients.")]
_Setting = Annotated[str | None, typer.Option(help="Where the patient is treated, such as intensive-care.")]
_Weight = Annotated[list[str] | None, typer.Option(help="MODEL=NUMBER, what a member counts; repeatable.")]
_With = Annotated[list[str] | None, typer.Option("--with", help="Another drug taken; repeatable.")]


def register(app: typer.Typer) -> None:
    """Add ``limen target``, ``limen compare`` and ``limen change-route``."""
    app.command("target")(_target)
    app.command("compare")(_compare)
    app.command("change-route")(_change_route)


def _target(
    patient: _Patient,
    level: Annotated[float, typer.Option(help="In the unit that the output's name ends in.")],
    output: Annotated[str, typer.Option(help="Such as ketamine_effect_site_ng_per_mL or dissociation_pct.")],
    until: Annotated[str, typer.Option(help="End of the window, such as '60 min'.")],
    concentration_mg_per_mL: Annotated[
        float | None, typer.Option("--concentration-mg-per-mL", help="Strength of what the pump runs, by vein.")
    ] = None,
    route: Annotated[str, typer.Option(help="iv for a pump; another route for one dose.")] = "iv",
    step_mg: Annotated[
        float | None, typer.Option("--step-mg", help="One dose is a whole number of it; devices are counted.")
    ] = None,
    from_: Annotated[str, typer.Option("--from", help="Start of the window.")] = "20 min",
    statistic: Annotated[str, typer.Option(help="Whose level: typical, p05, p50 or p95.")] = "typical",
    product: _Product = "racemic",
    steps: Annotated[int, typer.Option(help="Rates at most; many make a table for a pump.")] = 3,
    every: Annotated[str, typer.Option(help="Rates change at whole numbers of this.")] = "5 min",
    bolus: Annotated[bool, typer.Option(help="Whether one bolus at the start is allowed.")] = True,
    most_bolus_mg: Annotated[float | None, typer.Option("--most-bolus-mg", help="Limit.")] = None,
    most_rate_mg_per_h: Annotated[float | None, typer.Option("--most-rate-mg-per-h", help="Limit.")] = None,
    most_total_mg: Annotated[float | None, typer.Option("--most-total-mg", help="Limit.")] = None,
    ceiling: Annotated[
        list[str] | None, typer.Option(help="OUTPUT=NUMBER or OUTPUT@p95=NUMBER, a limit on the peak; repeatable.")
    ] = None,
    rate_step_mL_per_h: Annotated[float, typer.Option("--rate-step-mL-per-h", help="Of the pump.")] = 0.1,
    bolus_step_mL: Annotated[float, typer.Option("--bolus-step-mL", help="Of the syringe.")] = 0.1,
    population: _Population = 0,
    seed: _Seed = 1,
    setting: _Setting = None,
    weight: _Weight = None,
    with_: _With = None,
    json: Json = False,
) -> None:
    """A bolus and a few rates by vein, or one dose by another route, towards a level, inside limits. It advises."""
    from limen.pharmacology.targeting import Pump, Target, aim
    from limen.units import parse_duration_min

    _check_seed(seed)
    profile, unknown = _profile(patient)
    target = Target(
        output,
        level,
        parse_duration_min(from_, where="--from"),
        parse_duration_min(until, where="--until"),
        statistic,  # type: ignore[arg-type]
    )
    walls = _walls(most_bolus_mg, most_rate_mg_per_h, most_total_mg, ceiling or ())
    options = _options(setting, weight, with_)
    if route != "iv":
        _one_dose(target, profile, unknown, product, route, walls, step_mg, population, seed, options, json=json)
        return
    if concentration_mg_per_mL is None:
        raise InputError("no strength", where="--concentration-mg-per-mL", allowed="what the pump runs, in mg/mL")
    advice = aim(
        target,
        profile,
        product,
        walls,
        Pump(concentration_mg_per_mL, rate_step_mL_per_h, bolus_step_mL),
        bolus=bolus,
        steps=steps,
        every_min=parse_duration_min(every, where="--every"),
        n=population,
        seed=seed,
        **options,
    )
    entry = advice.to_json() | {"unknown_inputs": list(unknown)}
    if json:
        print_json(entry)
        return
    asked, achieved = entry["asked"], entry["achieved"]
    lines = [
        f"Asked: {asked['output']} {asked['level']:g} {asked['unit']} ({asked['statistic']}),"
        f" {60 * asked['from_h']:g} to {60 * asked['until_h']:g} min",
        f"{'Reached' if entry['reached'] else 'NOT REACHED'}: {_cell(achieved)} {asked['unit']} in the mean",
    ]
    for step in entry["steps"]:
        amount = f"{step['dose_mg']:g} mg = {step['volume_mL']:.4g} mL"
        if step["kind"] == "bolus":
            lines.append(f"  bolus at {step['at_min']:g} min: {amount}")
        else:
            lines.append(
                f"  from {step['at_min']:g} min: {step['rate_mL_per_h']:g} mL/h ({step['rate_mg_per_h']:g} mg/h) for"
                f" {step['duration_min']:g} min, {amount}"
            )
    lines.append(f"  in all {entry['dose_mg']:g} mg")
    for limit in entry["limits"]:
        mark = ", binding" if limit["binding"] else ""
        lines.append(f"  limit {limit['name']}: used {limit['used']:.4g} of {limit['limit']:g} {limit['unit']}{mark}")
    _tell(lines, entry)


def _one_dose(
    target: Target,
    profile: PatientProfile,
    unknown: tuple[str, ...],
    product: str,
    route: str,
    walls: list[Wall],
    step_mg: float | None,
    population: int,
    seed: int,
    options: dict[str, Any],
    *,
    json: bool,
) -> None:
    from limen.pharmacology.regimen import ROUTES
    from limen.pharmacology.single_dose import one_dose

    if route not in ROUTES:
        raise InputError(f"unknown route {route!r}", where="--route", allowed=", ".join(ROUTES))
    found = one_dose(target, profile, product, route, walls, step_mg=step_mg, n=population or 200, seed=seed, **options)
    entry = found.to_json() | {"unknown_inputs": list(unknown)}
    if json:
        print_json(entry)
        return
    asked = entry["asked"]
    lines = [
        f"Asked: {asked['output']} {asked['level']:g} {asked['unit']} ({asked['statistic']}) at some time from"
        f" {60 * asked['from_h']:g} to {60 * asked['until_h']:g} min, by one dose {route}"
    ]
    if entry["reached"]:
        devices = "" if entry["devices"] is None else f" ({entry['devices']} devices)"
        share = 100 * entry["reached_probability"]
        lines.append(f"Least dose: {entry['dose_mg']:g} mg{devices}; {share:.0f} of 100 virtual patients reach it")
    else:
        lines.append("NOT REACHED by any dose inside the limits")
    for item in entry["doses"]:
        passed = f"; passes {', '.join(item['passed'])}" if item["passed"] else ""
        lines.append(
            f"  {item['dose_mg']:g} mg: highest {_cell(item['highest'])} {asked['unit']},"
            f" {100 * item['reached_probability']:.0f} of 100 reach it{passed}"
        )
    _tell(lines, entry)


def _compare(
    a: Annotated[str, typer.Argument(help="Plan A: doses as for simulate, parted by ';'.")],
    b: Annotated[str, typer.Argument(help="Plan B.")],
    patient: _Patient,
    until: Annotated[str, typer.Option(help="Horizon, such as '4 h'.")],
    every: Annotated[str, typer.Option(help="Step of the curves.")] = "1 min",
    product: _Product = "racemic",
    over: Annotated[list[str] | None, typer.Option(help="OUTPUT=NUMBER, a threshold; repeatable.")] = None,
    escort: Annotated[bool | None, typer.Option(help="Whether somebody takes the patient home.")] = None,
    population: _Population = 200,
    seed: _Seed = 1,
    setting: _Setting = None,
    weight: _Weight = None,
    with_: _With = None,
    json: Json = False,
) -> None:
    """Two plans on the same virtual patients: peaks, areas, effects and recovery, with P(A > B)."""
    from limen.care.leaving import leaving_after
    from limen.pharmacology.comparison import compare
    from limen.units import parse_duration_min

    _check_seed(seed)
    profile, unknown = _profile(patient)
    plans = _doses(a, profile, "A"), _doses(b, profile, "B")
    found = compare(
        *plans,
        profile,
        product,
        until_min=parse_duration_min(until, where="--until"),
        every_min=parse_duration_min(every, where="--every"),
        n=population,
        seed=seed,
        over=dict(name_and_number(text, "--over") for text in over or ()),
        leaving=(
            leaving_after(product, [dose.route for dose in plans[0]], escort=escort),
            leaving_after(product, [dose.route for dose in plans[1]], escort=escort),
        ),
        **_options(setting, weight, with_),
    )
    entry = found.to_json() | {"unknown_inputs": list(unknown)}
    if json:
        print_json(entry)
        return
    lines = [f"A: {a}", f"B: {b}"]
    rows = [(name, measure, cell) for name, of_name in entry["outputs"].items() for measure, cell in of_name.items()]
    if entry["ready_to_leave_h"] is not None:
        rows.append(("ready to leave", "time", entry["ready_to_leave_h"]))
    for name, measure, cell in rows:
        surely = "" if cell["p_a_greater"] is None else f"; A greater in {100 * cell['p_a_greater']:.0f} of 100"
        lines.append(
            f"  {name}, {measure} ({cell['unit']}): A {_cell(cell['a'])}, B {_cell(cell['b'])};"
            f" A - B {_cell(cell['difference'])}{surely}"
        )
    late = entry["not_ready_by_end_fraction"]
    if late is not None and max(late.values()) > 0:
        lines.append(f"  not ready by the end: A {100 * late['a']:.3g}, B {100 * late['b']:.3g} of 100")
    _tell(lines, entry)


def _change_route(
    given: Annotated[str, typer.Argument(help="What is given now: doses as for simulate, parted by ';'.")],
    to: Annotated[str, typer.Option(help="The other route: iv, im, sc, in, po, sl, buccal or pr.")],
    patient: _Patient,
    match: Annotated[str, typer.Option(help="auc or peak.")] = "auc",
    product: _Product = "racemic",
    population: _Population = 200,
    seed: _Seed = 1,
    setting: _Setting = None,
    weight: _Weight = None,
    with_: _With = None,
    json: Json = False,
) -> None:
    """The range of doses by another route with the same area or peak; the product stays. It advises."""
    from limen.pharmacology.regimen import ROUTES
    from limen.pharmacology.route_change import change_route

    _check_seed(seed)
    if to not in ROUTES:
        raise InputError(f"unknown route {to!r}", where="--to", allowed=", ".join(ROUTES))
    profile, unknown = _profile(patient)
    found = change_route(
        _doses(given, profile, "dose"),
        to,
        profile,
        product,
        match=match,  # type: ignore[arg-type]
        n=population,
        seed=seed,
        **_options(setting, weight, with_),
    )
    entry = found.to_json() | {"unknown_inputs": list(unknown)}
    if json:
        print_json(entry)
        return
    models = entry["dose_mg"]["between_models"]
    _tell(
        [
            f"Given: {given}",
            f"By {to}, for the same {match} of {entry['output']}: {_cell(entry['dose_mg'])} mg"
            f" (models {models['low']:.4g} to {models['high']:.4g})",
        ],
        entry,
    )


def _profile(path: str) -> tuple[PatientProfile, tuple[str, ...]]:
    from limen.pharmacology.patient import PatientProfile

    return PatientProfile.from_json(read_json(path))


def _doses(text: str, profile: PatientProfile, where: str) -> list[Dose]:
    from limen.pharmacology.infusion_lines import check_lines, parse_steps
    from limen.pharmacology.regimen import resolve

    orders = [order for part in text.split(";") for order in parse_steps(part.strip(), where=where)]
    doses = [resolve(order, profile.weight_kg) for order in orders]
    check_lines(doses, where=where)
    return doses


def _walls(
    bolus_mg: float | None, rate_mg_per_h: float | None, total_mg: float | None, ceilings: Sequence[str]
) -> list[Wall]:
    from limen.pharmacology.exposure import unit_of
    from limen.pharmacology.targets import Wall

    found = []
    if bolus_mg is not None:
        found.append(Wall("largest bolus", "bolus", bolus_mg, "mg"))
    if rate_mg_per_h is not None:
        found.append(Wall("fastest rate", "rate", rate_mg_per_h, "mg/h"))
    if total_mg is not None:
        found.append(Wall("largest total", "total", total_mg, "mg"))
    for text in ceilings:
        whose, limit = name_and_number(text, "--ceiling")
        output, _, statistic = whose.partition("@")
        if statistic not in ("", "typical", "p05", "p50", "p95"):
            raise InputError(
                f"unknown statistic {statistic!r}", where="--ceiling", allowed="typical, p05, p50 or p95 after the @"
            )
        found.append(
            Wall(
                f"ceiling on {whose}",
                "peak",
                limit,
                unit_of(output),
                output=output,
                statistic=statistic or "typical",  # type: ignore[arg-type]
            )
        )
    return found


def _options(setting: str | None, weight: list[str] | None, others: list[str] | None) -> dict[str, Any]:
    return {
        "setting": setting,
        "member_weight": dict(name_and_number(text, "--weight") for text in weight or ()),
        "perpetrators": others or (),
    }


def _check_seed(seed: int) -> None:
    if seed < 0:
        raise InputError(f"seed {seed}", where="--seed", allowed="0 or more")


def _cell(cell: Mapping[str, Any]) -> str:
    def show(value: float | None) -> str:
        return "not known" if value is None else f"{value:.4g}"

    text = show(cell["typical"])
    return text + (f" (90 of 100 {show(cell['p05'])} to {show(cell['p95'])})" if "p05" in cell else "")


def _tell(lines: list[str], entry: Mapping[str, Any]) -> None:
    lines += [f"  ! {flag['code']}: {flag['message']}" for flag in entry["flags"]]
    if entry["unknown_inputs"]:
        lines.append(f"  not used: {', '.join(entry['unknown_inputs'])}")
    typer.echo("\n".join(lines))
