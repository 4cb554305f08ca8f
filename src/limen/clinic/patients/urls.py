"""Addresses of patients."""

from __future__ import annotations

from django.urls import path

from limen.clinic.patients import consent_views, trial_views, views

app_name = "patients"
urlpatterns = [
    path("courses/<uuid:course_id>/consent/", consent_views.consent, name="consent"),
    path("", views.index, name="list"),
    path("new/", views.register, name="register"),
    path("import/", views.bundle, name="import"),
    path("imports/<uuid:import_id>/", views.import_result, name="import_result"),
    path("imports/<uuid:import_id>/bundle.json", views.raw_bundle, name="import_bundle"),
    path("facts/<uuid:fact_id>/correct/", views.correct, name="correct"),
    path("conditions/<uuid:record_id>/retract/", views.retract, {"kind": "condition"}, name="retract_condition"),
    path("medications/<uuid:record_id>/retract/", views.retract, {"kind": "medication"}, name="retract_medication"),
    path("trials/<uuid:record_id>/retract/", views.retract, {"kind": "trial"}, name="retract_trial"),
    path("trials/<uuid:record_id>/correct/", trial_views.correct, name="correct_trial"),
    path("<uuid:patient_id>/trials/", trial_views.tried, name="trials"),
    path("<uuid:patient_id>/trials/asked/", trial_views.all_asked, name="trials_asked"),
    path("<uuid:patient_id>/", views.detail, name="detail"),
    path("<uuid:patient_id>/facts/", views.facts, name="facts"),
]
