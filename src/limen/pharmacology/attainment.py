"""Target attainment: how many virtual patients are inside a window, below it and above it, over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from limen.errors import InputError
from limen.pharmacology.effects.beyond import reaches
from limen.pharmacology.effects.outputs import effect_names
from limen.pharmacology.exposure import numbers
from limen.pharmacology.members import solve
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose
from limen.pharmacology.wording import parts

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Attainment:
    """Shares of virtual patients over time.

    Attributes
    ----------
    low, high : float
        The window, in ``unit``; both ends are inside.
    below_pct, inside_pct, above_pct : array (times,)
        Of the weight of the patients that may be believed at that time; NaN where none may.
    patients : int
        Of each model.
    """

    output: str
    low: float
    high: float
    unit: str
    time_h: Array
    below_pct: Array
    inside_pct: Array
    above_pct: Array
    patients: int
    members: tuple[str, ...]

    @property
    def best(self) -> int:
        """Where most are inside."""
        return int(np.nanargmax(self.inside_pct))

    def to_json(self) -> dict[str, Any]:
        """The shares as JSON; the best moment beside them."""
        return {
            "output": self.output,
            "low": self.low,
            "high": self.high,
            "unit": self.unit,
            "patients": self.patients,
            "members": list(self.members),
            "time_h": numbers(self.time_h),
            "below_pct": numbers(self.below_pct),
            "inside_pct": numbers(self.inside_pct),
            "above_pct": numbers(self.above_pct),
            "best": {"time_h": float(self.time_h[self.best]), "inside_pct": float(self.inside_pct[self.best])},
        }


def shares_pct(
    values: Array, low: float, high: float, unit: str, weights: Array | None = None
) -> tuple[Array, Array, Array]:
    """Per cent of patients below, inside and above a window at each time.

    Parameters
    ----------
    values : array (patients, times)
        NaN is a patient whose model may not be believed then: left out.
    low, high : float
        The window, in the unit of ``values``; both ends are inside.
    unit : str
        For the words of an error.
    weights : array (patients,), optional
        What each patient counts.

    Returns
    -------
    below, inside, above : array (times,)

    Raises
    ------
    InputError
        If the window has no width.

    Examples
    --------
    >>> below, inside, above = shares_pct(np.array([[1.0], [5.0], [9.0], [5.0]]), 2.0, 6.0, "ng/mL")
    >>> below.tolist(), inside.tolist(), above.tolist()
    ([25.0], [50.0], [25.0])
    """
    if not low < high:
        raise InputError(f"the window {low:g} to {high:g} {unit}", where="window", allowed="low under high")
    counted = np.where(np.isnan(values), 0.0, 1.0 if weights is None else weights[:, None])
    whole = counted.sum(axis=0)
    known = np.where(whole > 0, whole, np.nan)
    below: Array = 100.0 * np.where(values < low, counted, 0.0).sum(axis=0) / known
    above: Array = 100.0 * np.where(values > high, counted, 0.0).sum(axis=0) / known
    return below, 100.0 - below - above, above


def attainment(
    doses: Sequence[Dose],
    patient: PatientProfile,
    output: str,
    low: float,
    high: float,
    unit: str | None = None,
    *,
    product: str = "racemic",
    until_min: float = 240.0,
    every_min: float = 2.0,
    n: int = 500,
    rng: np.random.Generator,
    **options: Any,
) -> Attainment:
    """How many virtual patients of the ensemble a regimen keeps inside a window.

    Parameters
    ----------
    output : str
        NAME of an output of the ensemble.
    low, high : float
        The window, in ``unit``, which is that of the NAME.
    n : int
        Virtual patients of each model.
    options
        ``setting``, ``member_weight`` and ``perpetrators`` of the ensemble.

    Raises
    ------
    InputError
        As ``forecast.forecast``; an output that the ensemble does not have; a window without width; another unit.

    Examples
    --------
    >>> found = attainment([Dose(35, "iv", 0, 40)], PatientProfile(age_years=42, weight_kg=70), "dissociation_pct",
    ...     20, 60, until_min=120, n=50, rng=np.random.default_rng(1))
    >>> bool(found.inside_pct[0] == 0 and found.inside_pct.max() > 80)
    True
    """
    own = parts(output)[1]
    if unit is not None and unit != own:
        raise InputError(f"the unit {unit!r} for {output}", where="window", allowed=own)
    if n < 1:
        raise InputError(f"a population of {n}", where="population", allowed="1 or more")
    reach = reaches().get(output)
    if reach is not None and high > reach.at("p95"):
        raise InputError(
            f"a window up to {high:g} {own} of {output}",
            where="window",
            allowed=f"up to {reach.at('p95'):.3g}: past it the effect was not studied",
        )
    solved = solve(doses, patient, product, until_min, every_min, n, rng, wanted_effects=(output,), **options)
    if output not in solved.shared():
        there = dict.fromkeys((*solved.shared(), *effect_names()))
        raise InputError(f"the ensemble has no {output!r}", where="output", allowed=", ".join(there))
    believed = solved.usable[:, solved.grid.asked]
    each = [np.where(kept, values, np.nan) for values, kept in zip(solved.patients(output), believed, strict=True)]
    weights = np.repeat(solved.weights / n, n)
    below, inside, above = shares_pct(np.concatenate(each), low, high, own, weights)
    members = tuple(seat.model.id for seat in solved.seats)
    return Attainment(output, low, high, own, solved.grid.asked_min / 60.0, below, inside, above, n, members)
