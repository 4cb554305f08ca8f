"""Several published models at once: their mean, how far they differ, and how far patients differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from limen.pharmacology import flags
from limen.pharmacology.effects import effects
from limen.pharmacology.ensemble import Ensemble, ensemble
from limen.pharmacology.exposure import Curve, Measures, Percentiles, peaks
from limen.pharmacology.outcome import Flag, Forecast, Member, Summary
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose, Schedule
from limen.pharmacology.response import Array, Grid, Response, name_of, respond
from limen.pharmacology.simulate import (
    assumed_variability_flags,
    check_doses,
    check_product,
    cited,
    clearance_under,
    draw_patients,
    is_lumped,
    pressure_drive_ng_per_mL,
    variability_of,
)


def forecast(
    doses: Sequence[Dose],
    patient: PatientProfile,
    product: str = "racemic",
    until_min: float = 240.0,
    every_min: float = 1.0,
    n: int = 0,
    rng: np.random.Generator | None = None,
    *,
    perpetrators: Sequence[str] = (),
) -> Forecast:
    """What the ensemble of published models says will happen.

    Parameters
    ----------
    doses : sequence of Dose
    patient : PatientProfile
    product : str
        Only ``racemic``: no second IV model of S-ketamine is on file.
    until_min, every_min : float
        Horizon and step of the curves.
    n : int
        Virtual patients of each member. Patient i has the same draws in every member.
    rng : numpy.random.Generator, optional
        Needed for a population.
    perpetrators : sequence of str
        Drugs taken too.

    Returns
    -------
    Forecast
        For each output: ``typical`` is the mean of the members' typical patients; ``between_models`` is the least and
        greatest of them; ``between_patients`` holds percentiles over the virtual patients of all members together.
        A member that must not be believed at some time is left out at that time.

    Raises
    ------
    InputError
        As ``simulate.simulate``.

    Examples
    --------
    >>> dose = Dose(35, "iv", 0, 40)
    >>> result = forecast([dose], PatientProfile(age_years=42, weight_kg=70), until_min=120)
    >>> low, high = result.outputs["ketamine_plasma_ng_per_mL"].between_models
    >>> [round(float(edge[40])) for edge in (low, high)]
    [160, 253]
    """
    plan = ensemble()
    asked = check_product(product, (plan.product,), "the ensemble")
    check_doses(doses, plan.routes, "the ensemble")
    schedule = Schedule.of(doses)
    grid = Grid.of(until_min, every_min, schedule)
    used = plan.models
    draws = draw_patients(n, rng, len(grid.asked_min) * len(used))
    ratio, told = clearance_under(perpetrators, doses)
    responses = []
    borrowed = []
    for model in used:
        variability, assumed = variability_of(model)
        if assumed:
            borrowed.append(model)
        response = respond(
            model,
            doses,
            asked,
            patient,
            grid,
            schedule,
            draws,
            variability=variability,
            clearance_ratio=ratio,
            metabolites=False,
            withhold_unusable=True,
        )
        responses.append(response)
    shared = {name: _member_names(name, responses) for name in _output_names()}
    solved = {name: _models_curve(names, responses) for name, names in shared.items()}
    outputs = {
        name: Curve(
            grid.shown(curve.typical),
            _pooled(shared[name], responses, grid) if n else None,
            (grid.shown(curve.low), grid.shown(curve.high)),
        )
        for name, curve in solved.items()
    }
    summary = {name: _summary(names, responses, solved[name].typical, grid, n) for name, names in shared.items()}
    drive_ng_per_mL = float(np.nanmean([pressure_drive_ng_per_mL(response) for response in responses]))
    found = [
        *flags.of_regimen(doses, grid.end_min),
        *_ensemble_flags(plan, responses),
        *(assumed_variability_flags(borrowed) if borrowed and n else []),
        *told,
        *(flag for model in used for flag in flags.of_model(model, asked, patient, doses, metabolites=False)),
        *flags.of_effects(asked, any(is_lumped(model) for model in used), n, drive_ng_per_mL),
    ]
    members = tuple(
        Member(
            model.id,
            model.matrix,
            1.0 / len(used),
            bool(model.variability),
            {names[place]: grid.shown(response.values[names[place]][0]) for names in shared.values()},
        )
        for place, (model, response) in enumerate(zip(used, responses, strict=True))
    )
    return Forecast(
        "ensemble",
        asked,
        grid.asked_min / 60.0,
        outputs,
        summary,
        tuple(found),
        cited(used, perpetrators),
        patients=n,
        members=members,
    )


def _output_names() -> tuple[str, ...]:
    return (name_of("ketamine", "plasma"), name_of("ketamine", "effect_site"), effects().pressure.output)


def _member_names(name: str, responses: Sequence[Response]) -> tuple[str, ...]:
    """What each member calls this output: plasma is the member's own matrix."""
    if name == name_of("ketamine", "plasma"):
        return tuple(name_of("ketamine", response.model.matrix) for response in responses)
    return (name,) * len(responses)


@dataclass(frozen=True, slots=True)
class _ModelsCurve:
    """Mean, least and greatest of the members' typical patients at the solved times."""

    typical: Array
    low: Array
    high: Array


def _models_curve(names: Sequence[str], responses: Sequence[Response]) -> _ModelsCurve:
    typical = np.stack([response.values[name][0] for name, response in zip(names, responses, strict=True)])
    usable = ~np.stack([response.unusable for response in responses])
    some = usable.any(axis=0)
    mean = np.where(usable, typical, 0.0).sum(axis=0) / np.maximum(usable.sum(axis=0), 1)
    return _ModelsCurve(
        np.where(some, mean, np.nan),
        np.where(some, np.where(usable, typical, np.inf).min(axis=0), np.nan),
        np.where(some, np.where(usable, typical, -np.inf).max(axis=0), np.nan),
    )


def _pooled(names: Sequence[str], responses: Sequence[Response], grid: Grid) -> Percentiles:
    """Percentiles over the patients of the members that may be believed at each time asked for."""
    patients = [grid.shown(response.values[name][1:]) for name, response in zip(names, responses, strict=True)]
    usable = ~np.stack([response.unusable[grid.asked] for response in responses])
    times = usable.shape[1]
    out = Percentiles(np.full(times, np.nan), np.full(times, np.nan), np.full(times, np.nan))
    for pattern in np.unique(usable, axis=1).T:
        believed = [values for values, kept in zip(patients, pattern, strict=True) if kept]
        if not believed:
            continue
        here = np.flatnonzero((usable == pattern[:, None]).all(axis=0))
        whole = len(here) == times
        found = Percentiles.over(np.concatenate([values if whole else values[:, here] for values in believed]))
        for level in ("p05", "p50", "p95"):
            getattr(out, level)[here] = getattr(found, level)
    return out


def _summary(names: Sequence[str], responses: Sequence[Response], typical: Array, grid: Grid, n: int) -> Summary:
    each = [response.measures[name] for name, response in zip(names, responses, strict=True)]
    of_members = _together([measures.rows(slice(0, 1)) for measures in each])
    height, when_min = peaks(typical[None, :], grid.solved_min, grid.corner)
    mean = Measures(
        height,
        when_min / 60.0,
        _mean(of_members.auc_0_24_ng_h_per_mL),
        _mean(of_members.auc_0_end_ng_h_per_mL),
    )
    patients = _together([measures.rows(slice(1, None)) for measures in each]) if n else None
    return Summary(mean, patients, of_members)


def _mean(values: Array | None) -> Array | None:
    return None if values is None else values.mean(keepdims=True)


def _together(parts: Sequence[Measures]) -> Measures:
    """The measures of several members as one; a member that is nowhere to be believed has no peak and adds none."""

    def join(name: str) -> Array | None:
        columns = [getattr(part, name) for part in parts]
        return None if columns[0] is None else np.concatenate(columns)

    height = np.concatenate([part.peak for part in parts])
    when_h = np.concatenate([part.tmax_h for part in parts])
    found = ~np.isnan(height)
    return Measures(height[found], when_h[found], join("auc_0_24_ng_h_per_mL"), join("auc_0_end_ng_h_per_mL"))


def _ensemble_flags(plan: Ensemble, responses: Sequence[Response]) -> list[Flag]:
    by_matrix: dict[str, list[str]] = {}
    for response in responses:
        by_matrix.setdefault(response.model.matrix, []).append(response.model.id)
    mixed = "; ".join(f"{matrix}: {', '.join(ids)}" for matrix, ids in by_matrix.items())
    return [
        Flag("mixed-matrix", f"The members' concentrations are not of one kind of blood: {mixed}"),
        Flag(
            "equal-weights",
            f"Each of the {len(responses)} members counts the same [{plan.weighting.verification}]:"
            f" {plan.weighting.note}",
        ),
    ]
