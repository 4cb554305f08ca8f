"""What repeated treatment calls for: checks by time and by number of sessions, reviews, and findings that stop it."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Literal, Self

from pydantic import model_validator

from limen.evidence import read_yaml
from limen.evidence.yaml import Record
from limen.knowledge.claim import Claim, Statement

Start = Literal["first-session", "repeated", "maintenance"]


class For(Record):
    """Whom a check concerns; every condition given must hold, and one that cannot be judged holds.

    Attributes
    ----------
    sex : str or None
    age_from_years, age_to_years : float or None
        From this age, up to this age.
    """

    sex: Literal["female", "male"] | None = None
    age_from_years: float | None = None
    age_to_years: float | None = None


class Check(Claim):
    """One check that is due again and again while treatment goes on.

    Attributes
    ----------
    start : {"first-session", "repeated", "maintenance"}
        From the first session; from the second, when treatment is repeated; or once it has lasted
        ``maintenance_from_days``.
    every_days, every_sessions : int or None
        Due when either has passed since it was last done.
    acute_days, acute_every_days : int or None
        In the first so many days of treatment it is due so often instead.
    facts : tuple of str
        Recorded facts, any one of which shows that it was done.
    """

    id: str
    title: str
    risk: str | None = None
    start: Start
    every_days: int | None = None
    every_sessions: int | None = None
    acute_days: int | None = None
    acute_every_days: int | None = None
    facts: tuple[str, ...] = ()
    concerns: For = For()
    when_abnormal: str
    why: str = ""

    @model_validator(mode="after")
    def _recurs(self) -> Self:
        if self.every_days is None and self.every_sessions is None:
            raise ValueError(f"{self.id}: a check is due after days or sessions")
        if (self.acute_days is None) != (self.acute_every_days is None):
            raise ValueError(f"{self.id}: acute_days and acute_every_days go together")
        if any(span is not None and span < 1 for span in (self.every_days, self.every_sessions, self.acute_every_days)):
            raise ValueError(f"{self.id}: a span is at least 1")
        return self


class Review(Claim):
    """A look at the whole treatment at these numbers of sessions, and every so many days."""

    id: str
    title: str
    at_sessions: tuple[int, ...]
    every_days: int


class Daily(Claim):
    """Treatment on every day for longer than this is withdrawn gradually."""

    id: str
    title: str
    over_days: int


class AfterStop(Claim):
    """What to watch for so many days after the last session."""

    id: str
    title: str
    from_days: int
    to_days: int


class LiverLine(Claim):
    """Stop treatment where ALT or AST reach ``transaminase_xULN``, with bilirubin at ``bilirubin_xULN`` where given.

    ``with_symptoms`` asks for rash, fever, jaundice or pain beside it; alone, the line must be passed.
    """

    id: str
    title: str
    transaminase_xULN: float
    bilirubin_xULN: float | None = None
    with_symptoms: bool = False


class SignLine(Claim):
    """A sign that calls for something by itself: a yes, or a number from ``at_least_score`` on."""

    id: str
    title: str
    sign: Literal[
        "urinary_symptoms", "moca_fall_score", "ymrs_score", "psychotic_symptoms", "cravings", "withdrawal_symptoms"
    ]
    at_least_score: float | None = None
    level: Literal["stop", "hold", "watch"]
    action: str


class Pair(Claim):
    """Any two of these signs together ask for a review before the next dose."""

    id: str
    title: str
    signs: tuple[str, ...]


class Risk(Record):
    """A long-term risk with what speaks for it."""

    id: str
    title: str
    evidence: tuple[Statement, ...]


class Surveillance(Record):
    """``surveillance.yaml``."""

    maintenance_from_days: int
    checks: tuple[Check, ...]
    review: Review
    daily: Daily
    after_stop: AfterStop
    liver: tuple[LiverLine, ...]
    signs: tuple[SignLine, ...]
    pair: Pair
    risks: tuple[Risk, ...]

    @model_validator(mode="after")
    def _joined(self) -> Self:
        known = {risk.id for risk in self.risks}
        ids = [check.id for check in self.checks]
        if len(ids) != len(set(ids)):
            raise ValueError("a check stands twice")
        for line in self.signs:
            if line.id not in known:
                raise ValueError(f"{line.id}: no such risk")
        for check in self.checks:
            if check.risk is not None and check.risk not in known:
                raise ValueError(f"{check.id}: no risk {check.risk!r}")
        return self


@functools.cache
def surveillance() -> Surveillance:
    """The surveillance of the product.

    Examples
    --------
    >>> surveillance().review.at_sessions
    (12, 24)
    """
    return read_yaml(resources.files("limen.knowledge") / "data" / "surveillance" / "surveillance.yaml", Surveillance)
