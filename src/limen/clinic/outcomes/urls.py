"""Addresses of questionnaires and tasks."""

from __future__ import annotations

from django.urls import path

from limen.clinic.outcomes import views

app_name = "outcomes"

urlpatterns = [
    path("courses/<uuid:course_id>/questionnaire/", views.choose, name="choose"),
    path("courses/<uuid:course_id>/questionnaire/<path:instrument>/", views.questionnaire, name="questionnaire"),
    path("questionnaires/<uuid:response_id>/", views.response, name="response"),
    path("tasks/", views.tasks, name="tasks"),
    path("tasks/<uuid:task_id>/close/", views.close, name="close"),
]
