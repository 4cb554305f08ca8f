"""Addresses of the audit trail."""

from __future__ import annotations

from django.urls import path

from limen.clinic.audit import views

app_name = "audit"
urlpatterns = [path("", views.index, name="list")]
