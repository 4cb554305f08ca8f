"""The patient's call page, and the staff's page that makes it and writes down what calms this person."""

from __future__ import annotations

import io
import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from limen.clinic.accounts.permissions import Permission
from limen.clinic.patients import charts
from limen.clinic.sessions import patient_call
from limen.clinic.sessions.floor_models import Comfort
from limen.clinic.sessions.models import Session
from limen.clinic.web.refusals import blame
from limen.clinic.web.request import ClinicRequest
from limen.errors import LimenError

COOKIE = "limen_call"
COOKIE_AGE_S = 12 * 3600


class ComfortForm(forms.Form):
    """The patient's own words, asked before the session."""

    helps = forms.CharField(label="What helps when it gets hard", max_length=300)
    words = forms.CharField(label="Words to say", max_length=300, required=False)
    avoid = forms.CharField(label="What makes it worse", max_length=300, required=False)
    touch = forms.ChoiceField(label="A hand on the shoulder", choices=Comfort.Touch.choices, widget=forms.RadioSelect)
    person = forms.CharField(label="Whom to call, with number", max_length=150, required=False)


@require_http_methods(["GET", "POST"])
@never_cache
def for_patient(request: ClinicRequest, session_id: uuid.UUID) -> HttpResponse:
    """What calms this patient, and their call page. Context: ``form``, ``comfort``, ``address``, ``qr``."""
    rows = Session.objects.select_related("site", "patient", "plan", "chair", "course")
    session = get_object_or_404(rows, pk=session_id, site=request.site)
    form = ComfortForm()
    address, status = "", 200
    if request.method == "POST" and "call_page" in request.POST:
        token = patient_call.make_call_page(by=request.user, session=session)
        address = request.build_absolute_uri(reverse("sessions:call", args=[token]))
    elif request.method == "POST":
        form = ComfortForm(request.POST)
        status = 400
        if form.is_valid():
            try:
                patient_call.record_comfort(by=request.user, patient=session.patient, **form.cleaned_data)
            except LimenError as problem:
                status = blame(form, problem)
            else:
                messages.success(request, f"Written down for {session.patient}.")
                return redirect("sessions:for_patient", session.pk)
    context = charts.head(session.patient) | {
        "session": session,
        "course": session.course,
        "form": form,
        "comfort": patient_call.comfort_of(session.patient),
        "may_record": Permission.FACTS_RECORD in request.may,
        "is_open": session.status in patient_call.OPEN,
        "address": address,
        "qr": qr_path(address) if address else None,
        "step": "session",
        "here": "patients",
    }
    return render(request, "sessions/for_patient.html", context, status=status)


def qr_path(text: str) -> dict[str, Any]:
    """A QR code as one path of unit squares, and its size with the quiet zone."""
    import segno

    matrix = segno.make(text, error="m", micro=False).matrix
    out = io.StringIO()
    for row, line in enumerate(matrix):
        for column, dark in enumerate(line):
            if dark:
                out.write(f"M{column + 4} {row + 4}h1v1h-1z")
    return {"d": out.getvalue(), "size": len(matrix) + 8}


@login_not_required
@require_http_methods(["GET", "POST"])
@never_cache
def call(request: HttpRequest, token: str) -> HttpResponse:
    """The patient's page. A look takes nothing: the first device that begins has it, so that no preview can."""
    opened = patient_call.look_up(token, request.COOKIES.get(COOKIE, ""))
    word = request.POST.get("word", "")
    if request.method == "POST" and opened.link is not None:
        if opened.place == "free" and word == "begin":
            return _begin(request, opened.link, token)
        if opened.place == "mine" and word in ("come", "ok"):
            return _said(request, opened.link, token, word)
    status = {"unknown": 404, "over": 410, "taken": 403}.get(opened.place, 200)
    said = patient_call.answered(opened.link) if opened.place == "mine" and opened.link else {"state": "none"}
    context = {"place": opened.place, "token": token, "said": said}
    return render(request, "sessions/call.html", context, status=status)


def _begin(request: HttpRequest, link: Any, token: str) -> HttpResponse:
    device = patient_call.begin(link)
    answer = redirect("sessions:call", token)
    if device:
        answer.set_cookie(
            COOKIE,
            device,
            max_age=COOKIE_AGE_S,
            path=reverse("sessions:call", args=[token]),
            httponly=True,
            secure=request.is_secure(),
            samesite="Strict",
        )
    return answer


def _said(request: HttpRequest, link: Any, token: str, word: str) -> HttpResponse:
    try:
        patient_call.signal(link, "come" if word == "come" else "ok")
    except LimenError:
        if _wants_json(request):
            return JsonResponse(patient_call.answered(link), status=409)
        return redirect("sessions:call", token)
    return JsonResponse(patient_call.answered(link)) if _wants_json(request) else redirect("sessions:call", token)


@login_not_required
@require_GET
@never_cache
def call_state(request: HttpRequest, token: str) -> JsonResponse:
    """Whether staff have been told, and who is coming."""
    opened = patient_call.look_up(token, request.COOKIES.get(COOKIE, ""))
    if opened.place != "mine" or opened.link is None:
        return JsonResponse({"state": opened.place}, status=410 if opened.place == "over" else 403)
    return JsonResponse(patient_call.answered(opened.link))


def _wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")
