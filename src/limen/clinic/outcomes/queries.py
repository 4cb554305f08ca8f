"""Reading answers, their course over time, and the tasks they raised."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from limen.clinic.courses.models import Course
from limen.clinic.outcomes.models import QuestionnaireResponse, Task
from limen.clinic.patients.models import Patient
from limen.clinic.sites.models import Site


def first_dose_at(course: Course) -> datetime | None:
    """When the first session of the course began."""
    return course.sessions.exclude(started_at=None).order_by("started_at").values_list("started_at", flat=True).first()


def baseline_total(course: Course, instrument: str) -> float | None:
    """The last complete score before the first dose; frozen once a dose was given."""
    responses = QuestionnaireResponse.objects.filter(course=course, instrument=instrument).order_by("-at")
    began = first_dose_at(course)
    if began is not None:
        responses = responses.filter(at__lt=began)
    for result in responses.values_list("result", flat=True):
        if result["status"] == "complete" and result["total"] is not None:
            total: float = result["total"]
            return total
    return None


def trajectory(patient: Patient, instrument: str = "PHQ-9") -> dict[str, Any]:
    """Every answered questionnaire, oldest first: ``points`` of at, total, band, status, phase, change, session."""
    found = QuestionnaireResponse.objects.filter(patient=patient, instrument=instrument).order_by("at")
    points = [
        {
            "at": at,
            "total": result["total"],
            "band": result["band"],
            "status": result["status"],
            "phase": phase,
            "change": result["change"],
            "session": number,
        }
        for at, result, phase, number in found.values_list("at", "result", "phase", "session__number")
    ]
    return {"instrument": instrument, "points": points}


def open_tasks(site: Site, *, roles: list[str] | None = None) -> QuerySet[Task]:
    """Tasks that wait for a person, oldest due first; all of the site's where no role is named."""
    tasks = Task.objects.filter(site=site, status=Task.Status.OPEN).select_related("patient", "response")
    if roles is not None:
        tasks = tasks.filter(assigned_role__in=roles)
    return tasks.order_by("due_at", "created_at")


def open_safety_tasks(patient: Patient) -> QuerySet[Task]:
    """Safety answers that no clinician has reviewed: dosing waits for them."""
    return Task.objects.filter(patient=patient, status=Task.Status.OPEN, kind="safety-item")
