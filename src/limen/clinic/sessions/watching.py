"""One session, one visit of the monitor: every whole second since the last visit, each as a replay will take it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from limen.care.alarm_state import AlarmState, Change
from limen.care.alarm_state import Sample as Measured
from limen.care.alarms import Watch, step
from limen.clinic.audit.act import acting
from limen.clinic.calls.actions import call_people
from limen.clinic.sessions.clock import TURNED_S, elapsed_s, lock_time
from limen.clinic.sessions.models import AlarmRecord, AlarmSnapshot, LiveEvent, Sample, Session
from limen.clinic.sessions.outbox import emit
from limen.clinic.sessions.record import append, events_from, header_of, rules_of, settle
from limen.knowledge.monitoring import MonitoringRules
from limen.session.events import Event
from limen.session.header import SessionHeader
from limen.session.signals import PUMP_SIGNALS
from limen.session.state import fold
from limen.session.ticks import begin_watch, monitor_ticks, tick_at, watched

BY = "monitor"
AHEAD_S = 15.0  # that the server's clock ran further than the steady one: it was set, or the machine slept
WRITTEN_AHEAD_S = 60.0  # no two clocks of one clinic differ by as much, unless one was set
MOST_TICKS = 120  # in one transaction: a long catch-up must not keep devices and people waiting


class OvertakenError(RuntimeError):
    """Another monitor took these seconds first; its word stands."""


@dataclass(slots=True)
class Watched:
    """What stays the same over a session, read once: its header, its rules, its limits, the events read so far."""

    header: SessionHeader
    rules: MonitoringRules
    watch: Watch
    begin: AlarmState
    events: tuple[Event, ...] = ()
    kept: tuple[int, AlarmState] | None = None  # the state as stored under that version of the snapshot


@dataclass(slots=True)
class Watcher:
    """The monitor's memory. All of it can be lost: what counts is in the database."""

    steady: Callable[[], float] = time.monotonic
    known: dict[UUID, Watched] = field(default_factory=dict)
    lead_s: dict[UUID, float] = field(default_factory=dict)  # session time over the steady clock, when visited last
    due_s: dict[UUID, float] = field(default_factory=dict)  # when the next second of each ends, on the steady clock

    def visit(self, session: Session) -> bool:
        """Take every second of a session that is due; whether more are waiting.

        Raises
        ------
        OvertakenError
            If another monitor took them in the meantime.
        """
        lead_s = self.lead_s.get(session.pk)
        try:
            with acting(by=BY, action="sessions.watch", site=session.site, audited=False):
                return self._visit(lock_time(session.pk))
        except BaseException:
            self.known.pop(session.pk, None)  # what it remembers of a visit that was rolled back never was
            if lead_s is not None:
                self.lead_s[session.pk] = lead_s
            raise

    def _visit(self, session: Session) -> bool:
        if session.started_at is None:
            return False
        snapshot = AlarmSnapshot.objects.defer("state").get(session=session)
        fixed = self._of(session)
        fixed.events += events_from(session, len(fixed.events))
        now_s = _even(session, snapshot, max((event.known_t_s for event in fixed.events), default=0.0))
        self._say_if_ahead(session, now_s)
        self.due_s[session.pk] = time.monotonic() + math.floor(now_s) + 1.0 - now_s
        due = monitor_ticks(snapshot.tick_t_s, now_s)
        if not due:
            return False
        taken = due[:MOST_TICKS]
        return self._take(session, snapshot, taken, now_s) and len(due) > len(taken)

    def _say_if_ahead(self, session: Session, now_s: float) -> None:
        """Write down that the server's clock leapt: a slept machine and a set clock look alike, and time goes by both.

        A clock set ahead cannot be told from time that nobody watched, so session time follows it; it is said because
        what a pump gave is reckoned by it.
        """
        lead_s = now_s - self.steady()
        leapt_s = lead_s - self.lead_s.get(session.pk, lead_s)
        self.lead_s[session.pk] = lead_s
        if leapt_s > AHEAD_S:
            words = (
                f"the server's clock leapt ahead by about {_about(leapt_s)} (it was set, or the machine slept): times "
                "from here, and what the pump is said to have given, may be too far on"
            )
            append(session, "monitor.started", by=BY, data={"note": words})

    def greet(self, session: Session, kind: str, reason: str = "") -> None:
        """Write down that this monitor began, or stopped, to watch a session."""
        with acting(by=BY, action=f"sessions.{kind}", site=session.site):
            append(session, kind, by=BY, data={"reason": reason} if reason else {})

    def forget(self, live: set[UUID]) -> None:
        """Drop what belongs to sessions that are over."""
        for key in self.known.keys() - live:
            del self.known[key]
        for kept in (self.due_s, self.lead_s):
            for key in kept.keys() - live:
                del kept[key]

    def _of(self, session: Session) -> Watched:
        if session.pk not in self.known:
            header, rules = header_of(session), rules_of(session)
            self.known[session.pk] = Watched(header, rules, *begin_watch(header, rules))
        return self.known[session.pk]

    def _take(self, session: Session, snapshot: AlarmSnapshot, ticks: range, now_s: float) -> bool:
        """Step through ``ticks``; False where the watching has ended."""
        fixed = self._of(session)
        events = fixed.events
        samples = _samples(session, snapshot.tick_t_s, ticks[-1])
        state = _state(fixed, snapshot)
        changes: list[Change] = []
        last_s = snapshot.tick_t_s
        for t_s in ticks:
            if not watched(events, t_s):
                break
            state, changed = step(state, _tick(t_s, last_s, fixed, events, samples), fixed.watch)
            changes += changed
            last_s = float(t_s)
        if last_s is None or last_s == snapshot.tick_t_s:
            return False
        _store(session, snapshot, state, last_s, changes)
        fixed.kept = (snapshot.version + 1, state)
        call_people(session, state, last_s)
        # The pump runs empty without an event, so the phase may move by time alone. Look after the newest event: one
        # that no tick has taken yet (a discharge) must not be undone.
        newest_s = max([now_s, *(event.known_t_s for event in events)])
        settle(session, fold(fixed.header, events, at_t_s=newest_s))
        return True


def _state(fixed: Watched, snapshot: AlarmSnapshot) -> AlarmState:
    """The state that stands: this monitor's own where nobody wrote since, else as it is stored."""
    if fixed.kept is not None and fixed.kept[0] == snapshot.version:
        return fixed.kept[1]
    return AlarmState.from_json(snapshot.state) if snapshot.state else fixed.begin


def _even(session: Session, snapshot: AlarmSnapshot, written_s: float) -> float:
    """Session time now, also after the server's clock was set back: without this nobody would watch until it caught up.

    What was turned is kept with the session, so that every process goes on from the second that was watched last, or
    from what was written down (``written_s``) by a clock that stood an hour ahead while no monitor ran: whatever is
    written after that stands behind it, and no answer would reach its alarm until the hour was over.
    """
    now_s = elapsed_s(session, snapshot.clock_offset_s)
    reached_s = snapshot.tick_t_s or 0.0
    if written_s > max(now_s, reached_s) + WRITTEN_AHEAD_S:
        reached_s = written_s
    if now_s >= reached_s - TURNED_S:
        return now_s
    back_s = reached_s - now_s
    mine = AlarmSnapshot.objects.filter(session=session, version=snapshot.version)
    if mine.update(version=snapshot.version + 1, clock_offset_s=snapshot.clock_offset_s + back_s) != 1:
        raise OvertakenError(f"session {session.pk}: version {snapshot.version} is not the newest")
    snapshot.version += 1
    snapshot.clock_offset_s += back_s
    words = f"the server's clock was set back by about {_about(back_s)}; the session's time goes on"
    append(session, "monitor.started", by=BY, data={"note": words})
    return reached_s


def _about(span_s: float) -> str:
    return f"{span_s / 60:.0f} min" if span_s >= 90 else f"{span_s:.0f} s"


def _tick(
    t_s: int, last_s: float | None, fixed: Watched, events: tuple[Event, ...], samples: tuple[Measured, ...]
) -> Any:
    def is_news(known_t_s: float) -> bool:
        return known_t_s <= t_s and (last_s is None or known_t_s > last_s)

    return tick_at(
        t_s,
        header=fixed.header,
        rules=fixed.rules,
        known=[event for event in events if event.known_t_s <= t_s],
        news=[event for event in events if is_news(event.known_t_s)],
        samples=[sample for sample in samples if is_news(sample.received_t_s)],
    )


def _samples(session: Session, after_s: float | None, until_s: float) -> tuple[Measured, ...]:
    """What arrived, but for what a pump says of itself: that is reconciled, never held against a limit."""
    rows = Sample.objects.filter(session=session, received_t_s__lte=until_s).exclude(signal__in=list(PUMP_SIGNALS))
    if after_s is not None:
        rows = rows.filter(received_t_s__gt=after_s)
    return tuple(
        Measured(t_s, received_t_s, signal, value, device, seq)
        for t_s, received_t_s, signal, value, device, seq in rows.order_by("id").values_list(
            "t_s", "received_t_s", "signal", "value", "device__name", "seq"
        )
    )


def _store(session: Session, snapshot: AlarmSnapshot, state: AlarmState, tick_s: float, changes: list[Change]) -> None:
    """The new state and every change of it, or nothing: compare the version that was read, and set."""
    mine = AlarmSnapshot.objects.filter(session=session, version=snapshot.version)
    if mine.update(version=snapshot.version + 1, tick_t_s=tick_s, state=state.to_json()) != 1:
        raise OvertakenError(f"session {session.pk}: version {snapshot.version} is not the newest")
    if not changes:
        return
    first = AlarmRecord.objects.filter(session=session).count()
    bodies = [change.to_json() for change in changes]
    AlarmRecord.objects.bulk_create(
        AlarmRecord(
            session=session,
            seq=first + index,
            kind=change.kind,
            key=change.alarm.key if change.alarm else "",
            t_s=change.t_s,
            data=body,
        )
        for index, (change, body) in enumerate(zip(changes, bodies, strict=True))
    )
    emit(session, LiveEvent.Kind.ALARM, {"t_s": tick_s, "changes": [change.kind for change in changes]})
