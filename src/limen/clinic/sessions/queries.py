"""What live pages show: one session whole, and every chair of a site. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, OuterRef, QuerySet, Subquery
from django.utils import timezone

from limen.care.alarm_state import AlarmState
from limen.care.alarm_state import Sample as Measured
from limen.care.alarms import Watch
from limen.clinic.calls.queries import passed, told
from limen.clinic.sessions.around import asked, chair_order, due_soon, open_events, scores, way_of
from limen.clinic.sessions.chairside import adverse_choices, comfort, graded_by, start_advice
from limen.clinic.sessions.clock import elapsed_s, turned_s
from limen.clinic.sessions.export import export_session, find_session
from limen.clinic.sessions.handover import people_for
from limen.clinic.sessions.health import devices_on, doubts
from limen.clinic.sessions.models import AlarmSnapshot, LiveEvent, Sample, Session, SessionEvent
from limen.clinic.sessions.outlook import outlook
from limen.clinic.sessions.planned import dose_of
from limen.clinic.sessions.record import event_json, events_of, header_of, rule_set
from limen.clinic.sessions.sse import monitor_age_s
from limen.clinic.sessions.twin_view import drawn, newest_forecast, twin_json
from limen.clinic.sites.models import Chair, Site
from limen.clinic.stock.pumping import pump_json
from limen.session.early import small_changes
from limen.session.events import Event
from limen.session.export import RuleSet
from limen.session.header import SessionHeader
from limen.session.readiness import dose_route, ready_at
from limen.session.schedule import due_list
from limen.session.signals import signal_views
from limen.session.state import SessionState, fold
from limen.session.ticks import begin_watch

__all__ = ["board", "export_session", "find_session", "readiness_now", "series", "session_live"]

LIVE = (Session.Status.RUNNING, Session.Status.RECOVERY)
SERIES = ("HR", "PULSE", "SPO2", "RR", "NIBP_SYS", "NIBP_DIA")
POINTS = 900  # a trace is a few hundred pixels wide


def newest_live_event(**scope: Any) -> int:
    """The id that a page has heard everything up to, once it has fetched its state."""
    return LiveEvent.objects.filter(**scope).aggregate(newest=Max("id"))["newest"] or 0


class _Reading:
    """One session, its rules and events read once."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.header: SessionHeader = header_of(session)
        self.rules: RuleSet = rule_set(session)
        self.events: tuple[Event, ...] = events_of(session)
        self.watch, self.begin = begin_watch(self.header, self.rules.monitoring)
        snapshot = AlarmSnapshot.objects.filter(session=session).first()
        self.tick_t_s: float | None = snapshot.tick_t_s if snapshot else None
        self.alarms = AlarmState.from_json(snapshot.state) if snapshot and snapshot.state else self.begin
        over_s = (
            (session.ended_at - session.started_at).total_seconds() if session.ended_at and session.started_at else None
        )
        self.clock_offset_s: float = turned_s(session, snapshot) if snapshot else 0.0
        now_s = elapsed_s(session, self.clock_offset_s)
        self.now_t_s = round(max([over_s or now_s, *(event.known_t_s for event in self.events)]), 3)
        self.state: SessionState = fold(self.header, self.events, at_t_s=self.now_t_s)
        self.due = due_list(self.header.protocol, self.state, self.rules.monitoring)


def readiness_now(session: Session) -> dict[str, Any]:
    """Whether the patient may leave now, and what is not met."""
    return _readiness(_Reading(session))


def _readiness(reading: _Reading) -> dict[str, Any]:
    names = ("t_s", "received_t_s", "signal", "value", "device__name", "seq")
    # The last hour of the continuous signals, every cuff: what discharge looks at.
    rows = Sample.objects.filter(session=reading.session, signal__in=("SPO2", "NIBP_SYS", "NIBP_DIA"))
    recent = rows.filter(signal="SPO2", t_s__gte=reading.now_t_s - 3600).values_list(*names)
    cuffs = rows.exclude(signal="SPO2").values_list(*names)
    samples = [Measured(*row) for row in [*recent, *cuffs]]
    return ready_at(
        reading.header, reading.events, samples, reading.watch, reading.now_t_s, reading.rules.discharge
    ).to_json()


def series(session: Session, watch: Watch, signals: Sequence[str] = SERIES) -> dict[str, dict[str, list[float | None]]]:
    """Each signal over the session, thinned for drawing: of each stretch the extremes stay, so no peak is lost.

    A value that cannot be a reading (0, none, impossible) is a gap, never a point.
    """
    found: dict[str, list[tuple[float, float | None]]] = defaultdict(list)
    rows = Sample.objects.filter(session=session, signal__in=signals).order_by("t_s", "id")
    for signal, t_s, value in rows.values_list("signal", "t_s", "value"):
        found[signal].append((t_s, value if watch.readable(signal, value) else None))
    return {signal: _columns(_thin(points)) for signal, points in found.items()}


def _columns(points: list[tuple[float, float | None]]) -> dict[str, list[float | None]]:
    return {"t_s": [t_s for t_s, _ in points], "value": [value for _, value in points]}


def _thin(points: list[tuple[float, float | None]]) -> list[tuple[float, float | None]]:
    if len(points) <= POINTS:
        return points
    size = -(-len(points) // (POINTS // 3))
    kept: list[tuple[float, float | None]] = []
    for start in range(0, len(points), size):
        part = points[start : start + size]
        values = [index for index, (_, value) in enumerate(part) if value is not None]
        gaps = [index for index, (_, value) in enumerate(part) if value is None]
        chosen = set(gaps[:1])
        if values:
            chosen |= {min(values, key=lambda i: part[i][1] or 0.0), max(values, key=lambda i: part[i][1] or 0.0)}
        kept += [part[index] for index in sorted(chosen)]
    return kept


def session_live(session: Session, viewer: str | None = None) -> dict[str, Any]:
    """Everything the chair's page draws. ``viewer``: who looks, and will own the chair by starting it."""
    newest = newest_live_event(session=session)  # before the rest: what comes later is heard, never missed
    reading = _Reading(session)
    tile = _tile(reading)
    return {
        **tile,
        "now": timezone.now().isoformat(),
        "last_event_id": newest,
        "monitor_age_s": monitor_age_s(),
        "early": _early(reading, tile["signals"]),
        "passed": passed({session.pk: reading.events}).get(session.pk, []),
        "limits": _limits(reading),
        "state": reading.state.to_json(),
        "due": reading.due.to_json(),
        "series": series(session, reading.watch),
        "log": [
            {**event_json(row), "at": row.at.isoformat()}
            for row in session.events.exclude(kind="forecast.updated").order_by("-seq")[:200]
        ],
        "open_events": open_events(reading.events),
        "readiness": _readiness(reading) if session.started_at else None,
        "devices": devices_on(session),
        "pump": pump_json(session),
        "steps": dose_of(session).get("steps") or [],
        "syringe": dose_of(session).get("syringe"),
        "outlook": drawn(outlook(session, reading.state), newest_forecast(reading.events)),
        "twin": twin_json(newest_forecast(reading.events)),
        "baseline": reading.header.baseline_values(),
        "comfort": comfort(session.patient),
        "adverse": adverse_choices(),
        "graded_by": graded_by(reading.rules.monitoring, reading.header),
        "people": people_for(session),
        "start_advice": _start_advice(reading, viewer),
    }


def _early(reading: _Reading, signals: Mapping[str, Any]) -> dict[str, Any] | None:
    """Small changes together; a value counts as long as the page shows it as known."""
    if reading.session.status not in LIVE:
        return None
    known_for_s = {signal: float(view["lost_s"]) for signal, view in signals.items()}
    start_t_s = reading.state.dose_start_t_s
    return small_changes(reading.alarms, reading.watch, known_for_s=known_for_s, dose_start_t_s=start_t_s)


def _start_advice(reading: _Reading, viewer: str | None) -> dict[str, Any] | None:
    """Only before the dose: what a start would stack for its owner, with every chair of the room in view."""
    session = reading.session
    if reading.state.phase not in ("planned", "started"):
        return None
    room = map(_Reading, _open_sessions(session.site).exclude(pk=session.pk))
    others = [(other.session.chair.name, other.state.owner, other.state, other.due) for other in room]
    steps = dose_of(session).get("steps") or ()
    owner = reading.state.owner or viewer or (session.owner.display_name if session.owner else None)
    found = start_advice(reading.rules.monitoring, reading.header, steps, others, owner)
    return None if found is None else {**found, "yours": viewer is None or owner == viewer}


def _limits(reading: _Reading) -> dict[str, Any]:
    """For each signal the nearest limit on each side, to be drawn where it stands."""
    found: dict[str, Any] = {}
    for signal in ("NIBP_SYS", "NIBP_DIA", "HR", "SPO2", "RR"):
        own = reading.watch.own(signal, reading.alarms.limits)
        if own is not None:
            found[signal] = {"low": own.low, "high": own.high, "own": True}
            continue
        sides: dict[str, Any] = {"own": False}
        for side in ("low", "high"):
            steps = [
                limit
                for limit in reading.rules.monitoring.limits
                if limit.signal == reading.watch.followed(signal)
                and not limit.with_symptom
                and limit.when != "rise-at-or-over"
                and (limit.when in ("under", "at-or-under")) == (side == "low")
                and limit.tier == "hold"
            ]
            sides[side] = steps[0].limit if steps else None
        found[signal] = sides
    return found


def _tile(reading: _Reading) -> dict[str, Any]:
    """What both pages show of a session."""
    session, state = reading.session, reading.state
    patient = session.patient
    dose = dose_of(session)
    waiting = [entry for entry in reading.due.entries if entry.status in ("due", "coming")]
    first = waiting[0] if waiting and state.phase not in ("discharged", "ended") else None
    product, route = dose_route(reading.header, state, reading.rules.discharge)
    minimum = reading.rules.discharge.time_for(product, route)
    way = way_of(dose, route, state, minimum)
    return {
        "session": str(session.pk),
        "chair": session.chair.name,
        "patient": {
            "given_name": patient.given_name,
            "family_name": patient.family_name,
            "mrn": patient.mrn,
            "birth_date": patient.birth_date.isoformat(),
        },
        "number": session.number,
        "protocol": session.plan.protocol,
        "owner": state.owner,
        "status": session.status,
        "phase": state.phase,
        "started_at": session.started_at.isoformat() if session.started_at else None,
        "t_s": reading.now_t_s,
        "watched_t_s": reading.tick_t_s,
        "clock_offset_s": reading.clock_offset_s,
        "given_mg": state.given_mg,
        "rate_mg_per_h": state.rate_mg_per_h,
        "dose_mg": dose.get("dose_mg"),
        "duration_min": dose.get("duration_min"),
        "dose_start_t_s": state.dose_start_t_s,
        "dose_end_t_s": state.end_t_s,
        "expected_end_t_s": state.expected_end_t_s,
        "recovery_min": way.phases[-1].planned_min,
        "way": way.to_json(),
        "emergency": state.emergency,
        "next": {"label": first.label, "due_t_s": first.due_t_s, "late_s": first.late_s, "what": list(first.what)}
        if first
        else None,
        "due_soon": due_soon(reading.due, reading.alarms, reading.rules.monitoring, way) if session.started_at else [],
        "scores": scores(state, reading.rules.monitoring, reading.header.protocol),
        **asked(reading.events),
        "owner_id": str(session.owner_id) if session.owner_id else None,
        "offered_to_id": str(session.offered_to_id) if session.offered_to_id else None,
        "signals": _signals(reading),
        "alarms": _alarms(reading) if session.status in LIVE else [],
    }


def _alarms(reading: _Reading) -> list[dict[str, Any]]:
    """The alarms that stand, each with the people called for it."""
    standing = reading.alarms.alarms
    calls = told(reading.session, standing)
    return [{**alarm.to_json(), "calls": calls.get(alarm.id, [])} for alarm in standing]


def _signals(reading: _Reading) -> dict[str, Any]:
    """Each signal with the seconds after which the page's own timer calls it stale or lost."""
    technical = reading.rules.monitoring.technical
    views = signal_views(reading.alarms, reading.watch)
    for signal, view in views.items():
        known = reading.alarms.signals[signal]
        entry = reading.watch.signals[signal]
        cuff = entry.cuff
        if cuff:
            schedule = reading.rules.monitoring.schedule_for(reading.header.protocol)
            every_s = 60.0 * (
                (schedule.during_every_min if reading.state.end_t_s is None else schedule.after_every_min) or 15
            )
            stale_s = every_s * technical.stale.cuffs_missed + technical.cuff_grace_s
            lost_s = every_s * technical.lost.cuffs_missed + technical.cuff_grace_s
        else:
            period_s = known.period_s or 1.0
            stale_s = max(technical.stale.floor_s, technical.stale.periods * period_s)
            lost_s = max(technical.lost.floor_s, technical.lost.periods * period_s)
        view.update(title=reading.watch.title(signal), cuff=cuff, stale_s=stale_s, lost_s=lost_s)
        view.update(low=entry.low, high=entry.high)  # what is outside cannot be a reading: no page shows it as a number
        view.pop("age_s")  # an age is told by the page's clock, from t_s
    return views


def board(site: Site) -> dict[str, Any]:
    """Every chair of a site: its open session, or nothing."""
    newest = newest_live_event(site=site)
    sessions = {session.chair_id: session for session in _open_sessions(site)}
    readings = {session.pk: _Reading(session) for session in sessions.values()}
    tiles = board_tiles(readings, site=site)
    chairs = [
        tiles[sessions[chair.pk].pk] if chair.pk in sessions else {"session": None, "chair": chair.name}
        for chair in sorted(Chair.objects.filter(site=site, is_active=True), key=lambda chair: chair_order(chair.name))
    ]
    return {
        "now": timezone.now().isoformat(),
        "last_event_id": newest,
        "monitor_age_s": monitor_age_s(),
        "chairs": chairs,
        "late_pct": _late_today_pct(site, readings),
    }


def board_chair(site: Site, session_id: UUID) -> dict[str, Any] | None:
    """One chair of the board, fetched anew after an event of its session; nothing once the session is over."""
    newest = newest_live_event(site=site, session=session_id)
    session = _open_sessions(site).filter(pk=session_id).first()
    if session is None:
        return None
    tiles = board_tiles({session.pk: _Reading(session)}, session=session)
    return {"now": timezone.now().isoformat(), "last_event_id": newest, "chairs": list(tiles.values())}


def _open_sessions(site: Site) -> QuerySet[Session]:
    whole = Session.objects.select_related("patient", "plan", "chair", "course", "site", "owner", "offered_to")
    return whole.defer("rules_snapshot", "plan__result").filter(site=site, status__in=LIVE)


def board_tiles(readings: Mapping[UUID, _Reading], **scope: Any) -> dict[UUID, dict[str, Any]]:
    """Chairs as the board draws them; ``scope`` (``site=`` or ``session=``) holds at least these."""
    doubt = doubts(**scope)
    over = passed({pk: reading.events for pk, reading in readings.items()})
    return {
        pk: {
            **_tile(reading),
            "passed": over.get(pk, []),
            "device_doubt": doubt.get(pk, ""),
            "baseline": reading.header.baseline_values(),
            "limits": _limits(reading),
            "cuffs": series(reading.session, reading.watch, ("NIBP_SYS",)).get("NIBP_SYS", {"t_s": [], "value": []}),
            "outlook": drawn(
                outlook(reading.session, reading.state, every=4), newest_forecast(reading.events), every=4
            ),
        }
        for pk, reading in readings.items()
    }


def _late_today_pct(site: Site, open_now: Mapping[UUID, _Reading]) -> float | None:
    """Share of today's due observations that were late or missed, over every session of the day."""
    since = timezone.now() - timedelta(hours=12)
    events = SessionEvent.objects.filter(session=OuterRef("pk")).order_by().values("session")
    today = Session.objects.filter(site=site, started_at__gte=since).defer("header", "rules_snapshot")
    late = judged = 0
    for session in today.annotate(recorded=Subquery(events.annotate(count=Count("pk")).values("count"))):
        reading = open_now.get(session.pk)
        counts = _counts(reading) if reading else _closed_counts(session, session.recorded)
        late, judged = late + counts[0], judged + counts[1]
    return round(100.0 * late / judged, 1) if judged else None


def _counts(reading: _Reading) -> tuple[int, int]:
    """How many due observations were late or missed, and of how many."""
    told = [entry for entry in reading.due.entries if entry.status in ("done", "late-done", "missed") or entry.late_s]
    return sum(entry.status != "done" for entry in told), len(told)


_CLOSED: dict[tuple[UUID, int], tuple[int, int]] = {}


def _closed_counts(session: Session, recorded: int) -> tuple[int, int]:
    """The same of a session that is over, counted once for what is recorded of it: a correction may still come."""
    if session.ended_at is None:
        return _counts(_Reading(session))
    key = (session.pk, recorded)
    if key not in _CLOSED:
        if len(_CLOSED) > 500:
            _CLOSED.clear()
        _CLOSED[key] = _counts(_Reading(session))
    return _CLOSED[key]
