"""Addresses. Each application has its own ``urls.py``."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("limen.clinic.web.urls")),
    path("patients/", include("limen.clinic.patients.urls")),
    path("courses/", include("limen.clinic.courses.urls")),
    path("audit/", include("limen.clinic.audit.urls")),
    path("", include("limen.clinic.sessions.urls")),
    path("", include("limen.clinic.calls.urls")),
    path("", include("limen.clinic.emergency.urls")),
    path("", include("limen.clinic.stock.urls")),
    path("", include("limen.clinic.outcomes.urls")),
    path("", include("limen.clinic.notes.urls")),
    path("", include("limen.clinic.sites.urls")),
]

handler403 = "limen.clinic.web.views.denied"
handler500 = "limen.clinic.web.views.failed"
