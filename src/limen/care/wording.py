"""A condition and its inputs in words, so that a limit stands in one place only: the rule's own data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

from limen.care.facts import number_words, pressure_words
from limen.care.judging import Outcome
from limen.knowledge.conditions import (
    All,
    Always,
    AnyOf,
    Condition,
    Equals,
    History,
    Mixed,
    Not,
    PressureBeyond,
    Presume,
    SuicideRisk,
    Takes,
    Threshold,
    Unrecognised,
    Unrecorded,
    input_words,
)
from limen.knowledge.interactions import term_words
from limen.knowledge.rules import Tier, code_sets

_COMPARE = {"over": "over", "at-least": "at or over", "under": "under", "at-most": "at or under"}


def threshold_text(condition: Condition) -> str:
    """What a condition asks, in words.

    Examples
    --------
    >>> threshold_text(Threshold(kind="threshold", input="facts.fasted_food_h", compare="under", limit=6))
    'time since food under 6 h'
    """
    match condition:
        case Threshold():
            title, unit = input_words(condition.input)
            return f"{title} {_COMPARE[condition.compare]} {condition.limit:g}{f' {unit}' if unit else ''}"
        case Equals():
            title, _ = input_words(condition.input)
            return f"{title}: {' or '.join(_answer(value) for value in condition.to)}"
        case History():
            recent = f" within {condition.within_months} months" if condition.within_months else ""
            return f"{'active ' if condition.status == 'active' else ''}{code_sets()[condition.of].title}{recent}"
        case Takes():
            return "takes " + " or ".join(term_words(name) for name in condition.of)
        case Mixed():
            return "in one syringe with " + " or ".join(term_words(name) for name in condition.of)
        case Unrecognised():
            return "a medicine that is not recognised"
        case PressureBeyond():
            return _pressure_text(condition)
        case SuicideRisk():
            return "C-SSRS " + " or ".join(condition.tiers)
        case Unrecorded():
            return "not on record: " + " or ".join(input_words(key)[0] for key in condition.any_of)
        case Always():
            return "always"
        case All():
            return " and ".join(_inner(part) for part in condition.of)
        case AnyOf():
            return " or ".join(_inner(part) for part in condition.of)
        case Not():
            return f"not ({threshold_text(condition.of)})"
        case Presume():
            return threshold_text(condition.of)
        case _:
            assert_never(condition)


def _inner(condition: Condition) -> str:
    text = threshold_text(condition)
    return f"({text})" if isinstance(condition, All | AnyOf) else text


def _pressure_text(condition: PressureBeyond) -> str:
    compare = _COMPARE[condition.compare]
    text = f"pressure {compare} {condition.sbp_mmHg:g} or {compare} {condition.dbp_mmHg:g} mmHg"
    if condition.stricter_dbp_mmHg is not None and condition.stricter_from_age_years is not None:
        age = f"{condition.stricter_from_age_years:g} years"
        text += f" (diastolic {condition.stricter_dbp_mmHg:g} from {age}, or where the age is not known)"
    return text


def reason(tier: Tier, outcome: Outcome) -> str:
    """The tier's reason with the inputs of this case filled in."""
    return tier.because.format_map(_Filled(_words(outcome)))


class _Filled(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "not known"


def _words(outcome: Outcome) -> dict[str, str]:
    words = {name: _shown(value) for name, value in outcome.values.items()}
    words["condition"] = "; ".join(_entry_words(entry.shown, entry.onset) for entry in outcome.entries) or "nothing"
    words["medication"] = ", ".join(dict.fromkeys(name for name, _ in outcome.drugs)) or "no such medicine"
    if "readings" in outcome.values and outcome.values.get("sbp_mmHg") is not None:
        mean = " (mean of the repeats)" if outcome.values.get("mean_of_repeats") else ""
        words["pressure"] = f"{pressure_words(outcome.values['sbp_mmHg'], outcome.values['dbp_mmHg'])} mmHg{mean}"
    return words


def _entry_words(shown: str, onset: Any) -> str:
    return f"{shown}, {onset.isoformat()}" if onset else shown


def _shown(value: Any) -> str:
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return _answer(value)
    if isinstance(value, float):
        return number_words(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_shown(inner)}" for name, inner in value.items())
    return str(value)


def _answer(value: bool | int | str) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
