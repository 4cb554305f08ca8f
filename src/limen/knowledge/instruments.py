"""Questionnaires and rating scales: items, scoring rule, bands, safety item, licence and codes."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from importlib import resources
from typing import Literal, Self

from pydantic import model_validator

from limen.errors import InputError, KnowledgeError
from limen.evidence import read_yaml
from limen.evidence.yaml import Record
from limen.knowledge.claim import Claim
from limen.knowledge.scoring_rules import (
    Bands,
    Change,
    Criteria,
    Cut,
    Items,
    Missing,
    Part,
    Remission,
    Response,
    SafetyAction,
    SafetyItem,
    Screen,
)

__all__ = ["Bands", "Instrument", "Items", "SafetyAction", "Wording", "get_instrument", "instruments"]


class Licence(Claim):
    """Whether the wording may travel with the product.

    Attributes
    ----------
    text : {"ship", "load", "score"}
        ``ship``: it may; ``load``: the clinic loads it under its own right; ``score``: totals only.
    """

    text: Literal["ship", "load", "score"]
    statement: str


class Words(Record):
    """The questions as the patient reads them.

    Attributes
    ----------
    options : tuple of str
        The words of the answers from the lowest to the highest, the same for every question.
    item_options : tuple of tuple of str
        Or each question's own.
    """

    language: str
    stem: str
    items: tuple[str, ...]
    options: tuple[str, ...] = ()
    item_options: tuple[tuple[str, ...], ...] = ()

    def options_of(self, number: int) -> tuple[str, ...]:
        """The words of the answers to question ``number`` (from 1)."""
        return self.item_options[number - 1] if self.item_options else self.options

    def faults(self, items: Items | None) -> Iterator[str]:
        """Where the words do not fit the items they are of."""
        if items is None:
            yield "there are no items to word"
            return
        if len(self.items) != items.count:
            yield f"wording needs {items.count} items, has {len(self.items)}"
            return
        if self.item_options and (self.options or len(self.item_options) != items.count):
            yield "wording has options, or item_options for every item"
            return
        for number in range(1, items.count + 1):
            accepts = items.range_of(number)
            if accepts.kind == "yes-no" and not self.options_of(number):
                continue  # yes and no need no words of their own
            wanted = len(accepts.only) or accepts.high - accepts.low + 1
            if len(self.options_of(number)) != wanted:
                yield f"item {number} needs {wanted} options, has {len(self.options_of(number))}"


class Wording(Words, Claim):
    """Words that ship with the product, with where they were read."""

    option_codes: tuple[str, ...] = ()


class Codes(Claim):
    """LOINC codes. LOINC is copyright Regenstrief Institute, available at no cost under loinc.org/license."""

    panel: str | None = None
    total: str | None = None
    items: tuple[str, ...] = ()


class Instrument(Record):
    """One instrument at one version; a changed rule is a new version and old results keep theirs.

    Attributes
    ----------
    rule : {"sum", "parts", "profile", "total-only", "c-ssrs-triage"}
        How answers become a result: the sum of all items; the sum of the parts; parts or single answers that are
        never added up; a total that is entered, because its items may not be here; or triage.
    totals : (int, int) or None
        The lowest and highest total of a ``total-only`` instrument or of one made of parts.
    better : {"lower", "higher"}
        Which way improvement goes.
    changes, declines : tuple of Change
        Published amounts of getting better, and of getting worse, that matter or lie beyond the noise of the test.
    """

    id: str
    version: int
    title: str
    recall: str
    rater: Literal["patient", "clinician"]
    rule: Literal["sum", "parts", "profile", "total-only", "c-ssrs-triage"]
    totals: tuple[int, int] | None = None
    better: Literal["lower", "higher"] = "lower"
    items: Items | None = None
    missing: Missing
    parts: tuple[Part, ...] = ()
    bands: Bands | None = None
    part_bands: dict[str, Bands] = {}
    safety: SafetyItem | None = None
    screen: Screen | None = None
    cuts: tuple[Cut, ...] = ()
    criteria: Criteria | None = None
    response: Response | None = None
    remission: tuple[Remission, ...] = ()
    changes: tuple[Change, ...] = ()
    declines: tuple[Change, ...] = ()
    licence: Licence
    wording: Wording | None = None
    loinc: Codes | None = None
    notes: tuple[str, ...] = ()

    @property
    def item_count(self) -> int:
        """How many questions; 0 where only a total is entered."""
        return self.items.count if self.items else 0

    @property
    def lowest_total(self) -> int:
        return self._ends()[0]

    @property
    def highest_total(self) -> int:
        return self._ends()[1]

    def _ends(self) -> tuple[int, int]:
        if self.totals is not None:
            return self.totals
        ranges = [self.items.range_of(number) for number in range(1, self.items.count + 1)] if self.items else []
        return sum(item.low for item in ranges), sum(item.high for item in ranges)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        problems = [*self._structure(), *self._numbers(), *self._texts()]
        if problems:
            raise ValueError(f"{self.id}: {problems[0]}")
        return self

    def _structure(self) -> Iterator[str]:
        if (self.items is None) != (self.rule == "total-only"):
            yield "items stand in every instrument but one whose total is entered"
        if self.totals is None and self.rule in {"total-only", "parts"}:
            yield f"the rule {self.rule} needs totals, the lowest and the highest"
        if (self.rule == "parts") and not self.parts:
            yield "the rule parts needs parts"
        if self.items is None and (self.parts or self.safety or self.criteria):
            yield "parts, safety item and criteria need items"
        names = [part.name for part in self.parts]
        if len(names) != len(set(names)):
            yield "two parts have one name"
        named = {change.part for change in (*self.changes, *self.declines) if change.part} | set(self.part_bands)
        if named - set(names):
            yield f"no part is called {sorted(named - set(names))[0]!r}"
        numbers = [number for part in self.parts for number in part.items]
        numbers += [number for group in (self.criteria.groups if self.criteria else ()) for number in group.items]
        numbers += [self.safety.item] if self.safety else []
        if any(not 1 <= number <= self.item_count for number in numbers):
            yield f"an item that is not one of {self.item_count}"

    def _numbers(self) -> Iterator[str]:
        if self.rule in {"profile", "c-ssrs-triage"}:
            if self.bands or self.remission:
                yield "bands and remission need a total"
            return
        if self.bands and (self.bands.ranges[0].low, self.bands.ranges[-1].high) != self._ends():
            yield f"bands must cover {self.lowest_total} to {self.highest_total}"
        for item in self.remission:
            if not self.lowest_total <= item.at_most <= self.highest_total:
                yield f"remission {item.flag} lies outside the totals"

    def _texts(self) -> Iterator[str]:
        if self.wording:
            if self.licence.text != "ship":
                yield "the licence does not let its wording ship"
            yield from self.wording.faults(self.items)
        if self.loinc and self.loinc.items and len(self.loinc.items) != self.item_count:
            yield f"{len(self.loinc.items)} item codes for {self.item_count} items"


@functools.cache
def instruments() -> dict[str, Instrument]:
    """Every instrument by its name, such as ``"PHQ-9"``.

    Examples
    --------
    >>> instruments()["PHQ-9"].bands.name_of(14)
    'moderate'
    """
    folder = resources.files("limen.knowledge") / "data" / "instruments"
    found: dict[str, Instrument] = {}
    for path in sorted(folder.iterdir(), key=lambda item: item.name):
        if not path.name.endswith(".yaml"):
            continue
        instrument = read_yaml(path, Instrument)
        if instrument.id in found:
            raise KnowledgeError(f"instrument {instrument.id!r} stands in two files", where=path.name)
        found[instrument.id] = instrument
    return found


def get_instrument(name: str) -> Instrument:
    """The instrument with this name.

    Raises
    ------
    InputError
        If there is none; the message lists those there are.
    """
    try:
        return instruments()[name]
    except KeyError:
        raise InputError(f"unknown instrument {name!r}", where="instrument", allowed=", ".join(instruments())) from None
