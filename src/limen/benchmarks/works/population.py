"""100,000 patients at 241 times: three compartments, plasma and effect site, from parameters to filled arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from limen.benchmarks import peers
from limen.benchmarks.measure import medians_s, peak_rss_mb, report
from limen.benchmarks.population import DOSE_MG, INFUSION_MIN, SCHEDULE, Patients
from limen.pharmacology.kernels.arrays import Array
from limen.pharmacology.kernels.mammillary import concentrations

N = 100_000
RUNS = 9
TIME_MIN = np.arange(241.0)
# Peers are given as many of the same patients as they finish in some seconds.
ENGINES = {
    "scipy.solve_ivp LSODA": (peers.by_scipy, 20),
    "libroadrunner": (peers.by_roadrunner, 200),
    "diffrax Dopri8": (peers.by_diffrax, 1000),
    "PyTCI exact": (peers.by_pytci, 50),
}


@njit(cache=True, parallel=True)
def _fill(plasma: Array, effect: Array) -> None:
    for row in prange(len(plasma)):
        for time in range(plasma.shape[1]):
            plasma[row, time] = 1.0
            effect[row, time] = 2.0


def fill(n: int, times: int) -> None:
    """Make and fill the same two arrays, on the same threads: the least that any engine must do."""
    _fill(np.empty((n, times)), np.empty((n, times)))


def problem(count: int) -> peers.Problem:
    """The first patients, for the peers."""
    patients = Patients.of(count)
    return peers.Problem(
        peers.KINETICS, dict.fromkeys(peers.KINETICS, 0.0), [patients.row(place) for place in range(count)],
        DOSE_MG / INFUSION_MIN, INFUSION_MIN, TIME_MIN, ("c1", "ce"),
    )  # fmt: skip


def solve(patients: Patients) -> tuple[Array, Array]:
    """Ours."""
    plasma, effect = concentrations(
        patients.central_L, patients.clearance_L_per_h, patients.peripheral, SCHEDULE, TIME_MIN,
        ke0_per_min=patients.ke0_per_min,
    )  # fmt: skip
    if effect is None:
        raise AssertionError("no effect site came back")
    return plasma, effect


def run() -> dict[str, Any]:
    """The contract's object; ``memory_ratio`` is what the work adds to the process over the size of its output."""
    solve(Patients.of(1000))
    fill(1000, len(TIME_MIN))
    patients = Patients.of(N)
    before_mb = peak_rss_mb()
    plasma, effect = solve(patients)
    output_mb = 2 * plasma.nbytes / 2**20
    added_mb = peak_rss_mb() - before_mb
    first = np.stack([plasma[:2000], effect[:2000]], axis=1) / 1000.0
    del plasma, effect
    took_s = medians_s({"ours": lambda: solve(patients), "fill": lambda: fill(N, len(TIME_MIN))}, RUNS)
    found = report(
        "population", n=N, points=len(TIME_MIN), median_s=took_s["ours"], runs=RUNS, fill_s=took_s["fill"], peers_s={},
        output_mb=output_mb, memory_ratio=added_mb / output_mb, times_of_fill=took_s["ours"] / took_s["fill"],
    )  # fmt: skip
    beside = peers.compare(ENGINES, problem, first, N, rtol_ratio=1e-6)
    return found | beside.keys()
