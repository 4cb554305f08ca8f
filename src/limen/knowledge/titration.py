"""How the dose of a protocol moves from one session to the next: its rungs, and what lets the next one be taken."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from limen.evidence.yaml import Record
from limen.knowledge.claim import Claim

RungUnit = Literal["mg/kg", "mg", "mg/kg/h", "mg/h"]


class ImprovedLessThan(Record):
    """Raised where the newest score on one of these instruments fell by less than this from the baseline."""

    kind: Literal["improved-less-than"]
    pct: float
    instruments: tuple[str, ...]


class EachSession(Record):
    """Raised each time: a series of rising test doses, whatever the response."""

    kind: Literal["each-session"]


class EffectNotEnough(Record):
    """Raised where a clinician has recorded that the effect of the last dose was not enough."""

    kind: Literal["effect-not-enough"]
    effect: str


class Judged(Record):
    """May be raised on a clinician's judgement; no source read gives a threshold.

    Attributes
    ----------
    on : str
        What is judged.
    """

    kind: Literal["judged"]
    on: str


Raise = Annotated[ImprovedLessThan | EachSession | EffectNotEnough | Judged, Field(discriminator="kind")]


class Titration(Claim):
    """The rungs of a dose and the rule from one to the next.

    Attributes
    ----------
    step : int
        The step of the protocol that moves, from 1.
    start : float or None
        Where it starts, in ``unit``; ``None`` where no source gives a number.
    rungs : tuple of float
        Every dose the source names, rising. Empty where the source says to titrate and gives no step: then nothing is
        ever proposed beyond the start.
    raises : Raise
        What lets the next rung be taken.
    wait_h : float or None
        Least time since the last dose before the next rung; ``None`` where no source gives one.
    lowers : bool
        Whether the source lets the dose go one rung down where it was not tolerated.
    hold_sessions : int or None
        Sessions at the dose that works, and then it stops.
    """

    rule: str
    unit: RungUnit
    step: int = 1
    start: float | None = None
    rungs: tuple[float, ...] = ()
    raises: Raise
    wait_h: float | None = None
    lowers: bool = False
    hold_sessions: int | None = None
    why: str

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if list(self.rungs) != sorted(set(self.rungs)) or any(rung <= 0 for rung in self.rungs):
            raise ValueError(f"{self.rule}: rungs rise, and stand over 0")
        if self.start is not None and (self.start <= 0 or (self.rungs and self.start > self.rungs[-1])):
            raise ValueError(f"{self.rule}: the start lies over 0 and not over the highest rung")
        return self
