"""Addresses of the ledger."""

from __future__ import annotations

from django.urls import path

from limen.clinic.stock import counting, views

app_name = "stock"
urlpatterns = [
    path("stock/", views.ledger, name="ledger"),
    path("stock/receive/", views.receive, name="receive"),
    path("stock/book/", views.book, name="book"),
    path("stock/check/", views.check, name="check"),
    path("stock/vials/<uuid:vial_id>/", views.vial, name="vial"),
    path("stock/vials/<uuid:vial_id>/count/", counting.count, name="count"),
    path("stock/vials/<uuid:vial_id>/<str:kind>/", views.vial_act, name="vial_act"),
    path("sessions/<uuid:session_id>/drug/", views.session, name="session"),
    path("sessions/<uuid:session_id>/drug/<str:kind>/", views.session_act, name="session_act"),
]
