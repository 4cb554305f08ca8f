"""Weighted percentiles of many samples at many times, from orders that are known; compiled.

Importing this module imports numba.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from limen.pharmacology.kernels.arrays import Array
from limen.pharmacology.kernels.compiled import njit

Indices = npt.NDArray[np.int32]


@njit(cache=True)
def quantiles(values: Array, order: Indices, weights: Array, levels: Array, out: Array) -> None:
    """Weighted percentiles of many samples at many times, from orders that are known: ``pooling.weighted_percentiles``.

    Parameters
    ----------
    values : array (times, samples)
    order : array of int (times, samples)
        The samples in rising order at each time; NaN last.
    weights : array (samples,)
    levels : array (levels,)
        Rising, from 0 to 1.
    out : array (levels, times), filled
        NaN where every sample with weight is.
    """
    samples = len(weights)
    starts = np.empty(len(levels))
    share = np.empty(samples)
    known = -1
    for time in range(len(values)):
        count = samples
        while count > 0 and math.isnan(values[time, order[time, count - 1]]):
            count -= 1
        if count != samples or known != samples:
            # Which samples count changes only where some are NaN.
            total, squares = 0.0, 0.0
            for place in range(count):
                weight = weights[order[time, place]]
                total += weight
                squares += weight * weight
            if total > 0.0:
                size = total * total / squares
                for level in range(len(levels)):
                    starts[level] = (size - 1.0) * levels[level]
                for sample in range(samples):
                    share[sample] = weights[sample] * size / total
            known = count if total > 0.0 else -1
        if known < 0:
            out[:, time] = np.nan
            continue
        out[:, time] = 0.0
        done = 0.0
        first = 0
        for place in range(count):
            sample = order[time, place]
            after = done + share[sample]
            if after > starts[first] and after > done:
                # Each level takes what lies within a window as wide as one sample of equal weight.
                for level in range(first, len(levels)):
                    if after <= starts[level]:
                        break
                    low = min(max(done - starts[level], 0.0), 1.0)
                    high = min(max(after - starts[level], 0.0), 1.0)
                    if high > low:
                        out[level, time] += (high - low) * values[time, sample]
                while first < len(levels) and after >= starts[first] + 1.0:
                    first += 1
                if first == len(levels):
                    break
            done = after
        for level in range(first, len(levels)):
            # Rounding may leave the last window a hair short of full.
            missing = starts[level] + 1.0 - max(done, starts[level])
            if missing > 0.0:
                out[level, time] += min(missing, 1.0) * values[time, order[time, count - 1]]
