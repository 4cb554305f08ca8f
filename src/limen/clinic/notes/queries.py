"""A session's note to read: signed and frozen, else the draft of this moment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.utils.formats import date_format

from limen.clinic.notes.content import draft, seal_of
from limen.clinic.notes.models import SessionNote
from limen.clinic.sessions.models import Session, SessionEvent
from limen.clinic.sessions.record import events_of
from limen.clinic.sites.zones import local
from limen.reports.document import Document, Part, Signature
from limen.reports.figures.clock import Clock
from limen.reports.note import later_part, note_document
from limen.reports.take_home import take_home_document
from limen.session.note_events import BY_ITSELF, later_rows

AFTER = "More was written after this was signed: it stands at the end, and needs an addendum."
DRAFT = "Draft, not signed: written from the events of this moment."


@dataclass(frozen=True, slots=True)
class NoteView:
    """The note of a session with all that was signed under it."""

    document: Document
    signed: SessionNote | None
    whole: bool
    content: dict[str, Any]


def note_of(session: Session) -> NoteView:
    """The note as screen and paper show it.

    ``whole`` is false where what is stored no longer fits its seal: somebody has changed it behind the application.
    """
    rows = list(SessionNote.objects.filter(session=session).select_related("signed_by").order_by("signed_at"))
    signed = next((row for row in rows if row.kind == SessionNote.Kind.NOTE), None)
    if signed is None:
        content = draft(session)
        return NoteView(note_document(content, status=DRAFT), None, True, content)
    whole = all(seal_of(row.content) == row.sha256 for row in rows) and all(
        row.content.get("seal") == signed.sha256 for row in rows if row is not signed
    )
    addenda = [row for row in rows if row.kind == SessionNote.Kind.ADDENDUM]
    later, answered = _later(session, signed, addenda)
    status = "" if later is None or answered else AFTER
    status = status if whole else "This record does not fit its seal. Tell the medical director."
    signatures = [_signature(row) for row in rows if row.kind != SessionNote.Kind.ADDENDUM]
    document = note_document(signed.content, signatures=signatures, seal=signed.sha256, status=status)
    extra = [*_remarks(signed), *([later] if later is not None else []), *(_addendum(row) for row in addenda)]
    return NoteView(with_parts(document, extra), signed, whole, signed.content)


def _later(session: Session, signed: SessionNote, addenda: list[SessionNote]) -> tuple[Part | None, bool]:
    """What people wrote into the session after its note was signed, and whether an addendum came after all of it."""
    parts = {part["part"]: part["fields"] for part in signed.content["note"]["parts"]}
    counted = {field["field"]: field["value"] for field in parts.get("audit", ())}
    count = counted.get("events")
    if count is None:
        return None, True
    since = SessionEvent.objects.filter(session=session).order_by("seq")[count:]
    written = [row for row in since if row.kind not in BY_ITSELF]
    if not written:
        return None, True
    newest = max(row.at for row in written)
    answered = any(row.signed_at >= newest for row in addenda)
    clock = Clock(signed.content.get("started_at"), signed.content.get("zone") or "UTC")
    return later_part(later_rows(events_of(session), count), clock, answered=answered), answered


def take_home_of(session: Session) -> Document:
    """What the patient leaves with: from the note as it was signed, else as it stands now."""
    view = note_of(session)
    over = session.status in (Session.Status.ENDED, Session.Status.DISCHARGED)
    return take_home_document(view.content, status="" if over else "Your session is not over: this may change.")


def with_parts(document: Document, parts: list[Part]) -> Document:
    """The document with parts put after its own."""
    return replace(document, parts=(*document.parts, *parts))


def _remarks(row: SessionNote) -> list[Part]:
    text = row.content.get("remarks")
    return [Part("Remarks", paragraphs=tuple(text.splitlines()))] if text else []


def _addendum(row: SessionNote) -> Part:
    signature = _signature(row)
    return Part(f"Addendum by {signature.name}, {signature.detail}", paragraphs=tuple(row.content["text"].splitlines()))


def _signature(row: SessionNote) -> Signature:
    signed = row.content["signed"]
    at = date_format(local(row.signed_at, row.site), "j M Y, H:i:s")
    verb = "countersigned" if row.kind == SessionNote.Kind.COUNTERSIGNATURE else "signed"
    return Signature(", ".join([signed["by"], *signed["roles"]]), f"{verb} {at}")
