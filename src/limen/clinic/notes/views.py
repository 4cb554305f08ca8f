"""Pages: the note on screen and on paper, its signatures, and what is added later."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_POST

from limen.clinic.notes import actions
from limen.clinic.notes.models import SessionNote
from limen.clinic.notes.queries import note_of, take_home_of
from limen.clinic.notes.rems import signed_form
from limen.clinic.patients import charts
from limen.clinic.sessions.models import Session
from limen.clinic.sites.zones import local
from limen.clinic.web.refusals import blame
from limen.clinic.web.request import ClinicRequest
from limen.errors import LimenError
from limen.reports.document import Document
from limen.reports.figures.clock import Clock
from limen.reports.paper import beside, pdf
from limen.reports.paper import render as render_typst
from limen.reports.rems_paper import field_times, rems_document


class RemarksForm(forms.Form):
    """What the events do not say."""

    remarks = forms.CharField(
        label="Remarks, if any", required=False, max_length=actions.LONGEST, widget=forms.Textarea(attrs={"rows": 4})
    )


class AddendumForm(forms.Form):
    """What is to be said after the signature."""

    text = forms.CharField(
        label="What is to be added", max_length=actions.LONGEST, widget=forms.Textarea(attrs={"rows": 4})
    )


@require_GET
def note(request: ClinicRequest, session_id: uuid.UUID) -> HttpResponse:
    """The note. Context: ``session``, ``document``, ``rows`` (parts side by side), ``signed``, ``whole``, forms."""
    return _page(request, _session(request, session_id))


@require_GET
def note_pdf(request: ClinicRequest, session_id: uuid.UUID) -> HttpResponse:
    """The note on paper."""
    session = _session(request, session_id)
    view = note_of(session)
    return _paper(view.document, session, "session-note", "" if view.signed else "-draft")


@require_GET
def take_home(request: ClinicRequest, session_id: uuid.UUID) -> HttpResponse:
    """The patient's own record. Context: ``session``, ``document``, ``rows``."""
    session = _session(request, session_id)
    document = take_home_of(session)
    context = charts.head(session.patient) | {
        "session": session,
        "course": session.course,
        "step": "session",
        "document": document,
        "rows": beside(document.parts),
    }
    return render(request, "notes/take_home.html", context)


@require_GET
def take_home_pdf(request: ClinicRequest, session_id: uuid.UUID) -> HttpResponse:
    """The patient's own record on paper."""
    session = _session(request, session_id)
    return _paper(take_home_of(session), session, "own-record")


def _paper(document: Document, session: Session, what: str, ending: str = "") -> HttpResponse:
    day = local(session.started_at, session.site).date().isoformat() if session.started_at else "not-started"
    name = f"{what}-{slugify(session.patient.mrn) or 'patient'}-{day}{ending}.pdf"
    response = HttpResponse(pdf(render_typst(document)), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


@require_GET
def rems(request: ClinicRequest, session_id: uuid.UUID) -> HttpResponse:
    """The monitoring form of nasal esketamine. Context: ``session``, ``form``, ``aside``."""
    session = _session(request, session_id)
    form, content = _form(session)
    clock = _clock(content)
    groups = [
        {**group, "fields": [{**row, "times": field_times(row, clock)} for row in group["fields"]]}
        for group in form["groups"]
    ]
    context = charts.head(session.patient) | {
        "session": session,
        "course": session.course,
        "step": "session",
        "form": {**form, "groups": groups},
        "aside": content["aside"],
    }
    return render(request, "notes/rems.html", context)


@require_GET
def rems_pdf(request: ClinicRequest, session_id: uuid.UUID) -> HttpResponse:
    """The monitoring form on paper."""
    session = _session(request, session_id)
    form, content = _form(session)
    document = rems_document(
        form,
        issuer=content["issuer"],
        aside=content["aside"],
        identity=[(name, value) for name, value in content["identity"][:3]],
        clock=_clock(content),
    )
    return _paper(document, session, "monitoring-form")


def _form(session: Session) -> tuple[dict[str, Any], dict[str, Any]]:
    content = note_of(session).content
    kept = content["note"].get("rems")
    if not kept:
        raise Http404("this session gave no nasal esketamine")
    return signed_form(kept, session), content


def _clock(content: dict[str, Any]) -> Clock:
    return Clock(content.get("started_at"), content.get("zone") or "UTC")


@require_POST
def sign(request: ClinicRequest, session_id: uuid.UUID) -> HttpResponse:
    """Sign the note, or countersign the one that is signed."""
    session = _session(request, session_id)
    held = SessionNote.objects.filter(session=session, kind=SessionNote.Kind.NOTE).first()
    form = RemarksForm(request.POST)
    if not form.is_valid():
        return _page(request, session, remarks=form, status=400)
    try:
        if held is None or held.signed_by_id == request.user.pk:
            actions.sign_note(by=request.user, session=session, remarks=form.cleaned_data["remarks"])
        else:
            actions.countersign(by=request.user, note_row=held)
    except LimenError as problem:
        if held is not None and held.signed_by_id == request.user.pk:
            late = AddendumForm({"text": form.cleaned_data["remarks"]})  # what was written stays in the form it needs
            return _page(request, session, addendum=late, status=blame(late, problem))
        return _page(request, session, remarks=form, status=blame(form, problem))
    return redirect("notes:note", session_id=session.pk)


@require_POST
def addendum(request: ClinicRequest, session_id: uuid.UUID) -> HttpResponse:
    """Add to a signed note."""
    session = _session(request, session_id)
    held = get_object_or_404(SessionNote, session=session, kind=SessionNote.Kind.NOTE)
    form = AddendumForm(request.POST)
    status = 400
    if form.is_valid():
        try:
            actions.add_addendum(by=request.user, note_row=held, text=form.cleaned_data["text"])
        except LimenError as problem:
            status = blame(form, problem)
        else:
            return redirect("notes:note", session_id=session.pk)
    return _page(request, session, addendum=form, status=status)


def _page(
    request: ClinicRequest,
    session: Session,
    *,
    remarks: RemarksForm | None = None,
    addendum: AddendumForm | None = None,
    status: int = 200,
) -> HttpResponse:
    view = note_of(session)
    context = charts.head(session.patient) | {
        "session": session,
        "course": session.course,
        "step": "session",
        "document": view.document,
        "form": view.content["note"].get("rems"),
        "rows": beside(view.document.parts),
        "signed": view.signed,
        "whole": view.whole,
        "mine": view.signed is not None and view.signed.signed_by_id == request.user.pk,
        "over": session.status in actions.OVER,
        "remarks_form": remarks or RemarksForm(),
        "addendum_form": addendum or AddendumForm(),
    }
    return render(request, "notes/note.html", context, status=status)


def _session(request: ClinicRequest, session_id: uuid.UUID) -> Session:
    found: Session = get_object_or_404(
        Session.objects.select_related("patient", "course", "plan__signed_by", "plan__screening", "site", "chair"),
        pk=session_id,
        site=request.site,
    )
    return found
