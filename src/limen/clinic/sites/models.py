"""A site is a clinic with its own staff, patients, chairs and stock. Every other row belongs to one."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.timezone import now

from limen.clinic.audit.guard import Guarded, SiteModel


class Site(Guarded):
    """One clinic."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    slug = models.SlugField(unique=True)
    timezone = models.CharField(max_length=60, default="UTC")
    capabilities = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=now, editable=False)

    def __str__(self) -> str:
        return self.name


class Chair(SiteModel):
    """A place where a session is given."""

    name = models.CharField(max_length=40)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=["site", "name"], name="chair_name_once"),)

    def __str__(self) -> str:
        return self.name


class OrderSignature(SiteModel):
    """A medical director's signature under one version of a standing order, or its withdrawal. Never changed."""

    class Kind(models.TextChoices):
        """What was done."""

        SIGN = "sign"
        WITHDRAW = "withdraw"

    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.SIGN)
    order = models.CharField(max_length=80)
    digest = models.CharField(max_length=64)
    content = models.JSONField()  # the order as it was read and signed
    knowledge_release = models.CharField(max_length=40)
    interval_min = models.FloatField(null=True)
    max_doses = models.PositiveSmallIntegerField(null=True)
    expires_on = models.DateField(null=True)
    reason = models.CharField(max_length=300, blank=True)
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    signed_at = models.DateTimeField()

    append_only = True

    class Meta:
        ordering = ("signed_at", "created_at")
        indexes = (models.Index(fields=["site", "order", "signed_at"], name="signature_of_order"),)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(kind="withdraw") | models.Q(expires_on__isnull=False), name="signature_ends"
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.order}"


class DosingVersion(SiteModel):
    """One entry about a version of a site's dosing settings: proposed, signed, or dropped unsigned. Never changed."""

    class Kind(models.TextChoices):
        """What was done with the version."""

        PROPOSE = "propose"
        SIGN = "sign"
        DROP = "drop"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    number = models.PositiveIntegerField()
    based_on = models.PositiveIntegerField()  # the version in force when it was proposed; 0: none
    content = models.JSONField()  # the whole of the settings, as read
    digest = models.CharField(max_length=64)
    effect = models.JSONField(null=True)  # what it was shown to change, beside the proposal
    why = models.CharField(max_length=300)
    knowledge_release = models.CharField(max_length=80)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    append_only = True

    class Meta:
        ordering = ("number", "at")
        indexes = (models.Index(fields=["site", "kind", "number"], name="dosing_in_force"),)
        constraints = (
            models.UniqueConstraint(fields=["site", "number", "kind"], name="dosing_version_once"),
            models.UniqueConstraint(
                fields=["site", "number"], condition=~models.Q(kind="propose"), name="dosing_decided_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} version {self.number}"
