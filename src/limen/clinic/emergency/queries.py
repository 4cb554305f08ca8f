"""Reads of an emergency: what is open, who was called, what may be given, which chairs need somebody."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from limen.clinic.accounts.models import Membership, User
from limen.clinic.accounts.permissions import Permission
from limen.clinic.accounts.roles import ROLES
from limen.clinic.emergency.models import Emergency, EmergencyEntry
from limen.clinic.sessions.clock import TURNED_S
from limen.clinic.sessions.models import AlarmSnapshot, Session, SessionEvent
from limen.clinic.sites.models import Site
from limen.clinic.sites.rescue import emergency_sheet
from limen.errors import LimenError

LIVE = (Session.Status.RUNNING, Session.Status.RECOVERY)
Kind = EmergencyEntry.Kind


def team(site: Site) -> list[tuple[User, str]]:
    """Everybody of the site who may help at a chair, with their roles in words, by name."""
    found: dict[int, tuple[User, list[str]]] = {}
    rows = Membership.objects.filter(site=site, is_active=True, user__is_active=True).select_related("user")
    for row in rows.order_by("user__display_name", "role"):
        if Permission.SESSION_RECORD in ROLES[row.role].permissions:
            found.setdefault(row.user_id, (row.user, []))[1].append(ROLES[row.role].title)
    return [(user, ", ".join(roles)) for user, roles in found.values()]


def open_emergencies(site: Site) -> list[dict[str, Any]]:
    """Every emergency of the site that has not ended, newest first."""
    rows = Emergency.objects.filter(site=site, ended_at=None).select_related("session__chair", "started_by")
    return [emergency_json(row) for row in rows]


def emergency_json(row: Emergency, *, turned_s: float = 0.0) -> dict[str, Any]:
    """One emergency as pages show it; its times are put on by ``turned_s`` where they stand beside a session's."""

    def told(at: datetime) -> str:
        return (at + timedelta(seconds=turned_s)).isoformat()

    entries = list(row.entries.select_related("person"))
    people: dict[str, dict[str, Any]] = {}
    for entry in entries:
        if entry.kind in (Kind.CALLED, Kind.SHOWN, Kind.GOING):
            people.setdefault(entry.person.display_name, {"name": entry.person.display_name, "person": entry.person_id})
            people[entry.person.display_name][str(entry.kind)] = told(entry.at)
    return {
        "id": str(row.pk),
        "session": str(row.session_id) if row.session_id else None,
        "chair": next((entry.what for entry in reversed(entries) if entry.kind == Kind.CHAIR_NAMED), None),
        "started_at": told(row.started_at),
        "started_by": row.started_by.display_name,
        "ended_at": told(row.ended_at) if row.ended_at else None,
        "outcome": row.outcome,
        "people": list(people.values()),
        "roles": {entry.what: entry.person.display_name for entry in entries if entry.kind == Kind.ROLE},
        "steps": {
            entry.what: {"at": told(entry.at), "by": entry.person.display_name}
            for entry in entries
            if entry.kind == Kind.STEP
        },
        "chairs_taken": {entry.what: entry.person.display_name for entry in entries if entry.kind == Kind.CHAIR_TAKEN},
    }


def told_beside(session: Session) -> list[dict[str, Any]]:
    """The emergencies of a session, the first one first, in times that count on from its start as its events' do."""
    rows = Emergency.objects.filter(session=session).select_related("session__chair", "started_by")
    return [emergency_json(row, turned_s=_turned_then_s(session, row)) for row in rows.order_by("created_at")]


def _turned_then_s(session: Session, row: Emergency) -> float:
    """How far the server's clock had been set back when this emergency was written into the session."""
    event = SessionEvent.objects.filter(session=session, key=event_key(row)).first()
    if event is None or session.started_at is None:
        last = AlarmSnapshot.objects.filter(session=session).values_list("clock_offset_s", flat=True).first()
        return last or 0.0
    known_s = float(event.data.get("received_t_s", event.t_s))
    turned_s = known_s - (event.at - session.started_at).total_seconds()
    return turned_s if abs(turned_s) > TURNED_S else 0.0


def event_key(row: Emergency) -> str:
    """What the session knows this emergency by."""
    return f"emergency-{row.pk}"


def sheets(site: Site) -> list[dict[str, Any]]:
    """Every chair in use, and whoever needs help after the session: who it is, who is in charge, what may be given.

    A page fetches it when it opens and keeps it, so that it stands when the network does not.
    """
    helped = Emergency.objects.filter(site=site, ended_at=None, session__isnull=False).values("session")
    rows = Session.objects.filter(Q(status__in=LIVE) | Q(pk__in=helped), site=site).select_related(
        "patient", "chair", "owner", "site", "course", "plan"
    )
    return [sheet_of(session) for session in rows.order_by("chair__name")]


def sheet_of(session: Session) -> dict[str, Any]:
    """One of them; the drugs in mg and in mL of this site's stock."""
    return {
        "session": str(session.pk),
        "live": session.status in LIVE,
        "chair": session.chair.name,
        "patient": f"{session.patient.given_name} {session.patient.family_name}",
        "mrn": session.patient.mrn,
        "birth_date": session.patient.birth_date.isoformat(),
        "weight_kg": (session.header.get("patient") or {}).get("weight_kg"),
        "owner": session.owner.display_name if session.owner else None,
        "owner_id": session.owner_id,
        "offers": _offers(session),
    }


def _offers(session: Session) -> list[dict[str, Any]]:
    try:
        return [offer.to_json() for offer in emergency_sheet(session)]
    except LimenError as problem:
        # A chart that cannot be read must not take the role cards away: said in its place.
        return [{"usable": False, "words": str(problem), "title": "No drug can be offered", "against": []}]
