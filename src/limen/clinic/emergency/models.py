"""An emergency at a site, and everything that was done in it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from limen.clinic.audit.guard import SiteModel, SiteRow


class Emergency(SiteModel):
    """From the press of the control to its end. The chair may be named later: nobody waits for a form."""

    session = models.ForeignKey("treatment.Session", null=True, on_delete=models.PROTECT, related_name="emergencies")
    started_at = models.DateTimeField(default=timezone.now)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=80)
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("-started_at",)
        constraints = (
            models.UniqueConstraint(fields=["site", "key"], name="emergency_key_once"),
            models.UniqueConstraint(
                fields=["session"], condition=models.Q(ended_at=None), name="one_open_emergency_in_a_chair"
            ),
        )

    def __str__(self) -> str:
        return f"emergency {self.started_at:%Y-%m-%d %H:%M:%S}"


class EmergencyEntry(SiteRow):
    """One thing in it: a person called, shown, going; a step done; a role or chair taken; the chair named; the end."""

    class Kind(models.TextChoices):
        """What happened."""

        CALLED = "called"
        SHOWN = "shown"
        GOING = "going"
        ROLE = "role"
        STEP = "step"
        CHAIR_NAMED = "chair-named"
        CHAIR_TAKEN = "chair-taken"
        ENDED = "ended"

    append_only = True

    id = models.BigAutoField(primary_key=True)
    emergency = models.ForeignKey(Emergency, on_delete=models.PROTECT, related_name="entries")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    what = models.CharField(max_length=120, blank=True)
    at = models.DateTimeField(default=timezone.now)  # when it was tapped; created_at is when it arrived
    key = models.CharField(max_length=120, null=True)

    class Meta:
        ordering = ("at", "id")
        constraints = (models.UniqueConstraint(fields=["emergency", "key"], name="emergency_entry_key_once"),)

    @property
    def words(self) -> str:
        """What happened, as paper says it."""
        return _WORDS[self.kind]

    def __str__(self) -> str:
        return f"{self.kind} {self.what}"


_WORDS = {
    "called": "Called",
    "shown": "A screen showed it",
    "going": "Is going",
    "role": "Takes the part",
    "step": "Done",
    "chair-named": "Where",
    "chair-taken": "Takes over",
    "ended": "Ended",
}
