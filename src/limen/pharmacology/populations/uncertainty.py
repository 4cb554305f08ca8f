"""How sure the published estimates are, as a layer of its own above the spread between people.

A replicate is one way the truth could be, given the papers' intervals: one factor on each estimate, the same for every
patient. Percentiles between patients are taken within a replicate, and their interval over the replicates.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources

import numpy as np
import numpy.typing as npt
from pydantic import Field, RootModel, model_validator

from limen.errors import InputError
from limen.evidence import read_yaml
from limen.pharmacology import models, population
from limen.pharmacology.absorption.assumed import assumption
from limen.pharmacology.absorption.disagreement import Disagreement, disagreements
from limen.pharmacology.effects import effects
from limen.pharmacology.effects.schema import Z95, Estimate
from limen.pharmacology.exposure import Percentiles
from limen.pharmacology.models.schema import Model, Product
from limen.pharmacology.models.values import Sourced
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.populations.draws import normals
from limen.pharmacology.regimen import Dose, Schedule
from limen.pharmacology.response import Grid, respond
from limen.pharmacology.simulate import check_product, check_routes, modifiers_under, usual_product, variability_of

Array = npt.NDArray[np.float64]

_INTERVAL = (2.5, 97.5)


class ParameterEstimate(Sourced):
    """The 95 % interval of one estimate, and the parameters of a model that it moves together."""

    model: str
    parameters: tuple[str, ...] = Field(min_length=1)
    typical: float
    low: float
    high: float
    unit: str

    @model_validator(mode="after")
    def _ordered(self) -> ParameterEstimate:
        if not 0 < self.low < self.typical < self.high:
            raise ValueError("0 < low < typical < high does not hold")
        return self

    @property
    def estimate_log_sd(self) -> float:
        """Standard deviation of the logarithm, from the width of the interval."""
        return math.log(self.high / self.low) / (2.0 * Z95)


class _Estimates(RootModel[tuple[ParameterEstimate, ...]]):
    model_config = {"frozen": True}


@functools.cache
def estimates() -> tuple[ParameterEstimate, ...]:
    """The estimates whose interval was read.

    Examples
    --------
    >>> [(one.model, one.parameters, one.low, one.high) for one in estimates()][1]
    ('kamp-2020', ('CL',), 69.0, 90.0)
    """
    return read_yaml(resources.files("limen.pharmacology") / "data" / "estimates.yaml", _Estimates).root


def with_estimates(model: Model, seed: int, replicate: int) -> Model:
    """The model as it would be if its uncertain estimates were those of a replicate.

    Parameters
    ----------
    model : Model
    seed, replicate : int
        Replicate i of a seed is the same however many are drawn.

    Returns
    -------
    Model
        The same model where no interval of its estimates was read.

    Examples
    --------
    >>> from limen.pharmacology.models import get
    >>> kamp = get("kamp-2020")
    >>> changed = with_estimates(kamp, 1, 0)
    >>> ratio = changed.arms[0].parameters["V1"].value / kamp.arms[0].parameters["V1"].value
    >>> abs(changed.arms[0].parameters["V3"].value / kamp.arms[0].parameters["V3"].value - ratio) < 1e-12
    True
    """
    factor = {
        name: math.exp(one.estimate_log_sd * normals(seed, f"ESTIMATE {model.id} {place}", replicate, 1).item())
        for place, one in enumerate(item for item in estimates() if item.model == model.id)
        for name in one.parameters
    }
    if not factor:
        return model
    arms = []
    for arm in model.arms:
        changed = {
            name: item.model_copy(update={"value": item.value * factor.get(name, 1.0)})
            for name, item in (arm.parameters or {}).items()
        }
        arms.append(arm.model_copy(update={"parameters": changed}) if arm.parameters else arm)
    return model.model_copy(update={"arms": tuple(arms)})


@functools.cache
def estimate_columns() -> tuple[str, ...]:
    """The columns of draws that stand for the interval of an estimate and not for a difference between people.

    Examples
    --------
    >>> "C50_PERCEPTION" in estimate_columns(), "V1" in estimate_columns()
    (True, False)
    """
    found: dict[str, None] = {}
    catalogue = effects()
    for item in (*catalogue.sites.values(), *catalogue.indices, *catalogue.lines, catalogue.ventilation):
        column = getattr(item, "column", None)
        numbers = [value for value in vars(item).values() if isinstance(value, Estimate)]
        if column is not None and any(number.spread == "estimate" for number in numbers):
            found[column] = None
    return tuple(found)


def hold_estimates(draws: Array, seed: int, replicate: int, disputed: Sequence[Disagreement] = ()) -> Array:
    """Draws in which every patient shares the replicate's estimates; row 0 stays the typical patient.

    Parameters
    ----------
    disputed : sequence of Disagreement
        Bioavailabilities on which studies disagree: the part between studies is the replicate's, the rest each
        patient's own, so that over patients and replicates together the stated range is whole.
    """
    held = draws.copy()
    for column in estimate_columns():
        held[1:, population.COLUMNS.index(column)] = normals(seed, f"ESTIMATE {column}", replicate, 1).item()
    for item in disputed:
        place = population.COLUMNS.index(item.column)
        held[1:, place] = item.held(draws[1:, place], normals(seed, f"STUDY {item.column}", replicate, 1).item())
    return held


def disputed_by(model: Model, doses: Sequence[Dose], product: str, patient: PatientProfile) -> tuple[Disagreement, ...]:
    """The bioavailabilities of these doses on which studies disagree, where the model has none of its own.

    Examples
    --------
    >>> found = disputed_by(models.get("fanta-otto-2021"), [Dose(50, "in")], "racemic", PatientProfile(age_years=40))
    >>> [item.column for item in found]
    ['F_IN']
    """
    own = {way.route for way in model.pathways if not way.products or product in way.products}
    routes = dict.fromkeys(dose.route for dose in doses if dose.route != "iv" and dose.route not in own)
    return disagreements([assumption(route, product, age_years=patient.age_years) for route in routes])


@dataclass(frozen=True, slots=True)
class UncertainPercentiles:
    """Percentiles between patients, and the 95 % interval of each over replicates; arrays (times,)."""

    middle: Percentiles
    low: Percentiles
    high: Percentiles


def uncertain_percentiles(
    model: str | Model,
    doses: Sequence[Dose],
    patient: PatientProfile,
    *,
    until_min: float,
    every_min: float = 1.0,
    product: str | None = None,
    n: int = 200,
    replicates: int = 100,
    seed: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, UncertainPercentiles]:
    """How sure the percentiles between patients are, given the intervals of the published estimates.

    Parameters
    ----------
    model, doses, patient, until_min, every_min, product
        As ``simulate.simulate``.
    n : int
        Virtual patients, the same in every replicate.
    replicates : int
    seed : int
    progress : callable (done, replicates), optional

    Returns
    -------
    dict of NAME to UncertainPercentiles
        ``middle`` is the median over the replicates. The interval holds no more than the intervals that were read, and
        how far studies of a bioavailability disagree: for a model without any it is that of the effects alone.

    Raises
    ------
    InputError
        As ``simulate.simulate``; or fewer than 2 patients or replicates.

    Examples
    --------
    >>> found = uncertain_percentiles(
    ...     "kamp-2020", [Dose(35, "iv", 0, 40)], PatientProfile(weight_kg=70, age_years=42),
    ...     until_min=60, every_min=20, n=20, replicates=5,
    ... )["ketamine_arterial_ng_per_mL"]
    >>> bool((found.low.p50[1:] < found.high.p50[1:]).all())
    True
    """
    if n < 2 or replicates < 2:
        raise InputError(f"{n} patients, {replicates} replicates", where="population", allowed="2 or more of each")
    chosen = models.get(model) if isinstance(model, str) else model
    asked: Product = check_product(product or usual_product(chosen, doses), chosen.products, chosen.id)
    check_routes(chosen, asked, doses, patient)
    schedule = Schedule.of(doses)
    grid = Grid.of(until_min, every_min, schedule)
    draws = np.concatenate([np.zeros((1, len(population.COLUMNS))), population.patients(seed, 0, n)])
    variability, _ = variability_of(chosen)
    disputed = disputed_by(chosen, doses, asked, patient)
    found: dict[str, list[Percentiles]] = {}
    for replicate in range(replicates):
        response = respond(
            with_estimates(chosen, seed, replicate),
            doses,
            asked,
            patient,
            grid,
            schedule,
            hold_estimates(draws, seed, replicate, disputed),
            variability=variability,
            modifiers=modifiers_under((), chosen, asked, doses, patient),
        )
        for name, values in response.values.items():
            found.setdefault(name, []).append(Percentiles.over(grid.shown(values[1:])))
        if progress is not None:
            progress(replicate + 1, replicates)
    return {name: _over(percentiles) for name, percentiles in found.items()}


def _over(percentiles: Sequence[Percentiles]) -> UncertainPercentiles:
    stacked = {level: np.stack([getattr(one, level) for one in percentiles]) for level in ("p05", "p50", "p95")}
    low, high = (
        Percentiles(**{level: np.percentile(rows, end, axis=0) for level, rows in stacked.items()}) for end in _INTERVAL
    )
    middle = Percentiles(**{level: np.median(rows, axis=0) for level, rows in stacked.items()})
    return UncertainPercentiles(middle, low, high)
