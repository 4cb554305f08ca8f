"""When a planned session is observed: the monitoring schedule laid on the minutes of this dose."""

from __future__ import annotations

import math
from typing import Any

from limen.knowledge.monitoring import Schedule, monitoring
from limen.knowledge.protocols import Observation, Protocol


def observations_due(
    protocol: Protocol, duration_min: float | None, session_number: int | None
) -> list[dict[str, Any]]:
    """The ``monitoring`` part of the ``plan`` contract: what, when in words, and minutes from the start of the dose.

    Parameters
    ----------
    duration_min : float or None
        Of the dose; ``None`` where it is not known, and then minutes that hang on its end are left out.
    session_number : int or None
        Observations of the first sessions only are listed where the number is not known.

    Examples
    --------
    >>> from limen.knowledge.protocols import get_protocol
    >>> observations_due(get_protocol("TRD-IV"), 40, 3)[0]["minutes"]
    [0.0, 10.0, 20.0, 30.0, 40.0, 55.0, 70.0, 85.0, 100.0, 115.0, 130.0, 145.0, 160.0]
    """
    schedule = monitoring().schedule_for(protocol.id)
    until_min = None if duration_min is None else duration_min + (schedule.after_until_min or 0.0)
    due = [_vitals(schedule, duration_min)]
    for item in protocol.observations:
        over = item.first_sessions is not None and session_number is not None and session_number > item.first_sessions
        if not over:
            due.append(_observation(item, duration_min, until_min))
    return due


def _vitals(schedule: Schedule, duration_min: float | None) -> dict[str, Any]:
    minutes = {0.0} if schedule.baseline else set()
    minutes |= set(schedule.at_min)
    words = ["baseline"] if schedule.baseline else []
    if schedule.during_every_min is not None:
        words.append(f"every {schedule.during_every_min:g} min during the dose")
        if duration_min is not None:
            minutes |= set(_steps(max(schedule.at_min, default=0.0), duration_min, schedule.during_every_min))
    if schedule.after_every_min is not None:
        words.append(f"every {schedule.after_every_min:g} min after it")
        if duration_min is not None and schedule.after_until_min is not None:
            minutes |= set(_steps(duration_min, duration_min + schedule.after_until_min, schedule.after_every_min))
    if schedule.at_min:
        words.append("at " + ", ".join(f"{minute:g}" for minute in schedule.at_min) + " min")
    return {
        "what": ", ".join(schedule.what),
        "when": f"{', '.join(words)}, until {schedule.until}",
        "minutes": sorted(minutes),
        "sources": list(schedule.sources),
        "verification": schedule.verification.value,
    }


def _observation(item: Observation, duration_min: float | None, until_min: float | None) -> dict[str, Any]:
    minutes = {0.0} if item.baseline else set()
    words = ["baseline"] if item.baseline else []
    if item.at_dose_end:
        words.append("end of the dose")
        if duration_min is not None:
            minutes.add(duration_min)
    if item.every_min is not None:
        words.append(f"every {item.every_min:g} min")
        if until_min is not None:
            minutes |= set(_steps(0.0, until_min, item.every_min))
    if item.first_sessions is not None:
        words.append(f"in the first {item.first_sessions} sessions")
    return {
        "what": item.what,
        "when": ", ".join(words),
        "minutes": sorted(minutes),
        "sources": list(item.sources),
        "verification": item.verification.value,
    }


def _steps(start_min: float, end_min: float, every_min: float) -> list[float]:
    """Every step after the start, up to and with the end of the span."""
    count = math.floor((end_min - start_min) / every_min + 1e-9)
    return [start_min + number * every_min for number in range(1, count + 1)]
