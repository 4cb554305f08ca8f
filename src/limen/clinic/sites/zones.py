"""A site's own day and clock. Stored times are UTC; whether a fact is of today is asked in the site's zone."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils import timezone

from limen.clinic.sites.models import Site


def zone_of(site: Site) -> ZoneInfo:
    """The site's time zone."""
    return ZoneInfo(site.timezone)


def today(site: Site) -> date:
    """The calendar day at the site."""
    return timezone.now().astimezone(zone_of(site)).date()


def local(moment: datetime, site: Site) -> datetime:
    """A stored moment on the site's clock."""
    return moment.astimezone(zone_of(site))
