"""An exposure as JSON: what was given when, what was checked when, and the signs of today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from math import isfinite
from typing import Any

from limen.care.surveillance import Given, Signs, Someone
from limen.errors import InputError
from limen.knowledge.surveillance import surveillance

_KEYS = {"on", "sessions", "done", "patient", "signs"}
_FLAGS = {"urinary_symptoms", "urine_drug_screen_missed"}
_MOST_XULN = 500.0


def exposure_from_json(entry: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The arguments of ``surveillance.due`` in a JSON object, and the keys that it does not know.

    Raises
    ------
    InputError
        If a date is none or lies in the future of ``on``, a check is unknown, or a number is impossible.

    Examples
    --------
    >>> known, unknown = exposure_from_json({"on": "2026-03-30", "sessions": [{"on": "2026-01-05", "dose_mg": 35}]})
    >>> known["sessions"], unknown
    ([Given(on=datetime.date(2026, 1, 5), dose_mg=35.0)], ())
    """
    if not isinstance(entry, Mapping):
        raise InputError("no object", where="exposure", allowed='{"on": "2026-03-30", "sessions": [...]}')
    on = _date(entry.get("on"), "on")
    unknown = [key for key in entry if key not in _KEYS]
    sessions = []
    for place, row in enumerate(_list(entry.get("sessions"), "sessions")):
        where = f"sessions.{place}"
        if not isinstance(row, Mapping):
            raise InputError("no object", where=where, allowed='{"on": "2026-01-05", "dose_mg": 35}')
        unknown += [f"{where}.{key}" for key in row if key not in {"on", "dose_mg"}]
        sessions.append(Given(_past(row.get("on"), on, f"{where}.on"), _number(row.get("dose_mg"), f"{where}.dose_mg")))
    known = {check.id for check in surveillance().checks} | {surveillance().review.id}
    done = {}
    for name, when in _mapping(entry.get("done"), "done").items():
        if name not in known:
            raise InputError(f"unknown check {name!r}", where="done", allowed=", ".join(sorted(known)))
        done[name] = _past(when, on, f"done.{name}")
    person = _mapping(entry.get("patient"), "patient")
    signs = _mapping(entry.get("signs"), "signs")
    names = {field.name for field in fields(Signs)}
    unknown += [f"signs.{key}" for key in signs if key not in names]
    return {
        "sessions": sessions,
        "done": done,
        "on": on,
        "someone": Someone(_number(person.get("age_years"), "patient.age_years", 120.0), _word(person.get("sex"))),
        "signs": Signs(**{key: _sign(key, value) for key, value in signs.items() if key in names}),
    }, tuple(unknown)


def _sign(name: str, value: Any) -> Any:
    if name in _FLAGS:
        if value is not None and not isinstance(value, bool):
            raise InputError(f"{value!r}", where=f"signs.{name}", allowed="true, false or null")
        return value
    return _number(value, f"signs.{name}", _MOST_XULN)


def _date(value: Any, where: str) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise InputError(f"{value!r} is not a date", where=where, allowed="YYYY-MM-DD") from None


def _past(value: Any, on: date, where: str) -> date:
    found = _date(value, where)
    if found > on:
        raise InputError(f"{found} lies after {on}", where=where, allowed=f"{on} or earlier")
    return found


def _number(value: Any, where: str, most_number: float = 100_000.0) -> float | None:
    if value is None:
        return None
    real = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    if not real or not 0 <= value <= most_number:
        raise InputError(f"{value!r}", where=where, allowed=f"a number from 0 to {most_number:g}, or null")
    return float(value)


def _word(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise InputError(f"{value!r}", where="patient.sex", allowed="a word such as female or male, or null")


def _list(value: Any, where: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise InputError("no list", where=where, allowed="a list")
    return value


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InputError("no object", where=where, allowed="an object")
    return value
