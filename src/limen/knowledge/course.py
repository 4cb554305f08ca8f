"""How a course goes on (MNT-1, MNT-2): when it is stopped or changed, and how it is spaced out."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Literal

from limen.evidence import read_yaml
from limen.evidence.yaml import Record
from limen.knowledge.claim import Claim


class StopRule(Claim):
    """When a course that does not help is stopped or changed.

    Attributes
    ----------
    fall_pct : float
        A fall under this, after session ``after_session``, or after each of the first ``each_of_first``.
    """

    rule: str
    title: str
    instrument: str
    fall_pct: float
    after_session: int
    each_of_first: int
    why: str


class Sentence(Claim):
    """A rule in words."""

    rule: str
    text: str


class SpacingStep(Claim):
    """One step of spacing out; ``sessions`` is how many before the next, ``None`` as long as it holds."""

    every: int
    span: Literal["week", "month"]
    sessions: int | None

    @property
    def words(self) -> str:
        """As a person says it."""
        return f"{self.span}ly" if self.every == 1 else f"every {self.every} {self.span}s"


class Spacing(Record):
    """How maintenance is spaced out."""

    rule: str
    title: str
    why: str
    steps: tuple[SpacingStep, ...]


class CourseRules(Record):
    """The installed rules of a course."""

    stop: StopRule
    response: Sentence
    spacing: Spacing


@functools.cache
def course_rules() -> CourseRules:
    """The installed rules.

    Raises
    ------
    KnowledgeError
        If the file is malformed or cites an unknown source.
    """
    return read_yaml(resources.files("limen.knowledge") / "data" / "course" / "course.yaml", CourseRules)
