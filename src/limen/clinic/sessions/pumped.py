"""Infusions: started as signed, once, and never faster than it was started without a reason in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from limen.clinic.sessions.models import Session
from limen.clinic.sessions.planned import REASON_LENGTH, dose_of, refuse_unplanned, told_why
from limen.clinic.sessions.record import state_of
from limen.errors import RefusedError

# What rounding on a pump's keys comes to.
_AS_FAST = 1.01


def planned_infusion(session: Session, values: Mapping[str, Any]) -> dict[str, Any]:
    """The infusion of the signed plan; a second one, another dose, duration or route needs a reason in words.

    Raises
    ------
    RefusedError
        If the plan holds none, it was started before, or something differs, and no note says why.
    """
    told = told_why(values)
    dose = dose_of(session)
    every = dose.get("steps") or ()
    steps = [step for step in every if step["kind"] == "infusion"]
    because = None
    if every and not steps:
        because = "the signed plan holds no infusion"
    elif steps and state_of(session).infusions:
        because = "the infusion of the signed plan was started before"
    if because is not None and not told:
        raise RefusedError(
            because,
            where="infusion.started",
            allowed=f"a note of at least {REASON_LENGTH} letters that says why",
        )
    if not steps:
        return dict(values)
    planned = {
        "dose_mg": sum(step["dose_mg"] for step in steps),
        "duration_min": sum(step["duration_min"] for step in steps),
        "route": session.course.route,
        "concentration_mg_per_mL": (dose.get("syringe") or {}).get("concentration_mg_per_mL"),
    }
    chosen = {**planned, **values}
    if not told:
        refuse_unplanned(chosen, planned, tuple(planned))
    return chosen


def refuse_faster(session: Session, values: Mapping[str, Any]) -> None:
    """Refuse a rate over the one that the infusion was started with, unless a reason is given: 525 for 52.5 mL/h.

    Slower is never refused. Call it under ``lock``, and not for what was done while the line was down.

    Raises
    ------
    RefusedError
        Names both rates.
    """
    runs = state_of(session).infusions
    if not runs or len(str(values.get("reason") or "").strip()) >= REASON_LENGTH:
        return
    run = runs[-1]
    began_mg_per_h = 60.0 * run.dose_mg / run.duration_min
    strength = run.concentration_mg_per_mL
    for name, per_unit in (("rate_mg_per_h", 1.0), ("rate_mL_per_h", strength)):
        asked = values.get(name)
        if per_unit is None or isinstance(asked, bool) or not isinstance(asked, int | float):
            continue  # what is no rate is refused by the vocabulary
        if asked * per_unit > began_mg_per_h * _AS_FAST:
            raise RefusedError(
                f"{asked:g} is faster than the {began_mg_per_h / per_unit:g} it was started with",
                where=name,
                allowed=f"up to {began_mg_per_h / per_unit:g}, or a reason of at least {REASON_LENGTH} letters",
            )
