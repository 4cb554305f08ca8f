"""Giving consent to a course, and taking it back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from limen.clinic.accounts.permissions import Permission
from limen.clinic.audit.act import about, action, note
from limen.clinic.patients.consent_queries import form_of, records
from limen.clinic.patients.models import ConsentRecord
from limen.clinic.sites.zones import today
from limen.errors import InputError, RefusedError

if TYPE_CHECKING:
    from limen.clinic.accounts.models import User
    from limen.clinic.courses.models import Course

REASON_LENGTH = 5


@action(Permission.FACTS_RECORD, on="course")
def record_consent(
    *,
    by: User,
    course: Course,
    version: str,
    ticked: Sequence[str],
    signed_name: str,
    language: str = "",
    interpreter: str = "",
) -> ConsentRecord:
    """The patient agreed, heading by heading, to the words that were on the page.

    Raises
    ------
    InputError
        If a heading was not gone through, or nobody signed.
    RefusedError
        If the words have changed since the page was opened.
    """
    form = form_of(course)
    if version != form.version:
        raise RefusedError("the words have changed since this page was opened", hint="Go through them as they are now")
    left_out = [item.title for item in form.items if item.id not in ticked]
    if left_out:
        raise InputError(f"not gone through: {', '.join(left_out)}", where="ticked", allowed="every heading")
    if not signed_name.strip():
        raise InputError("nobody signed", where="signed_name", allowed="the patient's name, or who signs for them")
    row = ConsentRecord.objects.create(
        site=course.site,
        course=course,
        kind=ConsentRecord.Kind.GIVEN,
        on=today(course.site),
        version=form.version,
        said=[_said(item) for item in form.to_json()["items"]],
        signed_name=signed_name.strip(),
        language=language.strip(),
        interpreter=interpreter.strip(),
    )
    about(row)
    note(course=str(course.pk), version=row.version, interpreter=bool(row.interpreter))
    return row


def _said(item: dict[str, Any]) -> dict[str, Any]:
    return {key: item[key] for key in ("id", "title", "text", "digest")}


@action(Permission.FACTS_RECORD, on="course")
def withdraw_consent(*, by: User, course: Course, reason: str, signed_name: str = "") -> ConsentRecord:
    """The patient takes consent back. Nothing is dosed until it is given anew.

    Raises
    ------
    InputError
        If the reason says too little.
    RefusedError
        If there is no consent to take back.
    """
    held = records(course)
    if not held or held[0].kind == ConsentRecord.Kind.WITHDRAWN:
        raise RefusedError("there is no consent to take back")
    if len(reason.strip()) < REASON_LENGTH:
        raise InputError("the reason says too little", where="reason", allowed=f"at least {REASON_LENGTH} letters")
    row = ConsentRecord.objects.create(
        site=course.site,
        course=course,
        kind=ConsentRecord.Kind.WITHDRAWN,
        on=today(course.site),
        version=held[0].version,
        said=held[0].said,
        signed_name=signed_name.strip() or held[0].signed_name,
        reason=reason.strip(),
    )
    about(row)
    note(course=str(course.pk), reason=row.reason)
    return row
