"""An exposure as JSON: what was given when and how it went, what was checked when, and the signs of today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, date, datetime, tzinfo
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from limen.care.case import PRODUCTS, ROUTES
from limen.care.course import Reading
from limen.care.exposure import Exposure, History, Scored
from limen.care.score_change import change_between
from limen.care.surveillance import Given, Signs, Someone
from limen.errors import InputError
from limen.knowledge.protocols import protocols
from limen.knowledge.surveillance import surveillance

_KEYS = {"on", "sessions", "done", "patient", "signs", "scores", "course_from", "zone"}
_SESSION = frozenset(
    {"on", "at", "dose_mg", "product", "route", "protocol", "duration_min", "weight_kg", "tolerated", "effect"}
)
_SCORE = frozenset({"on", "at", "instrument", "total"})
_EFFECTS = ("enough", "not-enough")
_ROW = '{"on": "2026-01-05", "dose_mg": 35, "product": "racemic", "route": "iv"}'
_MOST_DURATION_MIN = 40_320.0
_FLAGS = {
    "urinary_symptoms",
    "urine_drug_screen_missed",
    "liver_symptoms",
    "psychotic_symptoms",
    "cravings",
    "withdrawal_symptoms",
}
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
            raise InputError("no object", where=where, allowed=_ROW)
        unknown += [f"{where}.{key}" for key in row if key not in _SESSION]
        given = _exposure(row, on, _zone(entry.get("zone")), where)
        sessions.append(Given(given.day(_zone(entry.get("zone"))), given.dose_mg))
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


def history_from_json(entry: Any, on: date) -> tuple[History, tuple[str, ...]]:
    """What was given before and how it went, for a plan of this day; and the keys that it does not know.

    Raises
    ------
    InputError
        If a moment is none or lies after ``on``, a product, route, protocol or zone is unknown, or a number is
        impossible. Names the row.

    Examples
    --------
    >>> row = {"at": "2026-03-29T23:30", "dose_mg": 84, "product": "esketamine-nasal", "route": "in"}
    >>> known, unknown = history_from_json({"zone": "Europe/Berlin", "sessions": [row]}, date(2026, 3, 30))
    >>> known.exposures[0].day(known.zone), unknown
    (datetime.date(2026, 3, 29), ())
    """
    if not isinstance(entry, Mapping):
        raise InputError("no object", where="exposure", allowed=f'{{"sessions": [{_ROW}]}}')
    unknown = [key for key in entry if key not in _KEYS]
    zone = _zone(entry.get("zone"))
    exposures, scores = [], []
    for place, row in enumerate(_list(entry.get("sessions"), "sessions")):
        where = f"sessions.{place}"
        if not isinstance(row, Mapping):
            raise InputError("no object", where=where, allowed=_ROW)
        unknown += [f"{where}.{key}" for key in row if key not in _SESSION]
        exposures.append(_exposure(row, on, zone, where))
    for place, row in enumerate(_list(entry.get("scores"), "scores")):
        where = f"scores.{place}"
        if not isinstance(row, Mapping):
            raise InputError(
                "no object", where=where, allowed='{"on": "2026-01-04", "instrument": "MADRS", "total": 32}'
            )
        unknown += [f"{where}.{key}" for key in row if key not in _SCORE]
        scores.append(_scored(row, on, zone, where))
    began, reviewed = entry.get("course_from"), _mapping(entry.get("done"), "done").get(surveillance().review.id)
    return History(
        exposures=tuple(exposures),
        scores=tuple(scores),
        course_from=None if began is None else _past(began, on, "course_from"),
        reviewed_on=None if reviewed is None else _past(reviewed, on, f"done.{surveillance().review.id}"),
        zone=zone,
    ), tuple(unknown)


def _exposure(row: Mapping[str, Any], on: date, zone: tzinfo, where: str) -> Exposure:
    return Exposure(
        at=_moment(row, on, zone, where),
        dose_mg=_number(row.get("dose_mg"), f"{where}.dose_mg"),
        product=_one_of(row.get("product"), PRODUCTS, f"{where}.product"),
        route=_one_of(row.get("route"), ROUTES, f"{where}.route"),
        protocol=_one_of(row.get("protocol"), tuple(protocols()), f"{where}.protocol"),
        duration_min=_number(row.get("duration_min"), f"{where}.duration_min", _MOST_DURATION_MIN) or 0.0,
        weight_kg=_number(row.get("weight_kg"), f"{where}.weight_kg", 500.0),
        tolerated=_yes_no(row.get("tolerated"), f"{where}.tolerated"),
        effect=_one_of(row.get("effect"), _EFFECTS, f"{where}.effect"),  # type: ignore[arg-type]
    )


def _scored(row: Mapping[str, Any], on: date, zone: tzinfo, where: str) -> Scored:
    instrument = row.get("instrument")
    if not isinstance(instrument, str):
        raise InputError(f"{instrument!r}", where=f"{where}.instrument", allowed="an instrument such as MADRS")
    at = _moment(row, on, zone, where)
    moment = at if isinstance(at, datetime) else datetime(at.year, at.month, at.day)  # noqa: DTZ001 - its zone follows
    moment = moment.replace(tzinfo=zone) if moment.tzinfo is None else moment
    total = _number(row.get("total"), f"{where}.total")
    if total is not None:
        # The scale says which totals there are.
        change_between(instrument, row["total"], None)
    return Scored(instrument, Reading(moment, row.get("total"), "incomplete" if total is None else "complete"))


def _moment(row: Mapping[str, Any], on: date, zone: tzinfo, where: str) -> datetime | date:
    """``at``, a time, or ``on``, a day; neither after the day of the plan."""
    if row.get("at") is None:
        return _past(row.get("on"), on, f"{where}.on")
    try:
        found = datetime.fromisoformat(row["at"])
    except (TypeError, ValueError):
        raise InputError(f"{row['at']!r} is no time", where=f"{where}.at", allowed="YYYY-MM-DDTHH:MM") from None
    local = found if found.tzinfo is None else found.astimezone(zone)
    if local.date() > on:
        raise InputError(f"{row['at']} lies after {on}", where=f"{where}.at", allowed=f"{on} or earlier")
    return found


def _zone(name: Any) -> tzinfo:
    if name is None:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise InputError(f"unknown time zone {name!r:.60}", where="zone", allowed="such as Europe/Berlin") from None


def _one_of(value: Any, known: tuple[str, ...], where: str) -> str | None:
    if value is None or (isinstance(value, str) and value in known):
        return value
    raise InputError(f"{value!r:.60}", where=where, allowed=f"{', '.join(known)}, or null")


def _yes_no(value: Any, where: str) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise InputError(f"{value!r:.60}", where=where, allowed="true, false or null")


def _sign(name: str, value: Any) -> Any:
    if name in _FLAGS:
        return _yes_no(value, f"signs.{name}")
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
