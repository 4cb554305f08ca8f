"""What the protocol's own rules say about the next session, before anybody asks for a dose."""

from __future__ import annotations

from typing import Any

from limen.care.planning import plan as make_plan
from limen.clinic.courses.cases import case_of
from limen.clinic.courses.exposures import history_of
from limen.clinic.courses.models import Course, Plan
from limen.clinic.sites.dosing import dosing_of

_PARTS = ("titration", "exposure", "position")


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
