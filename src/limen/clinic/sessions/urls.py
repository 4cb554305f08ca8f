"""Addresses of sessions: the devices' door, the live pages and what feeds them."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from limen.clinic.sessions import api, patient_views, seating, streams, views

app_name = "sessions"
urlpatterns: list[URLPattern | URLResolver] = [
    path("api/openapi.json", api.openapi, name="openapi"),
    path("api/", api.urls),
    path("board/", views.board, name="board"),
    path("session/<uuid:session_id>/", views.chair, name="chair"),
    path("courses/<uuid:course_id>/session/", seating.prepare, name="prepare"),
    path("session/<uuid:session_id>/seat/", seating.seat, name="seat"),
    path("session/<uuid:session_id>/seat/on/", seating.put_on, name="put_on"),
    path("session/<uuid:session_id>/seat/off/", seating.take_off, name="take_off"),
    path("session/<uuid:session_id>/seat/end/", seating.give_up, name="give_up"),
    path("session/<uuid:session_id>/patient/", patient_views.for_patient, name="for_patient"),
    path("call/<str:token>/", patient_views.call, name="call"),
    path("call/<str:token>/state", patient_views.call_state, name="call_state"),
    path("devices/", seating.known_devices, name="devices"),
    path("devices/<uuid:device_id>/secret/", seating.renew_secret, name="renew_secret"),
    path("devices/<uuid:device_id>/retire/", seating.retire_device, name="retire_device"),
    path("session/<uuid:session_id>/export.json", views.export, name="export"),
    path("live/board/state", views.board_state, name="board_state"),
    path("live/session/<uuid:session_id>/state", views.session_state, name="session_state"),
    path("live/session/<uuid:session_id>/act", views.act, name="act"),
    path("live/session/<uuid:session_id>/rescue", views.rescue, name="rescue"),
    path("live/session/<uuid:session_id>/events", streams.session_events, name="session_events"),
    path("live/board/events", streams.board_events, name="board_events"),
]
