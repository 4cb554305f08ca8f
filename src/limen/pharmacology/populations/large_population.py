"""Percentiles of one model over more virtual patients than memory holds, chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import numpy.typing as npt

from limen.errors import InputError
from limen.pharmacology import models, population
from limen.pharmacology.covariates.interactions import Modifiers
from limen.pharmacology.exposure import Curve, Measures, peaks
from limen.pharmacology.models.schema import Model, Omega, Product
from limen.pharmacology.outcome import Forecast, Summary
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.populations import closed_form
from limen.pharmacology.populations.counting import Counted, counted_flag
from limen.pharmacology.regimen import Dose, Schedule
from limen.pharmacology.response import Grid, respond
from limen.pharmacology.simulate import check_product, modifiers_under, simulate, usual_product, variability_of
from limen.pharmacology.withholding import withhold

if TYPE_CHECKING:
    from limen.pharmacology.populations.crowd import Crowd

# Past this a run takes hours and its percentiles move no more.
MOST_PATIENTS = 100_000_000

Array = npt.NDArray[np.float64]
Progress = Callable[[int, int], None]
Outputs = Literal["all", "concentrations", "dosed"]

# Values of one output in a chunk: 2 MB, which the processor's cache holds.
_CHUNK_VALUES = 250_000


def population_quantiles(
    model: str | Model,
    doses: Sequence[Dose],
    patient: PatientProfile,
    *,
    until_min: float,
    every_min: float = 1.0,
    product: str | None = None,
    n: int,
    seed: int,
    chunk: int | None = None,
    bits: int = 8,
    outputs: Outputs = "all",
    perpetrators: Sequence[str] = (),
    people: Crowd | None = None,
    progress: Progress | None = None,
) -> Forecast:
    """What one model says of ``n`` virtual patients, in memory that does not grow with ``n``.

    Parameters
    ----------
    model, doses, patient, until_min, every_min, product, perpetrators
        As ``simulate.simulate``.
    n : int
        Virtual patients, 1 to 100 million.
    seed : int
        Of ``population.patients``; patient i is the same as in every other call with this seed.
    chunk : int, optional
        Patients solved together; it changes time and memory, never the answer.
    bits : int
        Of ``QuantileSketch``: percentiles are within 2**-(bits + 1) of the exact ones (0.2 % at 8), or within 0.001 of
        their unit where they are smaller than half of that.
    outputs : str
        ``all``; ``concentrations`` leaves the effects out; ``dosed`` counts plasma and effect site of what is given and
        nothing else, without areas: by vein that is some forty times as fast.
    people : Crowd, optional
        As of ``simulate.simulate``.
    progress : callable (done, n), optional
        Told after each chunk.

    Returns
    -------
    Forecast
        As of ``simulate.simulate``, with the flag ``counted-percentiles`` that states the bound.

    Raises
    ------
    InputError
        As ``simulate.simulate``; or ``n`` or ``chunk`` is under 1.

    Examples
    --------
    >>> result = population_quantiles(
    ...     "clements-250", [Dose(35, "iv", 0, 40)], PatientProfile(weight_kg=70), until_min=60, n=500, seed=1
    ... )
    >>> curve = result.outputs["ketamine_plasma_ng_per_mL"]
    >>> bool((curve.between_patients.p95[1:] > curve.typical[1:]).all())
    True
    """
    chosen = models.get(model) if isinstance(model, str) else model
    check_size(n, chunk, outputs)
    asked = check_product(product or usual_product(chosen, doses), chosen.products, chosen.id)
    # Two patients, for what is said of the typical one and of any population.
    few = simulate(
        chosen, doses, patient, until_min=until_min, every_min=every_min, product=asked, n=2,
        rng=np.random.default_rng(0), perpetrators=perpetrators, wanted_effects=None if outputs == "all" else (),
    )  # fmt: skip
    if people is not None:
        few = replace(few, flags=(*few.flags, *people.flags([chosen], seed, n)))
    grid = Grid.of(until_min, every_min, Schedule.of(doses))
    variability, _ = variability_of(chosen)
    modifiers = modifiers_under(perpetrators, chosen, asked, doses, patient)
    task = Task(chosen, doses, patient, asked, grid, outputs, variability, modifiers, people)
    counted: dict[str, Counted] = {}
    size = chunk or chunk_of(len(few.time_h))
    for first in range(0, n, size):
        count = min(size, n - first)
        for name, values, measures in task.solve(seed, first, count):
            if name not in counted:
                counted[name] = Counted.of(values, measures, bits)
            counted[name].add(values, measures)
        if progress is not None:
            progress(first + count, n)
    return _forecast(few, counted, n, bits)


def chunk_of(times: int) -> int:
    """Patients to be solved together at as many times."""
    return max(1, _CHUNK_VALUES // times)


def check_size(n: int, chunk: int | None, outputs: str) -> None:
    """Refuse a number of patients, or outputs, that cannot be."""
    if n > MOST_PATIENTS:
        raise InputError(f"{n} patients are too many", where="population", allowed=f"at most {MOST_PATIENTS}")
    if n < 1 or (chunk is not None and chunk < 1):
        raise InputError(f"{n} patients, {chunk} at a time", where="population", allowed="1 or more")
    if outputs not in get_args(Outputs):
        raise InputError(f"unknown outputs {outputs!r}", where="outputs", allowed=", ".join(get_args(Outputs)))


@dataclass(frozen=True, slots=True)
class Task:
    """One model to be solved for more patients than fit at once.

    Attributes
    ----------
    withhold_unusable : bool
        As of ``response.respond``.
    metabolites : bool
        Whether they are wanted, where ``outputs`` has them.
    """

    model: Model
    doses: Sequence[Dose]
    patient: PatientProfile
    product: Product
    grid: Grid
    outputs: Outputs
    variability: Sequence[Omega]
    modifiers: Modifiers
    people: Crowd | None = None
    withhold_unusable: bool = False
    metabolites: bool = True

    def solve(self, seed: int, first: int, count: int) -> Iterator[tuple[str, Array, Measures]]:
        """Each output of some patients: name, values (patients, times) and measures."""
        schedule = Schedule.of(self.doses)
        cohort = None if self.people is None else self.people.cohort(self.patient, seed, first, count)
        by_vein = closed_form.covers(self.model, self.product, self.doses)
        fast_input = self.withhold_unusable and self.model.unusable_after_fast_input_min is not None
        if self.outputs == "dosed" and by_vein and not fast_input:
            wanted = closed_form.columns(self.variability)
            draws = _after_typical(population.patients(seed, first, count, columns=wanted))
            found = closed_form.curves(
                self.model, self.product, self.patient, schedule, self.grid.solved_min, draws,
                variability=self.variability, ratios=self.modifiers.parameter_ratios, cohort=cohort,
            )  # fmt: skip
            for name, values in found.items():
                height, when_min = peaks(values[1:], self.grid.solved_min, self.grid.corner)
                yield name, self.grid.shown(values[1:]), Measures(height, when_min / 60.0, None, None)
            return
        response = respond(
            self.model,
            self.doses,
            self.product,
            self.patient,
            self.grid,
            schedule,
            _after_typical(population.patients(seed, first, count)),
            variability=self.variability,
            modifiers=self.modifiers,
            metabolites=self.metabolites and self.outputs != "dosed",
            withhold_unusable=self.withhold_unusable,
            wanted_effects=None if self.outputs == "all" else (),
            cohort=cohort,
        )
        for name, values in response.values.items():
            measures = response.measures[name].rows(slice(1, None))
            if self.outputs == "dosed":
                measures = Measures(measures.peak, measures.tmax_h, None, None)
            yield name, self.grid.shown(values[1:]), measures


def _after_typical(draws: Array) -> Array:
    """The typical patient in row 0, then these."""
    return np.concatenate([np.zeros((1, draws.shape[1])), draws])


def _forecast(few: Forecast, counted: dict[str, Counted], n: int, bits: int) -> Forecast:
    """The forecast of a few with the percentiles of all."""
    curves = {name: Curve(few.outputs[name].typical, item.between_patients()) for name, item in counted.items()}
    summary = {
        name: Summary(item.typical(few.summary[name].typical), item.patients()) for name, item in counted.items()
    }
    told = counted_flag(n, bits)
    return withhold(replace(few, outputs=curves, summary=summary, flags=(*few.flags, told), patients=n))
