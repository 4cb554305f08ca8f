"""Signing a note, adding to it, signing it a second time. Nothing here changes what was signed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from limen.clinic.accounts.permissions import Permission
from limen.clinic.accounts.policy import roles_at
from limen.clinic.accounts.roles import ROLES
from limen.clinic.audit.act import action, note
from limen.clinic.notes.content import draft, plain, seal_of
from limen.clinic.notes.models import SessionNote
from limen.clinic.sessions.models import Session
from limen.clinic.stock.queries import session_account
from limen.errors import InputError, RefusedError
from limen.ledger import show_mg

if TYPE_CHECKING:
    from limen.clinic.accounts.models import User

OVER = (Session.Status.ENDED, Session.Status.DISCHARGED)
LONGEST = 4000
ONE_PRESS_S = 60.0  # the same words by the same person within this time came by one press


@action(Permission.NOTE_SIGN, on="session")
def sign_note(*, by: User, session: Session, remarks: str = "") -> SessionNote:
    """Freeze the note as it stands and sign it. Signing twice by the same person is signing once.

    Raises
    ------
    RefusedError
        If the session is not over, drug is not accounted for, or somebody else has signed the note; and where it was
        signed with other remarks, which would be lost.
    """
    words = _text(remarks, "remarks")
    Session.objects.select_for_update(of=("self",), no_key=True).get(pk=session.pk)
    held = SessionNote.objects.filter(session=session, kind=SessionNote.Kind.NOTE).select_related("signed_by").first()
    if held is not None:
        if held.signed_by_id == by.pk and words in ("", held.content.get("remarks")):
            return held
        if held.signed_by_id == by.pk:
            raise RefusedError("you have signed this note", where="remarks", hint="Add them as an addendum")
        raise RefusedError(f"{held.signed_by.display_name} has signed this note", where="note", hint="Countersign it")
    if session.status not in OVER:
        raise RefusedError("the session is not over", where="note", allowed="after discharge or the session's end")
    open_mg = session_account(session).open_mg
    if open_mg != Decimal(0):
        raise RefusedError(
            f"{show_mg(open_mg)} mg drawn up are not accounted for", where="note", hint="Waste or return them first"
        )
    return _sign(session, by, SessionNote.Kind.NOTE, {**draft(session), "remarks": words}, None)


@action(Permission.NOTE_SIGN, on="note_row")
def countersign(*, by: User, note_row: SessionNote) -> SessionNote:
    """A second signature under the same content."""
    _refuse_later(note_row)
    if note_row.signed_by_id == by.pk:
        raise RefusedError("you have signed this note", where="note", allowed="a second person")
    held = note_row.later.filter(kind=SessionNote.Kind.COUNTERSIGNATURE, signed_by=by).first()
    if held is not None:
        return held
    return _sign(note_row.session, by, SessionNote.Kind.COUNTERSIGNATURE, {"seal": note_row.sha256}, note_row)


@action(Permission.NOTE_WRITE, on="note_row")
def add_addendum(*, by: User, note_row: SessionNote, text: str) -> SessionNote:
    """What is to be said after the signature; the note stays as it was signed. Sent twice by one press it is one."""
    _refuse_later(note_row)
    words = _text(text, "text")
    if not words:
        raise InputError("nothing in it", where="text", allowed="what is to be added")
    Session.objects.select_for_update(of=("self",), no_key=True).get(pk=note_row.session_id)
    since = timezone.now() - timedelta(seconds=ONE_PRESS_S)
    mine = note_row.later.filter(kind=SessionNote.Kind.ADDENDUM, signed_by=by, signed_at__gt=since)
    held = mine.filter(content__text=words).first()
    if held is not None:
        return held
    return _sign(note_row.session, by, SessionNote.Kind.ADDENDUM, {"text": words, "seal": note_row.sha256}, note_row)


def _sign(session: Session, by: User, kind: str, content: dict[str, Any], amends: SessionNote | None) -> SessionNote:
    now = timezone.now()
    roles = [ROLES[role].title.lower() for role in roles_at(by, session.site)]
    signed = {
        **content,
        "signed": {"by": by.display_name, "username": by.username, "roles": roles, "at": now.isoformat()},
    }
    frozen = plain(signed)
    made: SessionNote = SessionNote.objects.create(
        site=session.site,
        session=session,
        kind=kind,
        amends=amends,
        content=frozen,
        signed_by=by,
        signed_at=now,
        sha256=seal_of(frozen),
    )
    note(kind=kind, sha256=made.sha256)
    return made


def _refuse_later(row: SessionNote) -> None:
    if row.kind != SessionNote.Kind.NOTE:
        raise RefusedError(f"this is an {row.kind}", where="note", allowed="the note itself")


def _text(text: str, where: str) -> str:
    text = text.strip()
    if len(text) > LONGEST:
        raise InputError(f"{len(text)} characters", where=where, allowed=f"at most {LONGEST}")
    return text
