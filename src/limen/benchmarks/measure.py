"""Medians of several runs, in turns, so that ratios are of one run."""

from __future__ import annotations

import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Work = Callable[[], object]


def medians_s(works: Mapping[str, Work], runs: int) -> dict[str, float]:
    """Median wall time of each work's warm call; the works take turns.

    Examples
    --------
    >>> sorted(medians_s({"one": lambda: 1, "two": lambda: 2}, 3))
    ['one', 'two']
    """
    for work in works.values():
        work()
    spent: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(runs):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            spent[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in spent.items()}


def peak_rss_mb() -> float:
    """The most memory this process has held (Linux counts in kB, macOS in bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def difference_ratio(found: Array, expected: Array) -> float:
    """The greatest difference, relative to the value, or to a millionth of the curve's peak where that is more."""
    peak = np.abs(expected).max(axis=-1, keepdims=True)
    return float((np.abs(found - expected) / np.maximum(np.abs(expected), 1e-6 * peak)).max())


def report(
    work: str,
    *,
    n: int,
    points: int,
    median_s: float,
    runs: int,
    fill_s: float | None,
    peers_s: Mapping[str, float],
    **more: Any,
) -> dict[str, Any]:
    """The contract's object; ``points`` are those of one patient, rates are of patients times points.

    Parameters
    ----------
    peers_s : mapping of name to seconds
        For the same work.
    more
        Further keys.
    """
    total = n * points
    return {
        "work": work,
        "n": n,
        "points": points,
        "median_s": median_s,
        "runs": runs,
        "rate_mpt_per_s": total / median_s / 1e6,
        "fill_mpt_per_s": None if fill_s is None else total / fill_s / 1e6,
        "peak_rss_mb": peak_rss_mb(),
        "peers": dict(peers_s),
        "cpus": os.cpu_count(),
        **more,
    }
