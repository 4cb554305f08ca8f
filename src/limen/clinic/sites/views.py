"""Pages: the standing orders of a site, what it holds of rescue drugs, and one person's emergency sheet."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from limen.care.standing import Standing
from limen.clinic.patients import charts
from limen.clinic.sessions.models import Session
from limen.clinic.sites import actions, rescue
from limen.clinic.sites.forms import SignForm, StockForm, WithdrawForm
from limen.clinic.web.refusals import blame
from limen.clinic.web.request import ClinicRequest
from limen.errors import LimenError
from limen.knowledge.standing_orders import StandingOrder, standing_orders


@require_GET
def orders(request: ClinicRequest) -> HttpResponse:
    """Every order under the problem it answers. Context: ``problems`` (problem, cards), ``stock``, ``stock_form``."""
    return _page(request)


@require_POST
def sign(request: ClinicRequest, order: str) -> HttpResponse:
    """Sign one version of an order."""
    found = _order(order)
    form = SignForm(found, request.POST)
    status = 400
    if form.is_valid():
        said = form.cleaned_data
        try:
            actions.sign_standing_order(
                by=request.user,
                site=request.site,
                order=found.id,
                digest=said["digest"],
                expires_on=said["expires_on"],
                interval_min=said.get("interval_min"),
                max_doses=said.get("max_doses"),
            )
        except LimenError as problem:
            status = blame(form, problem)
        else:
            messages.success(request, f"Signed: {found.title}, until {said['expires_on']:%-d %b %Y}")
            return redirect(f"{reverse('sites:orders')}#{found.id}")
    return _page(request, sign_form=(found.id, form), status=status)


@require_POST
def withdraw(request: ClinicRequest, order: str) -> HttpResponse:
    """Take a signature back."""
    found = _order(order)
    form = WithdrawForm(request.POST, prefix=f"withdraw-{found.id}")
    status = 400
    if form.is_valid():
        try:
            actions.withdraw_standing_order(
                by=request.user, site=request.site, order=found.id, reason=form.cleaned_data["reason"]
            )
        except LimenError as problem:
            status = blame(form, problem)
        else:
            messages.success(request, f"Withdrawn: {found.title}")
            return redirect(f"{reverse('sites:orders')}#{found.id}")
    return _page(request, withdraw_form=(found.id, form), status=status)


@require_POST
def stock(request: ClinicRequest) -> HttpResponse:
    """Add a presentation to what the site holds."""
    form = StockForm(request.POST)
    status = 400
    if form.is_valid():
        said = form.cleaned_data
        try:
            actions.add_rescue_stock(by=request.user, site=request.site, item=said)
        except LimenError as problem:
            status = blame(form, problem)
        else:
            messages.success(request, f"On the list: {said['drug']}")
            return redirect(f"{reverse('sites:orders')}#stock")
    return _page(request, stock_form=form, status=status)


@require_POST
def remove_stock(request: ClinicRequest, place: int) -> HttpResponse:
    """Take one presentation off the list."""
    held = [line.item for line in rescue.stock_lines(request.site)]
    if place >= len(held):
        raise Http404
    actions.remove_rescue_stock(by=request.user, site=request.site, item=held[place])
    messages.success(request, f"Off the list: {held[place]['drug']}")
    return redirect(f"{reverse('sites:orders')}#stock")


@require_GET
def emergency(request: ClinicRequest, session_id: uuid.UUID) -> HttpResponse:
    """One person's rescue doses in mg and mL, to print and keep at the chair. Context: ``rows``, ``person``, ``at``."""
    session = get_object_or_404(
        Session.objects.select_related("patient", "course", "site", "chair"), pk=session_id, site=request.site
    )
    context = charts.head(session.patient) | {
        "session": session,
        "course": session.course,
        "step": "session",
        "rows": rescue.emergency_sheet(session),
        "person": rescue.person_of(session),
        "at": timezone.now(),
    }
    return render(request, "sites/emergency_sheet.html", context)


def _page(
    request: ClinicRequest,
    *,
    sign_form: tuple[str, SignForm] | None = None,
    withdraw_form: tuple[str, WithdrawForm] | None = None,
    stock_form: StockForm | None = None,
    status: int = 200,
) -> HttpResponse:
    groups = [
        (problem, [_card(entry, sign_form, withdraw_form) for entry in entries])
        for problem, entries in rescue.by_problem(request.site)
    ]
    states = [entry.state for _, cards in groups for entry in (card["standing"] for card in cards)]
    context: dict[str, Any] = {
        "here": "orders",
        "problems": groups,
        "usable": states.count("signed"),
        "open": sum(state not in {"signed", "withheld"} for state in states),
        "stock": rescue.stock_lines(request.site),
        "stock_form": stock_form or StockForm(),
    }
    return render(request, "sites/orders.html", context, status=status)


def _card(
    entry: Standing, sign_form: tuple[str, SignForm] | None, withdraw_form: tuple[str, WithdrawForm] | None
) -> dict[str, Any]:
    order = entry.order
    signing = sign_form[1] if sign_form is not None and sign_form[0] == order.id else SignForm(order)
    taking = withdraw_form[1] if withdraw_form is not None and withdraw_form[0] == order.id else None
    return {
        "standing": entry,
        "order": order,
        "sign_form": signing,
        "withdraw_form": taking or WithdrawForm(prefix=f"withdraw-{order.id}"),
    }


def _order(name: str) -> StandingOrder:
    found = standing_orders().get(name)
    if found is None:
        raise Http404("no such order")
    return found
