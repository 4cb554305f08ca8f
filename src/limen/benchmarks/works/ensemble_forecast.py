"""The forecast that a plan carries: every member of the racemic ensemble, 1,000 virtual patients each, with bands."""

from __future__ import annotations

from typing import Any

import numpy as np

from limen.benchmarks.measure import Array, medians_s, report
from limen.pharmacology import Dose, PatientProfile
from limen.pharmacology.effects import CHAIRSIDE
from limen.pharmacology.forecast import forecast
from limen.pharmacology.outcome import Forecast

RUNS = 15
N = 1000
POINTS = 121
DOSES = [Dose(35, "iv", 0, 40)]
PATIENT = PatientProfile(age_years=42, weight_kg=70)


def ours(n: int = N) -> Forecast:
    """The public call, with the effects that are seen at the chair."""
    return forecast(
        DOSES,
        PATIENT,
        until_min=240.0,
        every_min=240.0 / (POINTS - 1),
        n=n,
        rng=np.random.default_rng(1),
        wanted_effects=CHAIRSIDE,
    )


def run() -> dict[str, Any]:
    """Median of the whole call; ``fill`` is one pass over as many numbers as the members' plasma curves have."""
    found = ours(20)
    rows = N * len(found.members)
    filled: Array = np.empty((rows, POINTS))
    spent = medians_s({"ours": ours, "typical": lambda: ours(0), "fill": lambda: filled.fill(1.0)}, RUNS)
    return report(
        "ensemble-forecast",
        n=rows,
        points=POINTS,
        median_s=spent["ours"],
        runs=RUNS,
        fill_s=spent["fill"],
        peers_s={},
        members=len(found.members),
        outputs=len(found.outputs),
        typical_only_s=spent["typical"],
    )
