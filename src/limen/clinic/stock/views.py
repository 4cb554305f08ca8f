"""Pages of the ledger: the day by vial, a vial, the whole book, its seal, and the drug of one session."""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from limen.clinic.accounts.models import User
from limen.clinic.accounts.permissions import Permission
from limen.clinic.accounts.policy import require
from limen.clinic.patients import charts
from limen.clinic.sessions.models import DeviceAssociation, Session
from limen.clinic.sites.zones import today
from limen.clinic.stock import actions, queries
from limen.clinic.stock.book import rows, with_sessions
from limen.clinic.stock.forms import FORMS, DrawForm, LineForm, ReceiveForm
from limen.clinic.stock.models import LedgerEntry, Vial
from limen.clinic.stock.witness import second_person
from limen.clinic.web.refusals import blame
from limen.clinic.web.request import ClinicRequest
from limen.errors import InputError, LimenError
from limen.ledger import show_mg

DONE = {
    "draw": "drawn up",
    "waste": "wasted",
    "return": "returned",
    "transfer": "transferred",
    "lose": "written off as lost",
    "destroy": "destroyed",
    "correct": "corrected",
}
OF_A_VIAL = ("transfer", "lose", "destroy", "correct")
OF_A_SESSION = ("draw", "waste", "return")


@require_GET
def ledger(request: ClinicRequest) -> HttpResponse:
    """A day by vial. Context: ``day``, ``lines``, ``totals``, ``unexplained_mg``, ``stock``, ``seal`` and more."""
    _may_read(request)
    day = _day(request)
    lines = queries.day_by_vial(request.site, day)
    sums = queries.totals(lines)
    states = queries.site_states(request.site)
    context = {
        "here": "stock",
        "day": day,
        "is_today": day == today(request.site),
        "lines": lines,
        "totals": sums,
        "unexplained_mg": queries.unexplained_mg(request.site, states),
        "stock": queries.on_hand(request.site, states),
        "seal": queries.last_seals(request.site),
        "checked_at": timezone.now(),
        "corrections": queries.corrections_of(request.site, day),
    }
    return render(request, "stock/ledger.html", context)


@require_http_methods(["GET", "POST"])
def receive(request: ClinicRequest) -> HttpResponse:
    """Take a vial into stock. Context: ``form``."""
    require(by=request.user, permission=Permission.STOCK_RECEIVE, site=request.site)
    form = ReceiveForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                made = actions.receive(by=request.user, site=request.site, **form.cleaned_data)
            except LimenError as problem:
                status = blame(form, problem)
            else:
                messages.success(request, f"Received {show_mg(made.amount_mg)} mg in vial {made.vial.label}")
                return redirect("stock:vial", vial_id=made.vial_id)
    return render(request, "stock/receive.html", {"here": "stock", "form": form}, status=status)


@require_GET
def vial(request: ClinicRequest, vial_id: uuid.UUID) -> HttpResponse:
    """One vial. Context: ``vial``, ``state``, ``rows``, ``forms`` by kind."""
    _may_read(request)
    return _vial_page(request, _vial(request, vial_id))


@require_POST
def vial_act(request: ClinicRequest, vial_id: uuid.UUID, kind: str) -> HttpResponse:
    """Transfer, lose, destroy or correct."""
    if kind not in OF_A_VIAL:
        raise Http404
    found = _vial(request, vial_id)
    form = FORMS[kind](request.POST, prefix=kind)
    if not form.is_valid():
        return _vial_page(request, found, {kind: form}, 400)
    try:
        made = _write(request, kind, form, vial=found)
    except LimenError as problem:
        return _vial_page(request, found, {kind: form}, blame(form, problem))
    _say(request, made)
    return redirect("stock:vial", vial_id=found.pk)


@require_GET
def book(request: ClinicRequest) -> HttpResponse:
    """Every entry, newest first. Context: ``page``."""
    _may_read(request)
    found = with_sessions(rows(request.site).order_by("-position"))
    page = Paginator(found, 100).get_page(request.GET.get("page"))
    return render(request, "stock/book.html", {"here": "stock", "page": page})


@require_GET
def check(request: ClinicRequest) -> HttpResponse:
    """Check the whole chain. Context: ``result``, ``checkpoint``."""
    _may_read(request)
    checkpoint = request.GET.get("checkpoint", "").strip()
    problem, result = None, None
    try:
        result = queries.site_verify(request.site, checkpoint=checkpoint or None)
    except InputError as refused:
        problem = refused
    context = {"here": "stock", "result": result, "checkpoint": checkpoint, "problem": problem, "now": timezone.now()}
    return render(request, "stock/check.html", context, status=400 if problem else 200)


@require_GET
def session(request: ClinicRequest, session_id: uuid.UUID) -> HttpResponse:
    """The drug of one session. Context: ``session``, ``account``, ``syringes``, ``ordered``, ``forms``."""
    _may_read(request)
    return _session_page(request, _session(request, session_id))


@require_POST
def session_act(request: ClinicRequest, session_id: uuid.UUID, kind: str) -> HttpResponse:
    """Draw up, waste or return."""
    if kind not in OF_A_SESSION:
        raise Http404
    found = _session(request, session_id)
    prefix = kind if kind == "draw" else f"{kind}-{request.POST.get('which', '')}"
    form = FORMS[kind](request.POST, prefix=prefix)
    if not form.is_valid():
        return _session_page(request, found, {prefix: form}, 400)
    try:
        label = form.cleaned_data["vial"].strip()
        held = Vial.objects.filter(site=request.site, label=label).first()
        if held is None:
            raise InputError(f"unknown vial {label!r}", where="vial", allowed="a vial that was received")
        made = _write(request, kind, form, session=found, vial=held)
    except LimenError as problem:
        return _session_page(request, found, {prefix: form}, blame(form, problem))
    _say(request, made)
    return redirect("stock:session", session_id=found.pk)


def _write(request: ClinicRequest, kind: str, form: LineForm, **about: Any) -> LedgerEntry:
    data = form.cleaned_data
    witness: User | None = None
    if data.get("witness"):
        witness = second_person(request, data["witness"], data.get("witness_password", ""))
    given: dict[str, Any] = {"amount_mg": data["amount_mg"].strip(), "key": data["key"], "reason": data["reason"]}
    if data.get("corrects"):
        given["corrects"] = data["corrects"]
    return actions.ACTS[kind](by=request.user, witness=witness, **about, **given)


def _vial_page(
    request: ClinicRequest, found: Vial, forms: dict[str, LineForm] | None = None, status: int = 200
) -> HttpResponse:
    able = {kind for kind in OF_A_VIAL if actions.ACTS[kind].permission in request.may}  # type: ignore[attr-defined]
    shown = {kind: (forms or {}).get(kind) or FORMS[kind](prefix=kind) for kind in OF_A_VIAL if kind in able}
    wrong = request.GET.get("correct", "")
    if "correct" in shown and wrong and not (forms or {}).get("correct"):
        shown["correct"] = FORMS["correct"](prefix="correct", initial={"corrects": wrong})
    may_count = actions.count.permission in request.may  # type: ignore[attr-defined]
    context = {"here": "stock", "vial": found, "forms": shown, "wrong": wrong, "may_count": may_count}
    context |= queries.vial_book(found)
    return render(request, "stock/vial.html", context, status=status)


def _session_page(
    request: ClinicRequest, found: Session, forms: dict[str, LineForm] | None = None, status: int = 200
) -> HttpResponse:
    given = forms or {}
    syringes = queries.open_syringes(found)
    for item in syringes:
        for kind in ("waste", "return"):
            prefix = f"{kind}-{item['vial'].pk}"
            initial = {"vial": item["vial"].label}
            item[f"{kind}_form"] = given.get(prefix) or FORMS[kind](prefix=prefix, initial=initial)
        item["open"] = item["open_mg"] > Decimal(0)
    context = charts.head(found.patient) | {
        "session": found,
        "course": found.course,
        "step": "session",
        "may_draw": found.status in actions.OPEN,
        "account": queries.session_account(found),
        "syringes": syringes,
        "ordered_mg": queries.ordered_mg(found),
        "ordered_strength": actions.ordered_strength(found.plan),
        "candidates": queries.candidates(found),
        "next_step": _next_step(found) if syringes else None,
        "draw_form": given.get("draw") or DrawForm(prefix="draw"),
    }
    return render(request, "stock/session.html", context, status=status)


def _next_step(found: Session) -> tuple[str, str] | None:
    """Where a session whose drug is drawn goes on: to its chair, until the dose is over and what is left is wasted."""
    watched = DeviceAssociation.objects.filter(session=found, ended_at=None)
    if found.status == Session.Status.PLANNED and not watched.exists():
        return "sessions:seat", "Drawn up: put the monitor on"
    if found.status == Session.Status.PLANNED:
        return "sessions:chair", "Drawn up: to the chair"
    if found.status == Session.Status.RUNNING and queries.given_mg(found) < (queries.ordered_mg(found) or Decimal(0)):
        return "sessions:chair", "Drawn up: to the chair"
    return None


def _say(request: ClinicRequest, made: LedgerEntry) -> None:
    messages.success(request, f"{show_mg(made.amount_mg)} mg {DONE[made.kind]}, entry {made.position}")


def _may_read(request: ClinicRequest) -> None:
    require(by=request.user, permission=Permission.STOCK_READ, site=request.site)


def _vial(request: ClinicRequest, vial_id: uuid.UUID) -> Vial:
    return get_object_or_404(Vial, pk=vial_id, site=request.site)


def _session(request: ClinicRequest, session_id: uuid.UUID) -> Session:
    found: Session = get_object_or_404(
        Session.objects.select_related("patient", "course", "plan", "site", "chair"), pk=session_id, site=request.site
    )
    return found


def _day(request: ClinicRequest) -> date:
    asked = request.GET.get("day")
    if not asked:
        return today(request.site)
    try:
        return date.fromisoformat(asked)
    except ValueError:
        raise InputError(f"cannot read the day {asked!r:.40}", where="day", allowed="YYYY-MM-DD") from None
