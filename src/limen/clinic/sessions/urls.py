"""Addresses of sessions: the devices' door, the live pages and what feeds them."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from limen.clinic.sessions import api, streams, views

app_name = "sessions"
urlpatterns: list[URLPattern | URLResolver] = [
    path("api/openapi.json", api.openapi, name="openapi"),
    path("api/", api.urls),
    path("board/", views.board, name="board"),
    path("session/<uuid:session_id>/", views.chair, name="chair"),
    path("session/<uuid:session_id>/export.json", views.export, name="export"),
    path("live/board/state", views.board_state, name="board_state"),
    path("live/session/<uuid:session_id>/state", views.session_state, name="session_state"),
    path("live/session/<uuid:session_id>/act", views.act, name="act"),
    path("live/session/<uuid:session_id>/events", streams.session_events, name="session_events"),
    path("live/board/events", streams.board_events, name="board_events"),
]
