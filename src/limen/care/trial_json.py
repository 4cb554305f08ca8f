"""Reading the antidepressant trials of a direct CASE."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from limen.care.facts import moment
from limen.care.trials import ADHERENCE, EPISODES, RESPONSES, Trial
from limen.errors import InputError

KEYS = frozenset(
    {"drug", "dose", "dose_mg_per_day", "weeks", "from", "to", "adherence", "response", "improvement_pct", "episode"}
)
_ALIASES = {
    "adherence": {"full": "good", "yes": "good", "adherent": "good", "no": "poor", "non-adherent": "poor"},
    "response": {
        "no": "none",
        "no response": "none",
        "nonresponse": "none",
        "non-response": "none",
        "failed": "none",
        "partial response": "partial",
        "responded": "response",
        "intolerance": "intolerant",
        "stopped for side effects": "intolerant",
    },
    "episode": {"past": "earlier", "previous": "earlier"},
}
_CHOICES = {"adherence": ADHERENCE, "response": RESPONSES, "episode": EPISODES}
_AMOUNT = re.compile(r"(\d+(?:[.,]\d+)?)\s*mg\b(.*)", re.IGNORECASE)
_TIMES = (
    (r"\b(?:qid|qds|four times|4 times|4x)\b", 4.0),
    (r"\b(?:tid|tds|three times|3 times|3x)\b", 3.0),
    (r"\b(?:bid|bd|twice|two times|2 times|2x)\b", 2.0),
    (r"\b(?:every other day|alternate days|eod|qod)\b", 0.5),
    (r"\bweekly\b|\b(?:a|per|/)\s*week\b", 1.0 / 7.0),
)


def read_trial(item: Mapping[str, Any], where: str, on: date) -> Trial:
    """One trial of a CASE.

    Raises
    ------
    InputError
        If there is no drug, a number is impossible, a choice is unknown, or a date is in the future or out of order.

    Examples
    --------
    >>> trial = read_trial({"drug": "venlafaxine", "dose": "75 mg bid", "weeks": 8}, "trials[0]", date(2026, 11, 21))
    >>> trial.dose_mg_per_day, trial.weeks, trial.adherence
    (150.0, 8.0, None)
    """
    drug = item.get("drug")
    if not isinstance(drug, str) or not drug.strip():
        raise InputError("a trial without a drug", where=f"{where}.drug", allowed="the drug's name")
    dose_mg_per_day = _number(item, "dose_mg_per_day", where, 0, 5000, "mg a day")
    if dose_mg_per_day is None:
        dose_mg_per_day = daily_dose(item.get("dose"), f"{where}.dose")
    chosen = {name: _choice(item, name, where) for name in _CHOICES}
    return Trial(
        drug=drug.strip(),
        dose_mg_per_day=dose_mg_per_day,
        weeks=_weeks(item, where, on),
        adherence=chosen["adherence"],
        response=chosen["response"],
        improvement_pct=_number(item, "improvement_pct", where, -300, 100, "%"),
        episode=chosen["episode"] or "current",
        source="case",
    )


def daily_dose(given: Any, where: str) -> float | None:
    """Milligrams a day from a number or from words; a dose without how often is a day's dose.

    Examples
    --------
    >>> daily_dose("75 mg twice daily", "dose"), daily_dose("100 mg", "dose"), daily_dose(None, "dose")
    (150.0, 100.0, None)
    """
    if given is None:
        return None
    if isinstance(given, int | float) and not isinstance(given, bool):
        if not 0 < given <= 5000:
            raise InputError(f"{given:g} is impossible", where=where, allowed="over 0 to 5000 mg a day")
        return float(given)
    match = _AMOUNT.search(given) if isinstance(given, str) else None
    if match is None:
        raise InputError(f"cannot read {given!r:.60}", where=where, allowed="milligrams a day, such as 100 mg daily")
    amount_mg = float(match[1].replace(",", "."))
    often = next((times for pattern, times in _TIMES if re.search(pattern, match[2].lower())), 1.0)
    if not 0 < amount_mg * often <= 5000:
        raise InputError(f"{given!r:.60} is impossible", where=where, allowed="over 0 to 5000 mg a day")
    return amount_mg * often


def _weeks(item: Mapping[str, Any], where: str, on: date) -> float | None:
    given = _number(item, "weeks", where, 0, 3000, "weeks")
    began, ended = (_day(item, name, where, on) for name in ("from", "to"))
    if began is not None and ended is not None and ended < began:
        raise InputError(f"ends on {ended}, before it began", where=f"{where}.to", allowed=f"from {began} on")
    if given is not None or began is None:
        return given
    return ((ended or on) - began).days / 7.0


def _day(item: Mapping[str, Any], key: str, where: str, on: date) -> date | None:
    value = item.get(key)
    if value is None:
        return None
    found = moment(value, where=f"{where}.{key}")
    day = found.date() if isinstance(found, datetime) else found
    if day > on:
        raise InputError(f"{value} is in the future", where=f"{where}.{key}", allowed=f"up to {on.isoformat()}")
    return day


def _choice(item: Mapping[str, Any], key: str, where: str) -> str | None:
    value = item.get(key)
    if value is None:
        return None
    plain = _ALIASES[key].get(value.strip().lower(), value.strip().lower()) if isinstance(value, str) else value
    if plain not in _CHOICES[key]:
        raise InputError(f"unknown {key} {value!r:.60}", where=f"{where}.{key}", allowed=", ".join(_CHOICES[key]))
    return str(plain)


def _number(item: Mapping[str, Any], key: str, where: str, low: float, high: float, unit: str) -> float | None:
    value = item.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise InputError(f"{value!r:.60} is impossible", where=f"{where}.{key}", allowed=f"{low:g} to {high:g} {unit}")
    return float(value)
