"""One session as the contract's ``S``: enough to replay it bit for bit."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction

from limen.clinic.sessions.models import AlarmRecord, AlarmSnapshot, Sample, Session
from limen.clinic.sessions.record import events_json
from limen.errors import InputError
from limen.session.black_box import sealed
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
        "started_at": session.started_at.isoformat() if session.started_at else None,
        "zone": session.site.timezone,
        "until_t_s": tick_s if tick_s is not None else -1.0,
        "recorded": recorded or {},
    }


def alarms_json(session: Session, until_t_s: float) -> list[dict[str, Any]]:
    """Every alarm of a session in its last form, as the monitor decided it up to a second; in the order raised."""
    found: dict[str, dict[str, Any]] = {}
    rows = AlarmRecord.objects.filter(session=session, t_s__lte=until_t_s).order_by("seq")
    for data in rows.values_list("data", flat=True):
        alarm = data.get("alarm")
        if alarm:
            found[alarm["id"]] = alarm
    return list(found.values())


def black_box(session_id: str | UUID, *, recorded: dict[str, Any] | None = None) -> dict[str, Any]:
    """The export of a session to keep: with the alarms that were raised then, and sealed.

    The last second watched is read first; whatever is written while the rest is read belongs to a later second, so a
    session that is running exports whole.

    Raises
    ------
    InputError
        If there is no such session.
    """
    with transaction.atomic():
        export = export_session(session_id, recorded=recorded)
        alarms = alarms_json(find_session(str(session_id)), export["until_t_s"])
    return sealed({**export, "alarms": alarms})
