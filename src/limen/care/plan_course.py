"""Where a session stands in its course: the phase, the day the schedule has for it, the reviews, the step it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from limen.care.missed import Missed, missed_sessions
from limen.care.plan_findings import finding_of
from limen.care.plan_past import Asking
from limen.care.screening import Finding
from limen.care.surveillance import Given, due
from limen.care.titration import rung_above
from limen.knowledge.course import course_rules
from limen.knowledge.protocols import Phase, Protocol
from limen.knowledge.surveillance import surveillance
from limen.pharmacology.regimen import Dose

# Of what surveillance finds, what speaks about going on with this course.
_ON_THE_COURSE = ("overdue", "due", "watch")


@dataclass(frozen=True, slots=True)
class Position:
    """Where the planned session stands.

    Attributes
    ----------
    session : int
        In this course, from 1.
    phase : Phase or None
        ``None`` past every phase that counts its sessions, where none follows without a count.
    number_in_phase : int
    earliest : date or None
        By the schedule, from the last session; ``None`` where the schedule names no days.
    missed : tuple of Missed
        Sessions missed so far, where the protocol has a rule for them.
    """

    session: int
    phase: Phase | None
    number_in_phase: int
    last: date | None
    earliest: date | None
    missed: tuple[Missed, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The ``position`` part of the ``plan`` contract, with how maintenance is spaced out (MNT-1)."""
        spacing = course_rules().spacing
        phase = self.phase
        return {
            "session": self.session,
            "phase": None if phase is None else phase.phase,
            "number_in_phase": self.number_in_phase,
            "of": None if phase is None else phase.sessions,
            "spacing": None if phase is None else phase.spacing,
            "last_on": None if self.last is None else self.last.isoformat(),
            "earliest_on": None if self.earliest is None else self.earliest.isoformat(),
            "missed": [item.to_json() for item in self.missed],
            "spacing_out": {
                "rule": spacing.rule,
                "title": spacing.title,
                "steps": [
                    {
                        "spacing": step.words,
                        "sessions": step.sessions,
                        "sources": list(step.sources),
                        "verification": step.verification.value,
                    }
                    for step in spacing.steps
                ],
            }
            if self.session > 1
            else None,
        }


def position(protocol: Protocol, asking: Asking) -> Position | None:
    """Where this session stands; ``None`` where what was given before is not known.

    Examples
    --------
    >>> from datetime import date
    >>> from limen.care.exposure import Exposure, History
    >>> from limen.knowledge.protocols import get_protocol
    >>> done = History((Exposure(date(2026, 3, 2), 35.0, "racemic", "iv", "TRD-IV"),))
    >>> found = position(get_protocol("TRD-IV"), Asking("racemic", "iv", "TRD-IV", date(2026, 3, 3), done))
    >>> found.session, found.phase.phase, found.earliest
    (2, 'acute', datetime.date(2026, 3, 4))
    """
    history = asking.history
    if history is None:
        return None
    done = asking.of_course
    session = len(done) + 1
    last = done[-1].day(history.zone) if done else None
    days = [item.day(history.zone) for item in done]
    missed = missed_sessions(protocol, [day for day in days if day <= asking.on], asking.on)
    before = 0
    for phase in protocol.course:
        if phase.sessions is None or session <= before + phase.sessions:
            gap_days = _gap_days(protocol, session)
            earliest = None if last is None or gap_days is None else last + timedelta(days=gap_days)
            return Position(session, phase, session - before, last, earliest, missed)
        before += phase.sessions
    return Position(session, None, session - before, last, None, missed)


def _gap_days(protocol: Protocol, session: int) -> int | None:
    """Days from the session before to this one, as the schedule lays them: the shortest gap its phase has."""
    days = [day for phase in protocol.course for day in phase.days]
    if not 2 <= session <= len(days):
        return None
    phase = next(phase for phase in protocol.course if days[session - 1] in phase.days)
    first = days[session - 1] == phase.days[0]
    gaps = [later - earlier for earlier, later in pairwise(phase.days)]
    return days[session - 1] - days[session - 2] if first or not gaps else min(gaps)


def course_findings(
    protocol: Protocol, asking: Asking, doses: Sequence[Dose], weight_kg: float | None
) -> tuple[Finding, ...]:
    """A session sooner than the schedule or past its count, a step skipped, a review that is due."""
    if asking.history is None:
        return ()
    found = [*_timing(protocol, asking), *_skipped(protocol, asking, doses, weight_kg), *_reviews(asking)]
    return tuple(found)


def _timing(protocol: Protocol, asking: Asking) -> list[Finding]:
    here = position(protocol, asking)
    if here is None:
        return []
    asked = {"session": here.session}
    if here.phase is None and not protocol.course:
        return []
    if here.phase is None:
        last = protocol.course[-1]
        because = (
            f"Session {here.session}; the course counts {here.session - here.number_in_phase} and names none after"
        )
        limit, action = last.spacing, "Justify it again, or stop"
        rule = f"{protocol.id}-COURSE"
        return [finding_of(rule, "warn", "Past the course", because, asked, limit, action, None, last)]
    if here.earliest is None or here.last is None or asking.on >= here.earliest:
        return []
    apart = (asking.on - here.last).days
    because = f"{apart} days after the session of {here.last.isoformat()}; the {here.phase.phase} phase is"
    because += f" {here.phase.spacing}: {here.earliest.isoformat()} at the earliest"
    limit, action = here.phase.spacing, "Check the day"
    rule = f"{protocol.id}-SPACING"
    return [finding_of(rule, "warn", "Sooner than the schedule", because, asked, limit, action, None, here.phase)]


def _skipped(protocol: Protocol, asking: Asking, doses: Sequence[Dose], weight_kg: float | None) -> list[Finding]:
    """A dose over the next step of the titration."""
    rule = protocol.titration
    if rule is None or not doses:
        return []
    most = rung_above(protocol, asking, weight_kg)
    asked = _in_rungs(doses[rule.step - 1], rule.unit, weight_kg)
    if most is None or asked is None or asked <= most * (1 + 1e-9):
        return []
    because = f"Asked {asked:g} {rule.unit}; the next step after the last dose is {most:g} {rule.unit}"
    limit, action = f"{most:g} {rule.unit}", "Take the steps one by one, or decide against it with a reason"
    title = "A step is skipped"
    return [finding_of(rule.rule, "hold", title, because, {"asked": asked}, limit, action, "prescriber", rule)]


def _in_rungs(dose: Dose, unit: str, weight_kg: float | None) -> float | None:
    value = dose.amount_mg
    if unit.startswith("mg/kg"):
        if weight_kg is None:
            return None
        value /= weight_kg
    if unit.endswith("/h"):
        return None if dose.duration_min <= 0 else 60.0 * value / dose.duration_min
    return value


def _reviews(asking: Asking) -> list[Finding]:
    """What repeated treatment calls for by its count alone: the review (MNT-5), and daily use for weeks (MNT-3)."""
    history = asking.history
    if history is None:
        return []
    rules = surveillance()
    names = {rules.review.id: rules.review, rules.daily.id: rules.daily}
    given = [Given(item.day(history.zone), item.dose_mg) for item in asking.before]
    done = {} if history.reviewed_on is None else {rules.review.id: history.reviewed_on}
    return [
        finding_of(
            item.rule,
            "warn",
            item.title,
            item.because,
            {"sessions": len(given)},
            item.level,
            item.action,
            None,
            names[item.rule],
        )
        for item in due(given, done, asking.on)
        if item.rule in names and item.level in _ON_THE_COURSE
    ]
