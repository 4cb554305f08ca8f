"""Doors of the emergency: start, deeds, the state, and the sheet on paper."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from limen.clinic.emergency import actions, queries
from limen.clinic.emergency.models import Emergency
from limen.clinic.project.middleware import passive
from limen.clinic.sessions.models import Session
from limen.clinic.sites.models import Site
from limen.clinic.web.deeds import read_deed, refused
from limen.clinic.web.request import ClinicRequest
from limen.errors import InputError, LimenError
from limen.knowledge.emergency import emergency_cards

MAX_BODY = 16 * 1024
KINDS = tuple(f"emergency.{deed}" for deed in ("start", "chair", "take", "end", *actions.TAPPED))


@passive
@require_POST
def act(request: ClinicRequest) -> JsonResponse:
    """One deed: ``{"kind", "key", "data", "late_s"}``, as live pages send theirs. The same key is the same deed.

    The idle limit does not end it: a press for help must not be lost to a screen that nobody touched for a while.
    """
    try:
        row = _do(request, *read_deed(request.body, KINDS, most=MAX_BODY))
    except LimenError as problem:
        return refused(problem)
    row.refresh_from_db()
    return JsonResponse({"emergency": queries.emergency_json(row)})


def _do(request: ClinicRequest, kind: str, key: str, data: dict[str, Any], late_s: float) -> Emergency:
    by, site = request.user, request.site
    session = _session(site, data.get("session"))
    if kind == "emergency.start":
        return actions.start_emergency(by=by, site=site, key=key, session=session, late_s=late_s)
    emergency = _begun(site, data) if data.get("begun") else _emergency(site, data.get("emergency"))
    if kind == "emergency.end":
        return actions.end_emergency(by=by, emergency=emergency, outcome=str(data.get("outcome") or ""), key=key)
    if kind in ("emergency.chair", "emergency.take"):
        if session is None:
            raise InputError("names no chair", where="session", allowed="the id of a running session")
        if kind == "emergency.chair":
            return actions.name_chair(by=by, emergency=emergency, session=session, late_s=late_s)
        return actions.take_chair(by=by, emergency=emergency, session=session, key=key)
    what = str(data.get("what") or "")
    return actions.tap(
        by=by, emergency=emergency, kind=kind.removeprefix("emergency."), what=what, key=key, late_s=late_s
    )


@passive
@require_GET
@never_cache
def ready(request: ClinicRequest) -> JsonResponse:
    """What a page keeps for the moment when it is needed: every live chair, and what may be given there."""
    return JsonResponse(
        {
            "chairs": queries.sheets(request.site),
            "number": request.site.capabilities.get("emergency_number"),
            "team": [{"name": user.display_name, "roles": roles} for user, roles in queries.team(request.site)],
        }
    )


@require_GET
@never_cache
def paper(request: ClinicRequest, emergency_id: UUID) -> HttpResponse:
    """The emergency on one page: for the service that takes over, and for the record."""
    row = get_object_or_404(
        Emergency.objects.select_related("session__chair", "session__patient", "started_by"),
        pk=emergency_id,
        site=request.site,
    )
    sheet = queries.sheet_of(row.session) if row.session else None
    offers = sheet["offers"] if sheet else []
    page = {
        "emergency": row,
        "entries": row.entries.select_related("person"),
        "cards": emergency_cards(),
        "sheet": sheet,
        "usable": [offer for offer in offers if offer["usable"]],
        "barred": [offer for offer in offers if not offer["usable"]],
    }
    return render(request, "emergency/paper.html", page)


def _session(site: Site, value: Any) -> Session | None:
    if value in (None, ""):
        return None
    rows = Session.objects.select_related("site", "chair", "owner")
    return get_object_or_404(rows, pk=id_of(value, "session"), site=site)


def _begun(site: Site, data: dict[str, Any]) -> Emergency:
    """The emergency that a page began and had no answer about: by the key of its start, or the one its chair had."""
    rows = Emergency.objects.select_related("site").filter(site=site)
    found = rows.filter(key=str(data["begun"])).first()
    if found is None:
        session = _session(site, data.get("at_session"))
        found = rows.filter(session=session, ended_at=None).first() if session else None
    if found is None:
        raise InputError("no such emergency", where="begun", allowed="the key of its start")
    return found


def _emergency(site: Site, value: Any) -> Emergency:
    return get_object_or_404(Emergency.objects.select_related("site"), pk=id_of(value, "emergency"), site=site)


def id_of(value: Any, where: str = "id") -> UUID:
    """An id as JSON writes it.

    Raises
    ------
    InputError
        If it is none.
    """
    try:
        return UUID(str(value))
    except ValueError:
        raise InputError(f"{value!r:.60} is no id", where=where, allowed="a UUID") from None
