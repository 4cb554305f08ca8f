"""One model, one patient: six infusions over three weeks, 6,049 points; the public call, and the kernel alone."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from limen.benchmarks.measure import difference_ratio, medians_s, report
from limen.benchmarks.population import TYPICAL
from limen.pharmacology import Dose, PatientProfile
from limen.pharmacology.kernels import mammillary
from limen.pharmacology.kernels.arrays import Array
from limen.pharmacology.kernels.grid import Runs
from limen.pharmacology.regimen import Schedule
from limen.pharmacology.simulate import simulate

RUNS = 100
PEER_RUNS = 3
EVERY_MIN = 5.0
TIME_MIN: Array = np.arange(6049, dtype=np.float64) * EVERY_MIN
DOSES = [Dose(35, "iv", day * 1440.0, 40) for day in (0, 3, 7, 10, 14, 17)]
PATIENT = PatientProfile(age_years=42, weight_kg=70)
# The peer solves to 1e-8 of the peak; late after a dose the values are a thousandth of it.
RTOL_RATIO = 1e-3


def ours() -> Array:
    """Every output of Fanta/Otto 2021 with peaks, areas and effects; S-ketamine comes back."""
    result = simulate("fanta-otto-2021", DOSES, PATIENT, until_min=TIME_MIN[-1], every_min=EVERY_MIN)
    return result.outputs["S_ketamine_venous_ng_per_mL"].typical


def with_pressure() -> object:
    """Concentrations with their peaks and areas, and the rise of pressure alone."""
    wanted = ("sbp_change_mmHg",)
    return simulate(
        "fanta-otto-2021", DOSES, PATIENT, until_min=TIME_MIN[-1], every_min=EVERY_MIN, wanted_effects=wanted
    )


def concentrations_alone() -> object:
    """Concentrations with their peaks and areas, and no effect."""
    return simulate("fanta-otto-2021", DOSES, PATIENT, until_min=TIME_MIN[-1], every_min=EVERY_MIN, wanted_effects=())


def by_scipy() -> Array:
    """The parent drug alone, by a general solver that is told where the input changes."""
    v1, cl, v2, q2, v3, q3, _ = TYPICAL
    solve_ivp = importlib.import_module("scipy.integrate").solve_ivp

    def slope(_: float, y: Array, rate: float) -> tuple[float, float, float]:
        c1, c2, c3 = y.tolist()
        to_second, to_third = q2 / 60 * (c1 - c2), q3 / 60 * (c1 - c3)
        return (rate - cl / 60 * c1 - to_second - to_third) / v1, to_second / v2, to_third / v3

    edges = [*sorted({edge for dose in DOSES for edge in (dose.start_min, dose.end_min)}), float(TIME_MIN[-1])]
    state = np.zeros(3)
    out = np.zeros(len(TIME_MIN))
    for start, end in itertools.pairwise(edges):
        rate = sum(dose.amount_mg / dose.duration_min for dose in DOSES if dose.start_min <= start < dose.end_min)
        here = (start <= TIME_MIN) & (end >= TIME_MIN)
        found = solve_ivp(slope, (start, end), state, "LSODA", TIME_MIN[here], args=(rate,), rtol=1e-9, atol=1e-13)
        out[here] = 1000 * found.y[0]
        state = found.y[:, -1]
    return out


def kernel() -> Callable[[], object]:
    """Plasma and effect site of the same patient, compiled, without the public call around it."""
    volumes = [np.array([value]) for value in TYPICAL]
    rates = mammillary.rate_constants(volumes[0], volumes[1], [(volumes[2], volumes[3]), (volumes[4], volumes[5])])
    runs = Runs.of(Schedule.of(DOSES), TIME_MIN)
    plasma, effect = np.empty((1, len(TIME_MIN))), np.empty((1, len(TIME_MIN)))
    scale = 1000 / volumes[0]
    return lambda: mammillary.solve_serial(
        rates, scale, volumes[6], TIME_MIN, runs.start_min, runs.rate_mg_per_min, runs.bolus_mg, runs.bounds,
        runs.step_min, plasma, effect,
    )  # fmt: skip


def run() -> dict[str, Any]:
    """The contract's object."""
    off = difference_ratio(ours()[None], by_scipy()[None])
    if not off <= RTOL_RATIO:
        raise AssertionError(f"scipy is {off:.2g} from ours, over {RTOL_RATIO:g}")
    works = {"ours": ours, "pressure": with_pressure, "concentrations": concentrations_alone, "kernel": kernel()}
    took_s = medians_s({**works, "fill": lambda: np.full(len(TIME_MIN), 1.0)}, RUNS)
    peer_s = medians_s({"scipy.solve_ivp LSODA": by_scipy}, PEER_RUNS)
    return report(
        "forecast-single", n=1, points=len(TIME_MIN), median_s=took_s["ours"], runs=RUNS, fill_s=took_s["fill"],
        peers_s=peer_s, kernel_s=took_s["kernel"], one_effect_s=took_s["pressure"],
        no_effect_s=took_s["concentrations"],
        peer_differences={"scipy.solve_ivp LSODA": off},
    )  # fmt: skip
