"""Counting values into bins of equal relative width, by the bits of the number; compiled.

The exponent and the first bits of the fraction of a float are a logarithm already: a shift finds the bin, exactly and
alike on every machine.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from limen.pharmacology.kernels.arrays import Index

Counts = npt.NDArray[np.uint32]

_MAGNITUDE = 0x7FFF_FFFF_FFFF_FFFF
_INFINITE = 0x7FF0_0000_0000_0000
# Times that one thread counts together: a cache line of values.
_TIMES = 8


@njit(cache=True)
def _key(bits: int, shift: int, floor_key: int) -> int:
    """0 under the floor, else the bin's number from there, negative for negative numbers."""
    step = ((bits & _MAGNITUDE) >> shift) - floor_key
    if step < 0:
        return 0
    return step + 1 if bits >= 0 else -(step + 1)


@njit(cache=True, parallel=True)
def key_range(bits: Index, shift: int, floor_key: int) -> Index:
    """Least and greatest key of numbers (rows, times) given by their bits, NaN passed over; and how many are infinite.

    Returns
    -------
    array (3,)
    """
    rows, times = bits.shape
    low = np.full(times, np.iinfo(np.int64).max)
    high = np.full(times, np.iinfo(np.int64).min)
    infinite = np.zeros(times, dtype=np.int64)
    for block in prange((times + _TIMES - 1) // _TIMES):
        end = min(times, (block + 1) * _TIMES)
        for row in range(rows):
            for time in range(block * _TIMES, end):
                size = bits[row, time] & _MAGNITUDE
                if size >= _INFINITE:
                    infinite[time] += size == _INFINITE
                    continue
                key = _key(bits[row, time], shift, floor_key)
                low[time] = min(low[time], key)
                high[time] = max(high[time], key)
    return np.array([low.min(), high.max(), infinite.sum()])


@njit(cache=True, parallel=True)
def count(bits: Index, shift: int, floor_key: int, low_key: int, counts: Counts) -> None:
    """Add numbers (rows, times) to the counts (times, bins) of the keys from ``low_key`` on; NaN is passed over."""
    rows, times = bits.shape
    one = np.uint32(1)
    for block in prange((times + _TIMES - 1) // _TIMES):
        end = min(times, (block + 1) * _TIMES)
        for row in range(rows):
            for time in range(block * _TIMES, end):
                if bits[row, time] & _MAGNITUDE < _INFINITE:
                    counts[time, _key(bits[row, time], shift, floor_key) - low_key] += one
