"""Percentiles of the ensemble over more virtual patients than memory holds, chunk by chunk and member by member."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from limen.pharmacology.exposure import MEASURES, Percentiles
from limen.pharmacology.forecast import combined
from limen.pharmacology.members import Solved, seat_variability, solve
from limen.pharmacology.outcome import Disagreement, Forecast, Summary
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.pooling import across, split_variance
from limen.pharmacology.populations.counting import Counted, counted_flag, pooled_patients, pooled_percentiles
from limen.pharmacology.populations.large_population import Outputs, Progress, Task, check_size, chunk_of
from limen.pharmacology.regimen import Dose
from limen.pharmacology.simulate import check_product, modifiers_under
from limen.pharmacology.withholding import withhold

if TYPE_CHECKING:
    from limen.pharmacology.populations.crowd import Crowd


def ensemble_quantiles(
    doses: Sequence[Dose],
    patient: PatientProfile,
    product: str = "racemic",
    *,
    until_min: float = 240.0,
    every_min: float = 1.0,
    n: int,
    seed: int,
    chunk: int | None = None,
    bits: int = 8,
    outputs: Outputs = "all",
    perpetrators: Sequence[str] = (),
    setting: str | None = None,
    member_weight: Mapping[str, float] | None = None,
    people: Crowd | None = None,
    progress: Progress | None = None,
) -> Forecast:
    """What the ensemble says of ``n`` virtual patients of each member, in memory that does not grow with ``n``.

    Parameters
    ----------
    doses, patient, product, until_min, every_min, perpetrators, setting, member_weight, people
        As ``forecast.forecast``.
    n, seed, chunk, bits, outputs, progress
        As ``large_population.population_quantiles``; patient i is the same person in every member and every chunk.

    Returns
    -------
    Forecast
        As of ``forecast.forecast``, with the flag ``counted-percentiles`` that states the bound. Times to be ready are
        not counted.

    Raises
    ------
    InputError
        As ``forecast.forecast``; or ``n`` or ``chunk`` is under 1.

    Examples
    --------
    >>> result = ensemble_quantiles(
    ...     [Dose(35, "iv", 0, 40)], PatientProfile(age_years=42, weight_kg=70),
    ...     until_min=60, every_min=20, n=200, seed=1, outputs="dosed",
    ... )
    >>> curve = result.outputs["ketamine_plasma_ng_per_mL"]
    >>> bool((curve.between_patients.p95[1:] > curve.patients_alone.p50[1:]).all())
    True
    """
    check_size(n, chunk, outputs)
    few = solve(
        doses, patient, product, until_min, every_min, 2, np.random.default_rng(0), perpetrators=perpetrators,
        setting=setting, member_weight=member_weight, people=people,
        wanted_effects=None if outputs == "all" else (),
    )  # fmt: skip
    common = {(seat, mine): name for name, names in few.shared().items() for seat, mine in enumerate(names)}
    tasks = _tasks(few, outputs, perpetrators, people)
    counted: dict[str, list[Counted | None]] = {}
    size = chunk or chunk_of(len(few.grid.asked_min))
    for first in range(0, n, size):
        count = min(size, n - first)
        for seat, task in enumerate(tasks):
            for mine, values, measures in task.solve(seed, first, count):
                if (seat, mine) not in common:
                    continue
                of_members = counted.setdefault(common[seat, mine], [None] * len(tasks))
                kept = of_members[seat] = of_members[seat] or Counted.of(values, measures, bits)
                kept.add(values, measures)
        if progress is not None:
            progress(first + count, n)
    whole = {name: [item for item in items if item is not None] for name, items in counted.items()}
    return _forecast(few, combined(few, perpetrators), whole, n, bits, people, seed)


def _tasks(few: Solved, outputs: Outputs, perpetrators: Sequence[str], people: Crowd | None) -> list[Task]:
    return [
        Task(
            seat.model,
            few.doses,
            few.patient,
            check_product(few.product, seat.model.products, seat.model.id),
            few.grid,
            outputs,
            seat_variability(few.panel, seat)[0],
            modifiers_under(perpetrators, seat.model, few.product, few.doses, few.patient),
            people,
            withhold_unusable=True,
            metabolites=len(few.seats) == 1,
        )
        for seat in few.seats
    ]


def _forecast(
    few: Solved,
    forecast: Forecast,
    counted: Mapping[str, Sequence[Counted]],
    n: int,
    bits: int,
    people: Crowd | None,
    seed: int,
) -> Forecast:
    """The forecast of a few with the percentiles of all."""
    weights = few.weights
    usable = few.usable[:, few.grid.asked]
    curves, summary, disagreement = {}, {}, {}
    for name, items in counted.items():
        each = [item.between_patients() for item in items]
        alone = Percentiles(
            *(
                across(np.stack([getattr(found, level) for found in each]), weights, usable).mean
                for level in ("p05", "p50", "p95")
            )
        )
        curves[name] = replace(
            forecast.outputs[name],
            between_patients=pooled_percentiles(items, weights),
            patients_alone=alone,
        )
        told = forecast.summary[name]
        summary[name] = Summary(
            items[0].typical(told.typical),
            pooled_patients(items, weights),
            None if told.members is None else items[0].typical(told.members),
        )
        if name in forecast.disagreement:
            disagreement[name] = {
                measure: _disagreement(found, MEASURES[measure], items, few)
                for measure, found in forecast.disagreement[name].items()
                if MEASURES[measure] in items[0].measures
            }
    told_of_people = [] if people is None else people.flags([seat.model for seat in few.seats], seed, n)
    flags = [flag for flag in forecast.flags if people is None or flag.code not in _OF_PEOPLE]
    return withhold(
        replace(
            forecast,
            outputs=curves,
            summary=summary,
            disagreement=disagreement,
            flags=(*flags, *told_of_people, counted_flag(n, bits)),
            patients=n,
        )
    )


# Told of the two patients of ``few``, and told anew of all.
_OF_PEOPLE = {"virtual-people", "people-outside-age", "people-outside-weight"}


def _disagreement(found: Disagreement, attribute: str, items: Sequence[Counted], few: Solved) -> Disagreement:
    moments = [item.measures[attribute].moments() for item in items]
    means = np.array([mean[0] for _, mean, _ in moments])
    variances = np.array([variance[0] for _, _, variance in moments])
    between, within = split_variance(means, variances, few.weights)
    # A spread within the floor of the bins was not seen.
    seen = between + within > items[0].measures[attribute].floor ** 2
    return replace(found, between_models_fraction=between / (between + within) if seen else None)
