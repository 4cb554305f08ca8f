"""Addresses of sessions: the devices' door, the live pages and what feeds them."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from limen.clinic.sessions import api, streams

app_name = "sessions"
urlpatterns: list[URLPattern | URLResolver] = [
    path("api/openapi.json", api.openapi, name="openapi"),
    path("api/", api.urls),
    path("live/session/<uuid:session_id>/events", streams.session_events, name="session_events"),
    path("live/board/events", streams.board_events, name="board_events"),
]
