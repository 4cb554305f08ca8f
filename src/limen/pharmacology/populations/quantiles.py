"""Quantiles of more patients than memory holds, with a stated bound on the error.

Values are counted into bins of equal relative width. Counts add up to the same whatever the order, the chunks or the
threads, so the answer is one, and two halves can be counted apart and merged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
import numpy.typing as npt

from limen.errors import InputError

Array = npt.NDArray[np.float64]

_FRACTION_BITS = 52
_MOST = 2**32 - 1


class QuantileSketch:
    """Counts of one output at each of some times.

    A quantile lies within ``error_fraction`` of the exact one (linear between the two order statistics), or within
    ``floor`` of it where those are smaller than the floor; between order statistics of opposite sign, within that
    fraction of the larger. Memory is bounded by the octaves the values span, not by how many there are.

    Parameters
    ----------
    times : int
    bits : int
        Bins to an octave are 2 to this power; ``error_fraction`` is a half over that.
    floor_power : int
        Values smaller than 2 to this power, in their own unit, count as 0.

    Examples
    --------
    >>> sketch = QuantileSketch(1)
    >>> sketch.add(np.arange(1.0, 1002.0)[:, None])
    >>> abs(sketch.quantiles([0.5]).item() - 501) < 501 * sketch.error_fraction
    True
    """

    def __init__(self, times: int, *, bits: int = 8, floor_power: int = -10) -> None:
        if not 1 <= bits <= 16:
            raise InputError(f"{bits} bits", where="quantiles", allowed="1 to 16")
        self.times = times
        self.bits = bits
        self.floor = 2.0**floor_power
        self._shift = _FRACTION_BITS - bits
        self._floor_key = int(np.float64(self.floor).view(np.int64)) >> self._shift
        self._low_key = 0
        self._counts = np.zeros((times, 1), dtype=np.uint32)
        self.added = 0

    @property
    def error_fraction(self) -> float:
        """The bound on the relative error: half a bin over its lower edge."""
        return 0.5 * 2.0**-self.bits

    @property
    def memory_mb(self) -> float:
        """What the counts take."""
        return float(self._counts.nbytes / 2**20)

    def add(self, values: Array) -> None:
        """Count more patients.

        Parameters
        ----------
        values : array (patients, times)
            NaN is not counted.

        Raises
        ------
        InputError
            If a value is infinite, the times are not as many as the sketch has, or the counts would run over.
        """
        from limen.pharmacology.kernels import histogram

        if values.ndim != 2 or values.shape[1] != self.times:
            raise InputError(f"values of shape {values.shape}", where="quantiles", allowed=f"(patients, {self.times})")
        if self.added + len(values) > _MOST:
            raise InputError(f"more than {_MOST} patients", where="population", allowed=f"at most {_MOST}")
        if not len(values):
            return
        numbers = np.ascontiguousarray(values, dtype=np.float64)
        ends = np.array([np.fmin.reduce(numbers, axis=None), np.fmax.reduce(numbers, axis=None)])
        if np.isinf(ends).any():
            raise InputError("an infinite value", where="quantiles", allowed="finite values, or NaN")
        if not np.isnan(ends[0]):
            # A bin's number rises with the value.
            low, high = (histogram.key_of(end, self._shift, self._floor_key) for end in ends.view(np.int64).tolist())
            self._reach(low, high)
            histogram.count(numbers.view(np.int64), self._shift, self._floor_key, self._low_key, self._counts)
        self.added += len(values)

    def merge(self, other: Self) -> None:
        """Add what another sketch of the same kind has counted."""
        if (self.times, self.bits, self.floor) != (other.times, other.bits, other.floor):
            raise InputError("sketches of two kinds", where="quantiles", allowed="the same times, bits and floor")
        if self.added + other.added > _MOST:
            raise InputError(f"more than {_MOST} patients", where="population", allowed=f"at most {_MOST}")
        width = other._counts.shape[1]
        self._reach(other._low_key, other._low_key + width - 1)
        place = other._low_key - self._low_key
        self._counts[:, place : place + width] += other._counts
        self.added += other.added

    def quantiles(self, probability: Sequence[float]) -> Array:
        """The quantiles at each time.

        Parameters
        ----------
        probability : sequence of float
            0 to 1.

        Returns
        -------
        array (probabilities, times)
            NaN where nothing was counted.
        """
        if not all(0 <= level <= 1 for level in probability):
            raise InputError(f"probabilities {list(probability)}", where="quantiles", allowed="0 to 1")
        values = self._middles()
        out = np.full((len(probability), self.times), np.nan)
        for time in range(self.times):
            total = np.cumsum(self._counts[time], dtype=np.int64)
            if not total[-1]:
                continue
            position = np.asarray(probability) * (total[-1] - 1)
            lower = np.floor(position).astype(np.int64)
            upper = np.minimum(lower + 1, total[-1] - 1)
            # The place of an order statistic is the first bin whose running count passes it.
            below = values[np.searchsorted(total, lower, side="right")]
            above = values[np.searchsorted(total, upper, side="right")]
            out[:, time] = below + (position - lower) * (above - below)
        return out

    def moments(self) -> tuple[Array, Array, Array]:
        """How many were counted at each time, their mean and their variance, by the middles of their bins."""
        values = self._middles()
        count = self._counts.sum(axis=1, dtype=np.int64)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = self._counts @ values / count
            variance = self._counts @ np.square(values) / count - np.square(mean)
        return count, mean, variance

    def _middles(self) -> Array:
        """The middle of each bin."""
        keys = self._low_key + np.arange(self._counts.shape[1], dtype=np.int64)
        steps = np.maximum(np.abs(keys) - 1, 0) + self._floor_key
        edges = np.stack([steps, steps + 1]) << self._shift
        middle = edges.view(np.float64).mean(axis=0)
        result: Array = np.sign(keys) * middle
        return result

    def _reach(self, low: int, high: int) -> None:
        """Make room for these keys."""
        old = self._counts
        first = min(low, self._low_key)
        width = max(high, self._low_key + old.shape[1] - 1) - first + 1
        if width == old.shape[1]:
            return
        self._counts = np.zeros((self.times, width), dtype=np.uint32)
        place = self._low_key - first
        self._counts[:, place : place + old.shape[1]] = old
        self._low_key = first


def pooled_quantiles(sketches: Sequence[QuantileSketch], weights: Array, probability: Sequence[float]) -> Array:
    """The quantiles of several groups together at each time, each group counting by its weight.

    The weight of a group is shared by those of it who were counted at that time; a group of whom nobody was leaves its
    weight to the others. The quantile is that of ``pooling.weighted_percentiles``, on the middles of the bins.

    Parameters
    ----------
    sketches : sequence of QuantileSketch
        Of the same times, bits and floor.
    weights : array (groups,)
        0 or more.
    probability : sequence of float

    Returns
    -------
    array (probabilities, times)
        NaN where nothing was counted.

    Examples
    --------
    >>> one, other = QuantileSketch(1), QuantileSketch(1)
    >>> one.add(np.full((10, 1), 1.0))
    >>> other.add(np.full((1000, 1), 4.0))
    >>> pooled_quantiles([one, other], np.array([0.6, 0.4]), [0.5]).round(2).tolist()
    [[1.0]]
    """
    times = sketches[0].times
    out = np.full((len(probability), times), np.nan)
    low = min(sketch._low_key for sketch in sketches)
    width = max(sketch._low_key + sketch._counts.shape[1] for sketch in sketches) - low
    whole = QuantileSketch(times, bits=sketches[0].bits)
    whole._reach(low, low + width - 1)
    values = whole._middles()
    for time in range(times):
        share, size = np.zeros(len(values)), 0.0
        for sketch, weight in zip(sketches, weights.tolist(), strict=True):
            counts = sketch._counts[time]
            counted = int(counts.sum(dtype=np.int64))
            if weight > 0 and counted:
                place = sketch._low_key - whole._low_key
                share[place : place + len(counts)] += weight / counted * counts
                size += weight * weight / counted
        total = share.sum()
        if not total > 0:
            continue
        # As many patients of equal weight as would be as sure.
        size = total * total / size
        edges = np.append(0.0, np.cumsum(share / total))
        edges[-1] = 1.0
        for place, level in enumerate(probability):
            inside = np.clip(size * edges - (size - 1.0) * level, 0.0, 1.0)
            out[place, time] = np.diff(inside) @ values
    return out
