"""Adverse events by name: grades, what makes one serious, what a label lists, and to whom it is reported."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Literal, Self

from pydantic import model_validator

from limen.errors import InputError
from limen.evidence import read_yaml
from limen.evidence.yaml import Record
from limen.knowledge.claim import Claim, Statement
from limen.knowledge.said import asserts, clauses

Product = Literal["racemic", "s-ketamine", "esketamine-nasal"]
OTHER = "other"


class Grade(Statement):
    """How severe. ``serious`` is the criterion that a grade carries with it."""

    grade: int
    title: str
    fhir: Literal["mild", "moderate", "severe"]
    serious: str | None = None


class Criterion(Claim):
    """One of the things that make an event serious, whatever its grade."""

    id: str
    title: str


class Listed(Claim):
    """Where an event is listed for a product: its label, or only a trial."""

    product: Product
    by: Literal["label", "trial"]
    text: str | None = None


class Frequency(Claim):
    """How often it was seen, with the drug and with the control."""

    trial: str
    drug_pct: float
    control_pct: float


class Onset(Statement):
    """When it begins, counted from the start or the end of the dose; ``None`` leaves a side open."""

    of: Literal["start", "end"] = "start"
    from_min: float = 0
    to_min: float | None = None


class AdverseEvent(Record):
    """One entry of the dictionary.

    Attributes
    ----------
    words : tuple of str
        Each entry is a set of word beginnings that must all stand in one clause of a text.
    rule, risk : str or None
        The monitoring rule, or the long-term risk, that it belongs to.
    rems : str or None
        The question of the programme's form that it answers.
    """

    id: str
    title: str
    words: tuple[str, ...]
    icd10: str | None = None
    rule: str | None = None
    risk: str | None = None
    rems: Literal["sedation", "dissociation", "respiratory-depression"] | None = None
    onset: Onset | None = None
    expected: tuple[Listed, ...]
    frequency: tuple[Frequency, ...] = ()


class Duty(Statement):
    """Whom to tell.

    Attributes
    ----------
    when : {"any", "serious", "serious-unexpected"}
        ``any`` is every session, with or without an event.
    within_days : int or None
        ``None`` where no source that was read gives a time.
    """

    id: str
    title: str
    when: Literal["any", "serious", "serious-unexpected"]
    products: tuple[Product, ...] = ()
    within_days: int | None = None


class Dictionary(Record):
    """``adverse-events.yaml``."""

    grades: tuple[Grade, ...]
    serious: tuple[Criterion, ...]
    outcomes: tuple[str, ...]
    actions: tuple[str, ...]
    duties: tuple[Duty, ...]
    events: tuple[AdverseEvent, ...]
    notes: tuple[Statement, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if [entry.grade for entry in self.grades] != [1, 2, 3, 4, 5]:
            raise ValueError("grades are 1 to 5")
        ids = [entry.id for entry in self.events]
        if len(ids) != len(set(ids)):
            raise ValueError("an event stands twice")
        if OTHER not in ids:
            raise ValueError(f"no event {OTHER!r}")
        known = {entry.id for entry in self.serious}
        for grade in self.grades:
            if grade.serious is not None and grade.serious not in known:
                raise ValueError(f"grade {grade.grade}: unknown criterion {grade.serious}")
        return self

    def event(self, code: str) -> AdverseEvent:
        """The entry with this code.

        Raises
        ------
        InputError
            If there is none; the message lists those there are.
        """
        for entry in self.events:
            if entry.id == code:
                return entry
        raise InputError(
            f"unknown adverse event {code!r}", where="code", allowed=", ".join(entry.id for entry in self.events)
        )

    def named_in(self, text: str) -> tuple[AdverseEvent, ...]:
        """The entries that the words of a text name; a denied one does not count.

        Examples
        --------
        >>> [entry.id for entry in adverse_events().named_in("vomited twice, no headache")]
        ['vomiting']
        """
        vocabulary = {part for entry in self.events for words in entry.words for part in words.split()}
        return tuple(
            entry
            for entry in self.events
            if any(asserts(clause, words, vocabulary) for clause in clauses(text) for words in entry.words)
        )


@functools.cache
def adverse_events() -> Dictionary:
    """The dictionary of the product.

    Examples
    --------
    >>> adverse_events().event("anaphylaxis").expected[0].by
    'label'
    """
    path = resources.files("limen.knowledge") / "data" / "adverse-events" / "adverse-events.yaml"
    return read_yaml(path, Dictionary)
