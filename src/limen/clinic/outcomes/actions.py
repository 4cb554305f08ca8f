"""Questionnaires recorded and tasks closed. A safety answer always becomes a person's task."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from limen.care.scoring import Score, score
from limen.clinic.accounts.models import User
from limen.clinic.accounts.permissions import Permission
from limen.clinic.accounts.roles import MedicalDirector, Prescriber
from limen.clinic.audit.act import about, action, note
from limen.clinic.courses.models import Course
from limen.clinic.outcomes.models import QuestionnaireResponse, Task
from limen.clinic.outcomes.queries import baseline_total
from limen.clinic.patients.actions import new_fact
from limen.clinic.sessions.models import Session
from limen.errors import InputError, RefusedError
from limen.knowledge.inputs import inputs

SAFETY_TASK = "safety-item"
CLOSE_SAFETY = frozenset({Prescriber.id, MedicalDirector.id})
OUTCOME_LENGTH = 10


@action(Permission.QUESTIONNAIRE_RECORD, on="course")
def record_questionnaire(
    *,
    by: User,
    course: Course,
    instrument: str,
    phase: str,
    answers: Mapping[str, Any],
    at: datetime,
    session: Session | None = None,
) -> QuestionnaireResponse:
    """Score the answers against the course's frozen baseline, store both, and raise a task where safety asks for one.

    Raises
    ------
    InputError
        If an answer is out of range, or the phase is unknown.
    """
    if phase not in QuestionnaireResponse.Phase.values:
        raise InputError(f"phase {phase!r}", where="phase", allowed=", ".join(QuestionnaireResponse.Phase.values))
    if session is not None and session.course_id != course.pk:
        raise RefusedError("the session belongs to another course", where="session")
    first = baseline_total(course, instrument)
    baseline = {"total": first} if first is not None else None
    scored = score(instrument, {**answers, "sex": _sex(course), "baseline": baseline})
    response = QuestionnaireResponse(
        patient=course.patient,
        course=course,
        session=session,
        instrument=instrument,
        phase=phase,
        answers=dict(answers),
        result=scored.to_json(),
        at=at,
        by=by.username,
    )
    response.save()
    about(response)
    note(instrument=instrument, phase=phase, status=scored.status, safety=scored.safety.action)
    if scored.total is not None:
        key = f"scores.{instrument}"
        if key in inputs():
            new_fact(course.patient, key, scored.total, at, f"{instrument}, {phase}")
    if scored.safety.action != "none":
        _raise_task(response, scored)
    return response


@action(Permission.TASK_CLOSE, on="task")
def close_task(*, by: User, task: Task, outcome: str, at: datetime) -> Task:
    """Close a task with what was found and decided.

    Raises
    ------
    InputError
        If the outcome is shorter than ten characters.
    RefusedError
        If it is closed already, or a safety task is closed by someone who is not a prescriber.
    """
    if task.status == Task.Status.DONE:
        raise RefusedError("this task is closed already", where=task.title)
    roles = set(by.memberships.filter(site=task.site, is_active=True).values_list("role", flat=True))
    if task.kind == SAFETY_TASK and not roles & CLOSE_SAFETY:
        raise RefusedError("a safety answer is closed by a prescriber", where=task.title, hint="Ask a prescriber")
    if len(outcome.strip()) < OUTCOME_LENGTH:
        raise InputError(
            "what was found and decided is missing", where="outcome", allowed=f"at least {OUTCOME_LENGTH} characters"
        )
    task.status = Task.Status.DONE
    task.outcome = outcome.strip()
    task.closed_by = by
    task.closed_at = at
    task.save()
    return task


def _sex(course: Course) -> str | None:
    sex = course.patient.sex
    return sex if sex in {"female", "male"} else None


def _raise_task(response: QuestionnaireResponse, scored: Score) -> None:
    missing = scored.safety.value is None
    seen = "was not answered" if missing else f"was answered {scored.safety.value}"
    task = Task(
        patient=response.patient,
        response=response,
        kind=SAFETY_TASK,
        title=f"{scored.instrument} item {scored.safety.item} {seen}",
        because=scored.safety.action,
        assigned_role=Prescriber.id,
        due_at=response.at,
    )
    task.save()
