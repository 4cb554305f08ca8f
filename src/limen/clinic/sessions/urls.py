"""Addresses of sessions: the devices' door."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from limen.clinic.sessions import api

app_name = "sessions"
urlpatterns: list[URLPattern | URLResolver] = [
    path("api/openapi.json", api.openapi, name="openapi"),
    path("api/", api.urls),
]
