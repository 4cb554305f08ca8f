"""The session's own time, and the one lock that orders everything written about it.

Samples, events and alarm ticks of a session are written by several processes. Each takes the session's lock first and
reads the clock second, so whatever the monitor has not yet seen when it decides tick ``n`` carries a time after ``n``.
That is why a replay of the export meets every sample and event in the same tick as the monitor did.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Max
from django.utils import timezone

from limen.clinic.sessions.models import AlarmSnapshot, Session, SessionEvent
from limen.errors import RefusedError
from limen.session.ticks import received_stamp


def lock(session: Session) -> Session:
    """The session's row, fresh and locked until the end of the transaction. On SQLite the transaction is the lock.

    No key: rows that point at the session (a line of the ledger) may be written meanwhile. A lock on the key would make
    their commit wait, and two that wait for each other end in a deadlock.

    The rules and the plan's forecast, which never change, are left out: every batch of samples comes through here.
    """
    rows = Session.objects.select_for_update(of=("self",), no_key=True)
    whole = rows.select_related("patient", "plan", "chair")
    return whole.defer("rules_snapshot", "plan__result").get(pk=session.pk)


def session_time_s(session: Session, *, now: datetime | None = None) -> float:
    """Seconds since the start, after every tick that the monitor has decided. Call it under ``lock``.

    Raises
    ------
    RefusedError
        If the session has not started.
    """
    if session.started_at is None:
        raise RefusedError("the session has not started", where=f"session {session.number}")
    known = AlarmSnapshot.objects.filter(session=session).values_list("tick_t_s", "clock_offset_s").first()
    tick_s, offset_s = known or (None, 0.0)
    return round(received_stamp(elapsed_s(session, offset_s, now=now), tick_s), 3)


def session_now_s(session: Session) -> float:
    """Session time now, or when the session ended; never before anything that was recorded or watched."""
    if session.started_at is None:
        return 0.0
    snapshot = AlarmSnapshot.objects.filter(session=session).values_list("tick_t_s", "clock_offset_s").first()
    tick_s, offset_s = snapshot or (None, 0.0)
    last_s = SessionEvent.objects.filter(session=session).aggregate(last=Max("t_s"))["last"] or 0.0
    now_s = elapsed_s(session, offset_s, now=session.ended_at)
    return float(max(last_s, now_s if session.ended_at is None else min(now_s, last_s), tick_s or 0.0))


def elapsed_s(session: Session, clock_offset_s: float, *, now: datetime | None = None) -> float:
    """Seconds since the start by the server's clock, put right by how far that clock was turned; 0 before the start.

    Parameters
    ----------
    clock_offset_s : float
        ``AlarmSnapshot.clock_offset_s``: the monitor measures it when session time would else stand still.
    """
    if session.started_at is None:
        return 0.0
    return ((now or timezone.now()) - session.started_at).total_seconds() + clock_offset_s
