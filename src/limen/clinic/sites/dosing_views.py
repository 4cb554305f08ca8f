"""Pages: a site's dosing settings with their history, and the proposal of a new version with what it would change."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from limen.care.site_dosing import SiteDosing, site_dosing
from limen.clinic.accounts.permissions import Permission
from limen.clinic.accounts.policy import require
from limen.clinic.sites import actions, dosing
from limen.clinic.sites.dosing_forms import (
    DropDosingForm,
    EquipmentForm,
    LimitForms,
    SignDosingForm,
    WhyForm,
    declared,
    rows_of,
)
from limen.clinic.sites.proposing import propose_dosing
from limen.clinic.web.refusals import blame
from limen.clinic.web.request import ClinicRequest
from limen.errors import InputError, LimenError


@require_GET
def settings(request: ClinicRequest) -> HttpResponse:
    """What is in force, what waits for a signature, and every version before."""
    return _page(request)


@require_http_methods(["GET", "POST"])
def propose(request: ClinicRequest) -> HttpResponse:
    """The settings as a form; a POST lays them before the director, and changes nothing yet.

    Context: ``limits`` (a form for each), ``equipment``, ``why``, ``from_version`` (what the form was filled from).
    """
    require(by=request.user, permission=Permission.SITE_MANAGE, site=request.site, action="sites.propose_dosing")
    if request.method == "GET":
        return _form(request, *_blank(request))
    limits = LimitForms(request.POST, prefix="limits", initial=_rows_before(request))
    equipment, why = EquipmentForm(request.POST), WhyForm(request.POST)
    valid = [form.is_valid() for form in (limits, equipment, why)]
    status = 400
    if all(valid):
        try:
            row = propose_dosing(
                by=request.user,
                site=request.site,
                dosing=declared(limits, equipment),
                why=why.cleaned_data["why"],
            )
        except LimenError as problem:
            status = _blame(limits, equipment, why, problem)
        else:
            messages.success(request, f"Version {row.number} is proposed. Nothing has changed yet: read it, then sign.")
            return redirect("sites:dosing")
    return _form(request, limits, equipment, why, status=status)


@require_POST
def sign(request: ClinicRequest) -> HttpResponse:
    """Put the version that was read into force."""
    form = SignDosingForm(request.POST)
    status = 400
    if form.is_valid():
        try:
            row = actions.sign_dosing(by=request.user, site=request.site, **form.cleaned_data)
        except LimenError as problem:
            status = blame(form, problem)
        else:
            messages.success(request, f"Version {row.number} is in force: every plan from now on follows it.")
            return redirect("sites:dosing")
    return _page(request, sign_form=form, status=status)


@require_POST
def drop(request: ClinicRequest) -> HttpResponse:
    """Take the proposal off the table."""
    form = DropDosingForm(request.POST)
    status = 400
    if form.is_valid():
        try:
            row = actions.drop_dosing(by=request.user, site=request.site, **form.cleaned_data)
        except LimenError as problem:
            status = blame(form, problem)
        else:
            messages.success(request, f"Version {row.number} was dropped. What was in force stays.")
            return redirect("sites:dosing")
    return _page(request, drop_form=form, status=status)


def _page(
    request: ClinicRequest,
    *,
    sign_form: SignDosingForm | None = None,
    drop_form: DropDosingForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """Context: ``live`` and ``now`` (version and settings in force), ``proposal`` (version, ``then``), ``history``."""
    live, proposal = dosing.in_force(request.site), dosing.waiting(request.site)
    context: dict[str, Any] = {
        "here": "orders",
        "live": live,
        "now": SiteDosing() if live is None else site_dosing(live.content),
        "proposal": proposal,
        "history": dosing.history(request.site),
    }
    if proposal is not None:
        version = {"number": proposal.number, "digest": proposal.digest}
        context |= {
            "then": site_dosing(proposal.content),
            "sign_form": sign_form or SignDosingForm(initial=version),
            "drop_form": drop_form or DropDosingForm(initial=version),
        }
    return render(request, "sites/dosing.html", context, status=status)


def _blank(request: ClinicRequest) -> tuple[Any, EquipmentForm, WhyForm]:
    """The forms filled with the proposal that waits, else with what is in force; the reason is always asked anew."""
    before = _before(request)
    return (
        LimitForms(prefix="limits", initial=rows_of(before)),
        EquipmentForm(initial=before.equipment.model_dump()),
        WhyForm(),
    )


def _before(request: ClinicRequest) -> SiteDosing:
    proposal = dosing.waiting(request.site)
    return dosing.dosing_of(request.site) if proposal is None else site_dosing(proposal.content)


def _rows_before(request: ClinicRequest) -> list[dict[str, Any]]:
    return rows_of(_before(request))


def _form(
    request: ClinicRequest, limits: Any, equipment: EquipmentForm, why: WhyForm, *, status: int = 200
) -> HttpResponse:
    proposal, live = dosing.waiting(request.site), dosing.in_force(request.site)
    context = {
        "here": "orders",
        "limits": limits,
        "equipment": equipment,
        "why": why,
        "from_version": proposal or live,
        "waits": proposal is not None,
    }
    return render(request, "sites/dosing_propose.html", context, status=status)


def _blame(limits: Any, equipment: EquipmentForm, why: WhyForm, problem: LimenError) -> int:
    """Put a refusal beside the row that caused it: ``site.limits.2.unit`` is the third limit that is kept."""
    parts = problem.where.split(".") if isinstance(problem, InputError) else []
    if parts[:2] == ["site", "limits"] and len(parts) > 2 and parts[2].isdigit():
        kept = [form for form in limits if form.cleaned_data and not form.cleaned_data.get("off")]
        return blame(kept[int(parts[2])], problem)
    return blame(equipment if parts[:2] == ["site", "equipment"] else why, problem)
