"""The session note: content as data, made from events; sealed by its signature."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from limen.clinic.audit.guard import SiteModel


class SessionNote(SiteModel):
    """What somebody signed. Until then a note is written anew from the events each time it is read.

    A signed note is never changed: an addendum and a second signature are rows of their own that name it.
    """

    class Kind(models.TextChoices):
        """What was signed."""

        NOTE = "note"
        ADDENDUM = "addendum"
        COUNTERSIGNATURE = "countersignature"

    session = models.ForeignKey("treatment.Session", on_delete=models.PROTECT, related_name="notes")
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.NOTE)
    amends = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="later")
    content = models.JSONField()
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    signed_at = models.DateTimeField()
    sha256 = models.CharField(max_length=64)

    append_only = True

    class Meta:
        ordering = ("signed_at",)
        constraints = (
            models.UniqueConstraint(fields=["session"], condition=models.Q(kind="note"), name="one_note_of_a_session"),
            models.UniqueConstraint(
                fields=["amends", "signed_by"],
                condition=models.Q(kind="countersignature"),
                name="one_countersignature_of_a_person",
            ),
            models.CheckConstraint(
                condition=models.Q(kind="note", amends=None) | models.Q(amends__isnull=False), name="note_amends_whole"
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} of session {self.session_id}"
