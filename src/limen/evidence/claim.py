"""The base of every clinical statement: it names its sources and how far it was checked."""

from __future__ import annotations

from typing import Any, Self

from pydantic import model_validator

from limen.errors import KnowledgeError
from limen.evidence.grades import counted_mark
from limen.evidence.marks import Verification
from limen.evidence.sources import cite
from limen.evidence.yaml import Record

# A mark that says "read" needs something that can be read.
_NOT_READ = {"clinic-rule", "unverified"}


class Claim(Record):
    """A statement or number with its support.

    Attributes
    ----------
    sources : tuple of str
        Keys of the bibliography; at least one.
    verification : Verification
        How far the statement was checked against them. Where the sources are of a kind that cannot carry the mark of
        the file (`limen.evidence.grades`), the weaker mark stands here, so it is the weaker one that every screen,
        page and export shows; ``limen knowledge check`` lists each such place.
    """

    sources: tuple[str, ...]
    verification: Verification

    @model_validator(mode="before")
    @classmethod
    def _down_graded(cls, values: Any) -> Any:
        if not isinstance(values, dict) or values.get("verification") not in {"V", "V2"} or not values.get("sources"):
            return values
        try:
            counted = counted_mark(Verification(values["verification"]), values["sources"])
        except (KnowledgeError, TypeError):
            return values  # unknown sources are refused, with their names, below
        # A project rule or nothing read cannot pass as read: that is an error, not a matter of degree.
        return (
            values
            if counted in {Verification.UNVERIFIED, Verification.CLINIC_RULE}
            else values | {"verification": counted}
        )

    @model_validator(mode="after")
    def _supported(self) -> Self:
        if not self.sources:
            raise ValueError("a clinical value needs at least one source")
        try:
            grades = {cite(key).grade for key in self.sources}
        except KnowledgeError as problem:
            raise ValueError(str(problem)) from None
        if self.verification in {Verification.READ, Verification.SECONDARY} and grades <= _NOT_READ:
            raise ValueError(
                f"marked {self.verification.value} ({self.verification.words}) but no source that can be read is named"
            )
        return self


class Statement(Claim):
    """A sentence in our words, with its support."""

    text: str
