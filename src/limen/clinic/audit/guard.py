"""Base models of the clinic: rows that belong to a site, change only inside an act, and may be append-only."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any, TypeVar

from django.db import models
from django.utils import timezone

from limen.clinic.audit.act import WrongSiteError, current
from limen.errors import RefusedError

M = TypeVar("M", bound=models.Model)


class GuardedQuerySet(models.QuerySet[M]):
    """A query set that reads freely and writes only inside an act."""

    def update(self, **kwargs: Any) -> int:
        """Change rows, inside an act; never those of an append-only table."""
        current()
        _refuse_change(self.model)
        return super().update(**kwargs)

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete rows, inside an act; never those of an append-only table."""
        current()
        _refuse_change(self.model)
        return super().delete()

    def bulk_create(self, objs: Iterable[M], *args: Any, **kwargs: Any) -> list[M]:
        """Add rows, inside an act."""
        rows = list(objs)
        for row in rows:
            _stamp(row)
        return super().bulk_create(rows, *args, **kwargs)

    def bulk_update(self, objs: Iterable[M], *args: Any, **kwargs: Any) -> int:
        """Change rows, inside an act; never those of an append-only table."""
        current()
        _refuse_change(self.model)
        return super().bulk_update(objs, *args, **kwargs)


GuardedManager = models.Manager.from_queryset(GuardedQuerySet)


class Guarded(models.Model):
    """A row that changes only inside an act."""

    objects = GuardedManager()
    append_only = False

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the row, inside an act."""
        if not self._state.adding:
            _refuse_change(type(self))
        _stamp(self)
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete the row, inside an act."""
        current()
        _refuse_change(type(self))
        return super().delete(*args, **kwargs)


class SiteRow(Guarded):
    """A guarded row of one site."""

    site = models.ForeignKey("sites.Site", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.CharField(max_length=150, editable=False)

    class Meta:
        abstract = True


class SiteModel(SiteRow):
    """A row of one site with an id that can stand in an address and in an export."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)

    class Meta:
        abstract = True


def _refuse_change(model: type[models.Model]) -> None:
    if getattr(model, "append_only", False):
        raise RefusedError(
            f"a {model._meta.verbose_name} cannot be changed or deleted", hint="A correction is a new entry"
        )


def _stamp(row: models.Model) -> None:
    act = current()
    if isinstance(row, SiteRow):
        if row.site_id is None:
            row.site = act.site
        if row.site_id != act.site.pk:
            raise WrongSiteError(f"a {row._meta.verbose_name} of another site", where=act.action)
        if not row.created_by:
            row.created_by = act.by
