"""Addresses of the session note."""

from __future__ import annotations

from django.urls import path

from limen.clinic.notes import views

app_name = "notes"
urlpatterns = [
    path("sessions/<uuid:session_id>/note/", views.note, name="note"),
    path("sessions/<uuid:session_id>/note.pdf", views.note_pdf, name="pdf"),
    path("sessions/<uuid:session_id>/rems/", views.rems, name="rems"),
    path("sessions/<uuid:session_id>/rems.pdf", views.rems_pdf, name="rems_pdf"),
    path("sessions/<uuid:session_id>/take-home/", views.take_home, name="take_home"),
    path("sessions/<uuid:session_id>/take-home.pdf", views.take_home_pdf, name="take_home_pdf"),
    path("sessions/<uuid:session_id>/note/sign/", views.sign, name="sign"),
    path("sessions/<uuid:session_id>/note/addendum/", views.addendum, name="addendum"),
]
