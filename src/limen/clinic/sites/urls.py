"""Addresses of a site's standing orders and dosing settings."""

from __future__ import annotations

from django.urls import path

from limen.clinic.sites import dosing_views, views

app_name = "sites"
urlpatterns = [
    path("site/standing-orders/", views.orders, name="orders"),
    path("site/standing-orders/<slug:order>/sign/", views.sign, name="sign"),
    path("site/standing-orders/<slug:order>/withdraw/", views.withdraw, name="withdraw"),
    path("site/rescue-stock/", views.stock, name="stock"),
    path("site/rescue-stock/remove/<int:place>/", views.remove_stock, name="remove_stock"),
    path("site/dosing/", dosing_views.settings, name="dosing"),
    path("site/dosing/propose/", dosing_views.propose, name="propose_dosing"),
    path("site/dosing/sign/", dosing_views.sign, name="sign_dosing"),
    path("site/dosing/drop/", dosing_views.drop, name="drop_dosing"),
    path("sessions/<uuid:session_id>/emergency-sheet/", views.emergency, name="emergency_sheet"),
]
