"""Times by equal steps, cut so that one table of exponentials serves them all."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

# The longest run of equal steps that shares a table of exponentials; never by how many patients there are, so that each
# is the same to the bit whoever is beside him.
_TABLE = 2048


@dataclass(frozen=True, slots=True)
class EvenTimes:
    """Which of some rising times stand at 0, one step, two steps, ... without a gap.

    Attributes
    ----------
    step_min : float
    steps : int
        How many do.
    other : array of int
        Where the others stand.
    order : array of int (times,)
        Where each time stands among all the steps followed by all the others.
    """

    step_min: float
    steps: int
    other: npt.NDArray[np.intp]
    order: npt.NDArray[np.intp]

    @classmethod
    def of(cls, step_min: float, times: int, at: npt.NDArray[np.intp]) -> EvenTimes:
        """Of as many times, of which those at these places go by steps.

        Examples
        --------
        >>> EvenTimes.of(5.0, 4, np.array([0, 1, 3])).order.tolist()
        [0, 1, 3, 2]
        """
        alone = np.ones(times, dtype=bool)
        alone[at] = False
        other = np.flatnonzero(alone)
        order = np.empty(times, dtype=np.intp)
        order[at] = np.arange(len(at))
        order[other] = np.arange(len(at), times)
        for shared in (other, order):
            shared.setflags(write=False)
        return cls(step_min, len(at), other, order)


@dataclass(frozen=True, slots=True)
class Blocks:
    """Equal steps cut at the starts of segments and at the table's length.

    Attributes
    ----------
    segment : array of int (blocks,)
    since_min : array (blocks,)
        From the segment's start to the block's first step.
    spans : list of (first step, one past the last)
    step_min : array
        From a block's first step to each of the longest block's.
    """

    segment: npt.NDArray[np.intp]
    since_min: Array
    spans: list[tuple[int, int]]
    step_min: Array


# A regimen is forecast again and again; its times stay.
@functools.lru_cache(maxsize=32)
def blocks_of(start_min: tuple[float, ...], step_min: float, count: int, most: int = _TABLE) -> Blocks:
    """Cut steps 0 to ``count``.

    Examples
    --------
    >>> found = blocks_of((0.0, 40.0, 60.0), 5.0, 20, 6)
    >>> list(zip(found.segment.tolist(), found.spans))
    [(0, (0, 6)), (0, (6, 8)), (1, (8, 12)), (2, (12, 18)), (2, (18, 20))]
    """
    firsts = np.searchsorted(np.arange(count) * step_min, start_min).tolist()
    cut = [
        (segment, begin, min(begin + most, end))
        for segment, (first, end) in enumerate(zip(firsts, [*firsts[1:], count], strict=True))
        for begin in range(first, end, most)
    ]
    segment = np.array([segment for segment, _, _ in cut], dtype=np.intp)
    spans = [(first, last) for _, first, last in cut]
    since_min = np.array([first for first, _ in spans]) * step_min - np.array(start_min)[segment]
    return Blocks(segment, since_min, spans, step_min * np.arange(max(last - first for first, last in spans)))
