"""Addresses of the emergency."""

from __future__ import annotations

from django.urls import path

from limen.clinic.emergency import views

app_name = "emergency"

urlpatterns = [
    path("emergency/act", views.act, name="act"),
    path("emergency/ready", views.ready, name="ready"),
    path("emergency/<uuid:emergency_id>/", views.paper, name="paper"),
]
