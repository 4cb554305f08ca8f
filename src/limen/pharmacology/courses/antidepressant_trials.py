"""Dose groups, controls and trials of the antidepressant course, as data."""

from __future__ import annotations

import functools
import math
from importlib import resources
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from limen.evidence import read_yaml
from limen.evidence.yaml import Record
from limen.pharmacology.models.schema import Product, Route, Sourced

Array = npt.NDArray[np.float64]
Control = Literal["inert", "active"]

# Half the width of a 95 % interval in standard deviations.
_Z95 = 1.959963984540054


class Number(Sourced):
    """A number with its standard error, if read."""

    value: float
    se: float | None = Field(default=None, gt=0)
    unit: Literal["MADRS points", "d", "mg", "mg/kg"]


class Interval(Sourced):
    """A time with its range."""

    typical: float
    low: float
    high: float
    unit: Literal["h", "d"]

    def drawn(self, z: Array) -> Array:
        """Lognormal on each side of the typical value, its ends at the 2.5th and 97.5th percentile."""
        down, up = math.log(self.typical / self.low) / _Z95, math.log(self.high / self.typical) / _Z95
        found: Array = self.typical * np.exp(z * np.where(z < 0, down, up))
        return found


class Group(Record):
    """A dose group of a product."""

    product: Product
    route: Route
    title: str
    dose_low: Number
    dose_high: Number
    difference_24h: Number


class Shape(Record):
    """How the difference comes and goes."""

    onset_half_life: Interval
    end: Interval


class Trial(Sourced):
    """One published difference from placebo, and when its sessions were."""

    trial: str
    groups: tuple[str, ...]
    at_days: float
    difference_score: float
    se_score: float | None
    session_days: tuple[float, ...]
    pooled: bool
    what: str


class EffectSize(Sourced):
    """Standardised difference from placebo."""

    at_days: float
    g_score: float
    low: float
    high: float
    unit: Literal["SD"] = "SD"


class ResponseRate(Sourced):
    """Share of patients on ketamine with response and remission."""

    at_days: float
    response_pct: float
    remission_pct: float


class Antidepressant(Record):
    """``antidepressant.yaml``."""

    groups: dict[str, Group]
    shape: Shape
    controls: dict[Control, Number]
    control_until: Number
    patient_sd: Number
    trials: tuple[Trial, ...]
    effect_sizes: tuple[EffectSize, ...]
    response_rates: tuple[ResponseRate, ...]

    @property
    def between_trial_sd_score(self) -> float:
        """Standard deviation of the differences at 24 h over the trials, the masked one among them."""
        by_trial: dict[str, list[float]] = {}
        for row in self.trials:
            if row.pooled:
                by_trial.setdefault(row.source, []).append(row.difference_score)
        return float(np.std([np.mean(found) for found in by_trial.values()], ddof=1))


@functools.cache
def antidepressant() -> Antidepressant:
    """Dose groups, shape and trials on file.

    Examples
    --------
    >>> antidepressant().groups["racemic-iv"].difference_24h.value
    -7.7
    >>> round(antidepressant().between_trial_sd_score, 1)
    3.8
    """
    return read_yaml(resources.files("limen.pharmacology") / "data" / "antidepressant.yaml", Antidepressant)
