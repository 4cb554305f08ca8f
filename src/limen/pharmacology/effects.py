"""From plasma to effect: the one effect-site link, and the pressure line."""

from __future__ import annotations

import functools
import math
from importlib import resources
from typing import Literal

from pydantic import model_validator

from limen.evidence import read_yaml
from limen.evidence.yaml import Record
from limen.pharmacology.models.schema import Sourced

# 97.5th percentile of the standard normal: half the width of a 95 % interval in standard deviations.
_Z95 = 1.959963984540054


class Estimate(Sourced):
    """An estimate with its 95 % interval, or a rule with its range."""

    typical: float
    low: float
    high: float
    unit: Literal["min"]

    @model_validator(mode="after")
    def _ordered(self) -> Estimate:
        if not 0 < self.low <= self.typical <= self.high:
            raise ValueError("0 < low <= typical <= high does not hold")
        return self

    @property
    def log_sd(self) -> float:
        """Standard deviation of the log, read from the width of the interval."""
        return math.log(self.high / self.low) / (2 * _Z95)


class Fixed(Sourced):
    """A number with its unit."""

    value: float
    unit: Literal["mmHg per ng/mL", "ng/mL", "fraction"]


class EffectSite(Record):
    """The delay between plasma and brain."""

    analyte: str
    matrix: str
    half_life: Estimate
    note: str


class Pressure(Record):
    """Rise of systolic pressure, in proportion to S-ketamine at its own effect site."""

    output: str
    analyte: str
    slope: Fixed
    half_life: Estimate
    supported_to: Fixed


class Effects(Record):
    """``effects.yaml``."""

    effect_site: EffectSite
    pressure: Pressure
    racemic_s_share: Fixed


@functools.cache
def effects() -> Effects:
    """The effect models of the product.

    Examples
    --------
    >>> effects().effect_site.half_life.typical
    8.3
    """
    return read_yaml(resources.files("limen.pharmacology") / "data" / "effects.yaml", Effects)
