"""Counting a population for its percentiles, beside sorting it in memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from limen.benchmarks.measure import medians_s, report
from limen.benchmarks.population import Patients
from limen.benchmarks.works import population
from limen.pharmacology.kernels.arrays import Array
from limen.pharmacology.populations.quantiles import QuantileSketch

N = 20_000
CHUNK = 1_000
RUNS = 7
LEVELS = (0.05, 0.5, 0.95)


def counted(values: Array) -> QuantileSketch:
    """Ours: chunk by chunk, as they come."""
    sketch = QuantileSketch(values.shape[1])
    for first in range(0, len(values), CHUNK):
        sketch.add(values[first : first + CHUNK])
    return sketch


def run() -> dict[str, Any]:
    """The contract's object; the stated bound is checked against the exact percentiles."""
    plasma, _ = population.solve(Patients.of(N))
    sketch = counted(plasma)
    exact = np.quantile(plasma, LEVELS, axis=0)
    off = np.abs(sketch.quantiles(LEVELS) - exact)
    bound = np.maximum(sketch.error_fraction * exact, sketch.floor)
    if not (off <= bound * (1 + 1e-12)).all():
        raise AssertionError("a percentile is farther from the exact one than the stated bound")
    took_s = medians_s(
        {
            "ours": lambda: counted(plasma).quantiles(LEVELS),
            "numpy.quantile": lambda: np.quantile(plasma, LEVELS, axis=0),
            "fill": lambda: np.full(plasma.shape, 1.0),
        },
        RUNS,
    )
    return report(
        "quantiles", n=N, points=plasma.shape[1], median_s=took_s["ours"], runs=RUNS, fill_s=took_s["fill"],
        peers_s={"numpy.quantile": took_s["numpy.quantile"]}, error_fraction=sketch.error_fraction,
        memory_ratio=sketch.memory_mb * 2**20 / plasma.nbytes,
    )  # fmt: skip
