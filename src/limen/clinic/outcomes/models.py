"""What patients reported, how it scored, and the tasks that a score raises."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from limen.clinic.audit.guard import SiteModel


class QuestionnaireResponse(SiteModel):
    """One filled questionnaire (FHIR QuestionnaireResponse) and its score."""

    class Phase(models.TextChoices):
        """When in the treatment it was asked."""

        BASELINE = "baseline"
        BEFORE = "before"
        AFTER = "after"
        FOLLOW_UP = "follow-up"

    patient = models.ForeignKey("patients.Patient", on_delete=models.PROTECT, related_name="responses")
    course = models.ForeignKey("courses.Course", on_delete=models.PROTECT, related_name="responses")
    session = models.ForeignKey("treatment.Session", on_delete=models.PROTECT, null=True, related_name="responses")
    instrument = models.CharField(max_length=30)
    phase = models.CharField(max_length=12, choices=Phase.choices)
    answers = models.JSONField()
    result = models.JSONField()
    at = models.DateTimeField(default=timezone.now)
    by = models.CharField(max_length=150)

    append_only = True

    class Meta:
        ordering = ("at",)
        indexes = (models.Index(fields=["patient", "instrument", "at"], name="response_by_instrument"),)

    def __str__(self) -> str:
        return f"{self.instrument} {self.phase}"


class Task(SiteModel):
    """Something a person must do. It stays open until a person closes it."""

    class Status(models.TextChoices):
        """Open or done."""

        OPEN = "open"
        DONE = "done"

    patient = models.ForeignKey("patients.Patient", on_delete=models.PROTECT, related_name="tasks")
    response = models.ForeignKey(QuestionnaireResponse, on_delete=models.PROTECT, null=True, related_name="tasks")
    kind = models.CharField(max_length=80)
    title = models.CharField(max_length=200)
    because = models.TextField(blank=True)
    assigned_role = models.CharField(max_length=30)
    status = models.CharField(max_length=6, choices=Status.choices, default=Status.OPEN)
    due_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    closed_at = models.DateTimeField(null=True)
    outcome = models.TextField(blank=True)

    class Meta:
        ordering = ("status", "due_at", "created_at")

    def __str__(self) -> str:
        return self.title
