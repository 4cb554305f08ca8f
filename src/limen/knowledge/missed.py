"""What is done about a session that was missed, by the weeks of the course: part of a protocol's schema."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from limen.knowledge.claim import Claim

Do = Literal["keep-schedule", "step-back-if-worse"]


class MissedWeeks(Claim):
    """Weeks of a course in which a missed session is answered in one way.

    Attributes
    ----------
    from_week, to_week : int, int or None
        Counted from the first session's day, week 1; ``None`` is without end.
    sessions, every_weeks : int, tuple of int
        So many sessions in so many weeks; of several numbers of weeks a person chooses.
    do : {"keep-schedule", "step-back-if-worse"}
        Go on as laid down; or, where the clinician finds the patient worse, one step back to the frequency before.
    text : str
        The rule in words.
    """

    from_week: int
    to_week: int | None
    sessions: int
    every_weeks: tuple[int, ...]
    do: Do
    text: str

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.from_week < 1 or (self.to_week is not None and self.to_week < self.from_week):
            raise ValueError("weeks run from 1, and onwards")
        if self.sessions < 1 or not self.every_weeks or list(self.every_weeks) != sorted(set(self.every_weeks)):
            raise ValueError("at least one session, in numbers of weeks that rise")
        if len(self.every_weeks) > 1 and self.to_week is not None:
            raise ValueError("where a person chooses the interval, the weeks have no end")
        return self

    @property
    def frequencies(self) -> tuple[str, ...]:
        """In words, the densest first."""
        often = {1: "", 2: "twice "}.get(self.sessions, f"{self.sessions} times ")
        return tuple(_words(often, weeks) for weeks in self.every_weeks)


def _words(often: str, weeks: int) -> str:
    if weeks == 1:
        return f"{often}a week" if often else "weekly"
    return f"{often}every {weeks} weeks"


def in_order(parts: tuple[MissedWeeks, ...]) -> bool:
    """Whether the weeks follow on each other without a gap, from the first."""
    expected: int | None = 1
    for part in parts:
        if part.from_week != expected:
            return False
        expected = None if part.to_week is None else part.to_week + 1
    return expected is None or not parts
