"""Doses given at once: an injection, a nasal device, a tablet. Each is the next of the signed plan's, in its order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from limen.clinic.sessions.models import Session
from limen.clinic.sessions.planned import REASON_LENGTH, dose_of, refuse_unplanned, told_why
from limen.clinic.sessions.record import state_of
from limen.errors import RefusedError


def planned(session: Session) -> list[dict[str, Any]]:
    """The plan's doses at once, in order."""
    steps = dose_of(session).get("steps") or ()
    return [step for step in steps if step["kind"] != "infusion"]


def next_dose(session: Session, values: Mapping[str, Any]) -> dict[str, Any]:
    """The next dose of the signed plan; another amount, or one more, needs a reason in words. Call it under ``lock``.

    Raises
    ------
    RefusedError
        If the plan has no dose left, or another amount is named, and no note says why.
    """
    steps = planned(session)
    given = len(state_of(session).doses) if session.started_at is not None else 0
    told = told_why(values)
    if given >= len(steps):
        if told or not dose_of(session).get("steps"):
            return {"route": session.course.route, **values}
        raise RefusedError(
            f"every dose of the signed plan is given ({len(steps)})"
            if steps
            else "the signed plan holds no dose at once",
            where="dose_mg",
            allowed=f"a note of at least {REASON_LENGTH} letters that says why one more",
        )
    step = steps[given]
    wanted = {"dose_mg": step["dose_mg"], "route": session.course.route}
    if step["kind"] == "device":
        wanted["devices"] = 1
    chosen = {**wanted, **values}
    if not told:
        refuse_unplanned(chosen, wanted, tuple(wanted))
    return chosen
