"""The session's own time, and the one lock that orders everything written about it.

Samples, events and alarm ticks of a session are written by several processes. Each takes the session's lock first and
reads the clock second, so whatever the monitor has not yet seen when it decides tick ``n`` carries a time after ``n``.
That is why a replay of the export meets every sample and event in the same tick as the monitor did.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Max
from django.utils import timezone

from limen.clinic.sessions.models import AlarmSnapshot, Session, SessionEvent
from limen.errors import RefusedError
from limen.session.ticks import received_stamp

TURNED_S = 2.0  # session time is never ahead of the clock by more, unless somebody set the clock back


def lock(session: Session) -> Session:
    """The session's row, fresh and locked until the end of the transaction. On SQLite the transaction is the lock.

    No key: rows that point at the session (a line of the ledger) may be written meanwhile. A lock on the key would make
    their commit wait, and two that wait for each other end in a deadlock.

    The rules and the plan's forecast, which never change, are left out: every batch of samples comes through here.
    """
    rows = Session.objects.select_for_update(of=("self",), no_key=True)
    whole = rows.select_related("patient", "plan", "chair")
    return whole.defer("rules_snapshot", "plan__result").get(pk=session.pk)


def lock_time(session_id: UUID) -> Session:
    """The same lock, with only the columns that tell whether and since when the session runs.

    For what comes every second from every chair: most of the work of a small query is its columns.
    """
    return lock_times([session_id])[session_id]


def lock_times(session_ids: Iterable[UUID]) -> dict[UUID, Session]:
    """That lock of several sessions. In one order, so that two who lock some of the same do not wait for each other."""
    rows = Session.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=set(session_ids)).order_by("pk")
    return {row.pk: row for row in rows.only("site_id", "status", "started_at", "owner_id")}


def session_time_s(session: Session, *, now: datetime | None = None) -> float:
    """Seconds since the start, after every tick that the monitor has decided. Call it under ``lock``.

    Raises
    ------
    RefusedError
        If the session has not started.
    """
    known = AlarmSnapshot.objects.filter(session=session).values_list("tick_t_s", "clock_offset_s").first()
    return stamp_s(session, *(known or (None, 0.0)), now=now)


def stamp_s(session: Session, tick_s: float | None, clock_offset_s: float, *, now: datetime | None = None) -> float:
    """The same, where the last tick and the turn of the clock have been read under the lock.

    Raises
    ------
    RefusedError
        If the session has not started.
    """
    if session.started_at is None:
        raise RefusedError("the session has not started", where=f"session {session.number}")
    return round(received_stamp(elapsed_s(session, clock_offset_s, now=now), tick_s), 3)


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


def turned_s(session: Session, snapshot: AlarmSnapshot) -> float:
    """How far the server's clock was set back since the start, as the monitor measured it or is about to.

    Between the turn and the monitor's next look the session would else seem to have run back.
    """
    now_s = elapsed_s(session, snapshot.clock_offset_s, now=session.ended_at)
    if snapshot.tick_t_s is None or session.ended_at is not None or now_s >= snapshot.tick_t_s - TURNED_S:
        return snapshot.clock_offset_s
    return snapshot.clock_offset_s + snapshot.tick_t_s - now_s
