"""What a site declares for dosing, by version: limits of its own, its syringes and pumps. Its director signs them.

A version is proposed with the reason and with what it would change; it goes live when it is signed, and no earlier.
Every planning reads the version in force at that moment. Called from actions.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Max
from django.utils import timezone

from limen.care.site_dosing import SiteDosing, site_dosing
from limen.care.site_effect import Effect, effect_of
from limen.clinic.accounts.models import User
from limen.clinic.audit.act import about, note
from limen.clinic.sites.models import DosingVersion, Site
from limen.clinic.sites.queries import settings_of
from limen.clinic.sites.zones import today
from limen.errors import InputError, RefusedError
from limen.knowledge.release import knowledge_release

LEAST_REASON, LONGEST_REASON = 10, 300


def in_force(site: Site) -> DosingVersion | None:
    """The version that was signed last; ``None`` where nobody has signed one."""
    signed = DosingVersion.objects.filter(site=site, kind=DosingVersion.Kind.SIGN).select_related("by")
    return signed.order_by("-number").first()


def dosing_of(site: Site) -> SiteDosing:
    """What is in force at the site; nothing, where nothing was signed."""
    row = in_force(site)
    return SiteDosing() if row is None else site_dosing(row.content)


def waiting(site: Site) -> DosingVersion | None:
    """The proposal that waits for a signature: the newest, where it is neither signed nor dropped."""
    newest = DosingVersion.objects.filter(site=site).select_related("by").order_by("-number", "-at").first()
    return newest if newest is not None and newest.kind == DosingVersion.Kind.PROPOSE else None


def history(site: Site) -> list[dict[str, Any]]:
    """Every version, newest first: ``proposed``, and ``decided``, its signature or that it was dropped, or nothing."""
    rows = list(DosingVersion.objects.filter(site=site).select_related("by").order_by("number", "at"))
    newest = rows[-1].number if rows else 0
    found: dict[int, dict[str, Any]] = {}
    for row in rows:
        entry = found.setdefault(row.number, {"proposed": row, "decided": None, "dosing": site_dosing(row.content)})
        if row.kind != DosingVersion.Kind.PROPOSE:
            entry["decided"] = row
        entry["overtaken"] = entry["decided"] is None and row.number < newest
    return [found[number] for number in sorted(found, reverse=True)]


def effect_here(site: Site, proposed: SiteDosing) -> Effect:
    """What a proposal would change against the version in force. Plans many doses: never inside a transaction."""
    return effect_of(dosing_of(site), proposed, on=today(site), settings=settings_of(site))


def propose(by: User | None, site: Site, dosing: SiteDosing, effect: dict[str, Any] | None, why: str) -> DosingVersion:
    """Lay a version before the director, with what it would change."""
    Site.objects.select_for_update().get(pk=site.pk)  # one number for one version
    live = in_force(site)
    if live is not None and live.digest == dosing.digest:
        raise RefusedError(
            f"nothing in it differs from version {live.number}, which is in force", hint="Change something, or leave it"
        )
    numbers = DosingVersion.objects.filter(site=site).aggregate(Max("number"))
    return _write(
        by,
        site,
        kind=DosingVersion.Kind.PROPOSE,
        number=(numbers["number__max"] or 0) + 1,
        based_on=0 if live is None else live.number,
        dosing=dosing,
        effect=effect,
        why=_reason(why),
    )


def sign(by: User | None, site: Site, number: int, digest: str) -> DosingVersion:
    """Put the proposal that was read into force.

    Raises
    ------
    RefusedError
        If it is not the one that waits, or what it was compared with has changed since.
    """
    row = _waiting(site, number)
    live = in_force(site)
    if digest != row.digest:
        raise RefusedError("this is not what was read", where="digest", hint="Read the proposal again")
    if row.based_on != (0 if live is None else live.number) or row.knowledge_release != knowledge_release():
        raise RefusedError(
            "what this proposal was compared with has changed since", hint="Propose it again and read what it changes"
        )
    return _write(
        by,
        site,
        kind=DosingVersion.Kind.SIGN,
        number=row.number,
        based_on=row.based_on,
        dosing=site_dosing(row.content),
        effect=row.effect,
        why=row.why,
    )


def drop(by: User, site: Site, number: int, why: str) -> DosingVersion:
    """Take a proposal off the table; what is in force stays."""
    row = _waiting(site, number)
    return _write(
        by,
        site,
        kind=DosingVersion.Kind.DROP,
        number=row.number,
        based_on=row.based_on,
        dosing=site_dosing(row.content),
        effect=row.effect,
        why=_reason(why),
    )


def _waiting(site: Site, number: int) -> DosingVersion:
    Site.objects.select_for_update().get(pk=site.pk)
    row = waiting(site)
    if row is None or row.number != number:
        raise RefusedError(f"version {number} does not wait for a signature", hint="Look at the page again")
    return row


def _write(by: User | None, site: Site, *, dosing: SiteDosing, **fields: Any) -> DosingVersion:
    row: DosingVersion = DosingVersion.objects.create(
        site=site,
        by=by,
        at=timezone.now(),
        content=dosing.model_dump(mode="json"),
        digest=dosing.digest,
        knowledge_release=knowledge_release(),
        **fields,
    )
    about(row)
    note(
        version=row.number,
        digest=row.digest[:12],
        why=row.why,
        limits=[f"{item.name}: {item.kind}, {item.limit:g} {item.unit} by {item.measure}" for item in dosing.limits],
        equipment=dosing.equipment.model_dump(mode="json"),
    )
    return row


def _reason(why: str) -> str:
    words = why.strip()
    if not LEAST_REASON <= len(words) <= LONGEST_REASON:
        raise InputError(
            "no reason" if not words else f"a reason of {len(words)} letters",
            where="why",
            allowed=f"{LEAST_REASON} to {LONGEST_REASON} letters",
        )
    return words
