"""What the plan of a session came to, read once for each plan; and which sessions of a plan or course there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from limen.clinic.sessions.models import Session

_READ: dict[UUID, Mapping[str, Any]] = {}
_MOST = 64


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


def that_stand(sessions: QuerySet[Session]) -> QuerySet[Session]:
    """Without those that were ended before they began: nothing was given in them, and they use up no plan."""
    return sessions.exclude(status=Session.Status.ENDED, started_at=None)
