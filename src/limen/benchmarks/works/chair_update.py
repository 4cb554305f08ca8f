"""The chair's update: ten readings against 1,000 virtual patients of each member, and every band drawn anew."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from limen.benchmarks.measure import difference_ratio, medians_s, report
from limen.pharmacology import Dose, PatientProfile
from limen.pharmacology.individual.individualise import candidates_of
from limen.pharmacology.individual.learning import outside
from limen.pharmacology.individual.observations import concentration, dissociation, heart_rate, pressure
from limen.pharmacology.individual.prior import Prior
from limen.pharmacology.individual.weighted import Posterior
from limen.pharmacology.kernels.arrays import Array

RUNS = 200
N = 1000
DOSES = [Dose(35, "iv", 0, 40)]
PATIENT = PatientProfile(age_years=42, weight_kg=70)
READINGS = [
    *(pressure(minute, 128 + rise, 128) for minute, rise in ((7.5, 6), (12.5, 11), (17.5, 9), (22.5, 15), (27.5, 12))),
    *(heart_rate(minute, 72 + rise, 72) for minute, rise in ((7.5, 2), (17.5, 5), (27.5, 3))),
    dissociation(20, 40),
    concentration("ketamine", "venous", 30, 120),
]
# The sorted quantiles of the kernel beside numpy's way; rounding of 6,000 sums.
RTOL_RATIO = 1e-6


def run() -> dict[str, Any]:
    """The contract's object."""
    members = candidates_of("ensemble", "racemic", DOSES, PATIENT)
    start = time.perf_counter()
    prior = Prior.prepare(members, DOSES, PATIENT, "racemic", n=N, rng=np.random.default_rng(1))
    prepare_s = time.perf_counter() - start
    before = Posterior.of(prior)
    # Outputs that every member predicts, and that are not nothing throughout (nobody is unresponsive at this dose).
    names = [name for name, values in prior.by_time.items() if np.isfinite(values[-1]).all() and values.max() > 0]

    def ours() -> Array:
        found = before.update(READINGS)
        flagged = [outside(item, prior) for item in found.matches]
        if len(flagged) != len(READINGS) or sum(found.member_weights.values()) == 0.0:
            raise AssertionError("a reading was lost")
        return np.stack([found.bands(name) for name in names])

    def by_numpy() -> Array:
        found = before.update(READINGS)
        return np.stack([found.bands(name, compiled=False) for name in names])

    off = difference_ratio(ours(), by_numpy())
    if not off <= RTOL_RATIO:
        raise AssertionError(f"numpy is {off:.2g} from ours, over {RTOL_RATIO:g}")
    spent = []
    for _ in range(RUNS):
        start = time.perf_counter()
        ours()
        spent.append(time.perf_counter() - start)
    numpy_s = medians_s({"numpy": by_numpy}, 3)["numpy"]
    return report(
        "chair-update", n=len(prior.log_weight), points=len(names) * len(prior.shown), median_s=float(np.median(spent)),
        runs=RUNS, fill_s=None, peers_s={"numpy": numpy_s}, p99_s=float(np.percentile(spent, 99)),
        prepare_s=prepare_s, members=len(members), readings=len(READINGS), peer_differences={"numpy": off},
    )  # fmt: skip
