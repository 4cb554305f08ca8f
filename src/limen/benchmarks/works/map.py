"""The most probable patient from four samples with four random effects: the kernel, the public call, 1,000 at once."""

from __future__ import annotations

import importlib
import math
from typing import Any

import numpy as np

from limen.benchmarks.measure import medians_s, report
from limen.pharmacology import Dose, PatientProfile
from limen.pharmacology.individual import kernels
from limen.pharmacology.individual.batch import estimate_many
from limen.pharmacology.individual.map import closed_form, estimate
from limen.pharmacology.individual.observations import concentration
from limen.pharmacology.individual.scoring import errors_of
from limen.pharmacology.kernels.arrays import Array
from limen.pharmacology.models import get
from limen.pharmacology.models.schema import Omega

RUNS = 100
MANY = 1000
DOSES = [Dose(35, "iv", 0, 40)]
PATIENT = PatientProfile(age_years=42, weight_kg=70)
SEEN = ((20.0, 75.0), (40.0, 170.0), (80.0, 55.0), (180.0, 20.0))
OBSERVATIONS = [concentration("ketamine", "arterial", time, value) for time, value in SEEN]
# Four effects for a model of three compartments that published none: a work, not a claim.
SPREAD = Omega(
    effects=("V1", "CL", "V2", "Q2"),
    omega_log_variance=((0.0842,), (0.0226, 0.0260), (0.0, 0.0, 0.09), (0.0, 0.0, 0.0, 0.09)),
    verification="P",
    source="limen",
)
# Nelder-Mead stops this near the mode, in prior standard deviations.
CLOSE_RATIO = 1e-4


def ours() -> Array:
    """The public call."""
    return estimate(get("kamp-2020"), DOSES, PATIENT, "racemic", OBSERVATIONS, lent=(SPREAD,)).mode


def kernel() -> Any:
    """The search alone."""
    model = get("kamp-2020")
    problem = closed_form(model, DOSES, PATIENT, "racemic", OBSERVATIONS, (SPREAD,))
    if problem is None:
        raise AssertionError("kamp-2020 has no compiled form")
    errors = errors_of(model, OBSERVATIONS, 4)
    times = np.array([time for time, _ in SEEN])
    plan = problem.schedule
    information, curvature = np.zeros((4, 4)), np.zeros((4, 4))

    def search() -> Array:
        z = np.zeros(4)
        kernels.find_mode(
            problem.typical, problem.loading, problem.share, plan.start_min, plan.rate_mg_per_min, plan.bolus_mg, times,
            errors.value, errors.proportional, errors.additive, errors.logged, errors.shared_proportional, errors.group,
            z, information, curvature,
        )  # fmt: skip
        return z

    return search


def by_scipy() -> Array:
    """The same posterior by a general minimiser on a general exponential."""
    expm = importlib.import_module("scipy.linalg").expm
    minimize = importlib.import_module("scipy.optimize").minimize
    root = np.linalg.cholesky(SPREAD.covariance)

    def predicted(z: Array) -> list[float]:
        v1, cl, v2, q2 = (np.array([25.0, 84.0, 56.0, 161.0]) * np.exp(root @ z)).tolist()
        v3, q3 = 157.0, 79.0
        matrix = np.array(
            [
                [-(cl + q2 + q3) / v1, q2 / v2, q3 / v3, 35.0 * 60 / 40],
                [q2 / v1, -q2 / v2, 0, 0],
                [q3 / v1, 0, -q3 / v3, 0],
                [0, 0, 0, 0],
            ]
        )
        after = matrix.copy()
        after[0, 3] = 0.0
        times = np.array([time for time, _ in SEEN])[:, None, None] / 60.0
        during = expm(matrix * np.minimum(times, 40.0 / 60.0))[..., 3]
        rest = expm(after * np.maximum(times - 40.0 / 60.0, 0.0))
        found: list[float] = (1000.0 * (rest @ during[..., None])[:, 0, 0] / v1).tolist()
        return found

    def objective(z: Array) -> float:
        total = 0.5 * float(z @ z)
        for (_, value), f in zip(SEEN, predicted(z), strict=True):
            total += 0.5 * ((value - f) / (0.236 * f)) ** 2 + math.log(f)
        return total

    options = {"xatol": 1e-6, "fatol": 1e-12, "maxiter": 4000, "maxfev": 4000}
    result: Array = minimize(objective, np.zeros(4), method="Nelder-Mead", options=options).x
    return result


def run() -> dict[str, Any]:
    """The contract's object."""
    found, expected = ours(), by_scipy()
    off = float(np.abs(found - expected).max())
    if not off <= CLOSE_RATIO:
        raise AssertionError(f"scipy is {off:.2g} prior standard deviations from ours, over {CLOSE_RATIO:g}")
    rng = np.random.default_rng(1)
    times = np.array([time for time, _ in SEEN])
    values = np.array([value for _, value in SEEN]) * np.exp(0.236 * rng.normal(size=(MANY, 4)))
    doses = [DOSES] * MANY
    patients = [PatientProfile(age_years=42, weight_kg=weight) for weight in rng.uniform(50, 100, MANY).tolist()]

    def many() -> Array:
        model = get("kamp-2020")
        return estimate_many(model, doses, patients, "racemic", "ketamine", times, values, lent=(SPREAD,)).mode

    took_s = medians_s({"ours": ours, "kernel": kernel()}, RUNS)
    many_s = medians_s({"many": many}, 7)["many"]
    peer_s = medians_s({"scipy.optimize Nelder-Mead": by_scipy}, 1)
    return report(
        "map", n=1, points=len(SEEN), median_s=took_s["ours"], runs=RUNS, fill_s=None, peers_s=peer_s,
        kernel_s=took_s["kernel"], thousand_patients_s=many_s, peer_differences={"scipy.optimize Nelder-Mead": off},
    )  # fmt: skip
