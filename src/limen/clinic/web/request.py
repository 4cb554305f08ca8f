"""What a request carries once it has passed the middleware."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from limen.clinic.accounts.models import User
from limen.clinic.accounts.permissions import Permission

if TYPE_CHECKING:
    from limen.clinic.sites.models import Site


class ClinicRequest(HttpRequest):
    """A request of a signed-in person at a site."""

    user: User
    site: Site  # type: ignore[assignment]  # django-stubs names the attribute for django.contrib.sites
    roles: list[str]
    may: frozenset[Permission]
    htmx: HtmxDetails
