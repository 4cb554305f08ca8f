"""Pages: the antidepressants a patient has tried, each judged, and the correction of one entry."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from limen.clinic.accounts.queries import name_of
from limen.clinic.courses.queries import courses_of
from limen.clinic.patients import actions, charts, queries, trials
from limen.clinic.patients.history_forms import TrialCorrectForm, TrialForm
from limen.clinic.patients.models import TrialRecord
from limen.clinic.web.refusals import blame
from limen.clinic.web.request import ClinicRequest
from limen.errors import LimenError
from limen.knowledge.trials import trial_rules


@require_http_methods(["GET", "POST"])
def tried(request: ClinicRequest, patient_id: uuid.UUID) -> HttpResponse:
    """Every trial with what the rules make of it; a POST adds one.

    Context: ``trials`` (``tried``, ``history``, ``asked``, ``by_hand``, ``disagreement``), ``rules`` (how many are
    needed, how long, how much better), ``unlisted`` (antidepressants on the medication list and not here), ``form``,
    ``corrected`` (entries that were put right), ``course``, ``patient``.
    """
    patient = queries.patient(request.site, patient_id)
    form = TrialForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                row = actions.record_trial(by=request.user, patient=patient, trial=form.values())
            except LimenError as problem:
                status = blame(form, problem)
            else:
                messages.success(request, f"On record: {row}")
                return redirect("patients:trials", patient.pk)
    context = charts.head(patient)
    found = trials.trials_of(patient, context.pop("newest"))
    context |= {
        "trials": found,
        "rules": trial_rules(),
        "unlisted": trials.unlisted(patient, found),
        "corrected": trials.corrected(patient),
        "form": form,
        "course": courses_of(patient).first(),
        "here": "patients",
    }
    return render(request, "patients/trials.html", context, status=status)


@require_POST
def all_asked(request: ClinicRequest, patient_id: uuid.UUID) -> HttpResponse:
    """Say that the list is whole: the patient was asked about every antidepressant."""
    patient = queries.patient(request.site, patient_id)
    actions.mark_history_taken(by=request.user, patient=patient, about="trials")
    messages.success(request, "On record: asked about every antidepressant, and there were no others")
    return redirect("patients:trials", patient.pk)


@require_http_methods(["GET", "POST"])
def correct(request: ClinicRequest, record_id: uuid.UUID) -> HttpResponse:
    """One entry as it should be; the form holds the entry itself. Context: ``record``, ``entered_by``, ``form``."""
    row = get_object_or_404(TrialRecord.objects.select_related("patient__site"), pk=record_id, site=request.site)
    form = TrialCorrectForm(request.POST or None, initial=trials.values_of(row))
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                actions.correct_trial(
                    by=request.user, record=row, trial=form.values(), reason=form.cleaned_data["reason"]
                )
            except LimenError as problem:
                status = blame(form, problem)
            else:
                return redirect("patients:trials", row.patient_id)
    context = charts.head(row.patient) | {
        "record": row,
        "entered_by": name_of(row.created_by),
        "done": row.retracted or row.corrections.exists(),
        "form": form,
        "here": "patients",
    }
    return render(request, "patients/trial_correct.html", context, status=status)
