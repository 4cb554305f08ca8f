"""What a page shows around the vital signs of a chair: scores with their ages, what is due soon, who calls whom."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from limen.care.alarm_state import AlarmState
from limen.care.discharge import minimum_stay
from limen.knowledge.discharge import MinimumTime
from limen.knowledge.monitoring import MonitoringRules
from limen.session.events import Event
from limen.session.floor import last_signal, standing_call, standing_offer
from limen.session.harm_events import AdverseEventRecorded
from limen.session.phases import Phases, Stay, phases_of
from limen.session.schedule import DueList
from limen.session.state import SessionState, corrected, in_order

SOON_S = 600.0  # a page filters to five minutes by its own clock
SCORES = ("moaas", "dissociation", "distress")


def scores(state: SessionState, rules: MonitoringRules, protocol: str | None) -> dict[str, Any]:
    """The newest of each score that a person gives, with the ages at which it is old: one and two visits missed."""
    schedule = rules.schedule_for(protocol)
    every_min = schedule.during_every_min if state.end_t_s is None else schedule.after_every_min
    every_s = 60.0 * (every_min or schedule.during_every_min or schedule.after_every_min or 15.0)
    grace_s = rules.observation_grace_s
    found: dict[str, Any] = {}
    for name in SCORES:
        seen = state.latest.get(name)
        found[name] = {
            "value": None if seen is None else seen.value,
            "t_s": None if seen is None else seen.t_s,
            "stale_s": every_s + grace_s,
            "lost_s": 2 * every_s + grace_s,
        }
    return found


def due_soon(due: DueList, alarms: AlarmState, rules: MonitoringRules, way: Phases) -> list[dict[str, Any]]:
    """What is late or falls due within ten minutes, soonest first; the next dose of the plan stands among it."""
    found = [
        {"label": entry.label, "due_t_s": entry.due_t_s, "what": list(entry.what), "act": "observe"}
        for entry in due.entries
        if due.next_due_t_s is not None and entry.status in ("due", "coming") and entry.due_t_s <= due.at_t_s + SOON_S
    ]
    asked = [limit.recheck_s for limit in rules.limits if limit.recheck_s is not None]
    if alarms.recheck_t_s is not None and asked:
        recheck_t_s = alarms.recheck_t_s + max(asked)
        found.append({"label": "recheck", "due_t_s": recheck_t_s, "what": ["pressure"], "act": "cuff"})
    dose = way.next_dose
    if dose is not None and dose.due_t_s is not None:
        found.append({"label": "dose", "due_t_s": dose.due_t_s, "what": [dose.label], "act": "dose"})
    return sorted(found, key=lambda item: float(item["due_t_s"]))


def way_of(dose: Mapping[str, Any], route: str | None, state: SessionState, minimum: MinimumTime | None) -> Phases:
    """The phases of a session, by its plan and by how long the rules of discharge keep the patient."""
    stay = None
    if minimum is not None:
        escort = state.latest.get("escort")
        stay_min, _ = minimum_stay(minimum, None if escort is None else bool(escort.value))
        stay = Stay(stay_min, from_first=minimum.counts_from == "first-device")
    return phases_of(dose.get("steps") or (), route, state, stay)


def asked(events: Sequence[Event]) -> dict[str, Any]:
    """Who waits for an answer at this chair: a patient for a person, an owner for another."""
    call, offer, said = standing_call(events), standing_offer(events), last_signal(events)
    return {
        "call": {"t_s": call.t_s, "times": call.times} if call else None,
        "offer": {"to": offer.to, "by": offer.by, "t_s": offer.t_s} if offer else None,
        "said": {"signal": said.signal, "t_s": said.t_s} if said else None,
    }


def open_events(events: Sequence[Event]) -> list[dict[str, Any]]:
    """Adverse events that have no end yet, oldest first: however long the session, their clocks stay on the page."""
    return [
        {
            "id": event.id,
            "since_t_s": event.t_s if event.onset_t_s is None else event.onset_t_s,
            "text": event.text or event.code,
            "severity": event.severity,
        }
        for event in in_order(corrected(events))
        if isinstance(event, AdverseEventRecorded) and event.resolved_t_s is None
    ]


def chair_order(name: str) -> list[tuple[int, str]]:
    """A key that puts Chair 2 before Chair 10.

    Examples
    --------
    >>> sorted(["Chair 10", "Chair 2", "Room B"], key=chair_order)
    ['Chair 2', 'Chair 10', 'Room B']
    """
    return [(int(part), "") if part.isdigit() else (0, part.casefold()) for part in re.split(r"(\d+)", name)]
