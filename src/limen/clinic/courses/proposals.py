"""What the protocol's own rules say about the next session, before anybody asks for a dose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from limen.care.missed import Missed, missed_sessions
from limen.care.planning import plan as make_plan
from limen.clinic.courses.cases import case_of
from limen.clinic.courses.exposures import history_of
from limen.clinic.courses.models import Course, Plan
from limen.clinic.sessions.models import Session
from limen.clinic.sites.dosing import dosing_of
from limen.clinic.sites.zones import local, today
from limen.knowledge.protocols import protocols

_PARTS = ("titration", "exposure", "position")


def missed_of(course: Course, sessions: Sequence[Session]) -> tuple[Missed, ...]:
    """Sessions of the course missed so far, where its protocol has a rule for them and the course goes on.

    Parameters
    ----------
    sessions : sequence of Session
        Those of the course, each with ``given_mg``: one in which nothing was given does not count.
    """
    if course.protocol not in protocols() or course.status in (Course.Status.COMPLETED, Course.Status.STOPPED):
        return ()
    day = today(course.site)
    given = [
        local(row.started_at, course.site).date()
        for row in sessions
        if row.started_at is not None and row.given_mg  # type: ignore[attr-defined]
    ]
    return missed_sessions(protocols()[course.protocol], [on for on in given if on <= day], day)


def next_step(course: Course, row: Plan | None, *, of_today: bool) -> dict[str, Any] | None:
    """The proposal, what was given before and where the session stands; of today's plan, or reckoned now.

    ``None`` where the course has no protocol yet, or the plan is older than these rules.
    """
    if row is not None and of_today:
        found = {part: row.result.get(part) for part in _PARTS}
        return found if any(found.values()) else None
    if not course.protocol:
        return None
    made = make_plan(case_of(course), course.protocol, history=history_of(course), site=dosing_of(course.site))
    whole = made.to_json()
    return {part: whole[part] for part in _PARTS}
