"""The alarms of past sessions: their log, their count against the budget, and other limits tried on them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from limen.care.alarm_state import Alarm
from limen.clinic.calls.queries import log_of
from limen.clinic.sessions.export import export_session
from limen.clinic.sessions.models import AlarmRecord, AlarmSnapshot, Heartbeat, Session
from limen.clinic.sessions.record import events_of
from limen.clinic.sites.models import Site
from limen.knowledge.alarm_response import alarm_response
from limen.knowledge.monitoring import monitoring
from limen.session.alarm_budget import AlarmBudget, Watched, alarm_budget
from limen.session.export import read_export
from limen.session.limits_trial import SessionTrial, try_limits
from limen.session.replay import read_limits
from limen.session.state import corrected

OVER = (Session.Status.ENDED, Session.Status.DISCHARGED)
MOST_COUNTED = 100
MOST_TRIED = 20


def past_sessions(site: Site, most: int) -> list[Session]:
    """The newest sessions that were watched to their end."""
    rows = Session.objects.filter(site=site, status__in=OVER, started_at__isnull=False).select_related("chair", "site")
    return list(rows.order_by("-started_at")[:most])


def alarms_of(session: Session) -> tuple[Alarm, ...]:
    """Every alarm of a session in its last form, as the monitor decided it."""
    found: dict[str, Alarm] = {}
    rows = AlarmRecord.objects.filter(session=session).order_by("seq").values_list("data", flat=True)
    for data in rows:
        if data.get("alarm"):
            alarm = Alarm.from_json(data["alarm"])
            found[alarm.id] = alarm
    return tuple(found.values())


def checks(session: Session) -> dict[str, Any]:
    """How often the limits of a session were checked, and the monitor's own sign of life, counted."""
    tick_t_s = AlarmSnapshot.objects.filter(session=session).values_list("tick_t_s", flat=True).first()
    beat = Heartbeat.objects.filter(name="monitor").first()
    return {
        "count": 0 if tick_t_s is None else int(tick_t_s) + 1,
        "last_t_s": tick_t_s,
        "self_checks": beat.counter if beat else 0,
        "self_check_at": beat.at if beat else None,
    }


def budget(site: Site) -> AlarmBudget:
    """The alarms of the newest sessions against the budget."""
    return alarm_budget(
        (_watched(session.pk) for session in past_sessions(site, MOST_COUNTED)), alarm_response().budget
    )


@functools.lru_cache(maxsize=2 * MOST_COUNTED)
def _watched(session_id: UUID) -> Watched:
    """One session that is over; what was recorded of it in the end does not change the count much, nor often."""
    session = Session.objects.get(pk=session_id)
    tick_s = AlarmSnapshot.objects.filter(session=session).values_list("tick_t_s", flat=True).first()
    return Watched(alarms_of(session), corrected(events_of(session)), (tick_s or 0.0) / 3600.0)


def trial(session: Session, limits: Mapping[str, Any]) -> SessionTrial:
    """These limits on one past session.

    Raises
    ------
    InputError
        If a limit is malformed, or none is named.
    """
    recorded = read_export(export_session(session.pk))
    pairs = read_limits(limits, recorded.rules.monitoring)
    return try_limits(recorded, pairs, warned_within_s=alarm_response().budget.action_within_s)


def check_limits(limits: Mapping[str, Any]) -> None:
    """Refuse limits that no session could be tried with."""
    read_limits(limits, monitoring())


def log(session: Session) -> list[dict[str, Any]]:
    """Every change of every alarm with the calls made for it, in the order of time."""
    rows = [
        {"t_s": t_s, "kind": kind, "alarm": data["alarm"], "by": data.get("by")}
        for t_s, kind, data in AlarmRecord.objects.filter(session=session)
        .order_by("seq")
        .values_list("t_s", "kind", "data")
    ]
    titles = {row["alarm"]["id"]: row["alarm"] for row in rows if row["alarm"]}
    calls = [
        {"t_s": call["t_s"], "kind": call["kind"], "alarm": titles.get(call["alarm"]), "by": call["who"], "call": True}
        for call in log_of(session)
    ]
    return sorted([*rows, *calls], key=lambda row: row["t_s"])
