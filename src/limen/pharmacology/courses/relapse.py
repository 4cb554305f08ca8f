"""Relapse after response: a hazard that depends on the stage of treatment, with a heavy tail.

Each stage is one published row. People's hazards differ by a gamma, so that survival is ``(1 + t / scale) ** -shape``
(Lomax): the hazard of those still well falls with time. ``shape`` comes from the one row that has a median and a tail;
``scale`` puts each curve through its own row. A constant hazard through the same row stands beside it.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from limen.errors import InputError
from limen.evidence import read_yaml
from limen.evidence.yaml import Record
from limen.pharmacology.exposure import Curve, Percentiles, numbers
from limen.pharmacology.models.schema import Sourced
from limen.pharmacology.outcome import Flag

Array = npt.NDArray[np.float64]

OUTPUT = "relapse_free_pct"
CONSTANT = "relapse_free_if_hazard_constant_pct"
MOST_DAYS = 3653.0
MAX_POINTS = 20_000
# 97.5th percentile of the standard normal.
_Z95 = 1.959963984540054


class Point(Record):
    """So many had relapsed by a day."""

    at_days: float = Field(gt=0)
    relapsed_pct: float = Field(gt=0, le=100)


class SourcedPoint(Sourced):
    """A point with its own support."""

    at_days: float = Field(gt=0)
    relapsed_pct: float = Field(gt=0, lt=100)


class MedianInterval(Record):
    """95 % interval of the day by which half had relapsed; ``None`` where an end was not reached."""

    low: float | None
    high: float | None
    unit: str = "d"
    note: str | None = None


class HazardOf(Record):
    """A hazard in proportion to another stage's, with its 95 % interval."""

    stage: str
    hazard_ratio: float = Field(gt=0)
    low: float
    high: float
    unit: str = "ratio"

    @model_validator(mode="after")
    def _ordered(self) -> HazardOf:
        if not 0 < self.low <= self.hazard_ratio <= self.high:
            raise ValueError("0 < low <= hazard_ratio <= high does not hold")
        return self


class Stage(Sourced):
    """One published row: who, after what, and how many relapsed when.

    Attributes
    ----------
    missing : str or None
        Why no curve can be drawn, where none can.
    """

    title: str
    definition: str
    relapsed_by: Point | None = None
    hazard_of: HazardOf | None = None
    also: tuple[SourcedPoint, ...] = ()
    median_interval: MedianInterval | None = None
    counts: str | None = None
    missing: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> Stage:
        if self.relapsed_by is not None and self.hazard_of is not None:
            raise ValueError("give relapsed_by or hazard_of, not both")
        open_end = self.relapsed_by is None or self.relapsed_by.relapsed_pct == 100
        if open_end and self.hazard_of is None and self.missing is None:
            raise ValueError("a stage that no curve goes through says what is missing")
        return self


class Tail(Record):
    """The row that tells how the hazard falls."""

    well: SourcedPoint
    of: str
    note: str


class Relapse(Record):
    """``relapse.yaml``."""

    tail: Tail
    stages: dict[str, Stage]

    @model_validator(mode="after")
    def _linked(self) -> Relapse:
        for name, stage in self.stages.items():
            if stage.hazard_of is not None and stage.hazard_of.stage not in self.stages:
                raise ValueError(f"{name}: unknown stage {stage.hazard_of.stage}")
        if self.stages[self.tail.of].relapsed_by is None:
            raise ValueError("the tail's stage needs a point")
        return self

    @property
    def shape(self) -> float:
        """The exponent of the tail: half by the median, and so many by the tail's day.

        With half relapsed at t1 and three quarters at t2, (1 + t2/s) = (1 + t1/s) ** 2 gives the scale s at once.
        """
        near, far = self.stages[self.tail.of].relapsed_by, self.tail.well
        if near is None or near.relapsed_pct != 50 or far.relapsed_pct != 75:
            raise ValueError("the tail is read from a median and an upper quartile")
        t1_days, t2_days = near.at_days, far.at_days
        scale_days = t1_days**2 / (t2_days - 2 * t1_days)
        return math.log(2.0) / math.log1p(t1_days / scale_days)


@functools.cache
def relapse() -> Relapse:
    """Every stage on file.

    Examples
    --------
    >>> relapse().stages["six-infusions"].relapsed_by.at_days
    18.0
    >>> round(relapse().shape, 2)
    0.54
    """
    return read_yaml(resources.files("limen.pharmacology") / "data" / "relapse.yaml", Relapse)


def heavy_tail(time_days: Array, point_days: float, point_relapsed_pct: float, shape_exponent: float) -> Array:
    """Share still well, through one point.

    Parameters
    ----------
    time_days : array
    point_days, point_relapsed_pct : float
        So many had relapsed by this day.
    shape_exponent : float
        Of the tail; large is near to a constant hazard.

    Examples
    --------
    >>> heavy_tail(np.array([0.0, 14.0]), 14.0, 50.0, 0.54).round(3).tolist()
    [1.0, 0.5]
    """
    well = 1.0 - point_relapsed_pct / 100.0
    scale_days = point_days / math.expm1(-math.log(well) / shape_exponent)
    found: Array = (1.0 + time_days / scale_days) ** -shape_exponent
    return found


def constant_hazard_per_days(point_days: float, point_relapsed_pct: float) -> float:
    """The hazard per day that, if it never changed, would take so many by this day.

    Examples
    --------
    >>> round(constant_hazard_per_days(14.0, 50.0), 3)
    0.05
    """
    return -math.log1p(-point_relapsed_pct / 100.0) / point_days


@dataclass(frozen=True, slots=True)
class RelapseCourse:
    """Share still well over days, with the row it came from."""

    stage: str
    row: Stage
    time_days: Array
    outputs: dict[str, Curve]
    flags: tuple[Flag, ...]
    sources: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The course as JSON; without outputs where the row has no curve."""
        return {
            "course": "relapse",
            "stage": self.stage,
            "row": self.row.model_dump(),
            "time_days": numbers(self.time_days),
            "outputs": {name: curve.to_json() for name, curve in self.outputs.items()},
            "flags": [{"code": flag.code, "message": flag.message} for flag in self.flags],
            "sources": list(self.sources),
        }


def course(
    stage: str,
    *,
    until_days: float = 180.0,
    every_days: float = 1.0,
    n: int = 0,
    rng: np.random.Generator | None = None,
) -> RelapseCourse:
    """Share of responders still well after a stage of treatment.

    Parameters
    ----------
    stage : str
        Of ``relapse().stages``.
    n : int
        Draws of a hazard ratio from its interval, for stages that have one; others have no interval that was read.
    rng : numpy.random.Generator, optional
        Needed where ``n`` is over 0.

    Raises
    ------
    InputError
        Unknown stage, a time that is not over 0, too many points.

    Examples
    --------
    >>> found = course("one-infusion-0.5-responders", until_days=14)
    >>> round(float(found.outputs["relapse_free_pct"].typical[-1]), 1)
    50.0
    """
    model = relapse()
    if stage not in model.stages:
        raise InputError(f"unknown stage {stage!r}", where="stage", allowed=", ".join(model.stages))
    for name, span in (("until", until_days), ("every", every_days)):
        if not 0 < span <= MOST_DAYS:
            raise InputError(f"{name} is {span:g} days", where=name, allowed=f"over 0 to {MOST_DAYS:g}")
    if until_days / every_days > MAX_POINTS:
        raise InputError("too many points", where="every", allowed=f"at most {MAX_POINTS} points")
    if n < 0 or (n and rng is None):
        raise InputError(f"{n} draws", where="population", allowed="0, or more with a random generator")
    time_days: Array = np.arange(math.floor(until_days / every_days + 1e-9) + 1, dtype=np.float64) * every_days
    row = model.stages[stage]
    base = model.stages[row.hazard_of.stage] if row.hazard_of else row
    point = base.relapsed_by
    outputs: dict[str, Curve] = {}
    if point is not None and point.relapsed_pct < 100:
        heavy = heavy_tail(time_days, point.at_days, point.relapsed_pct, model.shape)
        constant = np.exp(-constant_hazard_per_days(point.at_days, point.relapsed_pct) * time_days)
        for name, well in ((OUTPUT, heavy), (CONSTANT, constant)):
            outputs[name] = _under_ratio(well, row.hazard_of, n, rng)
    keys = (row.source, model.tail.well.source)
    return RelapseCourse(
        stage, row, time_days, outputs, tuple(_flags(model, row, bool(outputs))), tuple(dict.fromkeys(keys))
    )


def _under_ratio(well: Array, link: HazardOf | None, n: int, rng: np.random.Generator | None) -> Curve:
    if link is None:
        return Curve(100.0 * well)
    spread = None
    if rng is not None and n:
        z = rng.standard_normal(n)
        down, up = math.log(link.hazard_ratio / link.low) / _Z95, math.log(link.high / link.hazard_ratio) / _Z95
        ratios = link.hazard_ratio * np.exp(z * np.where(z < 0, down, up))
        spread = Percentiles.over(100.0 * well[None, :] ** ratios[:, None])
    return Curve(100.0 * well**link.hazard_ratio, spread)


def _flags(model: Relapse, row: Stage, drawn: bool) -> list[Flag]:
    found = [
        Flag("relapse-row", f"{row.title} ({row.definition}); {row.counts or 'counts not read'} [{row.verification}]"),
        Flag(
            "relapse-definitions-differ",
            "Rows differ in who was followed, what counted as relapse and what else they took: compare with care",
        ),
    ]
    if not drawn:
        found.append(Flag("relapse-not-known", f"No curve: {row.missing}"))
        return found
    found.append(
        Flag(
            "assumed-tail",
            f"The tail (exponent {model.shape:.2f}) is read from one open series of 17 responders, whose quartiles it"
            " misses, and lent to every stage [P]; a constant hazard through the same row is shown beside it",
        )
    )
    if row.hazard_of is None:
        found.append(Flag("no-interval-read", "No interval of this row was read: the curve's error is not known"))
    if row.median_interval is not None:
        found.append(
            Flag("median-interval", f"The median's 95 % interval is {row.median_interval.low:g} days to not reached")
        )
    return found
