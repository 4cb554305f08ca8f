"""Times cut into runs of equal steps, so that a kernel multiplies where it would otherwise take exponentials."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from limen.errors import InputError
from limen.pharmacology.kernels.arrays import Array, Index
from limen.pharmacology.kernels.compiled import njit
from limen.pharmacology.regimen import Schedule


@dataclass(frozen=True, slots=True)
class Runs:
    """A schedule and the times asked for, ready for a kernel.

    Attributes
    ----------
    start_min, rate_mg_per_min, bolus_mg : array (segments,)
    bounds : array of int (runs, 3)
        Segment, first time and one past the last time of each run; a run lies within one segment.
    step_min : array (runs,)
        The step between a run's times; 0 for a run of one.
    """

    start_min: Array
    rate_mg_per_min: Array
    bolus_mg: Array
    bounds: Index
    step_min: Array

    @classmethod
    def of(cls, schedule: Schedule, time_min: Array) -> Runs:
        """Cut the times.

        Parameters
        ----------
        schedule : Schedule
        time_min : array (times,)
            Rising, 0 or later.

        Raises
        ------
        InputError
            If a time is not finite, is negative or does not rise.

        Examples
        --------
        >>> from limen.pharmacology.regimen import Dose
        >>> Runs.of(Schedule.of([Dose(35, "iv", 0, 2)]), np.arange(5.0)).bounds.tolist()
        [[0, 0, 2], [1, 2, 5]]
        """
        time_min = np.ascontiguousarray(time_min, dtype=np.float64)
        if not (len(time_min) and np.isfinite(time_min).all() and time_min[0] >= 0 and (np.diff(time_min) > 0).all()):
            raise InputError("times that do not rise", where="time_min", allowed="finite, rising, 0 or later")
        firsts = np.searchsorted(time_min, schedule.start_min, side="left").astype(np.int64)
        lasts = np.append(firsts[1:], len(time_min))
        bounds, step_min = _cut(time_min, firsts, lasts)
        return cls(schedule.start_min, schedule.rate_mg_per_min, schedule.bolus_mg, bounds, step_min)


@njit(cache=True)
def _cut(time_min: Array, firsts: Index, lasts: Index) -> tuple[Index, Array]:
    bounds = np.empty((len(time_min), 3), dtype=np.int64)
    steps_min = np.empty(len(time_min))
    count = 0
    for segment in range(len(firsts)):
        first, end = firsts[segment], lasts[segment]
        while first < end:
            last = end
            if not _even(time_min, first, end):
                last = _reach(time_min, first, end)
            bounds[count, 0], bounds[count, 1], bounds[count, 2] = segment, first, last
            span_min = time_min[last - 1] - time_min[first]
            steps_min[count] = span_min / (last - first - 1) if last - first > 1 else 0.0
            count += 1
            first = last
    return bounds[:count].copy(), steps_min[:count].copy()


@njit(cache=True)
def _even(time_min: Array, first: int, end: int) -> bool:
    """Whether the times are those of equal steps, to a few rounding errors of the time itself."""
    if end - first < 3:
        return True
    step_min = (time_min[end - 1] - time_min[first]) / (end - first - 1)
    for place in range(first + 1, end - 1):
        if abs(time_min[first] + (place - first) * step_min - time_min[place]) > 2e-15 * time_min[place]:
            return False
    return True


@njit(cache=True)
def _reach(time_min: Array, first: int, end: int) -> int:
    """One past the last time that follows ``first`` in equal steps."""
    if end - first > 2 and _even(time_min, first + 1, end):
        return first + 1
    last = first + 2
    while last < end and _even(time_min, first, last + 1):
        last += 1
    return last
