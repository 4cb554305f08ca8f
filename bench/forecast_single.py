"""One model, one typical patient: six infusions over three weeks, 6,049 points, through the public call."""

from __future__ import annotations

import itertools
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from scipy.integrate import solve_ivp

from limen.pharmacology import Dose, PatientProfile
from limen.pharmacology.simulate import simulate

RUNS = 200
PEER_RUNS = 3
WEEKS_MIN = 3 * 7 * 1440.0
EVERY_MIN = 5.0
DOSES = [Dose(35, "iv", day * 1440.0, 40) for day in (0, 3, 7, 10, 14, 17)]
PATIENT = PatientProfile(age_years=42, weight_kg=70)
TIME_MIN = np.arange(6049) * EVERY_MIN


def ours() -> np.ndarray:
    """S-ketamine, norketamine, effect site and pressure of Fanta/Otto 2021, with peaks and areas."""
    result = simulate("fanta-otto-2021", DOSES, PATIENT, until_min=WEEKS_MIN, every_min=EVERY_MIN)
    return result.outputs["S_ketamine_venous_ng_per_mL"].typical


def peer() -> np.ndarray:
    """The same parent drug alone, by a general solver that is told where the input changes."""
    v1, cl, v2, q2, v3, q3 = 133.0, 95.2 / 60, 187.0, 23.2 / 60, 98.8, 157 / 60

    def slope(_: float, y: np.ndarray, rate: float) -> tuple[float, float, float]:
        c1, c2, c3 = y
        return (
            (rate - cl * c1 - q2 * (c1 - c2) - q3 * (c1 - c3)) / v1,
            q2 * (c1 - c2) / v2,
            q3 * (c1 - c3) / v3,
        )

    edges = [*sorted({edge for dose in DOSES for edge in (dose.start_min, dose.end_min)}), WEEKS_MIN]
    state = np.zeros(3)
    out = np.zeros(len(TIME_MIN))
    for start, end in itertools.pairwise(edges):
        rate = sum(dose.amount_mg / dose.duration_min for dose in DOSES if dose.start_min <= start < dose.end_min)
        here = (start <= TIME_MIN) & (end >= TIME_MIN)
        found = solve_ivp(
            slope, (start, end), state, method="LSODA", t_eval=TIME_MIN[here], args=(rate,), rtol=1e-8, atol=1e-12
        )
        out[here] = 1000 * found.y[0]
        state = found.y[:, -1]
    return out


def median_s(work: Callable[[], object], runs: int) -> float:
    """Median time of a warm call."""
    work()
    spent = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        spent.append(time.perf_counter() - start)
    return statistics.median(spent)


def main() -> None:
    """Print one JSON object."""
    np.testing.assert_allclose(ours(), peer(), rtol=1e-4, atol=1e-4)
    points = len(TIME_MIN)
    mine_s = median_s(ours, RUNS)
    fill_s = median_s(lambda: np.full(points, 1.0), RUNS)
    result = {
        "work": "forecast-single",
        "n": 1,
        "points": points,
        "median_s": mine_s,
        "runs": RUNS,
        "rate_mpt_per_s": points / mine_s / 1e6,
        "fill_mpt_per_s": points / fill_s / 1e6,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "peers": {"scipy.solve_ivp LSODA": median_s(peer, PEER_RUNS)},
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
