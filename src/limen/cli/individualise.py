"""Command: the forecast of one patient from what was seen of this patient."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limen.cli.output import Json, check_ending, print_json, read_json, write_whole
from limen.errors import InputError

if TYPE_CHECKING:
    from limen.pharmacology.individual.individualise import Individual

_OBSERVATIONS = """JSON file of what was seen, or - for standard input:
{"now_min": 60, "observations": [...]}, each entry one of
{"kind": "concentration", "analyte": "S_ketamine", "matrix": "venous", "t_min": 40, "value_ng_per_mL": 82},
{"kind": "pressure", "t_min": 15, "sbp_mmHg": 141, "baseline_sbp_mmHg": 128},
{"kind": "heart_rate", "t_min": 15, "hr_per_min": 84, "baseline_hr_per_min": 76},
{"kind": "dissociation", "t_min": 30, "score": 2} (0 to 4) or "vas_pct" (0 to 100),
{"kind": "sedation", "t_min": 30, "moaas": 5},
{"kind": "earlier_peak", "dose": "35 mg iv over 40 min", ...} with the keys of one of the above but t_min,
{"kind": "earlier_recovery", "dose": "35 mg iv over 40 min", "ready_min": 110}."""


def register(app: typer.Typer) -> None:
    """Add ``limen individualise``."""

    @app.command()
    def individualise(
        patient: Annotated[str, typer.Option(help="JSON file of the patient, or - for standard input.")],
        dose: Annotated[list[str], typer.Option(help="AMOUNT UNIT ROUTE [over DURATION] [at TIME]; repeatable.")],
        observations: Annotated[str, typer.Option(help=_OBSERVATIONS)],
        model: Annotated[str, typer.Option(help="Model id, or ensemble.")] = "ensemble",
        product: Annotated[str, typer.Option(help="racemic, s-ketamine or esketamine-nasal.")] = "racemic",
        until: Annotated[str, typer.Option(help="Horizon, such as '4 h'.")] = "4 h",
        every: Annotated[str, typer.Option(help="Step of the bands.")] = "5 min",
        population: Annotated[int, typer.Option(help="Virtual patients of each model.")] = 1000,
        seed: Annotated[int, typer.Option(help="Seed of the virtual patients.")] = 1,
        with_: Annotated[list[str] | None, typer.Option("--with", help="Another drug taken; repeatable.")] = None,
        plot: Annotated[str | None, typer.Option(help="Draw before and after to this .svg or .png file.")] = None,
        json: Json = False,
    ) -> None:
        """Update the forecast of one patient from what was seen, and say what could not be learned."""
        check_ending(plot, (".svg", ".png"), "--plot")
        result, unknown = _run(model, patient, dose, observations, product, until, every, population, seed, with_ or [])
        if plot is not None:
            from limen.reports.plots import of_individual

            picture = of_individual(result.to_json()).written_as(Path(plot).suffix)
            write_whole(plot, lambda path: path.write_bytes(picture))
        if json:
            print_json(result.to_json() | {"unknown_inputs": list(unknown)})
        else:
            typer.echo("\n".join(_lines(result, unknown)))


def _run(
    model: str,
    patient: str,
    dose: list[str],
    observations: str,
    product: str,
    until: str,
    every: str,
    population: int,
    seed: int,
    perpetrators: list[str],
) -> tuple[Individual, tuple[str, ...]]:
    import numpy as np

    from limen.pharmacology.individual.individualise import individualise
    from limen.pharmacology.individual.observations import observations_from_json
    from limen.pharmacology.patient import PatientProfile
    from limen.pharmacology.regimen import parse_dose, resolve
    from limen.units import parse_duration_min

    if patient == observations == "-":
        raise InputError("standard input cannot be both", where="--observations", allowed="a file for one of the two")
    if seed < 0:
        raise InputError(f"seed {seed}", where="--seed", allowed="0 or more")
    profile, unknown = PatientProfile.from_json(read_json(patient))
    seen, extra = observations_from_json(read_json(observations))
    doses = [resolve(parse_dose(text, where="--dose"), profile.weight_kg) for text in dose]
    result = individualise(
        doses,
        profile,
        product,
        seen,
        n=population,
        rng=np.random.default_rng(seed),
        model=model,
        until_min=parse_duration_min(until, where="--until"),
        every_min=parse_duration_min(every, where="--every"),
        perpetrators=perpetrators,
    )
    return result, (*unknown, *extra)


def _lines(result: Individual, unknown: tuple[str, ...]) -> list[str]:
    entry = result.to_json()
    lines = [
        f"{entry['model']}, {entry['product']}: {len(entry['observations'])} observations,"
        f" {entry['effective_samples']:.0f} effective samples of {len(result.after.weights)}",
        entry["learned"]["because"],
        "",
        f"{'observation':36} {'seen':>8} {'predicted before, 90 %':>26}  tail",
    ]
    lines += [_seen(item) for item in entry["observations"]]
    lines += ["", f"{'model':20} weight before  after"]
    lines += [f"{item['id']:20} {item['weight_before']:13.3f} {item['weight_after']:6.3f}" for item in entry["members"]]
    middle = len(entry["time_h"]) // 2
    lines += [
        "",
        f"{'at ' + format(entry['time_h'][middle], '.2f') + ' h':36} {'before, 90 %':>20} {'after, 90 %':>20}",
    ]
    lines += [
        f"{name:36} {_range(cells['prior'], middle):>20} {_range(cells, middle):>20}"
        for name, cells in entry["outputs"].items()
    ]
    lines.append("")
    lines += [f"{flag['code']}: {flag['message']}" for flag in entry["flags"]]
    if unknown:
        lines.append(f"not used: {', '.join(unknown)}")
    return lines


def _seen(item: dict[str, Any]) -> str:
    compared, prior = item["compared"], item["prior"]
    band = "not predicted" if prior is None else f"{prior['p05']:.1f} to {prior['p95']:.1f}"
    tail = "" if item["tail_probability"] is None else f"{item['tail_probability']:.3f}"
    mark = "  outside" if item["outside_prediction"] else ""
    return f"{compared['output']:36} {compared['value']:8.1f} {band:>26}  {tail}{mark}"


def _range(cells: dict[str, Any], place: int) -> str:
    low, high = cells["p05"][place], cells["p95"][place]
    return "" if low is None or high is None else f"{low:.1f} to {high:.1f}"
