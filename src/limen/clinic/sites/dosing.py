"""What a site declares for dosing: limits of its own, its syringes and pumps. Its director answers for the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from limen.care.site_dosing import SiteDosing, site_dosing
from limen.clinic.accounts.models import User
from limen.clinic.accounts.permissions import Permission
from limen.clinic.audit.act import about, acting, action, note
from limen.clinic.sites.models import Site

_KEY = "dosing"


def dosing_of(site: Site) -> SiteDosing:
    """What the site has declared; nothing, where it has not."""
    return site_dosing(site.capabilities.get(_KEY, {}))


@action(Permission.SITE_MANAGE, on="site")
def declare_dosing(*, by: User, site: Site, dosing: Mapping[str, Any]) -> Site:
    """Declare the whole of it anew; plans already signed keep what they were signed with.

    Raises
    ------
    InputError
        If a limit or a number is impossible. Names the key.
    """
    return _declare(site, dosing)


def bootstrap_dosing(*, by: str, site: Site, dosing: Mapping[str, Any]) -> Site:
    """The same from the machine itself."""
    with acting(by=by, action="sites.bootstrap_dosing", site=site):
        return _declare(site, dosing)


def _declare(site: Site, dosing: Mapping[str, Any]) -> Site:
    declared = site_dosing(dosing)
    site.capabilities = {**site.capabilities, _KEY: declared.model_dump(mode="json")}
    site.save()
    about(site)
    note(limits=[item.name for item in declared.limits], equipment=declared.equipment.model_dump(mode="json"))
    return site
