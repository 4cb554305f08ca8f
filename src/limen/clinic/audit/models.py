"""The audit trail: who did or was refused what, when. Text ids only, so that it outlives what it speaks of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils import timezone

from limen.errors import RefusedError

if TYPE_CHECKING:
    from limen.clinic.audit.act import Act


class AuditEntry(models.Model):
    """One act, done or denied. Append-only, by trigger as well."""

    class Outcome(models.TextChoices):
        """What became of the act."""

        DONE = "done"
        DENIED = "denied"

    append_only = True

    at = models.DateTimeField(default=timezone.now, editable=False)
    site_id = models.CharField(max_length=36)
    actor = models.CharField(max_length=150)
    action = models.CharField(max_length=120)
    target = models.CharField(max_length=200, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ("-id",)
        verbose_name = "audit entry"
        verbose_name_plural = "audit entries"
        indexes = (
            models.Index(fields=["site_id", "-id"], name="audit_by_site"),
            models.Index(fields=["target", "-id"], name="audit_by_target"),
        )

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.actor} {self.action} {self.target} {self.outcome}"

    @classmethod
    def done(cls, act: Act) -> AuditEntry:
        """Record an act that is about to be committed."""
        return cls.objects.create(
            site_id=str(act.site.pk),
            actor=act.by,
            action=act.action,
            target=act.target,
            outcome=cls.Outcome.DONE,
            detail=act.detail,
        )

    @classmethod
    def denied(cls, *, site_id: str, actor: str, action: str, target: str, detail: dict[str, Any]) -> AuditEntry:
        """Record an act that was refused."""
        return cls.objects.create(
            site_id=site_id, actor=actor, action=action, target=target, outcome=cls.Outcome.DENIED, detail=detail
        )

    @classmethod
    def signed(cls, actor: str, action: str, site_id: str, *, done: bool, detail: dict[str, Any]) -> AuditEntry:
        """Record that somebody signed in or out, or could not."""
        outcome = cls.Outcome.DONE if done else cls.Outcome.DENIED
        return cls.objects.create(site_id=site_id, actor=actor, action=action, outcome=outcome, detail=detail)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write a new entry; an old one never changes."""
        if not self._state.adding:
            raise RefusedError("an audit entry cannot be changed")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refused."""
        raise RefusedError("an audit entry cannot be deleted")
