"""Parts of an HL7 version 2 message: components by number, and times with their zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

import hl7

from limen.errors import InputError

_TIME = re.compile(r"^(\d{14})(?:\.(\d{1,6}))?([+-]\d{4})?$")
_SHORT_TIME = re.compile(r"^(\d{8}|\d{10}|\d{12})([+-]\d{4})?$")


def repetitions(segment: hl7.Segment, number: int) -> list[list[str]]:
    """Every repetition of a field as its components; an absent field has none.

    The first separator counts as field 1 of the header segment, as the standard counts.
    """
    if number >= len(segment):
        return []
    found = [
        [entry] if isinstance(entry, str) else [str(component) for component in entry] for entry in segment[number]
    ]
    return [parts for parts in found if any(parts)]


def part(segment: hl7.Segment, number: int, component: int = 1) -> str:
    """One component of the first repetition, empty where it is absent."""
    first = next(iter(repetitions(segment, number)), [])
    return first[component - 1].strip() if component <= len(first) else ""


def whole(segment: hl7.Segment, number: int) -> str:
    """A field as it came."""
    return str(segment[number]).strip() if number < len(segment) else ""


def read_time(text: str, zone: tzinfo | None, *, where: str) -> datetime | None:
    """A time stamp; its own zone goes before ``zone``, and without either it is naive.

    Raises
    ------
    InputError
        If it is not a time to the second.

    Examples
    --------
    >>> read_time("20260301093000+0100", None, where="MSH-7").isoformat()
    '2026-03-01T09:30:00+01:00'
    """
    if not text:
        return None
    match = _TIME.match(text)
    if match is None:
        allowed = "YYYYMMDDHHMMSS[.S][+ZZZZ]"
        what = "a time without seconds cannot order readings" if _SHORT_TIME.match(text) else f"{text!r:.40} is no time"
        raise InputError(what, where=where, allowed=allowed)
    try:
        found = datetime.strptime(match[1], "%Y%m%d%H%M%S")  # noqa: DTZ007  its zone follows
        own = _offset(match[3]) if match[3] else zone
    except ValueError:
        raise InputError(f"{text!r:.40} is no time", where=where, allowed="YYYYMMDDHHMMSS[.S][+ZZZZ]") from None
    found += timedelta(seconds=float(f"0.{match[2]}")) if match[2] else timedelta(0)
    return found.replace(tzinfo=own)


def _offset(text: str) -> tzinfo:
    minutes = int(text[1:3]) * 60 + int(text[3:5])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


def between_s(later: datetime, earlier: datetime) -> float:
    """Seconds between two stamps of one clock; where only one of them has a zone, neither's is used."""
    if (later.tzinfo is None) != (earlier.tzinfo is None):
        later, earlier = later.replace(tzinfo=None), earlier.replace(tzinfo=None)
    return (later - earlier).total_seconds()


def stamp(at: datetime) -> str:
    """A time stamp in UTC."""
    return at.astimezone(UTC).strftime("%Y%m%d%H%M%S+0000")
