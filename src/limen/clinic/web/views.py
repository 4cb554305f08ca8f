"""Pages that belong to no application: the door, the site, the health of the whole."""

from __future__ import annotations

import sys

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from django.views.defaults import server_error

import limen
from limen.clinic.accounts.roles import Pharmacist
from limen.clinic.project.middleware import passive
from limen.clinic.sessions.models import Heartbeat
from limen.clinic.sites.models import Site
from limen.clinic.web.refusals import UNANSWERED, unanswered
from limen.clinic.web.request import ClinicRequest
from limen.errors import RefusedError


@login_not_required
@passive
@never_cache
@require_GET
def healthz(request: HttpRequest) -> JsonResponse:
    """Whether the clinic answers, its database too, and how long ago the monitor last gave a sign of life."""
    age_s = None
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        beat = Heartbeat.objects.filter(name="monitor").first()
        if beat:
            age_s = round((timezone.now() - beat.at).total_seconds(), 1)
        database = "ok"
    except DatabaseError:
        database = "unreachable"
    whole = database == "ok"
    body = {
        "status": "ok" if whole else "down",
        "version": limen.__version__,
        "database": database,
        "monitor_age_s": age_s,
    }
    return JsonResponse(body, status=200 if whole else 503)


@require_GET
def home(request: ClinicRequest) -> HttpResponse:
    """Where a person's work starts: the stock for a pharmacist, the patients for all others."""
    return redirect("stock:ledger" if request.roles == [Pharmacist.id] else "patients:list")


@require_POST
def choose_site(request: ClinicRequest) -> HttpResponse:
    """Work at another of one's sites."""
    mine = request.user.memberships.filter(is_active=True).values("site")
    site = Site.objects.filter(slug=request.POST.get("site", ""), pk__in=mine).first()
    if site is None:
        raise Http404
    request.session["site"] = str(site.pk)
    return redirect("home")


def denied(request: HttpRequest, exception: PermissionDenied | None = None) -> HttpResponse:
    """The page behind a plain 403."""
    problem = RefusedError(str(exception or "") or "You may not see this page")
    return render(request, "problem.html", {"problem": problem, "status": 403}, status=403)


def failed(request: HttpRequest) -> HttpResponse:
    """The page behind a 500; a database that does not answer is no defect of ours, and says so."""
    problem = sys.exc_info()[1]
    return unanswered(request, problem) if isinstance(problem, UNANSWERED) else server_error(request)
