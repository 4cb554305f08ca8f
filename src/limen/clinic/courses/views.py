"""Pages about a course: open it, screen, decide against a finding, plan, sign."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from limen.clinic.accounts.permissions import Permission
from limen.clinic.courses import actions, pressure, queries
from limen.clinic.courses.forms import OpenForm, OverrideForm, PlanForm
from limen.clinic.courses.models import Course, Override, Plan, ScreeningResult
from limen.clinic.courses.overriding import needed, standing
from limen.clinic.courses.proposals import missed_of, next_step
from limen.clinic.patients import charts
from limen.clinic.patients.fact_groups import C_SSRS
from limen.clinic.patients.queries import patient as patient_of
from limen.clinic.patients.queries import recorded_since
from limen.clinic.sites.queries import settings_of
from limen.clinic.sites.zones import today
from limen.clinic.web.refusals import blame
from limen.clinic.web.request import ClinicRequest
from limen.errors import LimenError
from limen.knowledge.drugs import get_product


@require_http_methods(["GET", "POST"])
def open_course(request: ClinicRequest, patient_id: uuid.UUID) -> HttpResponse:
    """Open a course. Context: ``form``, ``patient``, ``weight``."""
    patient = patient_of(request.site, patient_id)
    form = OpenForm(settings_of(request.site), request.POST or None)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                made = actions.open_course(by=request.user, patient=patient, **form.cleaned_data)
            except LimenError as problem:
                status = blame(form, problem)
            else:
                return redirect("courses:screening", made.pk)
    return render(request, "courses/open.html", charts.head(patient) | {"form": form}, status=status)


@require_GET
def detail(request: ClinicRequest, course_id: uuid.UUID) -> HttpResponse:
    """The course so far.

    Context: ``course``, ``patient``, ``weight``, ``screenings``, ``plans``, ``signed``, ``overrides``, ``sessions``
    (each with ``given_mg``), ``missed`` (sessions missed, each with what the protocol does), ``trajectory``.
    """
    course = queries.course(request.site, course_id)
    sessions = [row for row in charts.sessions_of(course.patient) if row.course_id == course.pk]
    context = _head(course) | {
        "screenings": queries.screenings(course).defer("case", "result"),
        "plans": queries.plans(course),
        "signed": queries.signed_plan(course),
        "overrides": Override.objects.filter(course=course).select_related("user"),
        "sessions": sessions,
        "missed": missed_of(course, sessions),
        "trajectory": charts.trajectory(course.patient, sessions),
    }
    return render(request, "courses/detail.html", context)


@require_GET
def screening(request: ClinicRequest, course_id: uuid.UUID) -> HttpResponse:
    """The newest verdict with its reasons.

    Context: ``course``, ``patient``, ``weight``, ``screening`` (row), ``result`` (the ``screen`` contract),
    ``overrides`` (by rule, those that stand), ``override_form`` (where the person may override something), ``fresh``
    (of today), ``since`` (how much was recorded after it), ``screener`` (the C-SSRS on record then: ``value``,
    ``taken_at``, ``judged``), ``may_screen``, ``may_plan``.
    """
    course = queries.course(request.site, course_id)
    return _screening_page(request, course, queries.newest_screening(course))


@require_POST
def screen(request: ClinicRequest, course_id: uuid.UUID) -> HttpResponse:
    """Judge what is on record now."""
    course = queries.course(request.site, course_id)
    actions.run_screening(by=request.user, course=course)
    return redirect("courses:screening", course.pk)


@require_POST
def override(request: ClinicRequest, course_id: uuid.UUID) -> HttpResponse:
    """Decide against one finding of the newest screening; the page again where it is refused."""
    course = queries.course(request.site, course_id)
    row = get_object_or_404(ScreeningResult, pk=getattr(queries.newest_screening(course), "pk", None))
    # Any finding may be named here: whether this person may is the action's to say, and to audit.
    form = OverrideForm([(item["rule"], item["rule"]) for item in row.result["findings"]], request.POST)
    status = 400
    if form.is_valid():
        try:
            actions.override_finding(by=request.user, screening=row, **form.cleaned_data)
        except LimenError as problem:
            status = blame(form, problem)
        else:
            return redirect("courses:screening", course.pk)
    return _screening_page(request, course, row, form, status)


def _screening_page(
    request: ClinicRequest,
    course: Course,
    row: ScreeningResult | None,
    form: OverrideForm | None = None,
    status: int = 200,
) -> HttpResponse:
    stand = standing(row, row.result["findings"]) if row is not None else []
    overrides = {item.rule: item for item in stand}
    fresh = row is not None and row.on == today(course.site)
    if form is None and row is not None and fresh:
        open_to_me = _overridable(request, row.result["findings"], overrides)
        form = OverrideForm(open_to_me) if open_to_me else None
    context = _head(course) | {
        "screening": row,
        "result": row.result if row is not None else None,
        "overrides": overrides,
        "override_form": form,
        "fresh": fresh,
        "since": recorded_since(course.patient, row.created_at) if row is not None else 0,
        "screener": _screener(row) if row is not None else None,
        "may_screen": Permission.SCREENING_RUN in request.may,
        "may_plan": Permission.PLAN_WRITE in request.may,
    }
    return render(request, "courses/screening.html", context, status=status)


def _screener(row: ScreeningResult) -> dict[str, Any] | None:
    """The C-SSRS answers that a screening had before it; those of another day were not judged."""
    found = next((fact for fact in row.case.get("facts", ()) if fact["key"] == C_SSRS), None)
    return None if found is None else found | {"judged": str(found["taken_at"])[:10] == row.on.isoformat()}


def _overridable(
    request: ClinicRequest, findings: list[dict[str, Any]], overrides: dict[str, Override]
) -> list[tuple[str, str]]:
    return [
        (item["rule"], f"{item['rule']} {item['title']} ({item['level']})")
        for item in findings
        if item["rule"] not in overrides and needed(item) in request.may
    ]


def _open_today(row: Plan) -> bool:
    return row.status == Plan.Status.DRAFT and row.on == today(row.site)


@require_http_methods(["GET", "POST"])
def plan(request: ClinicRequest, course_id: uuid.UUID) -> HttpResponse:
    """Ask for a dose and see what it will do; a POST keeps it as a draft.

    Context: ``course``, ``patient``, ``weight``, ``row`` (the newest plan of today, or the signed one), ``plan`` (its
    ``plan`` contract), ``form`` (where the person may write one), ``overrides`` (by rule), ``override_form`` (where the
    person may override one of its findings), ``signed``, ``may_sign``, ``forecast_walls`` and
    ``ceilings`` (limits on pressure), ``forecast_before`` (what the rise starts from), ``baseline_mmHg``,
    ``vial_total_mg``, ``of_today``, ``since`` (how much was recorded after a draft), ``outdated`` (a draft to
    show again before it is signed), ``next_step`` (the protocol's own proposal, what was given before, where the
    session stands).
    """
    course = queries.course(request.site, course_id)
    row = queries.plans(course).exclude(status=Plan.Status.SUPERSEDED).first()
    status = 200
    form = _plan_form(course, row, request.POST if request.method == "POST" else None)
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                actions.write_plan(by=request.user, course=course, **form.cleaned_data)
            except LimenError as problem:
                status = blame(form, problem)
            else:
                return redirect("courses:plan", course.pk)
    return _plan_page(request, course, row, form, status=status)


def _plan_page(
    request: ClinicRequest,
    course: Course,
    row: Plan | None,
    form: PlanForm,
    override_form: OverrideForm | None = None,
    status: int = 200,
) -> HttpResponse:
    overrides = {item.rule: item for item in row.overrides.select_related("user")} if row is not None else {}
    if override_form is None and row is not None and _open_today(row):
        open_to_me = _overridable(request, row.result["findings"], overrides)
        override_form = OverrideForm(open_to_me, auto_id="override-%s") if open_to_me else None
    draft = row is not None and row.status == Plan.Status.DRAFT
    of_today = row is not None and row.on == today(course.site)
    since = recorded_since(course.patient, row.screening.created_at) if row is not None and draft else 0
    baseline_mmHg = None if row is None else pressure.baseline_mmHg(row)
    ceilings = pressure.ceilings(baseline_mmHg)
    context = _head(course) | {
        "row": row,
        "plan": row.result if row is not None else None,
        "form": form if Permission.PLAN_WRITE in request.may else None,
        "overrides": overrides,
        "override_form": override_form,
        "signed": queries.signed_plan(course),
        "next_step": next_step(course, row, of_today=of_today),
        "of_today": of_today,
        "since": since,
        "outdated": draft and (since > 0 or not of_today),
        "may_sign": Permission.PLAN_SIGN in request.may,
        "forecast_walls": pressure.walls(ceilings),
        "forecast_before": {} if baseline_mmHg is None else {pressure.rise_output(): baseline_mmHg},
        "ceilings": ceilings,
        "baseline_mmHg": baseline_mmHg,
        "vial_total_mg": _vial_total_mg(row),
    }
    return render(request, "courses/plan.html", context, status=status)


def _plan_form(course: Course, row: Plan | None, data: Any) -> PlanForm:
    walls = row.result["limits"].get("walls", []) if row is not None else []
    soft = list(dict.fromkeys(wall["name"] for wall in walls if wall.get("kind") == "soft"))
    if row is None or row.on != today(course.site):
        return PlanForm(course, course.protocol, soft, data, initial={"protocol": course.protocol})
    # The draft on the screen: its own fields, so that the picture and the fields agree.
    initial = {
        "protocol": row.protocol,
        "dose_text": row.dose_text,
        "concentration_mg_per_mL": None if row.concentration_mg_per_mL is None else f"{row.concentration_mg_per_mL:g}",
        "dilute_to_mg_per_mL": row.dilute_to_mg_per_mL,
        "weight_basis": row.weight_basis,
        "pass_walls": row.passed_walls,
        "pass_because": row.passed_because,
    }
    return PlanForm(course, row.protocol, soft, data, initial=initial)


def _vial_total_mg(row: Plan | None) -> float | None:
    """What one vial of the chosen strength holds, to draw it to scale."""
    if row is None or row.concentration_mg_per_mL is None:
        return None
    return get_product(row.course.product).vial(row.concentration_mg_per_mL).amount_mg


@require_POST
def sign(request: ClinicRequest, plan_id: uuid.UUID) -> HttpResponse:
    """Sign a plan."""
    row = get_object_or_404(Plan.objects.select_related("course", "site"), pk=plan_id, site=request.site)
    actions.sign_plan(by=request.user, plan=row)
    return redirect("courses:plan", row.course_id)


@require_POST
def override_plan(request: ClinicRequest, plan_id: uuid.UUID) -> HttpResponse:
    """Decide against a finding of a plan, and plan again as it was asked; the page again where it is refused."""
    row = get_object_or_404(Plan.objects.select_related("course", "screening", "site"), pk=plan_id, site=request.site)
    course = queries.course(request.site, row.course_id)
    form = OverrideForm(
        [(item["rule"], item["rule"]) for item in row.result["findings"]], request.POST, auto_id="override-%s"
    )
    status = 400
    if form.is_valid():
        try:
            actions.override_finding(by=request.user, screening=row.screening, plan=row, **form.cleaned_data)
            actions.write_plan(by=request.user, course=course, **actions.asked_of(row))
        except LimenError as problem:
            status = blame(form, problem)
        else:
            return redirect("courses:plan", course.pk)
    return _plan_page(request, course, row, _plan_form(course, row, None), form, status)


def _head(course: Course) -> dict[str, Any]:
    context = charts.head(course.patient)
    context.pop("newest")
    return context | {"course": course, "here": "patients"}
