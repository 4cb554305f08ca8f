"""What a nurse weighs beside the alarms: how pressure usually runs, what not to do about it, small changes together."""

from __future__ import annotations

import functools
import itertools
from importlib import resources
from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator

from limen.evidence import read_yaml
from limen.evidence.yaml import Record
from limen.knowledge.claim import Claim, Statement

Vital = Literal["rr_per_min", "spo2_pct", "sbp_mmHg", "hr_per_min"]


class Rise(Statement):
    """A mean rise over the value before the dose."""

    at_min: float
    sbp_mmHg: float
    dbp_mmHg: float


class PressureCourse(Claim):
    """How pressure runs in most infusions."""

    rule: str
    title: str
    peak_from_min: float
    peak_to_min: float
    rises: tuple[Rise, ...]
    severe: tuple[Statement, ...]


class NoDrug(Statement):
    """Why pressure without symptoms gets no drug."""

    rule: str
    title: str
    reasons: tuple[Statement, ...]


class Band(Record):
    """Points of one value from a bound to a bound, both included; in whole units of the key."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    key: Vital
    low: int | None = Field(default=None, alias="from")
    high: int | None = Field(default=None, alias="to")
    points: int

    def holds(self, shown: int) -> bool:
        """Whether a value, in whole units as it is read out, lies in the band."""
        return (self.low is None or shown >= self.low) and (self.high is None or shown <= self.high)


class Call(Claim):
    """When the changes call for a look: one of so many points, or so many changes with so many points together."""

    id: str
    title: str
    do: str
    single_points: int | None = None
    changes: int | None = None
    total_points: int | None = None


class EarlyWarning(Claim):
    """Parts of an early-warning score, and the clinic's own calls on them."""

    id: str
    title: str
    parts: tuple[Band, ...]
    calls: tuple[Call, ...]

    @model_validator(mode="after")
    def _apart(self) -> Self:
        for key in {band.key for band in self.parts}:
            bands = sorted((band for band in self.parts if band.key == key), key=lambda band: band.low or 0)
            for lower, upper in itertools.pairwise(bands):
                if lower.high is None or upper.low is None or upper.low <= lower.high:
                    raise ValueError(f"{key}: bands overlap")
        return self


class Bedside(Record):
    """``bedside.yaml``."""

    course: PressureCourse
    no_drug: NoDrug
    early_warning: EarlyWarning


@functools.cache
def bedside() -> Bedside:
    """The installed file.

    Examples
    --------
    >>> bedside().course.rises[0].sbp_mmHg
    16.0
    """
    return read_yaml(resources.files("limen.knowledge") / "data" / "monitoring" / "bedside.yaml", Bedside)
