"""What a scoring rule is made of: items, parts, bands, cuts and what a change from baseline means."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

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


class Range(Record):
    """Items whose answers differ from the others: another range, or only some whole numbers, or yes and no."""

    items: tuple[int, ...]
    kind: Literal["integer", "yes-no"] = "integer"
    low: int = 0
    high: int = 1
    only: tuple[int, ...] = ()

    @model_validator(mode="after")
    def _meaningful(self) -> Self:
        if not self.items or self.low >= self.high:
            raise ValueError("a range needs items, and low below high")
        if any(not self.low <= answer <= self.high for answer in self.only):
            raise ValueError("only lists answers outside low to high")
        return self


class Items(Claim):
    """How many questions, and the answers each accepts.

    Attributes
    ----------
    kind : {"integer", "yes-no"}
    low, high : int
        The range of one answer; 0 and 1 for yes/no.
    differing : tuple of Range
        Items that accept something else.
    reversed_items : tuple of int
        Items that count upside down: what is added is ``high + low - answer``.
    half_points : bool
        Whether a rater may score between two anchors.
    not_assessed : int or None
        An answer that means "not assessed" and counts as missing.
    follow_up : tuple of str
        Keys accepted beside ``q1`` to ``qN``, such as how recent a "yes" is.
    """

    count: int
    kind: Literal["integer", "yes-no"] = "integer"
    low: int = 0
    high: int
    differing: tuple[Range, ...] = ()
    reversed_items: tuple[int, ...] = ()
    half_points: bool = False
    not_assessed: int | None = None
    follow_up: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _within(self) -> Self:
        named = [number for group in self.differing for number in group.items]
        if len(named) != len(set(named)):
            raise ValueError("an item stands in two ranges")
        if any(not 1 <= number <= self.count for number in (*named, *self.reversed_items)):
            raise ValueError(f"an item that is not one of {self.count}")
        return self

    def range_of(self, number: int) -> Range:
        """What item ``number`` (from 1) accepts."""
        for group in self.differing:
            if number in group.items:
                return group
        return Range(items=(number,), kind=self.kind, low=self.low, high=self.high)


class Part(Claim):
    """Some of the items, put together: a subscale, and where ``counts`` a part of the total.

    Attributes
    ----------
    how : {"sum", "mean", "highest"}
        A mean is of the answered items; the highest is of the answered items.
    need : int or None
        So many must be answered; ``None`` for all.
    divide_by : int
        The result is divided by this.
    prorate : bool
        A sum with missing answers is made up by proportion.
    shown : bool
        Whether it is reported as a subscale.
    """

    name: str
    items: tuple[int, ...]
    how: Literal["sum", "mean", "highest"] = "sum"
    need: int | None = None
    divide_by: int = 1
    prorate: bool = False
    shown: bool = True

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not self.items or self.divide_by < 1 or not 1 <= (self.need or 1) <= len(self.items):
            raise ValueError(f"{self.name}: items, need and divide_by do not fit")
        if self.how == "sum" and self.need not in {None, len(self.items)} and not self.prorate:
            raise ValueError(f"{self.name}: a sum with missing answers is prorated or not given")
        return self


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

    def action(self, answer_score: float | None) -> SafetyAction:
        """What the answer asks for; a missing answer must be asked."""
        if answer_score is None:
            return "safety-item-missing-ask-before-dosing"
        reached: SafetyAction = "none"
        for rung in self.rungs:
            if answer_score >= rung.at_least:
                reached = rung.action
        return reached


class Screen(Claim):
    """A cut on the total: ``at_least``, or ``at_most`` where low is bad. ``at_least_male`` stands where the sex is
    recorded as male.

    Attributes
    ----------
    any_item_at_least : int or None
        One answer of this size is enough, whatever the total.
    rise_points : int or None
        A rise of so much from the baseline is enough.
    """

    at_least: int | None = None
    at_most: int | None = None
    at_least_male: int | None = None
    any_item_at_least: int | None = None
    rise_points: int | None = None
    action: SafetyAction = "none"
    note_when_only_first_item: str = ""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("a screen has at_least or at_most, one of them")
        return self

    def reached(self, total_score: float, sex: str | None) -> bool:
        """Whether the total alone is positive."""
        if self.at_most is not None:
            return total_score <= self.at_most
        male = sex == "male" and self.at_least_male is not None
        cut = self.at_least_male if male else self.at_least
        return cut is not None and total_score >= cut


class Cut(Claim):
    """One more threshold that is reported by name, such as ``cut33``."""

    flag: str
    at_least: int


class Group(Record):
    """So many of these items answered at least so high (yes is 1).

    Attributes
    ----------
    lower_for : mapping of item to int
        Items that already count from a lower answer.
    """

    items: tuple[int, ...]
    at_least: int = 1
    need: int = 1
    lower_for: dict[int, int] = {}

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not set(self.lower_for) <= set(self.items) or not 1 <= self.need <= len(self.items):
            raise ValueError("a group needs some of its items, and lower answers of its items")
        return self

    def counts(self, item: int, answer_score: float) -> bool:
        """Whether an answer is high enough to count."""
        return answer_score >= self.lower_for.get(item, self.at_least)


class Criteria(Claim):
    """A flag that is true when every group is met, such as a provisional diagnosis by symptom clusters."""

    flag: str
    groups: tuple[Group, ...]


class Change(Claim):
    """A named amount of improvement from baseline that matters, in points or in percent of the baseline.

    Attributes
    ----------
    part : str or None
        The subscale it is judged on; ``None`` for the total.
    """

    name: str
    points: int | None = None
    pct: int | None = None
    part: str | None = None

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        if (self.points is None) == (self.pct is None):
            raise ValueError(f"{self.name}: points or pct, one of them")
        return self


class Response(Claim):
    """Response is a fall from baseline of at least this share, or (CGI-I) a score of at most this."""

    fall_pct: int | None = None
    at_most: int | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.fall_pct is None) == (self.at_most is None):
            raise ValueError("response has fall_pct or at_most, one of them")
        return self


class Remission(Claim):
    """One threshold: remission while the total is at or under it. ``flag`` names it, such as ``lt5`` or ``le10``."""

    flag: str
    at_most: int
    default: bool = False
