"""Addresses of courses."""

from __future__ import annotations

from django.urls import path

from limen.clinic.courses import figure_views, views

app_name = "courses"
urlpatterns = [
    path("open/<uuid:patient_id>/", views.open_course, name="open"),
    path("<uuid:course_id>/", views.detail, name="detail"),
    path("<uuid:course_id>/screening/", views.screening, name="screening"),
    path("<uuid:course_id>/screening/run/", views.screen, name="screen"),
    path("<uuid:course_id>/screening/override/", views.override, name="override"),
    path("<uuid:course_id>/plan/", views.plan, name="plan"),
    path("plans/<uuid:plan_id>/sign/", views.sign, name="sign"),
    path("plans/<uuid:plan_id>/override/", views.override_plan, name="override_plan"),
    path("plans/<uuid:plan_id>/figures.pdf", figure_views.figures_pdf, name="figures_pdf"),
    path("plans/<uuid:plan_id>/figures/", figure_views.figures, name="figures"),
    path("plans/<uuid:plan_id>/figures/<slug:kind>/", figure_views.figure, name="figure"),
    path("plans/<uuid:plan_id>/figures/<slug:kind>.svg", figure_views.figure_file, name="figure_file"),
]
