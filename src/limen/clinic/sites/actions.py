"""Sites and chairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.text import slugify

from limen.care.case import SETTINGS
from limen.clinic.accounts.models import User
from limen.clinic.accounts.permissions import Permission
from limen.clinic.audit.act import about, acting, action, note
from limen.clinic.sites import dosing as dosing_book
from limen.clinic.sites import standing_orders
from limen.clinic.sites.models import Chair, DosingVersion, OrderSignature, Site
from limen.errors import InputError


def create_site(*, by: str, name: str, timezone: str = "UTC", slug: str = "") -> Site:
    """A new site, from the machine itself: nobody has a right at a site before it exists."""
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        raise InputError(f"unknown time zone {timezone!r}", where="timezone", allowed="such as Europe/Berlin") from None
    tag = slug or slugify(name)
    if not tag:
        raise InputError(f"site name {name!r}", where="name", allowed="a name with letters")
    if Site.objects.filter(slug=tag).exists():
        raise InputError(f"the site {tag!r} exists", where="slug", allowed="a new name")
    site = Site(name=name, slug=tag, timezone=timezone)
    with acting(by=by, action="sites.create_site", site=site):
        site.save()
        about(site)
    return site


@action(Permission.SITE_MANAGE, on="site")
def declare_settings(*, by: User, site: Site, settings: Sequence[str]) -> Site:
    """Where the site can treat: protocols for other settings are then read there and not ordered."""
    return _declare_settings(site, settings)


def bootstrap_settings(*, by: str, site: Site, settings: Sequence[str]) -> Site:
    """Where the site can treat, from the machine itself."""
    with acting(by=by, action="sites.bootstrap_settings", site=site):
        return _declare_settings(site, settings)


def _declare_settings(site: Site, settings: Sequence[str]) -> Site:
    possible = [name for name in SETTINGS if name != "home"]
    unknown = [name for name in settings if name not in possible]
    if unknown or not settings:
        what = f"setting {unknown[0]!r}" if unknown else "no setting"
        raise InputError(what, where="settings", allowed=", ".join(possible))
    # The row as it stands now: a list kept beside the settings must not be lost to an older copy of the site.
    held = Site.objects.select_for_update().get(pk=site.pk)
    site.capabilities = {**held.capabilities, "settings": [name for name in possible if name in settings]}
    site.save(update_fields=["capabilities"])
    about(site)
    note(settings=", ".join(site.capabilities["settings"]))
    return site


@action(Permission.SITE_MANAGE, on="site")
def add_chair(*, by: User, site: Site, name: str) -> Chair:
    """A new chair."""
    return _add_chair(site, name)


def bootstrap_chair(*, by: str, site: Site, name: str) -> Chair:
    """A new chair, from the machine itself."""
    with acting(by=by, action="sites.bootstrap_chair", site=site):
        return _add_chair(site, name)


def _add_chair(site: Site, name: str) -> Chair:
    if not name.strip():
        raise InputError("a chair without a name", where="name", allowed="a name")
    if Chair.objects.filter(site=site, name=name.strip()).exists():
        raise InputError(f"the chair {name!r} exists", where="name", allowed="a new name")
    chair = Chair.objects.create(site=site, name=name.strip())
    about(chair)
    return chair


@action(Permission.ORDERS_SIGN, on="site")
def sign_standing_order(
    *,
    by: User,
    site: Site,
    order: str,
    digest: str,
    expires_on: date,
    interval_min: float | None = None,
    max_doses: int | None = None,
) -> OrderSignature:
    """Sign one version of a standing order, with the terms that its sources leave to the director."""
    return standing_orders.sign(
        by, site, order, digest=digest, expires_on=expires_on, interval_min=interval_min, max_doses=max_doses
    )


@action(Permission.ORDERS_SIGN, on="site")
def withdraw_standing_order(*, by: User, site: Site, order: str, reason: str) -> OrderSignature:
    """Take a signature back: from now on the order is read and not used."""
    return standing_orders.withdraw(by, site, order, reason)


@action(Permission.RESCUE_STOCK, on="site")
def declare_rescue_stock(*, by: User, site: Site, items: Sequence[Mapping[str, Any]]) -> Site:
    """Which presentations of rescue drugs the site holds: mL are computed from these and from nothing else."""
    return standing_orders.declare_stock(site, items)


@action(Permission.RESCUE_STOCK, on="site")
def add_rescue_stock(*, by: User, site: Site, item: Mapping[str, Any]) -> Site:
    """One presentation more."""
    return standing_orders.add_stock(site, item)


@action(Permission.RESCUE_STOCK, on="site")
def remove_rescue_stock(*, by: User, site: Site, item: Mapping[str, Any]) -> Site:
    """One presentation less."""
    return standing_orders.remove_stock(site, item)


def bootstrap_rescue_stock(*, by: str, site: Site, items: Sequence[Mapping[str, Any]]) -> Site:
    """The same, from the machine itself."""
    with acting(by=by, action="sites.bootstrap_rescue_stock", site=site):
        return standing_orders.declare_stock(site, items)


@action(Permission.SITE_MANAGE, on="site")
def sign_dosing(*, by: User, site: Site, number: int, digest: str) -> DosingVersion:
    """Put the version that was read into force, from this moment on; plans already signed keep what they had."""
    return dosing_book.sign(by, site, number, digest)


@action(Permission.SITE_MANAGE, on="site")
def drop_dosing(*, by: User, site: Site, number: int, why: str) -> DosingVersion:
    """Take a proposal off the table; what is in force stays."""
    return dosing_book.drop(by, site, number, why)
