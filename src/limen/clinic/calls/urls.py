"""Addresses of calls."""

from __future__ import annotations

from django.urls import path

from limen.clinic.calls import views

app_name = "calls"

urlpatterns = [
    path("live/here", views.here, name="here"),
    path("live/accept", views.accept, name="accept"),
]
