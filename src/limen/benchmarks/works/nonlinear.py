"""A turnover effect with tolerance: 1,000 patients, every minute for a day, to a millionth of a general solver."""

from __future__ import annotations

from typing import Any

import numpy as np

from limen.benchmarks import peers
from limen.benchmarks.measure import medians_s, report
from limen.benchmarks.population import DOSE_MG, INFUSION_MIN, SCHEDULE, Patients, effect_of
from limen.pharmacology.kernels.arrays import Array
from limen.pharmacology.kernels.turnover import responses

N = 1_000
RUNS = 15
TIME_MIN = np.arange(1441.0)
STEP_MIN = 1.0
# What the work promises, checked against every peer in the run.
RTOL_RATIO = 1e-6
ENGINES = {
    "scipy.solve_ivp LSODA": (peers.by_scipy, 10),
    "libroadrunner": (peers.by_roadrunner, 50),
    "diffrax Dopri8": (peers.by_diffrax, 250),
}


def solve(count: int) -> Array:
    """Ours."""
    patients = Patients.of(count)
    return responses(
        patients.central_L, patients.clearance_L_per_h, patients.peripheral, SCHEDULE, TIME_MIN, effect_of(count),
        ke0_per_min=patients.ke0_per_min, step_min=STEP_MIN,
    )  # fmt: skip


def problem(count: int) -> peers.Problem:
    """The first patients, for the peers; concentrations in ng/mL, so the rate is a thousandfold."""
    patients, effect = Patients.of(count), effect_of(count)
    rows = [
        patients.row(place)
        | {
            "kout": float(effect.kout_per_min[place]),
            "ktol": float(effect.ktol_per_min[place]),
            "tolerance": float(effect.tolerance_ratio[place]),
            "emax": float(effect.emax_ratio[place]),
            "ec50": float(effect.ec50_ng_per_mL[place]),
        }
        for place in range(count)
    ]
    return peers.Problem(
        peers.EFFECT, dict.fromkeys(peers.KINETICS, 0.0) | {"r": 1.0, "m": 1.0}, rows,
        1000 * DOSE_MG / INFUSION_MIN, INFUSION_MIN, TIME_MIN, ("r",),
    )  # fmt: skip


def run() -> dict[str, Any]:
    """The contract's object."""
    effects = solve(N)
    took_s = medians_s({"ours": lambda: solve(N), "fill": lambda: np.full((N, len(TIME_MIN)), 1.0)}, RUNS)
    found = report(
        "nonlinear", n=N, points=len(TIME_MIN), median_s=took_s["ours"], runs=RUNS, fill_s=took_s["fill"], peers_s={}
    )
    beside = peers.compare(ENGINES, problem, effects[:, None], N, rtol_ratio=RTOL_RATIO)
    return found | beside.keys()
