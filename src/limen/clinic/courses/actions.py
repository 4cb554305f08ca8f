"""Opening a course, screening it, deciding against a refusal, planning and signing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from limen.care.case import INDICATIONS, PRODUCTS, ROUTES, Request
from limen.care.planning import plan as make_plan
from limen.care.screening import screen
from limen.clinic.accounts.permissions import Permission
from limen.clinic.accounts.policy import require
from limen.clinic.audit.act import about, action, note
from limen.clinic.courses.cases import case_as_json, case_of
from limen.clinic.courses.exposures import history_of
from limen.clinic.courses.forecasts import forecaster
from limen.clinic.courses.models import Course, Override, Plan, ScreeningResult
from limen.clinic.courses.overriding import needed, standing, waived
from limen.clinic.sites.dosing import dosing_of
from limen.clinic.sites.queries import settings_of
from limen.clinic.sites.zones import today
from limen.errors import InputError, RefusedError
from limen.knowledge.protocols import get_protocol
from limen.knowledge.release import knowledge_release

if TYPE_CHECKING:
    from limen.care.case import Case
    from limen.care.screening import Screening
    from limen.clinic.accounts.models import User
    from limen.clinic.patients.models import Patient

REASON_LENGTH = 10


@action(Permission.COURSE_OPEN, on="patient")
def open_course(
    *,
    by: User,
    patient: Patient,
    indication: str,
    product: str,
    route: str,
    setting: str = "clinic",
    protocol: str = "",
) -> Course:
    """A course of treatment, proposed, in a setting that the site has."""
    for name, value, allowed in (
        ("indication", indication, INDICATIONS),
        ("product", product, PRODUCTS),
        ("route", route, ROUTES),
        ("setting", setting, settings_of(patient.site)),
    ):
        if value not in allowed:
            raise InputError(f"unknown {name} {value!r}", where=name, allowed=", ".join(allowed))
    if protocol:
        known = get_protocol(protocol)
        if (known.product, known.route) != (product, route):
            raise InputError(
                f"{protocol} is for {known.product} by {known.route}",
                where="protocol",
                allowed=f"a protocol for {product} by {route}",
            )
    course = Course.objects.create(
        site=patient.site,
        patient=patient,
        indication=indication,
        product=product,
        route=route,
        setting=setting,
        protocol=protocol,
    )
    about(course)
    return course


@action(Permission.SCREENING_RUN, on="course")
def run_screening(*, by: User, course: Course) -> ScreeningResult:
    """Judge what is on record today. The verdict is kept with everything that it rests on."""
    case = case_of(course)
    return _keep(course, case, screen(case))


def _keep(course: Course, case: Case, screening: Screening) -> ScreeningResult:
    result = screening.to_json()
    kept = ScreeningResult.objects.create(
        site=course.site,
        course=course,
        case=case_as_json(case),
        result=result,
        verdict=result["verdict"],
        knowledge_release=knowledge_release(),
        on=case.on,
    )
    note(screening=str(kept.pk), verdict=kept.verdict)
    return kept


@action(Permission.SCREENING_RUN, on="screening")
def override_finding(
    *, by: User, screening: ScreeningResult, rule: str, reason: str, plan: Plan | None = None
) -> Override:
    """Decide against one finding of a screening, or of a plan made on it. The finding stays as it is.

    Raises
    ------
    DeniedError
        If the person's role may not override a finding of this level.
    RefusedError
        If nobody may override it, it is not the finding of today, or it has been overridden.
    InputError
        If there is no such finding, or the reason says too little.
    """
    findings = plan.result["findings"] if plan is not None else screening.result["findings"]
    named = [item for item in findings if item["rule"] == rule and item["level"] in ("block", "hold")]
    if not named:
        raise InputError(f"no block or hold {rule!r} here", where="rule", allowed="a finding of this screening")
    done = {(row.level, row.because) for row in Override.objects.filter(screening=screening, rule=rule)}
    finding = next((item for item in named if (item["level"], item["because"]) not in done), None)
    if finding is None:
        raise RefusedError(f"{rule} has been overridden already")
    permission = needed(finding)
    if permission is None:
        raise RefusedError(f"{rule} has no override", where="rule", hint=finding.get("action", ""))
    role = require(
        by=by, permission=permission, site=screening.site, target=f"{rule} of screeningresult:{screening.pk}"
    )
    if len(reason.strip()) < REASON_LENGTH:
        raise InputError("the reason says too little", where="reason", allowed=f"at least {REASON_LENGTH} letters")
    if screening.on != today(screening.site):
        raise RefusedError(f"this screening is of {screening.on}", hint="Screen again today")
    row = Override.objects.create(
        site=screening.site,
        course=screening.course,
        screening=screening,
        rule=rule,
        level=finding["level"],
        because=finding["because"],
        reason=reason.strip(),
        role=role,
        user=by,
        on=screening.on,
    )
    note(rule=rule, level=row.level, reason=row.reason, override_role=role, because=row.because)
    return row


@action(Permission.PLAN_WRITE, on="course")
def write_plan(
    *,
    by: User,
    course: Course,
    protocol: str,
    dose_text: str = "",
    concentration_mg_per_mL: float | None = None,
    dilute_to_mg_per_mL: float | None = None,
    diluted: bool | None = None,
    mixed_with: Sequence[str] = (),
    weight_basis: str = "",
    pass_walls: Sequence[str] = (),
    pass_because: str = "",
) -> Plan:
    """Plan the next session on today's facts. A refused plan is kept too, with its reasons and its forecast.

    Parameters
    ----------
    weight_basis : {"", "actual", "ideal", "adjusted"}
        The protocol's own where empty.
    pass_walls : sequence of str
        Soft limits passed on purpose; needs ``pass_because``.
    """
    if pass_walls and len(pass_because.strip()) < REASON_LENGTH:
        raise InputError(
            "a soft limit is passed without a reason",
            where="pass_because",
            allowed=f"at least {REASON_LENGTH} letters",
        )
    request = Request(
        dose=dose_text.strip() or None,
        concentration_mg_per_mL=concentration_mg_per_mL,
        diluted=diluted,
        mixed_with=tuple(mixed_with),
    )
    case = replace(case_of(course, request=request), protocol=protocol)
    known = get_protocol(protocol)
    if (known.product, known.route) != (course.product, course.route):
        raise InputError(
            f"{protocol} is for {known.product} by {known.route}",
            where="protocol",
            allowed=f"a protocol for {course.product} by {course.route}",
        )
    asked: dict[str, Any] = {
        "dose_text": request.dose,
        "concentration_mg_per_mL": concentration_mg_per_mL,
        "dilute_to_mg_per_mL": dilute_to_mg_per_mL,
        "weight_basis": weight_basis or None,
        "pass_walls": tuple(pass_walls),
        "history": history_of(course),
        "site": dosing_of(course.site),
    }
    bare = make_plan(case, protocol, **asked)
    screening = _keep(course, case, bare.screening)
    findings = [item.to_json() for item in bare.findings]
    overrides = standing(screening, findings)
    full = make_plan(
        case, protocol, **asked, overrides=waived(findings, overrides), forecast=forecaster(course.product, case)
    )
    _lock(course)
    Plan.objects.filter(course=course, status=Plan.Status.DRAFT).update(status=Plan.Status.SUPERSEDED)
    plan = Plan.objects.create(
        site=course.site,
        course=course,
        screening=screening,
        protocol=protocol,
        dose_text=request.dose or "",
        concentration_mg_per_mL=concentration_mg_per_mL,
        dilute_to_mg_per_mL=dilute_to_mg_per_mL,
        weight_basis=weight_basis,
        passed_walls=list(pass_walls),
        passed_because=pass_because.strip() if pass_walls else "",
        on=case.on,
        result=full.to_json(),
    )
    plan.overrides.set(overrides)
    about(plan)
    note(released=plan.result["released"], dose=plan.result["dose"] and plan.result["dose"]["dose_mg"])
    return plan


def asked_of(plan: Plan) -> dict[str, Any]:
    """What a plan was asked to do, as arguments of ``write_plan``."""
    request = plan.screening.case["request"]
    return {
        "protocol": plan.protocol,
        "dose_text": plan.dose_text,
        "concentration_mg_per_mL": plan.concentration_mg_per_mL,
        "dilute_to_mg_per_mL": plan.dilute_to_mg_per_mL,
        "diluted": request["diluted"],
        "mixed_with": tuple(request["mixed_with"]),
        "weight_basis": plan.weight_basis,
        "pass_walls": tuple(plan.passed_walls),
        "pass_because": plan.passed_because,
    }


@action(Permission.PLAN_SIGN, on="plan")
def sign_plan(*, by: User, plan: Plan) -> Plan:
    """Sign a released plan of today. What a plan says never changes once written, so what was read is what is signed.

    Raises
    ------
    RefusedError
        If it is not a draft, not released, not of today, or what is on record has changed since it was written.
    """
    _lock(plan.course)
    plan = Plan.objects.select_related("course__patient__site").get(pk=plan.pk)
    if plan.status != Plan.Status.DRAFT:
        raise RefusedError(f"this plan is {plan.status}", hint="Write another")
    if not plan.result["released"]:
        reasons = ", ".join(item["rule"] for item in plan.result["blocked_by"])
        raise RefusedError(f"this plan is not released ({reasons})", hint="Resolve or override what blocks it")
    if plan.on != today(plan.site):
        raise RefusedError(f"this plan rests on the facts of {plan.on}", hint="Write it again today")
    stands = plan.result["dose"]["dose_mg"]
    _still_stands(plan)
    signed = Plan.objects.filter(course=plan.course, status=Plan.Status.SIGNED)
    signed.update(status=Plan.Status.SUPERSEDED)
    plan.status, plan.signed_by, plan.signed_at = Plan.Status.SIGNED, by, timezone.now()
    plan.save(update_fields=["status", "signed_by", "signed_at"])
    course = plan.course
    if course.status == Course.Status.PROPOSED:
        course.status, course.started_on = Course.Status.ACTIVE, plan.on
    course.protocol = plan.protocol
    course.save(update_fields=["status", "started_on", "protocol"])
    note(dose_mg=stands, asked=plan.result["asked"], overrides=[row.rule for row in plan.overrides.all()])
    return plan


def _lock(course: Course) -> None:
    """One change at a time to which plan of a course stands; to the end of the transaction."""
    Course.objects.select_for_update(no_key=True).get(pk=course.pk)


def _still_stands(plan: Plan) -> None:
    """Plan once more on what is on record now: a signature must not rest on facts that have changed."""
    kept = plan.screening.case["request"]
    request = Request(
        dose=kept["dose"],
        concentration_mg_per_mL=kept["concentration_mg_per_mL"],
        diluted=kept["diluted"],
        mixed_with=tuple(kept["mixed_with"]),
    )
    case = replace(case_of(plan.course, request=request), protocol=plan.protocol)
    asked: dict[str, Any] = {
        "dose_text": request.dose,
        "concentration_mg_per_mL": plan.concentration_mg_per_mL,
        "dilute_to_mg_per_mL": plan.dilute_to_mg_per_mL,
        "weight_basis": plan.weight_basis or None,
        "pass_walls": tuple(plan.passed_walls),
        "history": history_of(plan.course),
        "site": dosing_of(plan.site),
    }
    findings = [item.to_json() for item in make_plan(case, plan.protocol, **asked).findings]
    again = make_plan(case, plan.protocol, **asked, overrides=waived(findings, plan.overrides.all()))
    if not again.released or again.to_json()["dose"] != plan.result["dose"]:
        raise RefusedError("what is on record has changed since this plan was written", hint="Write it again")
