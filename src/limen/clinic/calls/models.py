"""Screens that can be called, and every call with what became of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from limen.clinic.audit.guard import SiteRow


class Screen(SiteRow):
    """When a page of this person asked for calls last, and when one that sounds did. One row a person, overwritten."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="screens")
    asked_at = models.DateTimeField()
    sounded_at = models.DateTimeField(null=True)  # its sound was tested and heard, and it can sound now

    class Meta:
        constraints = (models.UniqueConstraint(fields=["site", "user"], name="screen_once"),)

    def __str__(self) -> str:
        return f"screen of {self.user_id}"


class CallEntry(SiteRow):
    """One thing that happened to one call. A call is made once a person and alarm; it is delivered and accepted once.

    ``person`` is empty for ``NOBODY``: every step was called and no screen has shown it.
    """

    class Kind(models.TextChoices):
        """What happened."""

        CALLED = "called"
        DELIVERED = "delivered"
        ACCEPTED = "accepted"
        NOBODY = "nobody"

    append_only = True

    id = models.BigAutoField(primary_key=True)
    session = models.ForeignKey("treatment.Session", on_delete=models.PROTECT, related_name="calls")
    alarm = models.CharField(max_length=160)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    step = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    t_s = models.FloatField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=["session", "alarm", "person", "kind"], name="call_entry_once"),
            models.UniqueConstraint(
                fields=["session", "alarm"], condition=models.Q(kind="nobody"), name="call_nobody_once"
            ),
            models.CheckConstraint(
                condition=models.Q(kind="nobody", person=None) | (~models.Q(kind="nobody") & ~models.Q(person=None)),
                name="call_names_a_person",
            ),
        )
        indexes = (models.Index(fields=["person", "-id"], name="call_by_person"),)

    def __str__(self) -> str:
        return f"{self.alarm} {self.kind}"
