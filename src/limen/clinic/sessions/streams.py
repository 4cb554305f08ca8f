"""The live addresses that pages listen to: streams of events. They are no sign that somebody sits at the page."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.views.decorators.http import require_GET

from limen.clinic.project.middleware import passive
from limen.clinic.sessions import sse
from limen.clinic.sessions.models import Session
from limen.clinic.web.request import ClinicRequest


@passive
@require_GET
async def session_events(request: ClinicRequest, session_id: UUID) -> HttpResponseBase:
    """What happens in one session of the person's site, as it happens."""
    if not await sync_to_async(Session.objects.filter(pk=session_id, site=request.site).exists)():
        raise Http404
    return _answer(request, sse.Scope("session_id", session_id))


@passive
@require_GET
async def board_events(request: ClinicRequest) -> HttpResponseBase:
    """What happens in every session of the person's site."""
    return _answer(request, sse.Scope("site_id", request.site.pk))


def _answer(request: HttpRequest, scope: sse.Scope) -> HttpResponseBase:
    if not sse.has_room():
        return JsonResponse({"error": "too many live pages are open"}, status=503, headers={"Retry-After": "5"})
    stream: Any = sse.stream(scope, _last_id(request))
    return StreamingHttpResponse(
        stream,
        content_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def _last_id(request: HttpRequest) -> int | None:
    """Where the page stopped hearing: the browser's own header on a reconnect, else what the page fetched."""
    text = request.headers.get("Last-Event-ID") or request.GET.get("after", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
