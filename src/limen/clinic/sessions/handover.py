"""Who is in charge of a chair: offered by the owner, accepted by the other person under the own name. Never nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from limen.clinic.accounts.permissions import Permission
from limen.clinic.accounts.policy import holds
from limen.clinic.accounts.roles import ROLES
from limen.clinic.audit.act import action, note
from limen.clinic.sessions.clock import lock
from limen.clinic.sessions.models import Session, SessionEvent
from limen.clinic.sessions.record import append, done_before
from limen.errors import InputError, RefusedError

if TYPE_CHECKING:
    from limen.clinic.accounts.models import User

REASON_LENGTH = 10


@action(Permission.SESSION_RECORD, on="session")
def offer_chair(*, by: User, session: Session, to: User, key: str | None = None) -> SessionEvent:
    """Ask another person to take charge. The owner stays the owner until that person accepts.

    Raises
    ------
    InputError
        If that person may not run a session at this site, or is the owner.
    RefusedError
        If somebody else than the owner asks.
    """
    session = lock(session)
    known = done_before(session, "owner.offered", key)
    if known is not None:
        return known
    _refuse_stranger(session, to)
    if to.pk == session.owner_id:
        raise InputError("is in charge of this chair", where="to", allowed="another person")
    if by.pk != session.owner_id:
        raise RefusedError(
            f"{session.owner.display_name if session.owner else 'nobody'} is in charge",
            where="owner.offered",
            allowed="the owner hands over",
            hint="Take the chair over with a reason where the owner cannot",
        )
    row = append(session, "owner.offered", by=by.display_name, data={"to": to.display_name}, key=key)
    Session.objects.filter(pk=session.pk).update(offered_to=to)
    note(to=to.username)
    return row


@action(Permission.SESSION_RECORD, on="session")
def accept_chair(*, by: User, session: Session, key: str | None = None) -> SessionEvent:
    """Take charge of a chair that was offered to you.

    Raises
    ------
    RefusedError
        If it was not offered to you, or no longer is.
    """
    session = lock(session)
    known = done_before(session, "owner.changed", key)
    if known is not None:
        return known
    if session.offered_to_id != by.pk:
        raise RefusedError(
            "this chair is not offered to you",
            where="owner.changed",
            allowed="the person it is offered to, under the own name",
            hint="Take it over with a reason where the owner cannot hand over",
        )
    return _change(session, by, by, key)


@action(Permission.SESSION_RECORD, on="session")
def decline_chair(*, by: User, session: Session, reason: str = "", key: str | None = None) -> SessionEvent:
    """Not take a chair that was offered to you, or take your own offer back. The owner stays."""
    session = lock(session)
    known = done_before(session, "owner.declined", key)
    if known is not None:
        return known
    if session.offered_to_id is None:
        raise RefusedError("no hand-over waits for an answer", where="owner.declined")
    if by.pk not in (session.offered_to_id, session.owner_id):
        raise RefusedError("this hand-over is between two others", where="owner.declined")
    data = {"reason": reason.strip()} if reason.strip() else {}
    row = append(session, "owner.declined", by=by.display_name, data=data, key=key)
    Session.objects.filter(pk=session.pk).update(offered_to=None)
    return row


@action(Permission.SESSION_RECORD, on="session")
def take_over(*, by: User, session: Session, reason: str, key: str | None = None) -> SessionEvent:
    """Take charge without an offer, where the owner cannot hand over: called away, ill, in an emergency."""
    session = lock(session)
    known = done_before(session, "owner.changed", key)
    if known is not None:
        return known
    if len(reason.strip()) < REASON_LENGTH:
        raise InputError("the reason says too little", where="reason", allowed=f"at least {REASON_LENGTH} letters")
    if by.pk == session.owner_id:
        raise RefusedError("you are in charge of this chair", where="owner.changed")
    return _change(session, by, by, key, reason=reason.strip())


def change_owner(session: Session, *, by: User, to: User, reason: str) -> SessionEvent:
    """Give a chair to another person inside an act that decides it, such as an emergency that re-assigns chairs."""
    session = lock(session)
    _refuse_stranger(session, to)
    return _change(session, by, to, None, reason=reason)


def people_for(session: Session) -> list[dict[str, str]]:
    """Whom the chair can be handed to: those who may run a session at its site, but the owner."""
    from limen.clinic.accounts.models import User

    roles = [name for name, role in ROLES.items() if Permission.SESSION_RECORD in role.permissions]
    rows = User.objects.filter(
        is_active=True, memberships__site=session.site, memberships__is_active=True, memberships__role__in=roles
    )
    if session.owner_id is not None:
        rows = rows.exclude(pk=session.owner_id)
    return [{"id": str(row.pk), "name": row.display_name} for row in rows.distinct().order_by("display_name")]


def refuse_leaving_chairs(user: User, site_id: UUID) -> None:
    """Refuse to take the last role from a person who is in charge of a chair: it would have nobody.

    Raises
    ------
    RefusedError
        Names the chairs to hand over first.
    """
    owned = Session.objects.filter(owner=user, site_id=site_id, status__in=["running", "recovery"])
    chairs = [session.chair.name for session in owned.select_related("chair")]
    if chairs:
        raise RefusedError(
            f"{user.display_name} is in charge of {', '.join(chairs)}",
            where="membership",
            hint="Hand the chairs over first",
        )


def _change(session: Session, by: User, to: User, key: str | None, *, reason: str = "") -> SessionEvent:
    was = session.owner
    data = {"to": to.display_name, "from": was.display_name if was else None, "reason": reason or None}
    kept = {name: value for name, value in data.items() if value}
    row = append(session, "owner.changed", by=by.display_name, data=kept, key=key)
    Session.objects.filter(pk=session.pk).update(owner=to, offered_to=None)
    note(owner=to.username, was=was.username if was else None)
    return row


def _refuse_stranger(session: Session, to: User) -> None:
    if not holds(to, Permission.SESSION_RECORD, session.site):
        raise InputError("may not run a session at this site", where="to", allowed="a nurse or prescriber of the site")
