"""Parts of an HL7 version 2 message: components by number, and times with their zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

import hl7

from limen.errors import InputError

_TIME = re.compile(r"^(\d{14})(?:\.(\d{1,6}))?([+-]\d{4})?$")
_CHARSET = re.compile(r"^8859/(1?[1-9])$")
_MSH_18 = 17  # the first separator is field 1
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
    """Seconds between two stamps of one clock; where only one of them has a zone, neither's is used.

    Two stamps in one zone that has a summer time are counted in UTC: Python would subtract their wall clocks.
    """
    if later.tzinfo is None or earlier.tzinfo is None:
        return (later.replace(tzinfo=None) - earlier.replace(tzinfo=None)).total_seconds()
    return (later.astimezone(UTC) - earlier.astimezone(UTC)).total_seconds()


def decoded(block: bytes) -> str:
    """The text of a message: UTF-8, or the character set of ISO 8859 that its MSH-18 names.

    Raises
    ------
    UnicodeDecodeError
        If it is neither.
    """
    try:
        return block.decode("utf-8")
    except UnicodeDecodeError:
        header = block.split(b"\r", 1)[0].decode("latin-1")
        fields = header.split(header[3:4] or "|")
        named = _CHARSET.match(fields[_MSH_18]) if len(fields) > _MSH_18 else None
        if named is None:
            raise
        return block.decode(f"iso8859-{named[1]}")


def stamp(at: datetime) -> str:
    """A time stamp in UTC."""
    return at.astimezone(UTC).strftime("%Y%m%d%H%M%S+0000")
