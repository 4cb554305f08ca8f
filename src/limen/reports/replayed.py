"""The note of a recorded session on paper, without a clinic: what the file does not name is said to be not in it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import limen
from limen.errors import InputError
from limen.reports.document import Document
from limen.reports.figures.session import session_figure
from limen.reports.note import note_document
from limen.reports.paper import pdf, render
from limen.reports.plots.figure import draw
from limen.session.replay import replay

ENDINGS = (".pdf", ".svg", ".png")
_ABSENT = "not in this file"
_STATUS = "Made again from a recorded session. Not the signed note."


def note_bytes(
    export: Mapping[str, Any], *, ending: str, started_at: str | None = None, zone: str | None = None
) -> bytes:
    """The note as a PDF, or its figure as SVG or PNG; the same file gives the same bytes.

    Parameters
    ----------
    export : mapping
        The contract's ``S``.
    ending : str
        ``.pdf``, ``.svg`` or ``.png``.
    started_at, zone : str, optional
        The wall clock at second 0 as ISO text with its offset, and the site's time zone; else those of the file.

    Raises
    ------
    InputError
        If the record is malformed, the time or the zone cannot be read, or there is nothing to draw.
    """
    if ending not in ENDINGS:
        raise InputError(f"nothing ends in {ending!r}", where="out", allowed=", ".join(ENDINGS))
    content = note_content(export, started_at=started_at, zone=zone)
    if ending == ".pdf":
        return pdf(render(note_paper(content)))
    figure = session_figure(content["note"], started_at=content["started_at"], zone=content["zone"])
    if figure is None:
        raise InputError("nothing was seen or given in this session", where="events", allowed="a session to draw")
    return draw(figure).written_as(ending)


def note_paper(content: Mapping[str, Any]) -> Document:
    """The note as a document that says what it is."""
    return note_document(content, status=_STATUS)


def note_content(
    export: Mapping[str, Any], *, started_at: str | None = None, zone: str | None = None
) -> dict[str, Any]:
    """What the note is printed from: the replay, and beside it what the file itself names."""
    begun = _moment(started_at if started_at is not None else export.get("started_at"))
    place = zone or export.get("zone") or "UTC"
    try:
        ZoneInfo(place)
    except (ZoneInfoNotFoundError, ValueError, TypeError):
        raise InputError(f"no time zone {place!r}", where="zone", allowed="a name such as Europe/Berlin") from None
    note = replay(export).note
    who = _fields(note, "who")
    header = _fields(note, "header")
    weight = who.get("weight_kg")
    return {
        "issuer": header.get("clinic") or f"Clinic {_ABSENT}",
        "title": "Session note from a record",
        "aside": [str(header.get("protocol") or f"Protocol {_ABSENT}")],
        "identity": [
            ["Patient", who.get("patient") or _ABSENT],
            ["Record", who.get("identifier") or _ABSENT],
            ["Born", who.get("born_on") or _ABSENT],
            ["Weight", f"{weight:g} kg" if weight is not None else "not recorded"],
        ],
        "started_at": begun,
        "zone": place,
        "note": note,
        "account": None,
        "marks": [],
        "product_version": export.get("product_version") or limen.__version__,
        "knowledge_release": export.get("knowledge_release") or "not named",
    }


def _moment(text: Any) -> str | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise InputError(f"{text!r} is no moment", where="started_at", allowed="such as 2026-11-19T09:00:10+01:00")
    return found.isoformat()


def _fields(note: Mapping[str, Any], part: str) -> dict[str, Any]:
    return {
        field["field"]: field["value"] for entry in note["parts"] if entry["part"] == part for field in entry["fields"]
    }
