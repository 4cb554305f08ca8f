"""Reads about courses."""

from __future__ import annotations

from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404

from limen.clinic.courses.models import Course, Plan, ScreeningResult
from limen.clinic.patients.models import Patient
from limen.clinic.sites.models import Site


def courses_of(patient: Patient) -> QuerySet[Course]:
    """A patient's courses, newest first, each with ``verdict`` and ``judged_on`` of its newest screening, if any."""
    newest = ScreeningResult.objects.filter(course=OuterRef("pk")).order_by("-created_at")
    return Course.objects.filter(patient=patient).annotate(
        verdict=Subquery(newest.values("verdict")[:1]), judged_on=Subquery(newest.values("on")[:1])
    )


def course(site: Site, course_id: Any) -> Course:
    """One course of the site.

    Raises
    ------
    Http404
        If there is none.
    """
    found = Course.objects.filter(site=site, pk=course_id).select_related("patient__site", "site").first()
    if found is None:
        raise Http404("no such course")
    return found


def screenings(course: Course) -> QuerySet[ScreeningResult]:
    """The screenings of a course, newest first."""
    return ScreeningResult.objects.filter(course=course)


def newest_screening(course: Course) -> ScreeningResult | None:
    """The last screening."""
    return screenings(course).first()


def plans(course: Course) -> QuerySet[Plan]:
    """The plans of a course, newest first."""
    return Plan.objects.filter(course=course).select_related("signed_by", "screening")


def signed_plan(course: Course) -> Plan | None:
    """The plan in force."""
    return plans(course).filter(status=Plan.Status.SIGNED).first()
