"""The base of every clinical statement: it names its sources and how far it was checked."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from limen.errors import KnowledgeError
from limen.evidence import Verification, cite
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
        How far the statement was checked against them.
    """

    sources: tuple[str, ...]
    verification: Verification

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
