"""Counting values into bins of equal relative width, by the bits of the number; compiled.

The exponent and the first bits of the fraction of a float are a logarithm already: a shift finds the bin, exactly and
alike on every machine.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from limen.pharmacology.kernels.arrays import Index
from limen.pharmacology.kernels.compiled import njit

Counts = npt.NDArray[np.uint32]

_MAGNITUDE = 0x7FFF_FFFF_FFFF_FFFF
_INFINITE = 0x7FF0_0000_0000_0000
# Times counted together: some cache lines of values, with counts that the processor's cache holds.
_TIMES = 32


@njit(cache=True)
def key_of(bits: int, shift: int, floor_key: int) -> int:
    """The bin of a number given by its bits: 0 under the floor, else counted from there, negative for negative numbers.

    Examples
    --------
    >>> one, floor = int(np.float64(1.0).view(np.int64)), int(np.float64(0.5).view(np.int64))
    >>> key_of(one, 52, floor >> 52), key_of(floor, 52, floor >> 52)
    (2, 1)
    """
    step = ((bits & _MAGNITUDE) >> shift) - floor_key
    if step < 0:
        return 0
    return step + 1 if bits >= 0 else -(step + 1)


@njit(cache=True, nogil=True)
def count(bits: Index, shift: int, floor_key: int, low_key: int, counts: Counts) -> None:
    """Add numbers (rows, times) to the counts (times, bins) of the keys from ``low_key`` on; NaN is passed over."""
    rows, times = bits.shape
    one = np.uint32(1)
    for first in range(0, times, _TIMES):
        end = min(times, first + _TIMES)
        for row in range(rows):
            for time in range(first, end):
                if bits[row, time] & _MAGNITUDE < _INFINITE:
                    counts[time, key_of(bits[row, time], shift, floor_key) - low_key] += one
