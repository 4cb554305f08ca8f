"""One session as the contract's ``S``: enough to replay it bit for bit."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from limen.clinic.sessions.models import AlarmSnapshot, Sample, Session
from limen.clinic.sessions.record import events_json
from limen.errors import InputError
from limen.session.export import SCHEMA


def find_session(session_id: str) -> Session:
    """A session by its id, as a person types it.

    Raises
    ------
    InputError
        If there is none.
    """
    try:
        key = UUID(session_id)
    except ValueError:
        raise InputError(f"{session_id!r} is no session id", where="session", allowed="a UUID") from None
    session = Session.objects.select_related("patient", "plan", "chair", "course", "site").filter(pk=key).first()
    if session is None:
        raise InputError(f"no session {session_id}", where="session", allowed="the id of a session of this clinic")
    return session


def samples_json(session: Session) -> list[dict[str, Any]]:
    """Every sample of a session, in the order stored."""
    names = ("t_s", "received_t_s", "seq", "signal", "value", "device__name")
    keys = ("t_s", "received_t_s", "seq", "signal", "value", "device")
    rows = Sample.objects.filter(session=session).order_by("id").values_list(*names)
    return [dict(zip(keys, row, strict=True)) for row in rows.iterator()]


def export_session(session_id: str | UUID, *, recorded: dict[str, Any] | None = None) -> dict[str, Any]:
    """The export of a session.

    Parameters
    ----------
    recorded : dict, optional
        What the clinic knows beside the events, for the note: part to field to value.

    Raises
    ------
    InputError
        If there is no such session.
    """
    session = find_session(str(session_id))
    snapshot = AlarmSnapshot.objects.filter(session=session).first()
    tick_s = snapshot.tick_t_s if snapshot else None
    return {
        "schema": SCHEMA,
        "product_version": session.product_version or None,
        "knowledge_release": session.knowledge_release or None,
        "rules_snapshot": session.rules_snapshot,
        "session": session.header,
        "events": events_json(session),
        "samples": samples_json(session),
        "until_t_s": tick_s if tick_s is not None else -1.0,
        "recorded": recorded or {},
    }
