"""Addresses of calls."""

from __future__ import annotations

from django.urls import path

from limen.clinic.calls import pages, views

app_name = "calls"

urlpatterns = [
    path("live/here", views.here, name="here"),
    path("live/accept", views.accept, name="accept"),
    path("alarms/", pages.budget, name="budget"),
    path("alarms/<uuid:session_id>/trial/", pages.trial, name="trial"),
    path("session/<uuid:session_id>/alarms/", pages.alarm_log, name="log"),
]
