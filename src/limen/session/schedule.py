"""Which observations a session owes: due, done, late. A due one that is not done counts its lateness up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from limen.knowledge.monitoring import MonitoringRules, Schedule
from limen.session.state import SessionState

# What makes an entry a visit to the patient; what a device reads by itself stands beside.
_LOOKED = (
    "sbp_mmHg",
    "dbp_mmHg",
    "hr_per_min",
    "rr_per_min",
    "spo2_pct",
    "moaas",
    "dissociation",
    "aldrete",
    "cadss",
)

Status = Literal["done", "late-done", "missed", "due", "coming"]


@dataclass(frozen=True, slots=True)
class Due:
    """One observation of the schedule.

    Attributes
    ----------
    label : str
        ``baseline``, ``during``, ``after``, or a minute of the dose.
    done_t_s : float or None
        When an observation answered it.
    late_s : float
        How long after its time it was done, or has been waiting; 0 within the grace time.
    """

    label: str
    due_t_s: float
    what: tuple[str, ...]
    status: Status
    done_t_s: float | None
    late_s: float


@dataclass(frozen=True, slots=True)
class DueList:
    """The whole schedule at one second.

    Attributes
    ----------
    next_due_t_s : float or None
        The first that is not done and still can be.
    late_s : float
        How long that one is late now.
    late_pct : float or None
        Share of those due so far that were late or missed; ``None`` before any was due.
    """

    schedule: str
    title: str
    at_t_s: float
    entries: tuple[Due, ...]
    next_due_t_s: float | None
    late_s: float
    late_pct: float | None

    def to_json(self) -> dict[str, Any]:
        """The list as JSON."""
        return {
            "schedule": self.schedule,
            "title": self.title,
            "at_t_s": self.at_t_s,
            "next_due_t_s": self.next_due_t_s,
            "late_s": self.late_s,
            "late_pct": self.late_pct,
            "entries": [
                {
                    "label": entry.label,
                    "due_t_s": entry.due_t_s,
                    "what": list(entry.what),
                    "status": entry.status,
                    "done_t_s": entry.done_t_s,
                    "late_s": entry.late_s,
                }
                for entry in self.entries
            ],
        }


def due_list(protocol: str | None, state: SessionState, rules: MonitoringRules) -> DueList:
    """The observations due in a session, as it stands at ``state.at_t_s``.

    An observation answers the time it is nearest to, if somebody measured or scored something: an escort who came, or a
    distress noted between two visits, does not. A time is missed once the next one's turn has come. The schedule
    follows the pump: a pause moves the end of the dose, and with it the times after.

    Examples
    --------
    >>> from limen.knowledge.monitoring import monitoring
    >>> from limen.session.events import parse_events
    >>> from limen.session.header import SessionHeader
    >>> from limen.session.state import fold
    >>> events = parse_events([
    ...     {"t_s": 0, "kind": "session.started"},
    ...     {"t_s": 0, "kind": "observation.recorded", "moaas": 5},
    ...     {"t_s": 60, "kind": "infusion.started", "dose_mg": 35, "duration_min": 40},
    ... ])
    >>> due = due_list("TRD-IV", fold(SessionHeader(), events, at_t_s=780), monitoring())
    >>> due.next_due_t_s, due.late_s
    (660.0, 120.0)
    """
    schedule = rules.schedule_for(protocol)
    times = _times(schedule, state)
    done = sorted(
        entry.t_s for entry in state.observations if any(getattr(entry, name) is not None for name in _LOOKED)
    )
    now, grace = state.at_t_s, rules.observation_grace_s
    answered = _answers([due for _, due in times], done)
    entries: list[Due] = []
    for index, (label, due) in enumerate(times):
        hit = answered[index]
        turn_over = index + 1 < len(times) and now >= (due + times[index + 1][1]) / 2 and now > due
        waited = (hit if hit is not None else now) - due
        late_s = waited if waited > grace else 0.0
        status: Status
        if hit is not None:
            status = "late-done" if late_s else "done"
        elif turn_over:
            status = "missed"
        else:
            status = "due" if now >= due else "coming"
        entries.append(Due(label, due, schedule.what, status, hit, late_s))
    over = state.phase in {"discharged", "ended"}
    waiting = [] if over else [entry for entry in entries if entry.status in {"due", "coming"}]
    judged = [entry for entry in entries if entry.status in {"done", "late-done", "missed"} or entry.late_s]
    bad = [entry for entry in judged if entry.status != "done"]
    first = waiting[0] if waiting else None
    return DueList(
        schedule=schedule.id,
        title=schedule.title,
        at_t_s=now,
        entries=tuple(entries),
        next_due_t_s=first.due_t_s if first else None,
        late_s=first.late_s if first else 0.0,
        late_pct=100.0 * len(bad) / len(judged) if judged else None,
    )


def cuff_interval(
    schedule: Schedule, start_t_s: float | None, end_t_s: float | None, at_t_s: float
) -> tuple[float | None, float]:
    """The cuff's interval now and since when it holds, both in seconds; no interval before the dose.

    Parameters
    ----------
    start_t_s, end_t_s : float or None
        When the first and the last of the dose went in; no end while it runs.
    """
    if start_t_s is None:
        return None, 0.0
    if end_t_s is None:
        every = schedule.during_every_min
        return (every * 60 if every else None), start_t_s
    every = schedule.after_every_min
    until = schedule.after_until_min
    if every is None or (until is not None and at_t_s > end_t_s + until * 60):
        return None, end_t_s
    return every * 60, end_t_s


def _times(schedule: Schedule, state: SessionState) -> list[tuple[str, float]]:
    start = state.dose_start_t_s
    found: list[tuple[str, float]] = []
    if schedule.baseline and (start is not None or state.started_t_s is not None):
        found.append(("baseline", start if start is not None else state.started_t_s or 0.0))
    if start is None:
        return found
    found += [(f"{minute:g} min", start + minute * 60) for minute in schedule.at_min if minute > 0]
    end = state.end_t_s if state.end_t_s is not None else state.expected_end_t_s
    if schedule.during_every_min is not None:
        until = end if end is not None else state.at_t_s + schedule.during_every_min * 60
        # Where fixed minutes come first (hourly at the beginning), the interval counts from the last of them.
        fixed_min = max(schedule.at_min, default=0.0)
        found += _every("during", start + fixed_min * 60, schedule.during_every_min * 60, until)
    if schedule.after_every_min is not None and end is not None:
        last = schedule.after_until_min
        leaving = state.discharged_t_s if state.discharged_t_s is not None else state.ended_t_s
        until = end + last * 60 if last is not None else state.at_t_s + schedule.after_every_min * 60
        found += _every("after", end, schedule.after_every_min * 60, until if leaving is None else min(until, leaving))
    return found


def _every(label: str, start_t_s: float, every_s: float, until_t_s: float) -> list[tuple[str, float]]:
    count = max(0, int((until_t_s - start_t_s) / every_s + 1e-9))
    return [(label, start_t_s + every_s * number) for number in range(1, count + 1)]


def _answers(due: Sequence[float], done: Sequence[float]) -> list[float | None]:
    """For each due time the first observation of its turn, which runs from midway to midway."""
    edges = [(one + two) / 2 for one, two in pairwise(due)]
    found: list[float | None] = []
    for index in range(len(due)):
        low = edges[index - 1] if index else float("-inf")
        high = edges[index] if index < len(edges) else float("inf")
        found.append(next((t_s for t_s in done if low <= t_s < high), None))
    return found
