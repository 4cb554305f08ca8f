"""Reads about calls: what was made, who can be reached, what a person is called to now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from limen.care.alarm_state import Alarm, AlarmState
from limen.care.escalation import Call, Person
from limen.clinic.accounts.models import Membership, User
from limen.clinic.accounts.permissions import Permission
from limen.clinic.accounts.roles import ROLES
from limen.clinic.calls.models import CallEntry, Screen
from limen.clinic.sessions.clock import TURNED_S, turned_s
from limen.clinic.sessions.models import AlarmRecord, AlarmSnapshot, Session
from limen.clinic.sites.models import Site
from limen.knowledge.alarm_response import AlarmResponse, alarm_response
from limen.session.events import Event
from limen.session.latched import passed_unseen

LIVE = (Session.Status.RUNNING, Session.Status.RECOVERY)
Entry = CallEntry.Kind


def people(site: Site, rules: AlarmResponse) -> tuple[Person, ...]:
    """Everybody of the site, with whether a screen of theirs asks for calls."""
    here = set(Screen.objects.filter(site=site, asked_at__range=_just_now(rules)).values_list("user_id", flat=True))
    held: dict[int, list[str]] = {}
    for user_id, role in Membership.objects.filter(site=site, is_active=True, user__is_active=True).values_list(
        "user_id", "role"
    ):
        held.setdefault(user_id, []).append(role)
    return tuple(
        Person(
            id=str(user_id),
            roles=tuple(sorted(roles)),
            answers=any(Permission.ALARM_ACKNOWLEDGE in ROLES[role].permissions for role in roles),
            present=user_id in here,
        )
        for user_id, roles in sorted(held.items())
    )


def sounding(site: Site) -> list[str]:
    """Whose screens can be heard now: a page with its sound tested, asking."""
    rows = Screen.objects.filter(site=site, sounded_at__range=_just_now(alarm_response()))
    return list(rows.order_by("user__display_name").values_list("user__display_name", flat=True))


def _just_now(rules: AlarmResponse) -> tuple[datetime, datetime]:
    """When a screen that can be counted on asked. Not in time to come: the server's clock was set back since then."""
    now = timezone.now()
    return now - timedelta(seconds=rules.present_within_s), now + timedelta(seconds=TURNED_S)


def calls_for(session: Session, alarms: Iterable[Alarm]) -> tuple[Call, ...]:
    """Every call made for these alarms, with its delivery and its acceptance."""
    rows = CallEntry.objects.filter(session=session, alarm__in=[alarm.id for alarm in alarms]).exclude(
        kind=Entry.NOBODY
    )
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for alarm, person_id, step, kind, t_s in rows.values_list("alarm", "person_id", "step", "kind", "t_s"):
        entry = found.setdefault((alarm, person_id), {"step": step, "called": t_s})
        entry[kind] = t_s
    return tuple(
        Call(alarm, str(person), entry["step"], entry["called"], entry.get("delivered"), entry.get("accepted"))
        for (alarm, person), entry in found.items()
    )


def calls_of(user: User, site: Site) -> list[dict[str, Any]]:
    """What a person is called to now: calls for alarms that still stand unanswered, newest last."""
    standing: dict[tuple[Any, str], tuple[AlarmSnapshot, Alarm]] = {}
    snapshots = AlarmSnapshot.objects.filter(session__site=site, session__status__in=LIVE).select_related(
        "session__chair", "session__owner"
    )
    for snapshot in snapshots.defer("session__header", "session__rules_snapshot"):
        if not snapshot.state:
            continue
        for alarm in AlarmState.from_json(snapshot.state).alarms:
            if alarm.acknowledged_t_s is None:
                standing[snapshot.session_id, alarm.id] = (snapshot, alarm)
    if not standing:
        return []
    rows = CallEntry.objects.filter(person=user, session_id__in={pk for pk, _ in standing})
    kinds: dict[tuple[Any, str], set[str]] = {}
    steps: dict[tuple[Any, str], int] = {}
    for session_id, alarm_id, kind, step in rows.values_list("session_id", "alarm", "kind", "step"):
        if (session_id, alarm_id) in standing:
            kinds.setdefault((session_id, alarm_id), set()).add(kind)
            steps[session_id, alarm_id] = step
    return [_call_json(*standing[key], steps[key], found) for key, found in kinds.items()]


def _call_json(snapshot: AlarmSnapshot, alarm: Alarm, step: int, kinds: set[str]) -> dict[str, Any]:
    session = snapshot.session
    # By the clock as it stands now: a page counts from it.
    since_s = alarm.t_s - turned_s(session, snapshot)
    began = session.started_at + timedelta(seconds=since_s) if session.started_at is not None else None
    return {
        "session": str(session.pk),
        "alarm": alarm.id,
        "chair": session.chair.name,
        "owner": session.owner.display_name if session.owner else None,
        "priority": alarm.priority,
        "because": alarm.because,
        "since": began.isoformat() if began is not None else None,
        "step": step,
        "delivered": Entry.DELIVERED in kinds,
        "accepted": Entry.ACCEPTED in kinds,
    }


def passed(sessions: Mapping[UUID, Sequence[Event]]) -> dict[UUID, list[dict[str, Any]]]:
    """For each session, with its events, the alarms that ended before anybody saw them and still wait to be seen."""
    kept = alarm_response().latched
    rows = AlarmRecord.objects.filter(session_id__in=list(sessions), kind__in=("raised", "ended")).order_by("seq")
    last: dict[UUID, dict[str, Alarm]] = {}
    for pk, data in rows.filter(data__alarm__priority__in=kept).values_list("session_id", "data"):
        alarm = Alarm.from_json(data["alarm"])
        last.setdefault(pk, {})[alarm.id] = alarm
    found = {pk: passed_unseen(alarms.values(), sessions[pk], kept) for pk, alarms in last.items()}
    return {pk: [alarm.to_json() for alarm in alarms] for pk, alarms in found.items() if alarms}


def told(session: Session, alarms: Iterable[Alarm]) -> dict[str, list[dict[str, Any]]]:
    """For each alarm who was called and what became of it, as pages show it."""
    ids = [alarm.id for alarm in alarms if alarm_response().ladder(alarm.priority) is not None]
    found: dict[str, list[dict[str, Any]]] = {}
    if not ids:
        return found
    rows = CallEntry.objects.filter(session=session, alarm__in=ids).order_by("id")
    for alarm, who, step, kind, t_s in rows.values_list("alarm", "person__display_name", "step", "kind", "t_s"):
        found.setdefault(alarm, []).append({"who": who, "step": step, "kind": kind, "t_s": t_s})
    return found


def log_of(session: Session) -> list[dict[str, Any]]:
    """Every entry of a session's calls, for its alarm log and its export."""
    rows = CallEntry.objects.filter(session=session).order_by("id")
    names = ("alarm", "person__display_name", "step", "kind", "t_s")
    return [
        {"alarm": alarm, "who": who, "step": step, "kind": kind, "t_s": t_s}
        for alarm, who, step, kind, t_s in rows.values_list(*names)
    ]
