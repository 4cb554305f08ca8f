"""The audit trail, for whoever may read it."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from limen.clinic.accounts.permissions import Permission
from limen.clinic.accounts.policy import require
from limen.clinic.audit import queries
from limen.clinic.web.request import ClinicRequest

PAGE = 100


@require_GET
def index(request: ClinicRequest) -> HttpResponse:
    """The trail. Context: ``entries``, ``page_obj``, ``actor``, ``target``, ``outcome``, ``here``."""
    require(by=request.user, permission=Permission.AUDIT_READ, site=request.site, target="audit")
    chosen = {name: request.GET.get(name, "") for name in ("actor", "target", "outcome")}
    page = Paginator(queries.entries(request.site, **chosen), PAGE).get_page(request.GET.get("page"))
    context = {"entries": page.object_list, "page_obj": page, "here": "audit"} | chosen
    return render(request, "audit/list.html", context)
