"""Rows to events and events to rows: the one place where a session's list grows."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from limen.clinic.audit.act import note
from limen.clinic.sessions.clock import lock, session_time_s
from limen.clinic.sessions.models import LiveEvent, Session, SessionEvent
from limen.clinic.sessions.outbox import emit
from limen.clinic.stock.actions import follow_pump
from limen.errors import InputError, RefusedError
from limen.knowledge.monitoring import MonitoringRules
from limen.session.events import Event, parse_event, parse_events
from limen.session.export import RuleSet, read_rules
from limen.session.header import SessionHeader, parse_header
from limen.session.state import SessionState, fold, legal

LATEST_S = 3600.0
ENVELOPE = ("t_s", "received_t_s", "kind", "id", "by")  # whose, when and what: the server's word, never a page's
_PUMPING = ("planned", "started", "running", "paused")  # the book takes what was given once the pump has stopped


def rule_set(session: Session) -> RuleSet:
    """The rules this session carries with it; the installed ones before its start."""
    return read_rules(None) if session.started_at is None else _carried(session)


_CARRIED: dict[tuple[UUID, datetime | None], RuleSet] = {}
_MOST_CARRIED = 64


def _carried(session: Session) -> RuleSet:
    """The snapshot, read once: it does not change after the start, and pages ask for it every second."""
    key = (session.pk, session.started_at)
    if key not in _CARRIED:
        while len(_CARRIED) >= _MOST_CARRIED:
            _CARRIED.pop(next(iter(_CARRIED)), None)
        _CARRIED[key] = read_rules(session.rules_snapshot)
    return _CARRIED[key]


def rules_of(session: Session) -> MonitoringRules:
    """Its rules of monitoring."""
    return rule_set(session).monitoring


def header_of(session: Session) -> SessionHeader:
    """The session's header, checked."""
    return parse_header(session.header, rules_of(session))


def event_json(row: SessionEvent) -> dict[str, Any]:
    """A row as the contract writes it."""
    return _as_json(row.t_s, row.kind, row.seq, row.by, row.data)


def _as_json(t_s: float, kind: str, seq: int, by: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"t_s": t_s, "kind": kind, "id": f"e{seq}", "by": by, **data}


def events_json(session: Session, first: int = 0) -> list[dict[str, Any]]:
    """The events of a session from number ``first`` on, in the order recorded."""
    rows = SessionEvent.objects.filter(session=session, seq__gte=first).order_by("seq")
    return [_as_json(*row) for row in rows.values_list("t_s", "kind", "seq", "by", "data")]


def events_of(session: Session) -> tuple[Event, ...]:
    """Every event of a session, checked."""
    return parse_events(events_json(session))


def events_from(session: Session, first: int) -> tuple[Event, ...]:
    """The events from number ``first`` on: none ever changes, so whoever keeps the earlier ones need not read again."""
    return parse_events(events_json(session, first))


def state_of(session: Session, *, at_t_s: float | None = None) -> SessionState:
    """What the events fold to."""
    return fold(header_of(session), events_of(session), at_t_s=at_t_s)


def done_before(session: Session, kind: str, key: str | None) -> SessionEvent | None:
    """The event that a key stands for: a second click, or a request sent again. Call it under ``lock``.

    Raises
    ------
    RefusedError
        If the key stands for an event of another kind.
    """
    known = SessionEvent.objects.filter(session=session, key=key).first() if key else None
    if known is not None and known.kind != kind:
        raise RefusedError(f"this key stands for {known.kind}", where="key", allowed="a new key for each deed")
    return known


def append(
    session: Session,
    kind: str,
    *,
    by: str,
    data: dict[str, Any] | None = None,
    key: str | None = None,
    late_s: float = 0.0,
) -> SessionEvent:
    """Add one event, if it may follow; the same key again gives the event that stands. Inside an act.

    Parameters
    ----------
    by : str
        The name that documents print.
    key : str, optional
        Names the deed, so that a second click or a repeated request is not a second deed.
    late_s : float
        How long ago it was done: a page that was cut off keeps a tap and sends it later.

    Raises
    ------
    InputError
        If the vocabulary refuses the event.
    RefusedError
        If it may not happen now, or the key stands for another event.
    """
    session = lock(session)
    known = done_before(session, kind, key)
    if known is not None:
        return known
    if not 0.0 <= late_s <= LATEST_S:
        raise InputError(f"done {late_s:g} s ago", where="late_s", allowed=f"0 to {LATEST_S:g} s")
    rows = events_json(session)
    # Never before the event that stands last, whatever the clock says: the order recorded is the order of time.
    received_s = max([session_time_s(session), *(row.get("received_t_s", row["t_s"]) for row in rows)])
    body = {name: value for name, value in (data or {}).items() if name not in ENVELOPE}
    happened_s = round(received_s - late_s, 3)
    if late_s:
        body["received_t_s"] = received_s
    seq = len(rows)
    event = parse_event({"t_s": happened_s, "kind": kind, "id": f"e{seq}", "by": by, **body}, where=kind)
    header, events = header_of(session), parse_events(rows)
    legal(fold(header, events, at_t_s=received_s), event)
    row = SessionEvent.objects.create(
        session=session, seq=seq, kind=kind, t_s=happened_s, by=by, data=body, key=key or None
    )
    after = fold(header, (*events, event), at_t_s=received_s)
    settle(session, after)
    note(event=kind, seq=seq)
    if after.phase not in _PUMPING:
        follow_pump(session, after.given_mg)
    emit(session, LiveEvent.Kind.EVENT, {"seq": seq, "kind": kind, "t_s": happened_s})
    return row


def settle(session: Session, state: SessionState) -> None:
    """Keep the session's status, which lists and constraints read, at what its events fold to. Inside an act."""
    status = status_of(state)
    if session.status != status:
        session.status = status
        session.save(update_fields=["status"])


def status_of(state: SessionState) -> str:
    """The status that stands for a phase."""
    if state.discharged_t_s is not None:
        return Session.Status.DISCHARGED
    return {
        "planned": Session.Status.PLANNED,
        "started": Session.Status.RUNNING,
        "running": Session.Status.RUNNING,
        "paused": Session.Status.RUNNING,
        "stopped": Session.Status.RECOVERY,
        "recovery": Session.Status.RECOVERY,
    }.get(state.phase, Session.Status.ENDED)
