"""What belongs to the person in the chair: the words that calm, and the device that calls."""

from __future__ import annotations

from django.db import models

from limen.clinic.audit.guard import SiteModel, SiteRow


class Comfort(SiteRow):
    """What this patient said helps when it gets hard, asked before a session. The newest row is shown, with its day."""

    class Touch(models.TextChoices):
        """Whether a hand is welcome."""

        WELCOME = "welcome", "a hand is welcome"
        ASK = "ask", "ask first"
        NO = "no", "please do not touch"

    append_only = True

    id = models.BigAutoField(primary_key=True)
    patient = models.ForeignKey("patients.Patient", on_delete=models.PROTECT, related_name="comforts")
    helps = models.CharField(max_length=300)
    words = models.CharField(max_length=300, blank=True)
    avoid = models.CharField(max_length=300, blank=True)
    touch = models.CharField(max_length=10, choices=Touch.choices)
    person = models.CharField(max_length=150, blank=True)
    recorded_by = models.CharField(max_length=150)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.helps


class PatientLink(SiteModel):
    """The address of a patient's own call page, for one session and one device: whoever opens it first has it."""

    session = models.ForeignKey("treatment.Session", on_delete=models.PROTECT, related_name="patient_links")
    token_hash = models.CharField(max_length=64, unique=True)
    device_hash = models.CharField(max_length=64, blank=True)
    opened_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["session"], condition=models.Q(ended_at=None), name="one_call_page_for_a_session"
            ),
        )

    def __str__(self) -> str:
        return f"call page of {self.session_id}"
