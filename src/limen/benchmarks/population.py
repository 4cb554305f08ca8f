"""The population that every engine is given: S-ketamine of Otto 2021 with a spread, and an effect site."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from limen.pharmacology.kernels.turnover import Turnover
from limen.pharmacology.populations.draws import normals
from limen.pharmacology.regimen import Dose, Schedule

Array = npt.NDArray[np.float64]

# V1 L, CL L/h, V2 L, Q2 L/h, V3 L, Q3 L/h, ke0 per minute.
TYPICAL = (133.0, 95.2, 187.0, 23.2, 98.8, 157.0, 0.0835)
SPREAD_LOG_SD = 0.3
INFUSION_MIN = 40.0
DOSE_MG = 35.0
SCHEDULE = Schedule.of([Dose(DOSE_MG, "iv", 0, INFUSION_MIN)])


@dataclass(frozen=True, slots=True)
class Patients:
    """Parameters of some patients; each array (patients,)."""

    central_L: Array
    clearance_L_per_h: Array
    peripheral: tuple[tuple[Array, Array], ...]
    ke0_per_min: Array

    @classmethod
    def of(cls, count: int) -> Patients:
        """The first patients of the benchmark's population."""
        v1, cl, v2, q2, v3, q3, ke0 = (
            value * np.exp(SPREAD_LOG_SD * normals(1, f"benchmark {place}", 0, count))
            for place, value in enumerate(TYPICAL)
        )
        return cls(v1, cl, ((v2, q2), (v3, q3)), ke0)

    def row(self, patient: int) -> dict[str, float]:
        """One patient's volume and rate constants, per minute, by their usual names."""
        (v2, q2), (v3, q3) = self.peripheral
        v1 = self.central_L
        found = {
            "V1": v1,
            "k10": self.clearance_L_per_h / v1 / 60,
            "k12": q2 / v1 / 60,
            "k21": q2 / v2 / 60,
            "k13": q3 / v1 / 60,
            "k31": q3 / v3 / 60,
            "ke0": self.ke0_per_min,
        }
        return {name: float(values[patient]) for name, values in found.items()}


def effect_of(count: int) -> Turnover:
    """A turnover effect with tolerance for the first patients of the population."""
    vary = [np.exp(SPREAD_LOG_SD * normals(1, f"effect {place}", 0, count)) for place in range(4)]
    return Turnover(0.05 * vary[0], 0.01 * vary[1], np.full(count, 0.8), 1.5 * vary[2], 120 * vary[3], np.ones(count))
