"""Scoring of questionnaires: total, band, safety item, response and remission, with nothing made up in silence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from limen.care.answers import Answer, numbers_of, read_answers, read_total
from limen.care.score_change import Change, Number, judge_change, read_baseline, whole_totals
from limen.care.totals import Numbers, Total, shown
from limen.care.totals import total as add_up
from limen.care.triage import Triage, triage
from limen.errors import InputError
from limen.knowledge.instruments import Instrument, SafetyAction, get_instrument
from limen.knowledge.scoring_rules import Criteria

_READ_KEYS = {"items", "total", "sex", "baseline"}


@dataclass(frozen=True, slots=True)
class Safety:
    """What the safety question asks of the staff before a dose."""

    item: int | str | None
    value: Answer
    action: SafetyAction


@dataclass(frozen=True, slots=True)
class Score:
    """One scored questionnaire.

    Attributes
    ----------
    total : int, float or None
        ``None`` when the answers do not allow one.
    status : {"complete", "prorated", "incomplete"}
    band : str or None
        Judged on the total before it is rounded.
    triage : Triage or None
        For the C-SSRS screener, which has a tier and no total.
    """

    instrument: str
    version: int
    answers: Mapping[str, Answer]
    total: Number
    band: str | None
    prorated: bool
    answered: int
    status: str
    flags: Mapping[str, Any]
    safety: Safety
    change: Change
    notes: tuple[str, ...]
    sources: tuple[str, ...]
    unknown_inputs: tuple[str, ...] = ()
    subscales: Mapping[str, Any] = field(default_factory=dict)
    triage: Triage | None = None

    def to_json(self) -> dict[str, Any]:
        """The ``score`` contract."""
        out: dict[str, Any] = {
            "instrument": self.instrument,
            "version": self.version,
            "total": self.total,
            "band": self.band,
            "prorated": self.prorated,
            "answered": self.answered,
            "status": self.status,
            "subscales": dict(self.subscales),
            "flags": dict(self.flags),
            "safety": {"item": self.safety.item, "value": self.safety.value, "action": self.safety.action},
            "change": {
                "pct": self.change.pct,
                "response": self.change.response,
                "remission": dict(self.change.remission),
                # Without a baseline nothing is known of them, and pct says so already.
                **({"important": dict(self.change.important)} if _any_known(self.change.important) else {}),
                **({"declines": dict(self.change.declines)} if _any_known(self.change.declines) else {}),
            },
            "notes": list(self.notes),
            "items": dict(self.answers),
            "sources": list(self.sources),
            "unknown_inputs": list(self.unknown_inputs),
        }
        if self.triage is not None:
            out["tier"] = self.triage.tier
            out["ideation_level"] = self.triage.ideation_level
            out["treat_as_at_least"] = self.triage.treat_as_at_least
        return out


def _any_known(amounts: Mapping[str, bool | None]) -> bool:
    return any(value is not None for value in amounts.values())


def score(instrument: str, answers: Mapping[str, Any]) -> Score:
    """Score one set of answers.

    Parameters
    ----------
    instrument : str
        Name, such as ``"PHQ-9"``.
    answers : mapping
        ``{"items": [...] | {"q1": ...}, "sex": None, "baseline": None | {"items": [...]} | {"total": 20}}``; a missing
        answer is ``None``. Where the licence keeps the items out, ``{"total": 24}`` instead of items.

    Returns
    -------
    Score
        Bands, cuts and thresholds come from the instrument's knowledge file, with its sources.

    Raises
    ------
    InputError
        If the instrument is unknown, the number of answers is wrong, or an answer is not one of those allowed.

    Examples
    --------
    >>> found = score("PHQ-9", {"items": [2, 2, 2, 2, 1, 1, 1, 0, 0], "baseline": {"total": 22}})
    >>> found.total, found.change.pct, found.change.response, dict(found.change.remission)
    (11, -50.0, True, {'lt5': False})
    """
    knowledge = get_instrument(instrument)
    unknown = tuple(key for key in answers if key not in _READ_KEYS)
    sex = _sex(answers.get("sex"))
    given: dict[str, Answer] = {}
    numbers: dict[int, Fraction | None] = {}
    if knowledge.rule == "total-only":
        if answers.get("items") is not None:
            read_answers(knowledge, answers["items"], "items")
        total = read_total(knowledge, answers.get("total"), "total")
        exact = None if total is None else Fraction(total)
        found = Total(exact, "incomplete" if total is None else "complete", {})
    else:
        unknown += ("total",) if "total" in answers else ()
        given, more = read_answers(knowledge, answers.get("items"), "items")
        unknown += more
        if knowledge.rule == "c-ssrs-triage":
            return _triaged(knowledge, given, unknown)
        numbers = numbers_of(knowledge, given)
        found = add_up(knowledge, numbers)
        total = found.shown(whole=whole_totals(knowledge))
    start = read_baseline(knowledge, answers.get("baseline"))
    notes = list(knowledge.notes)
    if knowledge.rule == "total-only":
        notes.append("Score only: the total was entered, its items are not held here.")
    positive = _positive(knowledge, numbers, total, start.total, sex)
    safety = _safety(knowledge, given, positive, total)
    if safety.action == "safety-item-missing-ask-before-dosing":
        notes.append(f"Item {safety.item} is missing. It is never made up: ask it before dosing.")
    band = None
    if knowledge.bands and found.exact is not None:
        band = knowledge.bands.name_of(float(found.exact))
        if total is not None and knowledge.bands.name_of(total) != band:
            notes.append(f"Before rounding the total is {float(found.exact):.2f}, which lies in the band {band}.")
    flags = _flags(knowledge, numbers, total, found, positive, notes)
    return Score(
        instrument=knowledge.id,
        version=knowledge.version,
        answers=given,
        total=total,
        band=band,
        prorated=found.status == "prorated",
        answered=sum(value is not None for value in numbers.values()),
        status=found.status,
        flags=flags,
        safety=safety,
        change=judge_change(knowledge, found, total, start, notes),
        notes=tuple(notes),
        sources=_sources(knowledge),
        unknown_inputs=unknown,
        subscales={part.name: shown(found.parts[part.name]) for part in knowledge.parts if part.shown},
    )


def _sex(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise InputError(f"sex {value!r}", where="sex", allowed="a text such as female or male, or null")


def _safety(knowledge: Instrument, given: Mapping[str, Answer], positive: bool | None, total: Number) -> Safety:
    if knowledge.safety is not None:
        answer = given[f"q{knowledge.safety.item}"]
        return Safety(knowledge.safety.item, answer, knowledge.safety.action(answer))
    if positive and knowledge.screen is not None and knowledge.screen.action != "none":
        return Safety(None, total, knowledge.screen.action)
    return Safety(None, None, "none")


def _positive(knowledge: Instrument, numbers: Numbers, total: Number, start: Number, sex: str | None) -> bool | None:
    """Whether the screen is positive; one way of being so is enough, and ``None`` where it cannot be told."""
    screen = knowledge.screen
    if screen is None:
        return None
    answers = list(numbers.values())
    if screen.any_item_at_least is not None and any(
        value is not None and value >= screen.any_item_at_least for value in answers
    ):
        return True
    if total is None:
        return None
    rise = screen.rise_points
    return screen.reached(total, sex) or (rise is not None and start is not None and total - start >= rise)


def _flags(
    knowledge: Instrument, numbers: Numbers, total: Number, found: Total, positive: bool | None, notes: list[str]
) -> dict[str, Any]:
    flags: dict[str, Any] = {}
    screen = knowledge.screen
    if screen is not None:
        flags["screen_positive"] = positive
        if positive and screen.note_when_only_first_item and numbers and total == numbers[1]:
            notes.append(screen.note_when_only_first_item)
    flags |= {cut.flag: None if total is None else total >= cut.at_least for cut in knowledge.cuts}
    if knowledge.criteria is not None:
        flags[knowledge.criteria.flag] = _met(knowledge.criteria, numbers)
    for name, bands in knowledge.part_bands.items():
        value = found.parts[name]
        flags["pain_grade" if len(knowledge.part_bands) == 1 else f"{name}_grade"] = (
            None if value is None else bands.name_of(float(value))
        )
    return flags


def _met(criteria: Criteria, numbers: Numbers) -> bool | None:
    """Every group met; no where one cannot be met any more; unknown while answers are missing."""
    unknown = False
    for group in criteria.groups:
        values = [numbers[item] for item in group.items]
        reached = sum(
            value is not None and group.counts(item, float(value))
            for item, value in zip(group.items, values, strict=True)
        )
        if reached + sum(value is None for value in values) < group.need:
            return False
        unknown = unknown or reached < group.need
    return None if unknown else True


def _triaged(knowledge: Instrument, given: Mapping[str, Answer], unknown: tuple[str, ...]) -> Score:
    result = triage({key: None if answer is None else bool(answer) for key, answer in given.items()})
    return Score(
        instrument=knowledge.id,
        version=knowledge.version,
        answers=given,
        total=None,
        band=None,
        prorated=False,
        answered=sum(given[f"q{number}"] is not None for number in range(1, knowledge.item_count + 1)),
        status="incomplete" if result.unanswered else "complete",
        flags={"inconsistent": result.inconsistent},
        safety=Safety(result.item, None if result.item is None else given[result.item], result.action),
        change=Change(None, None, {}),
        notes=(*result.notes, *knowledge.notes),
        sources=_sources(knowledge),
        unknown_inputs=unknown,
        triage=result,
    )


def _sources(knowledge: Instrument) -> tuple[str, ...]:
    claims = (
        knowledge.items,
        knowledge.missing,
        knowledge.bands,
        knowledge.screen,
        knowledge.safety,
        knowledge.response,
        *knowledge.remission,
    )
    keys = [key for claim in claims if claim is not None for key in claim.sources]
    return tuple(dict.fromkeys(keys))
