"""Reads about the audit trail."""

from __future__ import annotations

from django.db.models import QuerySet

from limen.clinic.audit.models import AuditEntry
from limen.clinic.sites.models import Site


def entries(site: Site, *, actor: str = "", target: str = "", outcome: str = "") -> QuerySet[AuditEntry]:
    """The trail of a site, newest first, narrowed by what is given."""
    found = AuditEntry.objects.filter(site_id=str(site.pk))
    for name, value in (("actor", actor), ("target", target), ("outcome", outcome)):
        if value:
            found = found.filter(**{name: value})
    return found
