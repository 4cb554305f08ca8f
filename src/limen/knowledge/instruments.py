"""Questionnaires and rating scales: items, scoring rule, bands, safety item, licence and codes."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Literal, Self

from pydantic import model_validator

from limen.errors import InputError, KnowledgeError
from limen.evidence import read_yaml
from limen.evidence.yaml import Record
from limen.knowledge.claim import Claim

SafetyAction = Literal[
    "none",
    "administer-phq9",
    "safety-item-missing-ask-before-dosing",
    "cssrs-screener-and-clinician-review-before-dosing",
    "urgent-clinician-alert-cssrs-screener-and-clinician-review-before-dosing",
    "clinician-aware-before-dosing-safety-plan-on-file",
    "clinician-evaluation-before-dosing",
    "do-not-leave-alone-same-day-evaluation-no-dose-without-documented-decision",
]


class Items(Claim):
    """How many questions, and the answers each accepts.

    Attributes
    ----------
    kind : {"integer", "yes-no"}
    low, high : int
        The range of one answer; 0 and 1 for yes/no.
    follow_up : tuple of str
        Keys accepted beside ``q1`` to ``qN``, such as how recent a "yes" is.
    """

    count: int
    kind: Literal["integer", "yes-no"] = "integer"
    low: int = 0
    high: int
    follow_up: tuple[str, ...] = ()


class Missing(Claim):
    """What a missing answer does: ``prorate_up_to`` missing answers are made up by proportion; 0 allows none."""

    prorate_up_to: int = 0
    note: str = ""


class Band(Record):
    """A named range of the total, both ends inside."""

    low: int
    high: int
    name: str


class Bands(Claim):
    """The bands in rising order, without gap or overlap."""

    ranges: tuple[Band, ...]

    @model_validator(mode="after")
    def _joined(self) -> Self:
        for before, after in zip(self.ranges, self.ranges[1:], strict=False):
            if after.low != before.high + 1:
                raise ValueError(f"band {after.name!r} begins at {after.low}, expected {before.high + 1}")
        return self

    def name_of(self, total_score: float) -> str:
        """The band whose lower end is the last one reached; the total need not be whole."""
        return [band.name for band in self.ranges if total_score >= band.low][-1]


class Rung(Record):
    """From this answer upward, this action."""

    at_least: int
    action: SafetyAction


class SafetyItem(Claim):
    """A question whose answer sends the patient to a person, whatever the total; never imputed."""

    item: int
    rungs: tuple[Rung, ...]

    def action(self, answer: int | None) -> SafetyAction:
        """What the answer asks for; a missing answer must be asked."""
        if answer is None:
            return "safety-item-missing-ask-before-dosing"
        reached: SafetyAction = "none"
        for rung in self.rungs:
            if answer >= rung.at_least:
                reached = rung.action
        return reached


class Screen(Claim):
    """A cut on the total. ``at_least_male`` stands where the sex is recorded as male, else ``at_least``."""

    at_least: int
    at_least_male: int | None = None
    action: SafetyAction = "none"
    note_when_only_first_item: str = ""

    def cut(self, sex: str | None) -> int:
        return self.at_least_male if sex == "male" and self.at_least_male is not None else self.at_least


class Response(Claim):
    """Response is a fall from baseline of at least this share."""

    fall_pct: int


class Remission(Claim):
    """One threshold: remission while the total is at or under it. ``flag`` names it, such as ``lt5`` or ``le10``."""

    flag: str
    at_most: int
    default: bool = False


class Licence(Claim):
    """Whether the wording may travel with the product.

    Attributes
    ----------
    text : {"ship", "load", "score"}
        ``ship``: it may; ``load``: the clinic loads it under its own right; ``score``: totals only.
    """

    text: Literal["ship", "load", "score"]
    statement: str


class Wording(Claim):
    """The questions as the patient reads them."""

    language: str
    stem: str
    items: tuple[str, ...]
    options: tuple[str, ...]
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
    rule : {"sum", "c-ssrs-triage"}
        How answers become a result.
    """

    id: str
    version: int
    title: str
    recall: str
    rater: Literal["patient", "clinician"]
    rule: Literal["sum", "c-ssrs-triage"]
    items: Items
    missing: Missing
    bands: Bands | None = None
    safety: SafetyItem | None = None
    screen: Screen | None = None
    response: Response | None = None
    remission: tuple[Remission, ...] = ()
    licence: Licence
    wording: Wording | None = None
    loinc: Codes | None = None
    notes: tuple[str, ...] = ()

    @property
    def highest_total(self) -> int:
        return self.items.count * self.items.high

    @model_validator(mode="after")
    def _whole(self) -> Self:
        lowest = self.items.count * self.items.low
        if self.bands and (self.bands.ranges[0].low, self.bands.ranges[-1].high) != (lowest, self.highest_total):
            raise ValueError(f"{self.id}: bands must cover {lowest} to {self.highest_total}")
        if self.safety and not 1 <= self.safety.item <= self.items.count:
            raise ValueError(f"{self.id}: safety item {self.safety.item} is not one of {self.items.count}")
        if self.wording:
            if self.licence.text != "ship":
                raise ValueError(f"{self.id}: the licence does not let its wording ship")
            options = self.items.high - self.items.low + 1
            if len(self.wording.items) != self.items.count or len(self.wording.options) != options:
                raise ValueError(f"{self.id}: wording needs {self.items.count} items and {options} options")
        if self.loinc and self.loinc.items and len(self.loinc.items) != self.items.count:
            raise ValueError(f"{self.id}: {len(self.loinc.items)} item codes for {self.items.count} items")
        return self


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
