"""Observations: a number, its unit, its day; anything doubtful is refused by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from limen.care.facts import fact
from limen.errors import InputError
from limen.interop.fhir.codes import LOINC, ObservationCode, by_loinc, observation_table
from limen.interop.fhir.facts import Fact
from limen.interop.fhir.reading import UnusableError, codings, moment, reference_of, started, words
from limen.units import convert

_FINAL = ("final", "amended", "corrected")
_SCORE_UNITS = ("", "1", "{score}", "score", "{points}", "points")
_ANNOTATION = re.compile(r"\{[^}]*\}")
# Kidney function is reported per 1.73 m2 of body surface; the annotation carries no dimension in UCUM.
_INDEXED = re.compile(r"/\s*(?:1|1\.73\s*m\^?2|\{1\.73_m2\}|1\.73_m2)$", re.IGNORECASE)


def loinc_codes(resource: Mapping[str, Any]) -> list[str]:
    """The LOINC codes of an observation or of one of its components."""
    return [coding["code"] for coding in codings(resource.get("code")) if coding.get("system") == LOINC]


def read_observation(raw: Mapping[str, Any], *, on: date | None) -> list[Fact]:
    """The facts of one Observation; empty where Limen has no use for it.

    Raises
    ------
    UnusableError
        If the observation is one Limen uses and cannot be trusted: status, date, unit or value.
    """
    codes = loinc_codes(raw)
    kind = next((by_loinc()[code] for code in codes if code in by_loinc()), None)
    panel = any(code in observation_table().panels for code in codes)
    if kind is None and not panel:
        return []
    _check_status(raw)
    when = _when(raw, on)
    if kind is not None:
        return [_fact(raw, kind, when, reference_of(raw))]
    return _panel(raw, when)


def _panel(raw: Mapping[str, Any], when: datetime) -> list[Fact]:
    facts = []
    for part in raw.get("component") or []:
        kind = next((by_loinc()[code] for code in loinc_codes(part) if code in by_loinc()), None)
        if kind is not None:
            facts.append(_fact(part, kind, when, reference_of(raw)))
    values = {fact.key: fact.value for fact in facts}
    systolic, diastolic = values.get("vitals.sbp_mmHg"), values.get("vitals.dbp_mmHg")
    if systolic is None or diastolic is None:
        raise UnusableError(f"pressure without its {'systolic' if systolic is None else 'diastolic'} value")
    if diastolic >= systolic:
        raise UnusableError(f"diastolic {diastolic:g} is not below systolic {systolic:g} mmHg: refused")
    return facts


def _check_status(raw: Mapping[str, Any]) -> None:
    status = raw.get("status")
    if status not in _FINAL:
        raise UnusableError(f"status {status}: only final, amended or corrected values are used")


def _when(raw: Mapping[str, Any], on: date | None) -> datetime:
    text = started(raw, "effectiveDateTime", "effectiveInstant", "effectivePeriod")
    when = moment(text)
    if when is None:
        raise UnusableError("no date of measurement: a value without an age is not used")
    # A day's grace, because the sender's calendar may be ahead of ours.
    if on is not None and when.date() > on + timedelta(days=1):
        raise UnusableError(f"dated {when.date()}, after {on}: refused")
    return when


def _fact(part: Mapping[str, Any], kind: ObservationCode, when: datetime, source: str) -> Fact:
    number, unit = _number(part, kind)
    try:
        checked = fact(kind.key, _converted(number, unit, part, kind), taken_at=when, source=source)
    except InputError as problem:
        allowed = f", allowed {problem.allowed}" if problem.allowed else ""
        raise UnusableError(f"{kind.spec.title} {number:g} {unit}: {problem.what}{allowed}: refused") from None
    spec = kind.spec
    return Fact(
        key=kind.key,
        value=float(checked.value),  # type: ignore[arg-type]
        unit=spec.unit or "",
        effective_at=when,
        source=source,
        title=f"{spec.title} per 1.73 m2" if kind.indexed and _INDEXED.search(unit) else spec.title,
        as_sent=f"{number:g} {unit}".strip(),
    )


def _number(part: Mapping[str, Any], kind: ObservationCode) -> tuple[float, str]:
    title = kind.spec.title
    if part.get("dataAbsentReason"):
        raise UnusableError(f"{title}: no value ({words(part['dataAbsentReason']) or 'reason not given'})")
    if "valueInteger" in part:
        return float(part["valueInteger"]), ""
    quantity = part.get("valueQuantity")
    if not isinstance(quantity, Mapping) or quantity.get("value") is None:
        raise UnusableError(f"{title}: no number in it")
    if quantity.get("comparator"):
        raise UnusableError(f"{title} {quantity['comparator']}{quantity['value']}: not an exact value")
    return float(quantity["value"]), str(quantity.get("code") or quantity.get("unit") or "")


def _converted(number: float, unit: str, part: Mapping[str, Any], kind: ObservationCode) -> float:
    target = kind.spec.unit
    if target is None:
        if unit.lower() not in _SCORE_UNITS:
            raise InputError(f"unknown unit {unit!r}", allowed="a score")
        return number
    if kind.per_upper_limit:
        return number / _upper_limit(part, unit)
    if not unit:
        raise InputError("no unit", allowed=target)
    if kind.indexed:
        unit = _INDEXED.sub("", unit)
    return convert(number, _ANNOTATION.sub("", unit).strip() or unit, target)


def _upper_limit(part: Mapping[str, Any], unit: str) -> float:
    for reference_range in part.get("referenceRange") or []:
        high = reference_range.get("high") or {}
        limit_unit = str(high.get("code") or high.get("unit") or "")
        if high.get("value") and float(high["value"]) > 0 and limit_unit == unit:
            return float(high["value"])
    raise InputError("the laboratory's upper limit was not sent in the same unit", allowed="a value with that limit")
