"""Percentiles of one model over more virtual patients than memory holds, chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from limen.errors import InputError
from limen.pharmacology import models, population
from limen.pharmacology.exposure import MEASURES, Curve, Measures, Percentiles, peaks
from limen.pharmacology.models.schema import Model, Product
from limen.pharmacology.outcome import Flag, Forecast, Summary
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.populations import closed_form
from limen.pharmacology.populations.quantiles import QuantileSketch
from limen.pharmacology.regimen import Dose, Schedule
from limen.pharmacology.response import Grid, respond
from limen.pharmacology.simulate import check_product, modifiers_under, simulate, usual_product, variability_of
from limen.pharmacology.withholding import withhold

# Past this a run takes hours and its percentiles move no more.
MOST_PATIENTS = 100_000_000

Array = npt.NDArray[np.float64]
Progress = Callable[[int, int], None]
Outputs = Literal["all", "concentrations", "dosed"]

# Values of one output in a chunk: 2 MB, which the processor's cache holds.
_CHUNK_VALUES = 250_000
_LEVELS = (0.05, 0.5, 0.95)
# Percentiles.over reads the 5th, 50th and 95th of these back exactly.
_STEPS = tuple(place / 20 for place in range(21))


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
    progress: Progress | None = None,
) -> Forecast:
    """What one model says of ``n`` virtual patients, in memory that does not grow with ``n``.

    Parameters
    ----------
    model, doses, patient, until_min, every_min, product, perpetrators
        As ``simulate.simulate``.
    n : int
        Virtual patients, 1 to 4 thousand million.
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
    if n > MOST_PATIENTS:
        raise InputError(f"{n} patients are too many", where="population", allowed=f"at most {MOST_PATIENTS}")
    if n < 1 or (chunk is not None and chunk < 1):
        raise InputError(f"{n} patients, {chunk} at a time", where="population", allowed="1 or more")
    if outputs not in get_args(Outputs):
        raise InputError(f"unknown outputs {outputs!r}", where="outputs", allowed=", ".join(get_args(Outputs)))
    asked = check_product(product or usual_product(chosen, doses), chosen.products, chosen.id)
    # Two patients, for what is said of the typical one and of any population.
    few = simulate(
        chosen, doses, patient, until_min=until_min, every_min=every_min, product=asked, n=2,
        rng=np.random.default_rng(0), perpetrators=perpetrators,
    )  # fmt: skip
    task = _Task(chosen, doses, patient, asked, until_min, every_min, outputs, tuple(perpetrators))
    counted: dict[str, _Counted] = {}
    size = chunk or max(1, _CHUNK_VALUES // len(few.time_h))
    for first in range(0, n, size):
        count = min(size, n - first)
        for name, values, measures in task.solve(seed, first, count):
            if name not in counted:
                counted[name] = _Counted.of(values, measures, bits)
            counted[name].add(values, measures)
        if progress is not None:
            progress(first + count, n)
    return _forecast(few, counted, n, bits)


@dataclass(frozen=True, slots=True)
class _Task:
    model: Model
    doses: Sequence[Dose]
    patient: PatientProfile
    product: Product
    until_min: float
    every_min: float
    outputs: Outputs
    perpetrators: tuple[str, ...]

    def solve(self, seed: int, first: int, count: int) -> Iterator[tuple[str, Array, Measures]]:
        """Each output of some patients: name, values (patients, times) and measures."""
        schedule = Schedule.of(self.doses)
        grid = Grid.of(self.until_min, self.every_min, schedule)
        variability, _ = variability_of(self.model)
        modifiers = modifiers_under(self.perpetrators, self.model, self.product, self.doses, self.patient)
        if self.outputs == "dosed" and closed_form.covers(self.model, self.product, self.doses):
            draws = population.patients(seed, first, count, columns=closed_form.columns(variability))
            found = closed_form.curves(
                self.model, self.product, self.patient, schedule, grid.solved_min, draws, variability=variability,
                ratios=modifiers.parameter_ratios,
            )  # fmt: skip
            for name, values in found.items():
                height, when_min = peaks(values, grid.solved_min, grid.corner)
                yield name, grid.shown(values), Measures(height, when_min / 60.0, None, None)
            return
        draws = population.patients(seed, first, count)
        response = respond(
            self.model,
            self.doses,
            self.product,
            self.patient,
            grid,
            schedule,
            np.concatenate([np.zeros((1, draws.shape[1])), draws]),
            variability=variability,
            modifiers=modifiers,
            metabolites=self.outputs != "dosed",
            wanted_effects=None if self.outputs == "all" else (),
        )
        for name, values in response.values.items():
            measures = response.measures[name].rows(slice(1, None))
            if self.outputs == "dosed":
                measures = Measures(measures.peak, measures.tmax_h, None, None)
            yield name, grid.shown(values[1:]), measures


@dataclass(frozen=True, slots=True)
class _Counted:
    """One output's curve and measures, counted."""

    curve: QuantileSketch
    measures: dict[str, QuantileSketch] = field(default_factory=dict)

    @classmethod
    def of(cls, values: Array, measures: Measures, bits: int) -> _Counted:
        known = [name for name in MEASURES.values() if getattr(measures, name) is not None]
        return cls(QuantileSketch(values.shape[1], bits=bits), {name: QuantileSketch(1, bits=bits) for name in known})

    def add(self, values: Array, measures: Measures) -> None:
        self.curve.add(values)
        for name, sketch in self.measures.items():
            sketch.add(getattr(measures, name)[:, None])

    def between_patients(self) -> Percentiles:
        return Percentiles(*self.curve.quantiles(_LEVELS))

    def typical(self, measures: Measures) -> Measures:
        """The typical patient's measures, of those that were counted."""
        return Measures(*(getattr(measures, name) if name in self.measures else None for name in MEASURES.values()))  # type: ignore[arg-type]

    def patients(self) -> Measures:
        """Rows that have the population's percentiles."""
        rows = {name: sketch.quantiles(_STEPS)[:, 0] for name, sketch in self.measures.items()}
        return Measures(*(rows.get(name) for name in MEASURES.values()))  # type: ignore[arg-type]


def _forecast(few: Forecast, counted: dict[str, _Counted], n: int, bits: int) -> Forecast:
    """The forecast of a few with the percentiles of all."""
    curves = {name: Curve(few.outputs[name].typical, item.between_patients()) for name, item in counted.items()}
    summary = {
        name: Summary(item.typical(few.summary[name].typical), item.patients()) for name, item in counted.items()
    }
    bound = QuantileSketch(1, bits=bits)
    told = Flag(
        "counted-percentiles",
        f"Percentiles of {n:,} virtual patients, counted in bins: each within {100 * bound.error_fraction:.2g} % of the"
        f" exact percentile, or within {bound.floor:.1g} of its unit",
    )
    return withhold(replace(few, outputs=curves, summary=summary, flags=(*few.flags, told), patients=n))
