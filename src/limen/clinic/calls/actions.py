"""Calls are made by the monitor, shown by screens, accepted by people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from limen.care.alarm_state import AlarmState
from limen.care.escalation import escalate
from limen.clinic.accounts.models import User
from limen.clinic.accounts.permissions import Permission
from limen.clinic.audit.act import acting, action, note
from limen.clinic.calls.models import CallEntry, Screen
from limen.clinic.calls.queries import calls_for, people
from limen.clinic.sessions.clock import session_now_s
from limen.clinic.sessions.models import LiveEvent, Session
from limen.clinic.sessions.outbox import emit
from limen.clinic.sites.models import Site
from limen.errors import InputError
from limen.knowledge.alarm_response import alarm_response

ASKED_EVERY = timedelta(seconds=5)  # a page asks more often; one write in this time is enough to know that it is there
Entry = CallEntry.Kind


def call_people(session: Session, state: AlarmState, now_t_s: float) -> None:
    """Make the calls that are due for the alarms that stand. Inside the monitor's act, after its ticks."""
    rules = alarm_response()
    waiting = [alarm for alarm in state.alarms if alarm.acknowledged_t_s is None and rules.ladder(alarm.priority)]
    if not waiting:
        return
    made = calls_for(session, waiting)
    owner = str(session.owner_id) if session.owner_id else None
    new: list[CallEntry] = []
    team = people(session.site, rules)
    nobody = set(
        CallEntry.objects.filter(session=session, kind=Entry.NOBODY, alarm__in=[alarm.id for alarm in waiting])
        .values_list("alarm", flat=True)
    )  # fmt: skip
    for found in escalate(waiting, made, team, owner=owner, rules=rules, now_t_s=now_t_s):
        new += [
            CallEntry(
                session=session, alarm=call.alarm, person_id=int(call.person), step=call.step, kind=Entry.CALLED,
                t_s=now_t_s,
            )
            for call in found.calls
        ]  # fmt: skip
        if found.exhausted and not found.reached and found.alarm not in nobody:
            new.append(CallEntry(session=session, alarm=found.alarm, kind=Entry.NOBODY, t_s=now_t_s))
    if new:
        CallEntry.objects.bulk_create(new)
        emit(session, LiveEvent.Kind.ALARM, {"t_s": now_t_s, "calls": len(new)})


def screen_asks(*, user: User, site: Site, sounds: bool = False) -> None:
    """A page of this person is there to be called, and ``sounds`` if its sound is armed: few writes in a time."""
    now = timezone.now()
    lately = (now - ASKED_EVERY, now)  # a time to come is from before the server's clock was set back
    fresh = {"asked_at__range": lately, **({"sounded_at__range": lately} if sounds else {})}
    with acting(by=user.username, action="calls.screen_asks", site=site, audited=False):
        mine = Screen.objects.filter(site=site, user=user)
        if mine.filter(**fresh).exists():
            return
        fields = {"asked_at": now, **({"sounded_at": now} if sounds else {})}
        if not mine.update(**fields):
            Screen.objects.create(user=user, **fields)


def shown(*, user: User, site: Site, calls: Iterable[Mapping[str, Any]]) -> int:
    """A screen of this person has shown these calls; how many of them were news."""
    wanted = [(session_id_of(call), str(call.get("alarm") or "")) for call in calls]
    if not wanted:
        return 0
    count = 0
    with acting(by=user.username, action="calls.shown", site=site, audited=False):
        for session_id, alarm in wanted:
            count += _mark(user, site, session_id, alarm, Entry.DELIVERED)
    return count


@action(Permission.ALARM_ACKNOWLEDGE, on="session")
def accept(*, by: User, session: Session, alarm: str) -> None:
    """This person is on the way. The alarm itself still waits for its own answer."""
    if not _mark(by, session.site, session.pk, alarm, Entry.ACCEPTED):
        known = CallEntry.objects.filter(session=session, person=by, alarm=alarm, kind=Entry.ACCEPTED).exists()
        if not known:
            raise InputError("no such call to you", where="alarm", allowed="an alarm you were called to")
    note(alarm=alarm)


def session_id_of(call: Mapping[str, Any]) -> UUID:
    try:
        return UUID(str(call.get("session")))
    except ValueError:
        raise InputError("names no session", where="shown", allowed='[{"session": .., "alarm": ..}]') from None


def _mark(user: User, site: Site, session_id: UUID, alarm: str, kind: str) -> int:
    """Add the entry where the call was made and the entry is not there yet."""
    rows = CallEntry.objects.filter(site=site, session_id=session_id, alarm=alarm, person=user)
    called = rows.filter(kind=Entry.CALLED).select_related("session").first()
    if called is None or rows.filter(kind=kind).exists():
        return 0
    session = called.session
    t_s = round(max(session_now_s(session), called.t_s), 3)
    CallEntry.objects.create(session=session, alarm=alarm, person=user, step=called.step, kind=kind, t_s=t_s)
    emit(session, LiveEvent.Kind.ALARM, {"t_s": t_s, "calls": 1})
    return 1
