"""From a wanted level to one dose by a route that no pump serves, and for how many it is enough. It advises.

A dose by muscle, skin, nose or mouth cannot be steered once it is given: what can be said is how many virtual patients
reach the level inside the window, and how many pass a limit, for each dose that can be measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from limen.errors import InputError
from limen.pharmacology.exposure import number, unit_of
from limen.pharmacology.forecast import flags_of
from limen.pharmacology.members import Solved, solve
from limen.pharmacology.outcome import Flag
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.pooling import weighted_percentiles
from limen.pharmacology.regimen import Dose
from limen.pharmacology.targets import Target, Wall

Array = npt.NDArray[np.float64]

DEVICE_MG = 28.0
_LEVELS = {"p05": 5.0, "p50": 50.0, "p95": 95.0}
_MOST_DOSES = 24
_GRID_POINTS = 240
# The amounts of one dose can only be whole steps; a rounding error of this size is none.
_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Tried:
    """One dose, and what comes of it.

    Attributes
    ----------
    highest : mapping of ``typical``, ``p05``, ``p50``, ``p95``
        The highest value inside the target's window, in the target's unit.
    reached_probability : float
        Share of the virtual patients who reach the level inside the window.
    touched : mapping of limit's name to number
        What is used of each limit, in its unit.
    passed : tuple of str
        Names of the limits it passes.
    """

    dose_mg: float
    devices: int | None
    unit: str
    highest: Mapping[str, float | None]
    reached_probability: float
    touched: Mapping[str, float]
    passed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SingleDose:
    """Every dose that was tried, and the least that is enough inside the limits.

    Attributes
    ----------
    advised : Tried or None
        None where no dose inside the limits brings the one asked for to the level.
    """

    target: Target
    product: str
    route: str
    tried: tuple[Tried, ...]
    advised: Tried | None
    walls: tuple[Wall, ...]
    patients: int
    flags: tuple[Flag, ...]

    def to_json(self) -> dict[str, Any]:
        """What was asked, each dose with its share of patients, and the limits."""
        target = self.target
        return {
            "advises": True,
            "product": self.product,
            "route": self.route,
            "patients": self.patients,
            "asked": {
                "output": target.output,
                "level": target.level,
                "unit": unit_of(target.output),
                "statistic": target.statistic,
                "from_h": target.from_min / 60.0,
                "until_h": target.until_min / 60.0,
            },
            "reached": self.advised is not None,
            "dose_mg": None if self.advised is None else self.advised.dose_mg,
            "devices": None if self.advised is None else self.advised.devices,
            "reached_probability": None if self.advised is None else self.advised.reached_probability,
            "doses": [
                {
                    "dose_mg": item.dose_mg,
                    "devices": item.devices,
                    "highest": dict(item.highest),
                    "reached_probability": item.reached_probability,
                    "limits": dict(item.touched),
                    "passed": list(item.passed),
                }
                for item in self.tried
            ],
            "limits": [
                {
                    "name": wall.name,
                    "kind": wall.kind,
                    "output": wall.output,
                    "statistic": wall.statistic if wall.kind == "peak" else None,
                    "limit": wall.limit,
                    "used": None if self.advised is None else self.advised.touched[wall.name],
                    "unit": wall.unit,
                    "verification": wall.verification.value,
                    "sources": list(wall.sources),
                }
                for wall in self.walls
            ],
            "flags": [{"code": flag.code, "message": flag.message} for flag in self.flags],
        }


def one_dose(
    target: Target,
    patient: PatientProfile,
    product: str,
    route: str,
    walls: Sequence[Wall],
    *,
    step_mg: float | None = None,
    n: int = 200,
    seed: int = 1,
    **options: Any,
) -> SingleDose:
    """The least single dose by a route that brings the one asked for to a level, inside named limits.

    Parameters
    ----------
    target : Target
        Reached where the highest value inside its window is at or over the level; ``statistic`` says whose.
    route : str
        Any but ``iv``, for which ``targeting.aim`` steers a pump.
    walls : sequence of Wall
        One of them, of kind ``total`` or ``bolus``, is the largest dose.
    step_mg : float, optional
        Doses are whole numbers of it; the nasal device is counted in whole devices.
    n : int
        Virtual patients of each model.
    options
        ``setting``, ``member_weight`` and ``perpetrators`` of the ensemble.

    Raises
    ------
    InputError
        No largest dose, a limit on a rate, more than 24 doses to try, or what ``forecast.forecast`` refuses.

    Examples
    --------
    >>> wall = Wall("largest dose", "total", 50, "mg")
    >>> found = one_dose(Target("ketamine_plasma_ng_per_mL", 100, 0, 60), PatientProfile(age_years=42, weight_kg=70),
    ...     "racemic", "im", [wall], step_mg=10, n=20)
    >>> found.advised.dose_mg <= 50, [item.dose_mg for item in found.tried]
    (True, [10, 20, 30, 40, 50])
    """
    if route == "iv":
        raise InputError("one dose by vein", where="route", allowed="another route", hint="By vein a pump is steered")
    if n < 1:
        raise InputError(f"a population of {n}", where="population", allowed="1 or more")
    for wall in walls:
        if wall.kind == "rate":
            raise InputError(f"{wall.name}: a rate", where="limit", allowed="total, bolus or peak for one dose")
    amounts = _amounts(product, walls, step_mg)
    tried: list[Tried] = []
    told: dict[Flag, None] = {}
    for devices, dose_mg in amounts:
        solved = _solved(dose_mg, route, target, patient, product, walls, n, seed, options)
        told |= dict.fromkeys(flags_of(solved))
        tried.append(_try(solved, dose_mg, devices, target, walls))
    advised = next((item for item in tried if not item.passed and _is_reached(item, target)), None)
    return SingleDose(target, product, route, tuple(tried), advised, tuple(walls), n, (_own_flag(route), *told))


def _own_flag(route: str) -> Flag:
    return Flag(
        "single-dose",
        f"One dose by {route} cannot be steered once given: the share of virtual patients who reach the level holds"
        " what is assumed of absorption, and is not a measured rate. The least dose that is enough is not the dose to"
        " start with in a person who never had it [P]",
    )


def _amounts(product: str, walls: Sequence[Wall], step_mg: float | None) -> list[tuple[int | None, float]]:
    """Doses from the least upwards, in whole steps or whole devices."""
    most_mg = min((wall.limit for wall in walls if wall.kind in ("total", "bolus")), default=None)
    if most_mg is None:
        raise InputError("no largest dose", where="limit", allowed="a limit on the total, or on one dose")
    device = product == "esketamine-nasal"
    step = DEVICE_MG if device else step_mg
    if device and step_mg is not None and step_mg != DEVICE_MG:
        raise InputError(f"a step of {step_mg:g} mg", where="step", allowed="whole devices of 28 mg")
    if step is None or not 0 < step < float("inf"):
        raise InputError(f"a step of {step!r} mg", where="step", allowed="over 0")
    count = int(most_mg / step + _TINY)
    if not 1 <= count <= _MOST_DOSES:
        raise InputError(
            f"{count} doses of {step:g} mg steps up to {most_mg:g} mg",
            where="step",
            allowed=f"1 to {_MOST_DOSES} doses",
        )
    return [(place if device else None, place * step) for place in range(1, count + 1)]


def _solved(
    dose_mg: float,
    route: str,
    target: Target,
    patient: PatientProfile,
    product: str,
    walls: Sequence[Wall],
    n: int,
    seed: int,
    options: Mapping[str, Any],
) -> Solved:
    every_min = max(1.0, target.until_min / _GRID_POINTS)
    watched = [target.output, *(wall.output for wall in walls if wall.output is not None)]
    solved = solve(
        [Dose(dose_mg, route)],
        patient,
        product,
        target.until_min + every_min,
        every_min,
        n,
        np.random.default_rng(seed),
        wanted_effects=[name for name in watched if not name.endswith("_ng_per_mL")],
        **options,
    )
    for name in watched:
        if name not in solved.shared():
            raise InputError(f"{name} is not forecast", where="target", allowed=", ".join(solved.shared()))
    return solved


def _try(solved: Solved, dose_mg: float, devices: int | None, target: Target, walls: Sequence[Wall]) -> Tried:
    time_min = solved.grid.asked_min
    inside = (time_min >= target.from_min) & (time_min <= target.until_min)
    highest, each, weights = _highest(solved, target.output, inside)
    reached = float(weights[each >= target.level].sum() / weights.sum())
    touched = {}
    for wall in walls:
        if wall.output is None:
            touched[wall.name] = dose_mg
        else:
            peak, _, _ = _highest(solved, wall.output, np.ones(len(time_min), dtype=bool))
            touched[wall.name] = float(peak[wall.statistic] or 0.0)
    passed = tuple(wall.name for wall in walls if touched[wall.name] > wall.limit * (1 + _TINY))
    return Tried(dose_mg, devices, unit_of(target.output), highest, reached, touched, passed)


def _highest(solved: Solved, name: str, inside: npt.NDArray[np.bool_]) -> tuple[dict[str, float | None], Array, Array]:
    """The highest value inside of the typical patient and of the patients; and each patient's own with his weight."""
    typical = solved.grid.shown(solved.typical(name).mean)[inside]
    rows = [
        np.nanmax(np.where(np.isnan(values[:, inside]), -np.inf, values[:, inside]), axis=1)
        for values, weight in zip(solved.patients(name), solved.weights, strict=True)
        if weight > 0
    ]
    each = np.concatenate(rows)
    weights = np.repeat(solved.weights[solved.weights > 0], solved.n)
    levels = weighted_percentiles(each, weights, tuple(_LEVELS.values()))
    highest = {"typical": number(float(np.nanmax(typical)))} | {
        level: number(float(found)) for level, found in zip(_LEVELS, levels, strict=True)
    }
    return highest, each, weights


def _is_reached(item: Tried, target: Target) -> bool:
    highest = item.highest[target.statistic]
    return highest is not None and highest >= target.level
