"""What a patient's repeated treatment calls for: the chart's facts and sessions, given to the rules of surveillance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date, timedelta
from typing import Any

from limen.care.surveillance import Due, Given, Signs, Someone, due
from limen.clinic.patients.models import Fact, Patient
from limen.clinic.sessions.models import Session
from limen.clinic.sites.zones import local
from limen.knowledge.inputs import inputs
from limen.knowledge.surveillance import surveillance


def checks_due(patient: Patient, sessions: Sequence[Session], newest: Mapping[str, Fact], on: date) -> tuple[Due, ...]:
    """What is due for this patient on this day, the gravest first; nothing before a first session.

    Parameters
    ----------
    newest : mapping of kind to Fact
        The newest fact of each kind; a sign older than its rule allows is not known.
    """
    site = patient.site
    given = [Given(local(row.started_at, site).date()) for row in sessions if row.started_at is not None]
    done = {}
    for check in surveillance().checks:
        made = [newest[kind] for kind in check.facts if kind in newest and _was_made(kind, newest[kind].value)]
        days = [day for fact in made if (day := _day(fact, patient)) is not None]
        if days:
            done[check.id] = max(days)
    return due(given, done, on, someone=_someone(patient, on), signs=_signs(patient, newest, on))


def _day(fact: Fact, patient: Patient) -> date | None:
    """The day a fact was true at the site; an undated one has none."""
    return None if fact.effective_at is None else local(fact.effective_at, patient.site).date()


def _was_made(kind: str, value: Any) -> bool:
    """Whether a recorded value shows a check: "not done" is recorded too, and "no symptoms" is an answer."""
    return value is not None and value != "not-done" and not (kind.endswith("_done") and value is False)


def _someone(patient: Patient, on: date) -> Someone:
    born = patient.birth_date
    age_years = None if born is None else (on - born).days / 365.25
    return Someone(age_years, patient.sex or None)


def _signs(patient: Patient, newest: Mapping[str, Fact], on: date) -> Signs:
    known: dict[str, Any] = {}
    for field in fields(Signs):
        for kind in (f"labs.{field.name}", f"facts.{field.name}"):
            fact, spec = newest.get(kind), inputs().get(kind)
            if fact is None or spec is None:
                continue
            oldest = on - timedelta(days=spec.max_age_days) if spec.max_age_days is not None else date.min
            day = _day(fact, patient)
            if day is not None and day >= oldest:
                known[field.name] = fact.value
    return Signs(**known)
