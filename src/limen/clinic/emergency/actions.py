"""What people do in an emergency. The press is never refused for want of anything but a right to record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from django.utils import timezone

from limen.clinic.accounts.models import User
from limen.clinic.accounts.permissions import Permission
from limen.clinic.audit.act import about, acting, action, note
from limen.clinic.emergency.models import Emergency, EmergencyEntry
from limen.clinic.emergency.queries import LIVE, event_key, team
from limen.clinic.sessions.clock import lock
from limen.clinic.sessions.handover import change_owner
from limen.clinic.sessions.models import LiveEvent, Session
from limen.clinic.sessions.outbox import emit
from limen.clinic.sessions.record import append, state_of
from limen.clinic.sites.models import Site
from limen.errors import InputError, RefusedError
from limen.knowledge.emergency import emergency_cards

Kind = EmergencyEntry.Kind
LATEST_S = 3600.0
TAPPED = (Kind.GOING, Kind.ROLE, Kind.STEP)


@action(Permission.SESSION_RECORD, on="site")
def start_emergency(
    *, by: User, site: Site, key: str, session: Session | None = None, late_s: float = 0.0
) -> Emergency:
    """Call everyone. With a chair, its record says so too; a chair that has an open emergency keeps that one.

    A page may name a chair whose session is over, with the patient still in it, or has not begun: everyone is called
    all the same, and it is that patient's emergency.
    """
    if session is not None:
        _same_site(site.pk, session)
        session = lock(session)  # before the site, as every act that needs both: the book waits for the site too
    # Two presses at once wait for each other here: the second finds what the first began.
    Site.objects.select_for_update(no_key=True).get(pk=site.pk)
    known = Emergency.objects.filter(site=site, key=key).first()
    if known is None and session is not None:
        known = Emergency.objects.filter(session=session, ended_at=None).first()
    if known is not None:
        return known
    at = timezone.now() - timedelta(seconds=_late(late_s))
    row = Emergency.objects.create(started_at=at, started_by=by, key=key)
    about(row)
    EmergencyEntry.objects.bulk_create(
        [EmergencyEntry(emergency=row, kind=Kind.CALLED, person=person, at=at) for person, _ in team(site)]
    )
    if session is not None:
        _put_at(row, session, by, late_s)
    _tell(site, row)
    return row


@action(Permission.SESSION_RECORD, on="emergency")
def name_chair(*, by: User, emergency: Emergency, session: Session, late_s: float = 0.0) -> Emergency:
    """Say which chair it is."""
    row = Emergency.objects.select_for_update(of=("self",)).get(pk=emergency.pk)
    _same_site(row.site_id, session)
    if row.session_id == session.pk:
        return row
    if row.ended_at is not None:
        # Else the session would be told of an emergency that nobody can end.
        raise RefusedError("the emergency has ended", where="emergency", hint="Press again if help is needed now")
    session = lock(session)
    if row.session_id is not None:
        raise RefusedError("the chair has been named", where="session", allowed="once", hint="End it and press again")
    if Emergency.objects.filter(session=session, ended_at=None).exists():
        raise RefusedError(f"{session.chair.name} has an emergency of its own", where="session")
    if session.status not in LIVE:
        raise RefusedError(f"{session.chair.name} has no running session", where="session", allowed="a chair in use")
    _put_at(row, session, by, late_s)
    _tell(row.site, row)
    return row


def _same_site(site_id: UUID, session: Session) -> None:
    if session.site_id != site_id:
        raise InputError("no such chair at this site", where="session", allowed="a chair of the emergency's site")


def _put_at(row: Emergency, session: Session, by: User, late_s: float) -> None:
    """Whose emergency it is. A session that runs has it among its events too."""
    row.session = session
    row.save(update_fields=["session"])
    at = timezone.now() - timedelta(seconds=_late(late_s))
    when = (
        ""
        if session.status in LIVE
        else ", before its session"
        if session.started_at is None
        else ", after its session"
    )
    where = f"{session.chair.name}{when}"
    EmergencyEntry.objects.create(emergency=row, kind=Kind.CHAIR_NAMED, person=by, what=where, at=at)
    if session.status in LIVE and not state_of(session).emergency:
        append(session, "emergency.started", by=by.display_name, key=event_key(row), late_s=_late(late_s))


@action(Permission.SESSION_RECORD, on="emergency")
def tap(
    *, by: User, emergency: Emergency, kind: str, what: str = "", key: str | None = None, late_s: float = 0.0
) -> Emergency:
    """Somebody goes, takes a role, or has done a step; the time is that of the tap.

    A step is an event of the session too, after its end as well: what was done there is in its record and its file.
    """
    row = _open(emergency, key)
    if row is None:
        return emergency
    cards = emergency_cards()
    if kind not in TAPPED:
        raise InputError(f"unknown deed {kind!r}", where="kind", allowed=", ".join(TAPPED))
    if kind == Kind.STEP and cards.step(what) is None:
        raise InputError(f"unknown step {what!r}", where="what", allowed="a step of a role card")
    if kind == Kind.ROLE and what not in {role.id for role in cards.roles}:
        raise InputError(f"unknown role {what!r}", where="what", allowed=", ".join(role.id for role in cards.roles))
    at = timezone.now() - timedelta(seconds=_late(late_s))
    EmergencyEntry.objects.create(emergency=row, kind=kind, person=by, what=what, at=at, key=key)
    if kind == Kind.STEP and row.session is not None and row.session.started_at is not None:
        step = cards.step(what)
        append(
            row.session,
            "emergency.step",
            by=by.display_name,
            data={"what": step.text if step else what},
            key=str(uuid5(row.pk, key)) if key else None,
            late_s=_late(late_s),
        )
    note(kind=kind, what=what)
    _tell(row.site, row)
    return row


@action(Permission.SESSION_RECORD, on="emergency")
def take_chair(*, by: User, emergency: Emergency, session: Session, key: str | None = None) -> Emergency:
    """Take charge of another chair while its owner is at the emergency: under the own name, at once."""
    row = _open(emergency, key)
    if row is None:
        return emergency
    if session.pk == row.session_id or session.site_id != row.site_id:
        raise InputError("not another chair of this site", where="session", allowed="a chair without the emergency")
    if session.owner_id != by.pk:
        change_owner(session, by=by, to=by, reason="its owner is at an emergency")
    EmergencyEntry.objects.create(emergency=row, kind=Kind.CHAIR_TAKEN, person=by, what=session.chair.name, key=key)
    _tell(row.site, row)
    return row


@action(Permission.SESSION_RECORD, on="emergency")
def end_emergency(*, by: User, emergency: Emergency, outcome: str = "", key: str | None = None) -> Emergency:
    """It is over; what came of it in words."""
    row = _open(emergency, key)
    if row is None:
        return emergency
    if len(outcome.strip()) < 3:
        raise InputError("no outcome", where="outcome", allowed="in a few words, such as called by mistake")
    EmergencyEntry.objects.create(emergency=row, kind=Kind.ENDED, person=by, key=key)
    row.ended_at = timezone.now()
    row.outcome = outcome.strip()[:500]
    row.save(update_fields=["ended_at", "outcome"])
    if row.session is not None and row.session.status in LIVE and state_of(row.session).emergency:
        append(row.session, "emergency.ended", by=by.display_name, data={"outcome": row.outcome})
    note(outcome=row.outcome)
    _tell(row.site, row)
    return row


def screen_showed(*, user: User, site: Site, ids: list[UUID]) -> None:
    """A page of this person has shown these emergencies: the proof that the call arrived."""
    called = EmergencyEntry.objects.filter(
        site=site, person=user, kind=Kind.CALLED, emergency__ended_at=None, emergency_id__in=ids
    ).select_related("emergency")
    told = set(
        EmergencyEntry.objects.filter(person=user, kind=Kind.SHOWN, emergency_id__in=ids).values_list(
            "emergency_id", flat=True
        )
    )
    news = [entry.emergency for entry in called if entry.emergency_id not in told]
    if not news:
        return
    with acting(by=user.username, action="emergency.screen_showed", site=site, audited=False):
        for row in news:
            EmergencyEntry.objects.create(emergency=row, kind=Kind.SHOWN, person=user, key=f"shown-{user.pk}")


def _open(emergency: Emergency, key: str | None) -> Emergency | None:
    """The emergency locked and open; ``None`` where this deed was done before."""
    row = (
        Emergency.objects.select_for_update(of=("self",)).select_related("session__chair", "site").get(pk=emergency.pk)
    )
    if key and EmergencyEntry.objects.filter(emergency=row, key=key).exists():
        return None
    if row.ended_at is not None:
        raise RefusedError("the emergency has ended", where="emergency")
    return row


def _late(late_s: float) -> float:
    return min(max(0.0, late_s), LATEST_S)


def _tell(site: Site, row: Emergency) -> None:
    """Live pages of every chair hear of it."""
    data: dict[str, Any] = {"emergency": str(row.pk)}
    for session in Session.objects.filter(site=site, status__in=LIVE):
        emit(session, LiveEvent.Kind.EVENT, data)
