"""What the plan of a session came to, read once for each plan; and which sessions of a plan or course there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from limen.clinic.courses.models import Course, Plan
from limen.clinic.sessions.models import Session
from limen.clinic.sites.zones import today
from limen.errors import RefusedError

_READ: dict[UUID, Mapping[str, Any]] = {}
_MOST = 64
REASON_LENGTH = 10
_REPLACED = "another plan has been signed since this session was prepared"


def plan_of(session: Session) -> Mapping[str, Any]:
    """The result of the plan: no plan's is ever changed, and reading its forecast takes longer than the rest of a tile.

    The same mapping is given to all: read it, change nothing in it.
    """
    if session.plan_id not in _READ:
        while len(_READ) >= _MOST:
            _READ.pop(next(iter(_READ)), None)
        _READ[session.plan_id] = session.plan.result
    return _READ[session.plan_id]


def dose_of(session: Session) -> Mapping[str, Any]:
    """Its dose; empty where the plan holds none."""
    return plan_of(session).get("dose") or {}


def why_not_now(session: Session) -> str:
    """Why a session that has not begun may not start: another order stands, or the facts are of another day."""
    plan = Plan.objects.only("status", "on", "site").select_related("site").get(pk=session.plan_id)
    if plan.status != Plan.Status.SIGNED:
        return _REPLACED
    return "" if plan.on == today(plan.site) else f"the plan rests on the facts of {plan.on}"


def refuse_old_order(session: Session) -> None:
    """Refuse to start on an order that was replaced after the session was prepared, or on the facts of another day.

    Raises
    ------
    RefusedError
        Says which of the two, and what to do.
    """
    _lock_order(session)
    why = why_not_now(session)
    if why:
        raise RefusedError(
            why,
            where="plan",
            allowed="the signed plan, of today",
            hint="End this session before it begins, and prepare one of a plan that is signed today",
        )


def refuse_replaced_order(session: Session, values: Mapping[str, Any]) -> None:
    """Refuse a dose by an order that was replaced while the session ran; a note that says why lets it pass.

    Raises
    ------
    RefusedError
        If the plan is no longer the signed one, and no note says why its dose is given.
    """
    if told_why(values):
        return
    _lock_order(session)
    if Plan.objects.only("status").get(pk=session.plan_id).status != Plan.Status.SIGNED:
        raise RefusedError(
            _REPLACED,
            where="plan",
            allowed=f"a note of at least {REASON_LENGTH} letters that says why this dose is given",
            hint="Ask the prescriber which dose stands",
        )


def told_why(values: Mapping[str, Any]) -> bool:
    """Whether a note says why something else than planned is given."""
    return len(str(values.get("note") or "").strip()) >= REASON_LENGTH


def refuse_unplanned(chosen: Mapping[str, Any], signed: Mapping[str, Any], names: Sequence[str]) -> None:
    """Refuse what is not as signed; the first of ``names`` that differs is named. Call it where no note says why.

    Raises
    ------
    RefusedError
        Names the value and the plan's.
    """
    for name in names:
        if chosen[name] != signed[name]:
            raise RefusedError(
                f"{name} {_said(chosen[name])} is not the signed plan's {_said(signed[name])}",
                where=name,
                allowed=f"{_said(signed[name])}, or a note of at least {REASON_LENGTH} letters that says why",
            )


def _said(value: Any) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value:g}" if number else f"{value!r:.40}"


def _lock_order(session: Session) -> None:
    """Signing another plan takes the same lock, so one of the two comes first."""
    Course.objects.select_for_update(no_key=True).get(pk=session.course_id)


def that_stand(sessions: QuerySet[Session]) -> QuerySet[Session]:
    """Without those that were ended before they began: nothing was given in them, and they use up no plan."""
    return sessions.exclude(status=Session.Status.ENDED, started_at=None)
