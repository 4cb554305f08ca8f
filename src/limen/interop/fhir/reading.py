"""Small readers shared by the resource modules: references, codings, dates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_DATE = re.compile(r"^\d{4}(-\d{2}(-\d{2})?)?$")


class UnusableError(Exception):
    """One resource cannot be used; the text says why and goes into the report. Never leaves this package."""


def reference_of(resource: Mapping[str, Any]) -> str:
    """``Type/id``, or ``Type`` alone where the resource has no id."""
    kind, key = resource.get("resourceType"), resource.get("id")
    return f"{kind}/{key}" if key else f"{kind}"


def codings(concept: Any) -> list[Mapping[str, Any]]:
    """The codings of a CodeableConcept, those without a code left out."""
    return [coding for coding in _listed(concept) if coding.get("code")]


def _listed(concept: Any) -> list[Mapping[str, Any]]:
    """Every coding that is one; a resource is read by its title before its form is checked."""
    found = concept.get("coding") if isinstance(concept, Mapping) else None
    return [coding for coding in found if isinstance(coding, Mapping)] if isinstance(found, list) else []


def target_of(value: Any) -> str | None:
    """What a Reference points at; ``None`` where it is not one."""
    target = value.get("reference") if isinstance(value, Mapping) else None
    return target if isinstance(target, str) else None


def known_codes(concept: Any, systems: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """(system name, code) for each coding in a system that Limen knows."""
    found = ((systems.get(coding.get("system", "")), coding["code"]) for coding in codings(concept))
    return tuple(dict.fromkeys((system, code) for system, code in found if system))


def unknown_systems(concept: Any, systems: Mapping[str, str]) -> list[str]:
    """The code systems of a concept that Limen does not know."""
    return [coding.get("system") or "no system" for coding in codings(concept) if coding.get("system") not in systems]


def words(concept: Any) -> str:
    """What a person reads of a CodeableConcept: its text, else its first display, else its first code."""
    if not isinstance(concept, Mapping):
        return ""
    if concept.get("text"):
        return str(concept["text"])
    for key in ("display", "code"):
        for coding in _listed(concept):
            if coding.get(key):
                return str(coding[key])
    return ""


def first_code(concept: Any) -> str | None:
    """The first code of a CodeableConcept, as status elements use it."""
    return next((str(coding["code"]) for coding in codings(concept)), None)


def moment(text: Any) -> datetime | None:
    """A FHIR date or dateTime as an aware instant in its own zone; a partial date is its first day, midnight UTC.

    The first day makes a vague value as old as it can be, so it can only count as more out of date, never as fresher.

    Examples
    --------
    >>> moment("2018-08").isoformat()
    '2018-08-01T00:00:00+00:00'
    """
    if not isinstance(text, str):
        return None
    if _DATE.match(text):
        text = (text + "-01-01")[:10]
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def started(resource: Mapping[str, Any], *names: str) -> str | None:
    """The first date given among dateTime elements and Periods, as sent."""
    for name in names:
        value = resource.get(name)
        if isinstance(value, Mapping):
            value = value.get("start") or value.get("end")
        if isinstance(value, str):
            return value
    return None
