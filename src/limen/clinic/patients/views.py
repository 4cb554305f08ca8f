"""Pages about patients: the list, the chart, the referral, the facts."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from django.core.paginator import Paginator
from django.forms import Form
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from limen.clinic.accounts.permissions import Permission
from limen.clinic.accounts.policy import require
from limen.clinic.accounts.queries import name_of, names
from limen.clinic.courses.queries import courses_of
from limen.clinic.patients import actions, charts, queries
from limen.clinic.patients.allergies import allergies_of, sorted_out
from limen.clinic.patients.bundle_file import read_json_file
from limen.clinic.patients.checks import checks_due
from limen.clinic.patients.fact_groups import FactGroup, fact_groups
from limen.clinic.patients.forms import (
    ConditionForm,
    CorrectForm,
    FactsForm,
    HistoryForm,
    ImportForm,
    MedicationForm,
    RegisterForm,
    RetractForm,
)
from limen.clinic.patients.history_forms import AllergyForm
from limen.clinic.patients.imports import import_bundle
from limen.clinic.patients.models import (
    BundleImport,
    ConditionRecord,
    Fact,
    MedicationRecord,
    Patient,
    TrialRecord,
)
from limen.clinic.patients.trials import trials_of
from limen.clinic.sites.zones import today
from limen.clinic.web.refusals import blame
from limen.clinic.web.request import ClinicRequest
from limen.errors import LimenError
from limen.knowledge.inputs import inputs

PAGE = 50


@require_GET
def index(request: ClinicRequest) -> HttpResponse:
    """The patients of the site.

    Context: ``patients`` (each with ``course``, ``verdict``, ``judged_on``, ``open_tasks``), ``page_obj``, ``q``,
    ``here``.
    """
    text = request.GET.get("q", "").strip()
    page = Paginator(charts.listed(request.site, text), PAGE).get_page(request.GET.get("page"))
    rows = charts.with_courses(list(page.object_list))
    return render(request, "patients/list.html", {"patients": rows, "page_obj": page, "q": text, "here": "patients"})


@require_http_methods(["GET", "POST"])
def register(request: ClinicRequest) -> HttpResponse:
    """A patient by form. Context: ``form``, ``here``."""
    form = RegisterForm(request.POST or None)
    return _form_page(
        request,
        form,
        "patients/register.html",
        {},
        lambda: actions.register_patient(by=request.user, site=request.site, **form.cleaned_data),
        lambda patient: redirect("patients:detail", patient.pk),
    )


@require_http_methods(["GET", "POST"])
def bundle(request: ClinicRequest) -> HttpResponse:
    """A patient by FHIR bundle. Context: ``form``, ``here``. Then to the report of what was imported."""
    form = ImportForm(request.POST or None, request.FILES or None)

    def take_in() -> BundleImport:
        file = form.cleaned_data["bundle"]
        raw = read_json_file(file.read(), file.name)
        return import_bundle(by=request.user, site=request.site, raw=raw, file_name=file.name)

    return _form_page(
        request,
        form,
        "patients/import.html",
        {},
        take_in,
        lambda record: redirect("patients:import_result", record.pk),
    )


@require_GET
def import_result(request: ClinicRequest, import_id: uuid.UUID) -> HttpResponse:
    """What was imported, what was not, and why.

    Context: ``record``, ``report`` (``entries``, ``imported``, ``not_imported``, ``stored``,
    ``not_imported_by_reason``), ``taken_by`` (who imported it), ``patient``, ``weight``.
    """
    record = get_object_or_404(
        BundleImport.objects.select_related("patient__site").defer("raw"), pk=import_id, site=request.site
    )
    context = charts.head(record.patient) | {
        "record": record,
        "report": charts.report_of(record),
        "taken_by": name_of(record.created_by),
        "here": "patients",
    }
    return render(request, "patients/import_result.html", context)


@require_GET
def detail(request: ClinicRequest, patient_id: uuid.UUID) -> HttpResponse:
    """The chart.

    Context: ``patient``, ``weight``, ``facts`` (newest of each kind), ``conditions``, ``medications``, ``allergies``,
    ``trials``, ``courses`` (each with ``verdict``, ``judged_on``), ``course`` (the newest), ``sessions`` (each with
    ``given_mg``), ``tasks``, ``imports``, ``names`` (of who imported, by user name), ``trajectory``, ``checks`` (due by
    surveillance).
    """
    patient = queries.patient(request.site, patient_id)
    rows = list(queries.facts(patient))
    context = charts.head(patient, rows)
    courses = list(courses_of(patient))
    sessions = charts.sessions_of(patient)
    imports = list(patient.imports.defer("raw", "report"))
    newest = context.pop("newest")
    context |= {
        "checks": checks_due(patient, sessions, newest, today(request.site)),
        "facts": charts.known_facts(newest),
        "conditions": queries.conditions(patient),
        "medications": queries.medications(patient),
        "allergies": sorted_out(rows),
        "trials": trials_of(patient, newest),
        "courses": courses,
        "course": courses[0] if courses else None,
        "sessions": sessions,
        "tasks": patient.tasks.filter(status="open"),
        "imports": imports,
        "names": names(record.created_by for record in imports),
        "trajectory": charts.trajectory(patient, sessions),
        "here": "patients",
    }
    return render(request, "patients/detail.html", context)


@require_http_methods(["GET", "POST"])
def facts(request: ClinicRequest, patient_id: uuid.UUID) -> HttpResponse:
    """Record values, group by group; each group is posted by itself with its id as ``group``.

    Context: ``patient``, ``weight``, ``course``, ``groups`` (``id``, ``title``, ``note``, ``last`` on record,
    ``form``), ``conditions``, ``medications``, ``asked`` (when each history was taken). The groups ``condition``,
    ``medication``, ``allergies`` and ``history`` write the problem list, the drug list, what was answered, and that all
    was asked.
    """
    patient = queries.patient(request.site, patient_id)
    posted = request.POST.get("group", "") if request.method == "POST" else ""
    forms = _forms(request, posted)
    status = 200
    if request.method == "POST":
        form = forms.get(posted)
        if form is None:
            raise Http404("no such group")
        status = 400
        if form.is_valid():
            try:
                _record(request, patient, posted, form)
            except LimenError as problem:
                status = blame(form, problem)
            else:
                course = courses_of(patient).first()
                back = request.POST.get("next", "")
                if back == "screening" and course is not None:
                    return redirect("courses:screening", course.pk)
                return redirect(f"{request.path}#{posted}")
    context = charts.head(patient)
    newest = context.pop("newest")
    context |= {
        "groups": _groups(patient, newest, forms),
        "conditions": queries.conditions(patient),
        "medications": queries.medications(patient),
        "asked": {name: newest.get(f"history.{name}") for name in actions.HISTORIES},
        "course": courses_of(patient).first(),
        "here": "patients",
    }
    return render(request, "patients/facts.html", context, status=status)


def _forms(request: ClinicRequest, posted: str) -> dict[str, Form]:
    def data(name: str) -> Mapping[str, Any] | None:
        return request.POST if name == posted else None

    found: dict[str, Form] = {group.id: FactsForm(group, data(group.id)) for group in fact_groups() if group.keys}
    found |= {
        "condition": ConditionForm(data("condition")),
        "medication": MedicationForm(data("medication")),
        "allergies": AllergyForm(data("allergies")),
        "history": HistoryForm(data("history")),
    }
    for name, form in found.items():
        form.auto_id = f"{name}-%s"
    return found


def _groups(patient: Patient, newest: dict[str, Fact], forms: dict[str, Form]) -> list[dict[str, Any]]:
    def form_of(group: FactGroup) -> Form:
        return forms[group.id]

    listed = allergies_of(patient)
    histories = [newest[f"history.{name}"] for name in actions.HISTORIES if f"history.{name}" in newest]
    return [
        *charts.groups(newest, form_of),
        {
            "id": "condition",
            "title": "A diagnosis",
            "note": f"{queries.conditions(patient).count()} on record. One at a time.",
            "last": None,
            "form": forms["condition"],
        },
        {
            "id": "medication",
            "title": "A medication",
            "note": f"{queries.medications(patient).count()} on record. One at a time.",
            "last": None,
            "form": forms["medication"],
        },
        {
            "id": "allergies",
            "title": "Allergies",
            "note": "Asked, not guessed: nobody asked is not the same as none known. Names add to those on record.",
            "last": [*([listed.asked] if listed.asked else []), *listed.rows],
            "form": forms["allergies"],
        },
        {
            "id": "history",
            "title": "History taken",
            "note": "Only when the patient was asked about all of them: what is not listed then counts as absent.",
            "last": histories,
            "form": forms["history"],
        },
    ]


def _record(request: ClinicRequest, patient: Patient, group: str, form: Form) -> None:
    if isinstance(form, FactsForm):
        actions.record_facts(
            by=request.user,
            patient=patient,
            values=form.values(),
            effective_at=form.cleaned_data["measured_at"],
        )
    elif group == "condition":
        actions.record_condition(by=request.user, patient=patient, **form.cleaned_data)
    elif isinstance(form, AllergyForm):
        actions.record_allergies(by=request.user, patient=patient, **form.values())
    elif group == "medication":
        actions.record_medication(by=request.user, patient=patient, **form.cleaned_data)
    else:
        actions.mark_history_taken(by=request.user, patient=patient, about=form.cleaned_data["about"])


@require_http_methods(["GET", "POST"])
def correct(request: ClinicRequest, fact_id: uuid.UUID) -> HttpResponse:
    """Correct one fact, or take it back. Context: ``fact``, ``entered_by``, ``history``, ``form``, ``patient``."""
    row = get_object_or_404(Fact.objects.select_related("patient__site"), pk=fact_id, site=request.site)
    form = CorrectForm(request.POST or None)

    def save() -> Fact:
        text = form.cleaned_data["value"].strip()
        value = _typed(row.kind, text) if text else None
        return actions.correct_fact(by=request.user, fact=row, value=value, reason=form.cleaned_data["reason"])

    context = charts.head(row.patient) | {
        "fact": row,
        "entered_by": name_of(row.created_by),
        "history": row.corrections.all(),
    }
    return _form_page(
        request, form, "patients/correct.html", context, save, lambda _: redirect("patients:detail", row.patient_id)
    )


def _typed(kind: str, text: str) -> Any:
    spec = inputs().get(kind)
    if spec is None or spec.kind in ("text", "choice", "date"):
        return text
    if spec.kind == "flag":
        return {"yes": True, "true": True, "no": False, "false": False}.get(text.lower(), text)
    try:
        return float(text) if spec.kind == "number" else int(text)
    except ValueError:
        return text


@require_http_methods(["GET", "POST"])
def retract(request: ClinicRequest, kind: str, record_id: uuid.UUID) -> HttpResponse:
    """Mark a condition, medication or trial as entered in error. Context: ``record``, ``form``, ``patient``."""
    model: Any = {"condition": ConditionRecord, "medication": MedicationRecord, "trial": TrialRecord}[kind]
    row: Any = get_object_or_404(model.objects.select_related("patient__site"), pk=record_id, site=request.site)
    form = RetractForm(request.POST or None)
    return _form_page(
        request,
        form,
        "patients/retract.html",
        charts.head(row.patient) | {"record": row, "entered_by": name_of(row.created_by)},
        lambda: actions.retract_record(by=request.user, record=row, reason=form.cleaned_data["reason"]),
        lambda _: redirect("patients:trials" if kind == "trial" else "patients:detail", row.patient_id),
    )


def _form_page(
    request: ClinicRequest,
    form: Form,
    template: str,
    context: dict[str, Any],
    save: Callable[[], Any],
    done: Callable[[Any], HttpResponse],
) -> HttpResponse:
    """Show a form, or save it; a refusal stands on the form and what was typed stays."""
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                made = save()
            except LimenError as problem:
                status = blame(form, problem)
            else:
                return done(made)
    return render(request, template, context | {"form": form, "here": "patients"}, status=status)


@require_GET
def raw_bundle(request: ClinicRequest, import_id: uuid.UUID) -> HttpResponse:
    """The bundle as it came, for whoever may import one."""
    record = get_object_or_404(BundleImport, pk=import_id, site=request.site)
    require(by=request.user, permission=Permission.PATIENTS_IMPORT, site=request.site, target=f"bundle:{record.pk}")
    return JsonResponse(record.raw)
