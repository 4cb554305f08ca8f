"""Reads about sites."""

from __future__ import annotations

from django.db.models import QuerySet

from limen.clinic.accounts.models import User
from limen.clinic.sites.models import Chair, Site


def sites_of(user: User) -> QuerySet[Site]:
    """The sites where a person holds a role."""
    return Site.objects.filter(pk__in=user.memberships.filter(is_active=True).values("site")).order_by("name")


# A site that has declared nothing is an outpatient clinic.
UNDECLARED = ("clinic",)


def settings_of(site: Site) -> tuple[str, ...]:
    """Where treatment can be given at a site, as its medical director declared; ``home`` is never one of them."""
    return tuple(site.capabilities.get("settings", UNDECLARED))


def chairs(site: Site) -> QuerySet[Chair]:
    """The chairs in use at a site."""
    return Chair.objects.filter(site=site, is_active=True)
