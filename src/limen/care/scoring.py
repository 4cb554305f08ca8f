"""Scoring of questionnaires: total, band, safety item, response and remission, with nothing made up in silence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from limen.care.triage import Triage, triage
from limen.errors import InputError
from limen.knowledge.instruments import Instrument, SafetyAction, get_instrument

Answer = int | bool | None
_READ_KEYS = {"items", "sex", "baseline"}


@dataclass(frozen=True, slots=True)
class Safety:
    """What the safety question asks of the staff before a dose."""

    item: int | str | None
    value: Answer
    action: SafetyAction


@dataclass(frozen=True, slots=True)
class Change:
    """Against the baseline: ``pct`` is negative for a fall. ``None`` where either total is missing or baseline is 0."""

    pct: float | None
    response: bool | None
    remission: Mapping[str, bool | None]


@dataclass(frozen=True, slots=True)
class Score:
    """One scored questionnaire.

    Attributes
    ----------
    total : int or None
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
    total: int | None
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


def score(instrument: str, answers: Mapping[str, Any]) -> Score:
    """Score one set of answers.

    Parameters
    ----------
    instrument : str
        Name, such as ``"PHQ-9"``.
    answers : mapping
        ``{"items": [...] | {"q1": ...}, "sex": None, "baseline": None | {"items": [...]} | {"total": 20}}``; a missing
        answer is ``None``.

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
    >>> score("PHQ-9", {"items": [2, 2, 2, 2, 1, 1, 1, 0, 0], "baseline": {"total": 22}}).to_json()["change"]
    {'pct': -50.0, 'response': True, 'remission': {'lt5': False}}
    """
    knowledge = get_instrument(instrument)
    given, unknown = _read_items(knowledge, answers.get("items"), "items")
    unknown = (*(key for key in answers if key not in _READ_KEYS), *unknown)
    sex = _sex(answers.get("sex"))
    if knowledge.rule == "c-ssrs-triage":
        return _triaged(knowledge, given, unknown)
    total, exact, status = _total(knowledge, given)
    notes = list(knowledge.notes)
    safety = _safety(knowledge, given, total)
    if safety.action == "safety-item-missing-ask-before-dosing":
        notes.append(f"Item {safety.item} is missing. It is never made up: ask it before dosing.")
    band = None
    if knowledge.bands and exact is not None:
        band = knowledge.bands.name_of(float(exact))
        if total is not None and knowledge.bands.name_of(total) != band:
            notes.append(f"Before rounding the total is {float(exact):.2f}, which lies in the band {band}.")
    flags = _flags(knowledge, given, total, sex, notes)
    return Score(
        instrument=knowledge.id,
        version=knowledge.version,
        answers=given,
        total=total,
        band=band,
        prorated=status == "prorated",
        answered=sum(answer is not None for answer in given.values()),
        status=status,
        flags=flags,
        safety=safety,
        change=_change(knowledge, total, answers.get("baseline"), notes),
        notes=tuple(notes),
        sources=_sources(knowledge),
        unknown_inputs=tuple(unknown),
    )


def _read_items(knowledge: Instrument, items: Any, where: str) -> tuple[dict[str, Answer], tuple[str, ...]]:
    keys = tuple(f"q{number}" for number in range(1, knowledge.items.count + 1))
    every = (*keys, *knowledge.items.follow_up)
    if isinstance(items, Mapping):
        unknown = tuple(f"{where}.{key}" for key in items if key not in every)
        given = {key: items.get(key) for key in every}
    elif isinstance(items, Sequence) and not isinstance(items, str | bytes):
        if len(items) not in {len(keys), len(every)}:
            raise InputError(
                f"{len(items)} answers to {knowledge.id}",
                where=where,
                allowed=f"{len(keys)} answers in the order of the questionnaire, null where one is missing",
            )
        given = {key: items[index] if index < len(items) else None for index, key in enumerate(every)}
        unknown = ()
    else:
        raise InputError(
            f"no answers to {knowledge.id}", where=where, allowed="a list of answers, or an object q1, q2..."
        )
    for key, answer in given.items():
        _check_answer(knowledge, answer, f"{where}.{key}")
    return given, unknown


def _check_answer(knowledge: Instrument, answer: Any, where: str) -> None:
    if answer is None:
        return
    if knowledge.items.kind == "yes-no":
        if not isinstance(answer, bool):
            raise InputError(f"answer {answer!r}", where=where, allowed="true, false or null")
        return
    low, high = knowledge.items.low, knowledge.items.high
    if isinstance(answer, bool) or not isinstance(answer, int) or not low <= answer <= high:
        raise InputError(f"answer {answer!r}", where=where, allowed=f"a whole number {low} to {high}, or null")


def _sex(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise InputError(f"sex {value!r}", where="sex", allowed="a text such as female or male, or null")


def _total(knowledge: Instrument, given: Mapping[str, Answer]) -> tuple[int | None, Fraction | None, str]:
    """The total, the same before rounding, and the status."""
    answered = [int(answer) for answer in given.values() if answer is not None]
    gaps = knowledge.items.count - len(answered)
    if gaps == 0:
        return sum(answered), Fraction(sum(answered)), "complete"
    safety_missing = knowledge.safety is not None and given[f"q{knowledge.safety.item}"] is None
    if gaps > knowledge.missing.prorate_up_to or safety_missing:
        return None, None, "incomplete"
    exact = Fraction(sum(answered) * knowledge.items.count, len(answered))
    return math.floor(exact + Fraction(1, 2)), exact, "prorated"


def _safety(knowledge: Instrument, given: Mapping[str, Answer], total: int | None) -> Safety:
    if knowledge.safety is not None:
        answer = given[f"q{knowledge.safety.item}"]
        return Safety(knowledge.safety.item, answer, knowledge.safety.action(answer))
    screen = knowledge.screen
    if screen is not None and screen.action != "none" and total is not None and total >= screen.at_least:
        return Safety(None, total, screen.action)
    return Safety(None, None, "none")


def _flags(
    knowledge: Instrument, given: Mapping[str, Answer], total: int | None, sex: str | None, notes: list[str]
) -> dict[str, Any]:
    screen = knowledge.screen
    if screen is None:
        return {}
    positive = None if total is None else total >= screen.cut(sex)
    if positive and screen.note_when_only_first_item and total == given["q1"]:
        notes.append(screen.note_when_only_first_item)
    return {"screen_positive": positive}


def _change(knowledge: Instrument, total: int | None, baseline: Any, notes: list[str]) -> Change:
    remission = {rule.flag: None if total is None else total <= rule.at_most for rule in knowledge.remission}
    start = _baseline_total(knowledge, baseline)
    if start is None or total is None:
        return Change(None, None, remission)
    if start == 0:
        notes.append("The baseline is 0, so no change can be computed.")
        return Change(None, None, remission)
    response = None
    if knowledge.response is not None:
        response = 100 * (start - total) >= knowledge.response.fall_pct * start
    return Change(float(Fraction(100 * (total - start), start)), response, remission)


def _baseline_total(knowledge: Instrument, baseline: Any) -> int | None:
    if baseline is None:
        return None
    if not isinstance(baseline, Mapping) or not ({"items", "total"} & set(baseline)):
        raise InputError(
            "a baseline without items or total", where="baseline", allowed='{"items": [...]}, {"total": 20} or null'
        )
    if "items" in baseline:
        given, _ = _read_items(knowledge, baseline["items"], "baseline.items")
        return _total(knowledge, given)[0]
    total = baseline["total"]
    low, high = knowledge.items.count * knowledge.items.low, knowledge.highest_total
    if total is None:
        return None
    if isinstance(total, bool) or not isinstance(total, int) or not low <= total <= high:
        raise InputError(
            f"baseline total {total!r}", where="baseline.total", allowed=f"a whole number {low} to {high}, or null"
        )
    return total


def _triaged(knowledge: Instrument, given: Mapping[str, Answer], unknown: tuple[str, ...]) -> Score:
    result = triage({key: None if answer is None else bool(answer) for key, answer in given.items()})
    return Score(
        instrument=knowledge.id,
        version=knowledge.version,
        answers=given,
        total=None,
        band=None,
        prorated=False,
        answered=sum(given[f"q{number}"] is not None for number in range(1, knowledge.items.count + 1)),
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
