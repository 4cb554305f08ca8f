"""What only the chair's own page shows: what calms the patient, whom to hand over to, a better minute to start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from limen.clinic.patients.models import Patient
from limen.clinic.sessions.patient_call import comfort_of
from limen.knowledge.adverse_events import adverse_events
from limen.knowledge.monitoring import MonitoringRules
from limen.session.grading import steps
from limen.session.header import SessionHeader
from limen.session.schedule import DueList
from limen.session.stagger import DueElsewhere, Stacked, advise_room
from limen.session.state import SessionState


def comfort(patient: Patient) -> dict[str, Any] | None:
    """The patient's own words, with the day they were said."""
    found = comfort_of(patient)
    if found is None:
        return None
    return {
        "helps": found.helps,
        "words": found.words,
        "avoid": found.avoid,
        "touch": found.get_touch_display(),
        "person": found.person,
        "by": found.recorded_by,
        "on": found.created_at.isoformat(),
    }


def adverse_choices() -> dict[str, Any]:
    """The dictionary of adverse events as lists to choose from."""
    book = adverse_events()
    return {
        "events": [[entry.id, entry.title] for entry in book.events],
        "grades": [[str(grade.grade), f"{grade.grade} {grade.title}"] for grade in book.grades],
        "serious": [[entry.id, entry.title] for entry in book.serious],
        "actions": [[text, text.replace("-", " ")] for text in book.actions],
    }


def graded_by(rules: MonitoringRules, header: SessionHeader) -> list[dict[str, Any]]:
    """The limits by which the page itself shows a critical value back, gravest first."""
    return [step.to_json() for step in steps(rules, header.baseline_values())]


def start_advice(
    rules: MonitoringRules,
    header: SessionHeader,
    steps: Sequence[Mapping[str, Any]],
    others: Iterable[tuple[str, str | None, SessionState, DueList]],
    owner: str | None,
) -> dict[str, Any] | None:
    """A better minute to start, where starting now would stack what one person owes; nothing where all is apart.

    Parameters
    ----------
    steps : sequence of mapping
        ``dose.steps`` of the signed plan.
    others : iterable of (str, str or None, SessionState, DueList)
        Every other chair of the room: its name, its owner, where it stands, what it owes.
    owner : str or None
        Who owns this chair, or will once it starts.
    """
    if not steps:
        return None
    duration_min = max(float(step["at_min"]) + float(step["duration_min"]) for step in steps)
    due: list[DueElsewhere] = []
    begun: list[tuple[str, float, str | None]] = []
    for chair, whose, state, listed in others:
        waiting = [entry for entry in listed.entries if entry.status in ("due", "coming")]
        due += [DueElsewhere(chair, entry.due_t_s - state.at_t_s, whose) for entry in waiting]
        if state.dose_start_t_s is not None:
            begun.append((chair, state.at_t_s - state.dose_start_t_s, whose))
    schedule = rules.schedule_for(header.protocol)
    advice = advise_room(
        schedule, duration_min, due, owner=owner, apart_s=rules.observation_grace_s, starts_s=begun
    )  # fmt: skip
    if advice.silent:
        return None
    own = advice.own
    return {
        "owner": owner,
        "better_min": own.better_min,
        "left": own.left,
        "near": own.near_start,
        "stacked": _named(own.stacked),
        "room": {"better_min": advice.room.better_min, "left": advice.room.left, "stacked": _named(advice.colleagues)},
    }


def _named(stacked: Iterable[Stacked]) -> list[dict[str, Any]]:
    return [{"minute": round(item.own_s / 60.0), "chair": item.chair, "owner": item.owner} for item in stacked]
