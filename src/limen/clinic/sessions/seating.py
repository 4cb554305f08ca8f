"""Before a session: its chair, its monitor, and the devices that the clinic knows."""

from __future__ import annotations

import uuid
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from limen.clinic.accounts.permissions import Permission
from limen.clinic.accounts.policy import require
from limen.clinic.courses import queries as courses
from limen.clinic.courses.models import Plan
from limen.clinic.patients import charts
from limen.clinic.sessions import actions, devices
from limen.clinic.sessions.health import device_view
from limen.clinic.sessions.models import Device, DeviceAssociation, Session
from limen.clinic.sessions.planned import that_stand, why_not_now
from limen.clinic.sites.models import Chair, Site
from limen.clinic.sites.queries import chairs
from limen.clinic.sites.zones import today
from limen.clinic.web.refusals import blame
from limen.clinic.web.request import ClinicRequest
from limen.errors import InputError, LimenError, RefusedError

OPEN = (Session.Status.PLANNED, Session.Status.RUNNING, Session.Status.RECOVERY)


class ChairForm(forms.Form):
    """Where the session is given."""

    chair = forms.ModelChoiceField(Chair.objects.none(), label="Chair", empty_label=None, widget=forms.RadioSelect)

    def __init__(self, free: QuerySet[Chair], data: Any = None) -> None:
        super().__init__(data)
        cast("forms.ModelChoiceField[Any]", self.fields["chair"]).queryset = free


class MonitorForm(forms.Form):
    """Which device watches this patient."""

    device = forms.ModelChoiceField(Device.objects.none(), label="Monitor", empty_label=None, widget=forms.RadioSelect)
    label = forms.CharField(
        label="Label on the device", max_length=80, help_text="Read or scan it at the chair", strip=True
    )
    chair = forms.CharField(label="Chair it stands at", max_length=80, help_text="Read it there, as Chair 2")

    def __init__(self, free: QuerySet[Device], data: Any = None) -> None:
        super().__init__(data)
        cast("forms.ModelChoiceField[Any]", self.fields["device"]).queryset = free


class DeviceForm(forms.Form):
    """A device that is to send values."""

    name = forms.CharField(label="Name of the device", max_length=80, help_text="As it stands on the device")
    label = forms.CharField(
        label="Its label", max_length=80, required=False, help_text="What is read back at the chair; else its name"
    )
    kind = forms.ChoiceField(
        label="Kind",
        choices=[("monitor", "Monitor"), (devices.PUMP, "Infusion pump: its volume is read")],
        initial="monitor",
        required=False,
    )


def free_chairs(site: Site) -> QuerySet[Chair]:
    """The chairs in which no session is open."""
    taken = Session.objects.filter(site=site, status__in=OPEN).values("chair")
    return chairs(site).exclude(pk__in=taken)


def free_devices(site: Site) -> QuerySet[Device]:
    """The active devices that are on no patient."""
    taken = DeviceAssociation.objects.filter(site=site, ended_at=None).values("device")
    return Device.objects.filter(site=site, status=Device.Status.ACTIVE).exclude(pk__in=taken)


@require_http_methods(["GET", "POST"])
@never_cache
def prepare(request: ClinicRequest, course_id: uuid.UUID) -> HttpResponse:
    """A session of the plan signed today, in a free chair. Context: ``course``, ``patient``, ``plan``, ``form``."""
    course = courses.course(request.site, course_id)
    plan = courses.signed_plan(course)
    why_not = _why_not(plan)
    free = free_chairs(request.site)
    form = ChairForm(free, request.POST or None)
    status = 200
    if request.method == "POST" and plan is not None:
        status = 400
        if form.is_valid():
            try:
                made = actions.create_session(by=request.user, plan=plan, chair=form.cleaned_data["chair"])
            except LimenError as problem:
                status = blame(form, problem)
            else:
                return redirect("sessions:seat", made.pk)
    context = charts.head(course.patient) | {
        "course": course,
        "plan": plan,
        "why_not": why_not,
        "form": form,
        "free": free.exists(),
        "here": "patients",
    }
    return render(request, "sessions/prepare.html", context, status=status)


def _why_not(plan: Plan | None) -> str:
    if plan is None:
        return "No plan is signed. A prescriber plans and signs first."
    if plan.on != today(plan.site):
        return f"The signed plan is of {plan.on:%-d %b %Y}. Plan again on today’s facts."
    if that_stand(Session.objects.filter(plan=plan)).exists():
        return "The signed plan has had its session. Each session has its own plan."
    return ""


@require_GET
@never_cache
def seat(request: ClinicRequest, session_id: uuid.UUID) -> HttpResponse:
    """What a session needs before it starts. Context: ``session``, ``devices``, ``form``, ``is_open``."""
    return _seat_page(request, _session(request, session_id))


@require_POST
def put_on(request: ClinicRequest, session_id: uuid.UUID) -> HttpResponse:
    """Put a device on the patient of this session."""
    session = _session(request, session_id)
    form = MonitorForm(free_devices(request.site), request.POST)
    if not form.is_valid():
        return _seat_page(request, session, form, 400)
    try:
        actions.associate_device(
            by=request.user,
            session=session,
            device=form.cleaned_data["device"],
            label=form.cleaned_data["label"],
            chair=form.cleaned_data["chair"],
        )
    except LimenError as problem:
        return _seat_page(request, session, form, blame(form, problem))
    messages.success(request, f"{form.cleaned_data['device']} is on {session.patient}.")
    return redirect("sessions:seat", session.pk)


@require_POST
def take_off(request: ClinicRequest, session_id: uuid.UUID) -> HttpResponse:
    """Take a device off the patient of this session."""
    session = _session(request, session_id)
    device = get_object_or_404(Device, site=request.site, name=request.POST.get("device", ""))
    actions.release_device(by=request.user, session=session, device=device)
    messages.success(request, f"{device} is off {session.patient}.")
    return redirect("sessions:seat", session.pk)


@require_POST
def give_up(request: ClinicRequest, session_id: uuid.UUID) -> HttpResponse:
    """End a session before it began; its plan can then have its session, in another chair."""
    session = _session(request, session_id)
    if session.started_at is not None:
        raise RefusedError("the session has started", where="session", allowed="one that has not begun")
    try:
        actions.end_session(by=request.user, session=session, reason=request.POST.get("reason", ""))
    except InputError as problem:
        return _seat_page(request, session, status=400, why_not=str(problem))
    messages.success(request, f"The session in {session.chair.name} was ended before it began. Its plan is free again.")
    return redirect("sessions:prepare", session.course_id)


@require_http_methods(["GET", "POST"])
@never_cache
def known_devices(request: ClinicRequest) -> HttpResponse:
    """The devices of the site; registering one shows its secret, this once. Context: ``devices``, ``form``."""
    require(by=request.user, permission=Permission.DEVICE_REGISTER, site=request.site, target="devices")
    form = DeviceForm(request.POST or None)
    if request.method != "POST":
        return _devices_page(request, form)
    if not form.is_valid():
        return _devices_page(request, form, status=400)
    try:
        made, secret = devices.register_device(
            by=request.user,
            site=request.site,
            name=form.cleaned_data["name"],
            kind=form.cleaned_data["kind"] or "monitor",
            label=form.cleaned_data["label"],
        )
    except LimenError as problem:
        return _devices_page(request, form, status=blame(form, problem))
    return _devices_page(request, DeviceForm(), made=made, secret=secret)


@require_POST
@never_cache
def renew_secret(request: ClinicRequest, device_id: uuid.UUID) -> HttpResponse:
    """Give a device another secret, shown this once."""
    device = get_object_or_404(Device, site=request.site, pk=device_id)
    secret = devices.renew_secret(by=request.user, device=device)
    return _devices_page(request, DeviceForm(), made=device, secret=secret)


@require_POST
def retire_device(request: ClinicRequest, device_id: uuid.UUID) -> HttpResponse:
    """Accept nothing more from a device."""
    device = get_object_or_404(Device, site=request.site, pk=device_id)
    devices.retire_device(by=request.user, device=device)
    messages.success(request, f"{device} is retired. Nothing more is accepted from it.")
    return redirect("sessions:devices")


def _devices_page(
    request: ClinicRequest, form: DeviceForm, *, made: Device | None = None, secret: str = "", status: int = 200
) -> HttpResponse:
    rows = Device.objects.filter(site=request.site)
    on = {
        row.device_id: row.session
        for row in DeviceAssociation.objects.filter(site=request.site, ended_at=None).select_related(
            "session__patient", "session__chair"
        )
    }
    context = {
        "devices": [(row, on.get(row.pk), device_view(row)) for row in rows],
        "form": form,
        "made": made,
        "secret": secret,
        "address": request.build_absolute_uri("/").rstrip("/"),
        "here": "devices",
    }
    return render(request, "sessions/devices.html", context, status=status)


def _session(request: ClinicRequest, session_id: uuid.UUID) -> Session:
    rows = Session.objects.select_related("site", "patient", "plan", "chair", "course")
    return get_object_or_404(rows, pk=session_id, site=request.site)


def _seat_page(
    request: ClinicRequest, session: Session, form: MonitorForm | None = None, status: int = 200, why_not: str = ""
) -> HttpResponse:
    form = form or MonitorForm(free_devices(request.site))
    on = DeviceAssociation.objects.filter(session=session, ended_at=None).select_related("device")
    context = charts.head(session.patient) | {
        "session": session,
        "course": session.course,
        "devices": [row.device for row in on],
        "form": form,
        "free": free_devices(request.site).exists(),
        "is_open": session.status in OPEN,
        "not_begun": session.status == Session.Status.PLANNED,
        "stale": "" if session.status != Session.Status.PLANNED else why_not_now(session),
        "why_not": why_not,
        "step": "session",
        "here": "patients",
    }
    return render(request, "sessions/seat.html", context, status=status)
