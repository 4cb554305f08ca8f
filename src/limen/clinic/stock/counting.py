"""Counting a vial by two people, each blind to the other and to what the book expects until both have counted."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from limen.clinic.accounts.policy import require
from limen.clinic.stock import actions
from limen.clinic.stock.forms import FirstCountForm, SecondCountForm
from limen.clinic.stock.models import LedgerEntry, Vial
from limen.clinic.stock.witness import second_person
from limen.clinic.web.refusals import blame
from limen.clinic.web.request import ClinicRequest
from limen.errors import InputError, LimenError
from limen.ledger import parse_amount, show_mg


@require_http_methods(["GET", "POST"])
def count(request: ClinicRequest, vial_id: uuid.UUID) -> HttpResponse:
    """Count one vial. Context: ``vial``, ``form``, ``waiting`` while the second person counts.

    The first count waits with the signed-in person's login, on the server; no page shows it.
    """
    permission = actions.count.permission  # type: ignore[attr-defined]
    require(by=request.user, permission=permission, site=request.site)
    found = get_object_or_404(Vial, pk=vial_id, site=request.site)
    place = f"count:{found.pk}"
    if request.method == "POST" and "again" in request.POST:
        request.session.pop(place, None)
        return redirect("stock:count", vial_id=found.pk)
    first = request.session.get(place)
    form = (SecondCountForm if first else FirstCountForm)(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                if first:
                    return _second(request, found, place, first, form.cleaned_data)
                return _first(request, found, place, form.cleaned_data)
            except LimenError as problem:
                status = blame(form, problem)
    context = {"here": "stock", "vial": found, "form": form, "waiting": bool(first)}
    return render(request, "stock/count.html", context, status=status)


def _first(request: ClinicRequest, vial: Vial, place: str, data: dict[str, Any]) -> HttpResponse:
    given = {name: data[name].strip() for name in ("amount_mg", "reason", "key")}
    parse_amount(given["amount_mg"], zero=True)
    if "alone" in request.POST:
        return _told(request, vial, actions.count(by=request.user, vial=vial, **given))
    request.session[place] = given
    return redirect("stock:count", vial_id=vial.pk)


def _second(
    request: ClinicRequest, vial: Vial, place: str, first: dict[str, str], data: dict[str, Any]
) -> HttpResponse:
    witness = second_person(request, data["witness"], data["witness_password"])
    if witness == request.user:
        raise InputError("the second person counted first", where="witness", allowed="another person")
    amount_mg = data["amount_mg"].strip()
    if parse_amount(amount_mg, zero=True) == parse_amount(first["amount_mg"], zero=True):
        made = actions.count(by=request.user, vial=vial, witness=witness, **first)
        request.session.pop(place, None)
        return _told(request, vial, made)
    actions.counts_differ(by=request.user, vial=vial, first_mg=first["amount_mg"], second_mg=amount_mg, witness=witness)
    request.session.pop(place, None)
    messages.error(request, "The two counts differ. Nothing is written in the book: both of you count again.")
    return redirect("stock:count", vial_id=vial.pk)


def _told(request: ClinicRequest, vial: Vial, made: LedgerEntry) -> HttpResponse:
    messages.success(request, f"{show_mg(made.amount_mg)} mg counted, entry {made.position}")
    return redirect("stock:vial", vial_id=vial.pk)
