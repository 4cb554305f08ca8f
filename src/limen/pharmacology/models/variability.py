"""How patients, occasions and measurements differ, as a paper prints it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from pydantic import Field, model_validator

from limen.pharmacology.models.values import Sourced

# Random effects by name, one standard normal column each: patient i draws the same person whichever model is asked.
# The order is that of ``population.COLUMNS``: append only.
Effect = Literal[
    "V1",
    "CL",
    "V2",
    "Q2",
    "V3",
    "Q3",
    "NK_V1",
    "NK_CL",
    "QH",
    "VH",
    "KEL",
    "KMET",
    "NK_V2",
    "NK_MTT",
    "HNK_V1",
    "HNK_V2",
    "HNK_CL",
    "HNK_Q2",
    "F_NASAL",
    "KA_NASAL",
    "D_SW",
    "KA_SW",
    "D_PO",
    "KA_PO",
    "F_MUCOSA",
    "D_MUCOSA",
    "KA_MUCOSA",
    "F_SW",
    "MTT_GUT",
]


class Omega(Sourced):
    """One block of variability: lower triangle of the covariance of the effects.

    A file gives ``omega_log_variance``, or what the paper prints instead: ``cv_pct`` (log variance = ln(1 + CV^2),
    with ``correlation`` for two) or ``logit_sd``.
    """

    effects: tuple[Effect, ...]
    omega_log_variance: tuple[tuple[float, ...], ...]
    cv_pct: tuple[float, ...] | None = None
    correlation: float | None = Field(default=None, gt=-1, lt=1)
    logit_sd: float | None = Field(default=None, gt=0)

    @model_validator(mode="before")
    @classmethod
    def _from_print(cls, entry: Any) -> Any:
        if not isinstance(entry, dict) or "omega_log_variance" in entry:
            return entry
        if entry.get("logit_sd") is not None:
            return entry | {"omega_log_variance": ((float(entry["logit_sd"]) ** 2,),)}
        if entry.get("cv_pct") is not None:
            variances = [math.log1p((float(cv) / 100.0) ** 2) for cv in entry["cv_pct"]]
            together = float(entry.get("correlation") or 0.0)
            triangle = [
                [together * math.sqrt(variances[i] * variances[j]) for j in range(i)] + [variances[i]]
                for i in range(len(variances))
            ]
            return entry | {"omega_log_variance": triangle}
        return entry

    @model_validator(mode="after")
    def _triangle(self) -> Omega:
        if [len(row) for row in self.omega_log_variance] != list(range(1, len(self.effects) + 1)):
            raise ValueError("omega_log_variance is the lower triangle: one row an effect, of 1, 2, ... entries")
        if not all(math.isfinite(entry) for row in self.omega_log_variance for entry in row):
            raise ValueError("a variance is a finite number")
        if any(row[-1] <= 0 for row in self.omega_log_variance):
            raise ValueError("a variance is over 0")
        if np.linalg.eigvalsh(self.covariance)[0] <= 0:
            raise ValueError("the covariance is larger than the variances allow")
        return self

    @property
    def covariance(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """The whole matrix (effects, effects)."""
        size = len(self.effects)
        lower = np.zeros((size, size))
        for row, entries in enumerate(self.omega_log_variance):
            lower[row, : len(entries)] = entries
        whole: np.ndarray[Any, np.dtype[np.float64]] = lower + np.tril(lower, -1).T
        return whole


def summed(between_patients: Sequence[Omega], between_occasions: Sequence[Omega]) -> tuple[Omega, ...]:
    """The spread of one patient on one occasion: variances between patients and between occasions add.

    Examples
    --------
    >>> from limen.pharmacology.models import get
    >>> simons = get("simons-2022")
    >>> blocks = summed(simons.variability, simons.between_occasions)
    >>> [round(block.omega_log_variance[0][0], 3) for block in blocks if block.effects == ("HNK_CL",)]
    [0.111]
    """
    blocks = list(between_patients)
    for occasion in between_occasions:
        place = next((at for at, block in enumerate(blocks) if occasion.effects[0] in block.effects), None)
        if place is None:
            blocks.append(occasion)
            continue
        block = blocks[place]
        inside = block.effects.index(occasion.effects[0])
        triangle = [list(row) for row in block.omega_log_variance]
        triangle[inside][inside] += occasion.omega_log_variance[0][0]
        blocks[place] = block.model_copy(update={"omega_log_variance": tuple(tuple(row) for row in triangle)})
    return tuple(blocks)


class Residual(Sourced):
    """What a measured concentration adds to the patient's own: proportional and additive, or on the log scale.

    Attributes
    ----------
    analyte : str
    proportional_fraction, additive_nmol_per_mL, log_sd : float or None
        Standard deviations; a proportional one is a share of the concentration.
    """

    analyte: str
    proportional_fraction: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    additive_nmol_per_mL: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    log_sd: float | None = Field(default=None, gt=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _one_scale(self) -> Residual:
        natural = self.proportional_fraction is not None or self.additive_nmol_per_mL is not None
        if natural == (self.log_sd is not None):
            raise ValueError("give log_sd, or proportional_fraction and additive_nmol_per_mL")
        return self
