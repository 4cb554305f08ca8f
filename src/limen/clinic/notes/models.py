"""The session note: content as data, made from events; sealed by its signature."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from limen.clinic.audit.guard import SiteModel


class SessionNote(SiteModel):
    """One version of a session's note. A signed one is never changed; an amendment is a new one."""

    class Status(models.TextChoices):
        """Draft until signed."""

        DRAFT = "draft"
        SIGNED = "signed"

    session = models.ForeignKey("treatment.Session", on_delete=models.PROTECT, related_name="notes")
    content = models.JSONField()
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.DRAFT)
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    signed_at = models.DateTimeField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(status="draft", signed_by=None)
                | models.Q(status="signed", signed_by__isnull=False, signed_at__isnull=False),
                name="note_signature_whole",
            ),
        )

    def __str__(self) -> str:
        return f"note {self.status}"
