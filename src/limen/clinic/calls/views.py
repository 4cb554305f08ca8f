"""What every page asks for by itself: am I called? And the button that says: I am going."""

from __future__ import annotations

from django.http import JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from limen.clinic.calls import actions, queries
from limen.clinic.emergency.actions import screen_showed
from limen.clinic.emergency.queries import open_emergencies
from limen.clinic.emergency.views import id_of
from limen.clinic.project.middleware import passive
from limen.clinic.sessions.models import Session
from limen.clinic.web.deeds import read_body, refused
from limen.clinic.web.request import ClinicRequest
from limen.errors import InputError, LimenError

MAX_BODY = 16 * 1024


@passive
@require_POST
@never_cache
def here(request: ClinicRequest) -> JsonResponse:
    """A page is there: ``{"shown": [{"session", "alarm"}], "emergencies": [id], "sounds": bool}``, as far as it shows
    them, and whether its sound was tested and is on.

    The answer is what this person is called to now, every open emergency of the site, and whose screens can be heard.
    """
    try:
        body = read_body(request.body or b"{}", most=MAX_BODY)
        shown = body.get("shown", [])
        if not isinstance(shown, list) or not all(isinstance(call, dict) for call in shown):
            raise InputError("not a list of calls", where="shown", allowed='[{"session": .., "alarm": ..}]')
        actions.screen_asks(user=request.user, site=request.site, sounds=body.get("sounds") is True)
        actions.shown(user=request.user, site=request.site, calls=shown)
        emergencies = body.get("emergencies", [])
        if isinstance(emergencies, list) and emergencies:
            screen_showed(user=request.user, site=request.site, ids=[id_of(value) for value in emergencies[:20]])
    except LimenError as problem:
        return refused(problem)
    return JsonResponse(
        {
            "calls": queries.calls_of(request.user, request.site),
            "emergencies": open_emergencies(request.site),
            "sounding": queries.sounding(request.site),
        }
    )


@require_POST
def accept(request: ClinicRequest) -> JsonResponse:
    """``{"session", "alarm"}``: this person is going."""
    try:
        body = read_body(request.body or b"{}", most=MAX_BODY)
        session = get_object_or_404(Session, pk=actions.session_id_of(body), site=request.site)
        actions.accept(by=request.user, session=session, alarm=str(body.get("alarm") or ""))
    except LimenError as problem:
        return refused(problem)
    return JsonResponse({"calls": queries.calls_of(request.user, request.site)})
