"""Pages about alarms: the log of one session, the budget of the service, and limits tried before they go live."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from limen.clinic.accounts.permissions import Permission
from limen.clinic.accounts.policy import require
from limen.clinic.calls import history
from limen.clinic.sessions.models import Session
from limen.clinic.web.request import ClinicRequest
from limen.errors import InputError
from limen.knowledge.alarm_response import alarm_response

_SIDES = (
    ("SPO2", "low", "SpO2 low, %"),
    ("RR", "low", "Breaths low, /min"),
    ("NIBP_SYS", "low", "Systolic low, mmHg"),
    ("NIBP_SYS", "high", "Systolic high, mmHg"),
    ("HR", "low", "Heart low, /min"),
    ("HR", "high", "Heart high, /min"),
)


class LimitsForm(forms.Form):
    """Limits to try; a side left empty is open."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for signal, side, label in _SIDES:
            self.fields[f"{signal}-{side}"] = forms.FloatField(label=label, required=False, min_value=0, max_value=400)

    def clean(self) -> dict[str, Any]:
        """At least one limit, and low under high."""
        found = super().clean() or {}
        try:
            history.check_limits(self.limits())
        except InputError as problem:
            raise forms.ValidationError(str(problem)) from None
        return found

    def limits(self) -> dict[str, dict[str, float]]:
        """As ``limen session replay --what-if`` reads them."""
        found: dict[str, dict[str, float]] = {}
        for signal, side, _ in _SIDES:
            value = self.cleaned_data.get(f"{signal}-{side}")
            if value is not None:
                found.setdefault(signal, {})[side] = value
        return found


@require_GET
@never_cache
def alarm_log(request: ClinicRequest, session_id: UUID) -> HttpResponse:
    """Every alarm of one session, who saw it, who was called."""
    rows = Session.objects.select_related("patient", "chair", "course", "plan")
    session = get_object_or_404(rows, pk=session_id, site=request.site)
    page = {
        "session": session,
        "patient": session.patient,
        "rows": history.log(session),
        "checks": history.checks(session),
        "step": "session",
    }
    return render(request, "calls/log.html", page)


@require_GET
@never_cache
def budget(request: ClinicRequest) -> HttpResponse:
    """The alarm budget; with limits in the address, those limits on the newest sessions."""
    require(by=request.user, permission=Permission.LIMITS_CHANGE, site=request.site, target="alarms")
    asked = any(request.GET.get(f"{signal}-{side}") for signal, side, _ in _SIDES)
    form = LimitsForm(request.GET if asked else None)
    tried = history.past_sessions(request.site, history.MOST_TRIED) if asked and form.is_valid() else []
    page = {
        "budget": history.budget(request.site),
        "compare": alarm_response().compare,
        "rules": alarm_response().budget,
        "form": form,
        "tried": tried,
        "query": urlencode({key: value for key, value in request.GET.items() if value}),
        "here": "alarms",
    }
    return render(request, "calls/budget.html", page)


@require_GET
@never_cache
def trial(request: ClinicRequest, session_id: UUID) -> HttpResponse:
    """One past session under the limits of the address: a row of the table."""
    require(by=request.user, permission=Permission.LIMITS_CHANGE, site=request.site, target="alarms")
    session = get_object_or_404(Session.objects.select_related("chair", "site"), pk=session_id, site=request.site)
    form = LimitsForm(request.GET)
    if not form.is_valid():
        raise InputError("limits that cannot be tried", where="limits", allowed="low under high, at least one")
    return render(request, "calls/trial_row.html", {"session": session, "trial": history.trial(session, form.limits())})
