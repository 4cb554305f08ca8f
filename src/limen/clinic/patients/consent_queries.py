"""Reads about consent: what is asked for a course, and whether it stands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from limen.care.consent import ConsentForm, Given, Standing, consent_form, standing
from limen.clinic.patients.models import ConsentRecord

if TYPE_CHECKING:
    from limen.clinic.courses.models import Course


def form_of(course: Course) -> ConsentForm:
    """What this patient is told before this course, in today's words."""
    return consent_form(course.indication or None, course.product or None, course.route or None, course.setting or None)


def records(course: Course) -> list[ConsentRecord]:
    """Every consent given and taken back, the last first."""
    return list(ConsentRecord.objects.filter(course=course).order_by("-created_at"))


def standing_of(course: Course, on: date, rows: Sequence[ConsentRecord] | None = None) -> Standing:
    """Whether consent to a course stands on a day."""
    newest = (records(course) if rows is None else list(rows))[:1]
    return standing(form_of(course), _given(newest[0]) if newest else None, on)


def _given(row: ConsentRecord) -> Given:
    withdrawn_on = row.on if row.kind == ConsentRecord.Kind.WITHDRAWN else None
    return Given(row.version, row.on, {item["id"]: item["digest"] for item in row.said}, withdrawn_on)
