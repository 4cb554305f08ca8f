"""A site is a clinic with its own staff, patients, chairs and stock. Every other row belongs to one."""

from __future__ import annotations

import uuid

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
