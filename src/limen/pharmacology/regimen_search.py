"""The bolus and the few rates that hold a sum of linear answers nearest to a level, inside walls."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from limen.pharmacology.regimen import Dose

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Answers:
    """What one milligram at once, and one milligram a minute without end, make of one output.

    Attributes
    ----------
    time_min : array (times,)
        From 0, rising.
    of_bolus, of_rate : array (times,)
    """

    time_min: Array
    of_bolus: Array
    of_rate: Array

    def columns(self, changes_min: Sequence[float], bolus: bool) -> Array:
        """The answer to the bolus and to one mg/min in each stretch between changes (times, amounts)."""
        starts = [self._shifted(change) for change in changes_min]
        stretches = [early - late for early, late in pairwise(starts)]
        return np.stack([*([self.of_bolus] if bolus else []), *stretches], axis=1)

    def _shifted(self, start_min: float) -> Array:
        later = self.time_min - start_min
        found: Array = np.where(later > 0, np.interp(later, self.time_min, self.of_rate), 0.0)
        return found


@dataclass(frozen=True, slots=True)
class Amounts:
    """A bolus and rates in mg and mg/min, with the times at which the rates change.

    Attributes
    ----------
    changes_min : tuple of float
        Start of each rate, and the end of the last.
    """

    bolus_mg: float
    rates_mg_per_min: tuple[float, ...]
    changes_min: tuple[float, ...]

    @property
    def total_mg(self) -> float:
        """Everything that runs in."""
        return self.bolus_mg + float(np.dot(self.rates_mg_per_min, np.diff(self.changes_min)))

    def doses(self) -> tuple[Dose, ...]:
        """As doses by vein; neighbours of one rate are one."""
        found = [Dose(self.bolus_mg, "iv")] if self.bolus_mg > 0 else []
        start_min = self.changes_min[0]
        for place, rate in enumerate(self.rates_mg_per_min):
            end_min = self.changes_min[place + 1]
            if place + 1 < len(self.rates_mg_per_min) and self.rates_mg_per_min[place + 1] == rate:
                continue
            if rate > 0:
                found.append(Dose(rate * (end_min - start_min), "iv", start_min, end_min - start_min))
            start_min = end_min
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the amounts may not pass; ``None`` is no limit. Ceilings are answers with the height they may reach."""

    bolus_mg: float | None
    rate_mg_per_h: float | None
    total_mg: float | None
    ceilings: tuple[tuple[Answers, float], ...] = ()

    def hold(self, amounts: Amounts) -> bool:
        """Whether these amounts are inside, to rounding."""
        slack = 1.0 + 1e-9
        if self.bolus_mg is not None and amounts.bolus_mg > self.bolus_mg * slack:
            return False
        if (
            self.rate_mg_per_h is not None
            and max(amounts.rates_mg_per_min, default=0.0) * 60.0 > self.rate_mg_per_h * slack
        ):
            return False
        if self.total_mg is not None and amounts.total_mg > self.total_mg * slack:
            return False
        given = np.array([amounts.bolus_mg, *amounts.rates_mg_per_min])
        return all(
            float(np.nanmax(answers.columns(amounts.changes_min, True) @ given)) <= height * slack
            for answers, height in self.ceilings
        )


def changes(
    answers: Answers, inside: npt.NDArray[np.bool_], every_min: float, until_min: float, steps: int, bolus: bool
) -> tuple[float, ...]:
    """Where the rates change: whole multiples of ``every_min``, one added at a time, that leave the least squares."""
    from scipy.optimize import nnls

    candidates = [every_min * place for place in range(1, math.ceil(until_min / every_min - 1e-9))]
    chosen = [0.0, until_min]
    if steps > len(candidates):
        return tuple(sorted([*chosen, *candidates]))
    weight = np.ones(int(inside.sum()))

    def misfit(places: Sequence[float]) -> float:
        return float(nnls(answers.columns(sorted(places), bolus)[inside], weight)[1])

    for _ in range(steps - 1):
        chosen.append(min((place for place in candidates if place not in chosen), key=lambda at: misfit([*chosen, at])))
    for place in sorted(chosen)[1:-1]:
        others = [other for other in chosen if other != place]
        chosen = [*others, min((at for at in candidates if at not in others), key=lambda at: misfit([*others, at]))]
    return tuple(sorted(chosen))


def nearest(
    answers: Answers,
    level: float,
    inside: npt.NDArray[np.bool_],
    changes_min: tuple[float, ...],
    bounds: Bounds,
    *,
    bolus: bool,
) -> Amounts:
    """The amounts whose answer is nearest to the level over the window, in the mean of absolute differences.

    Parameters
    ----------
    level : float
        In the unit of the answers.
    inside : array of bool (times,)
        The window.

    Examples
    --------
    One compartment that loses a tenth a minute: 1 mg at once and 0.1 mg/min after it stay level.

    >>> time = np.arange(0.0, 31.0)
    >>> answers = Answers(time, np.exp(-0.1 * time), (1 - np.exp(-0.1 * time)) / 0.1)
    >>> found = nearest(answers, 5.0, time >= 0, (0.0, 30.0), Bounds(None, None, None), bolus=True)
    >>> round(found.bolus_mg, 6), round(found.rates_mg_per_min[0], 6)
    (5.0, 0.5)
    """
    from scipy.optimize import linprog

    columns = answers.columns(changes_min, bolus)[inside] / level
    window, size = columns.shape
    spans_min = np.diff(changes_min)
    per_mg = np.concatenate([[1.0] if bolus else [], spans_min])
    most: list[float | None] = [bounds.bolus_mg] if bolus else []
    most += [None if bounds.rate_mg_per_h is None else bounds.rate_mg_per_h / 60.0] * len(spans_min)
    apart = np.concatenate(
        [np.hstack([columns, -np.eye(window)]), np.hstack([-columns, -np.eye(window)])],
    )
    rows, heights = [apart], [np.ones(window), -np.ones(window)]
    if bounds.total_mg is not None:
        rows.append(np.concatenate([per_mg, np.zeros(window)])[None, :])
        heights.append(np.array([bounds.total_mg]))
    for other, height in bounds.ceilings:
        ceiling = other.columns(changes_min, bolus)
        rows.append(np.hstack([ceiling, np.zeros((len(ceiling), window))]))
        heights.append(np.full(len(ceiling), height))
    # Of regimens as near, the one that gives less.
    cost = np.concatenate([1e-7 * per_mg / max(per_mg.max(), 1.0), np.full(window, 1.0 / window)])
    solved = linprog(
        cost,
        A_ub=np.concatenate(rows),
        b_ub=np.concatenate(heights),
        bounds=[*((0.0, top) for top in most), *([(0.0, None)] * window)],
        method="highs",
    )
    found = np.maximum(solved.x[:size], 0.0).tolist() if solved.x is not None else [0.0] * size
    return Amounts(found[0] if bolus else 0.0, tuple(found[1 if bolus else 0 :]), changes_min)


def settable(amounts: Amounts, bolus_step_mg: float, rate_step_mg_per_h: float, bounds: Bounds) -> Amounts:
    """Whole steps of the syringe and the pump: the nearest, or those below where the nearest would pass a bound.

    Examples
    --------
    >>> settable(Amounts(4.97, (0.51,), (0.0, 30.0)), 0.1, 1.0, Bounds(4.95, None, None)).bolus_mg
    4.9
    """
    to_nearest = _stepped(amounts, bolus_step_mg, rate_step_mg_per_h, 0.5)
    return to_nearest if bounds.hold(to_nearest) else _stepped(amounts, bolus_step_mg, rate_step_mg_per_h, 1e-9)


def _stepped(amounts: Amounts, bolus_step_mg: float, rate_step_mg_per_h: float, part: float) -> Amounts:
    def whole(amount: float, step: float) -> float:
        return round(math.floor(amount / step + part) * step, 9)

    return Amounts(
        whole(amounts.bolus_mg, bolus_step_mg),
        tuple(whole(rate * 60.0, rate_step_mg_per_h) / 60.0 for rate in amounts.rates_mg_per_min),
        amounts.changes_min,
    )


def scaled(amounts: Amounts, by_ratio: float, bolus_step_mg: float, rate_step_mg_per_h: float) -> Amounts:
    """The same regimen with less of everything, in whole steps and never above."""
    less = Amounts(
        amounts.bolus_mg * by_ratio, tuple(rate * by_ratio for rate in amounts.rates_mg_per_min), amounts.changes_min
    )
    return _stepped(less, bolus_step_mg, rate_step_mg_per_h, 1e-9)
