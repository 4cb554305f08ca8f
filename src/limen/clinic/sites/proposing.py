"""Proposing dosing settings: what they would change is worked out first, outside of any transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from limen.care.site_dosing import SiteDosing, site_dosing
from limen.clinic.accounts.models import User
from limen.clinic.accounts.permissions import Permission
from limen.clinic.accounts.policy import require
from limen.clinic.audit.act import acting, action
from limen.clinic.sites import dosing as book
from limen.clinic.sites.models import DosingVersion, Site

_PROPOSE = "sites.propose_dosing"


def propose_dosing(*, by: User, site: Site, dosing: Mapping[str, Any], why: str) -> DosingVersion:
    """Lay dosing settings before the director: the whole of them, the reason, and what they would change.

    Raises
    ------
    InputError
        If a limit or a number is impossible, or there is no reason. Names the key.
    RefusedError
        If nothing in them differs from what is in force.
    """
    require(by=by, permission=Permission.SITE_MANAGE, site=site, action=_PROPOSE)
    declared = site_dosing(dosing)
    # Plans every protocol twice: not while the database is held for writing, when alarms are written too.
    return _propose(by=by, site=site, dosing=declared, effect=book.effect_here(site, declared).to_json(), why=why)


@action(Permission.SITE_MANAGE, on="site", name=_PROPOSE)
def _propose(*, by: User, site: Site, dosing: SiteDosing, effect: dict[str, Any], why: str) -> DosingVersion:
    return book.propose(by, site, dosing, effect, why)


def bootstrap_dosing(*, by: str, site: Site, dosing: Mapping[str, Any], why: str) -> DosingVersion:
    """Propose and put into force, from the machine itself."""
    declared = site_dosing(dosing)
    effect = book.effect_here(site, declared).to_json()
    with acting(by=by, action="sites.bootstrap_dosing", site=site):
        row = book.propose(None, site, declared, effect, why)
        return book.sign(None, site, row.number, row.digest)
