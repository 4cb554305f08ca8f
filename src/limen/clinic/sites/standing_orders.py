"""A site's standing orders: signing, withdrawing, and the rescue stock they are drawn from. Called from actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from limen.care.offer import Stock
from limen.care.standing import LONGEST_DAYS, check_terms
from limen.clinic.accounts.models import User
from limen.clinic.audit.act import about, note
from limen.clinic.sites.models import OrderSignature, Site
from limen.clinic.sites.zones import today
from limen.errors import InputError, RefusedError
from limen.knowledge.release import knowledge_release
from limen.knowledge.standing_orders import ROUTE_WORDS, get_order, standing_orders

STOCK = "rescue_stock"
LONGEST_REASON = 300


def sign(
    by: User,
    site: Site,
    order: str,
    *,
    digest: str,
    expires_on: date,
    interval_min: float | None = None,
    max_doses: int | None = None,
) -> OrderSignature:
    """Sign one version. ``digest`` names the version that was read: another one on file is refused."""
    found = get_order(order)
    if digest != found.digest:
        raise RefusedError(
            "the order has changed since it was read", where="digest", hint="Read it again, then sign what it says now"
        )
    check_terms(found, interval_min=interval_min, max_doses=max_doses)
    day = today(site)
    latest = day + timedelta(days=LONGEST_DAYS)
    if not day <= expires_on <= latest:
        raise InputError(
            f"ends on {expires_on.isoformat()}",
            where="expires_on",
            allowed=f"{day.isoformat()} to {latest.isoformat()}",
        )
    return _write(
        by,
        site,
        order,
        kind=OrderSignature.Kind.SIGN,
        interval_min=interval_min,
        max_doses=max_doses,
        expires_on=expires_on,
    )


def withdraw(by: User, site: Site, order: str, reason: str) -> OrderSignature:
    """Take a signature back, from this moment on."""
    words = reason.strip()
    if not words or len(words) > LONGEST_REASON:
        raise InputError("no reason" if not words else "a long reason", where="reason", allowed="1 to 300 characters")
    last = OrderSignature.objects.filter(site=site, order=order).order_by("-signed_at", "-created_at").first()
    if last is None or last.kind != OrderSignature.Kind.SIGN:
        raise RefusedError("nobody has signed it here", where="order", allowed="a signed order")
    return _write(by, site, order, kind=OrderSignature.Kind.WITHDRAW, reason=words)


def _write(by: User, site: Site, order: str, **fields: Any) -> OrderSignature:
    found = get_order(order)
    row: OrderSignature = OrderSignature.objects.create(
        site=site,
        order=order,
        digest=found.digest,
        content=found.model_dump(mode="json"),
        knowledge_release=knowledge_release(),
        signed_by=by,
        signed_at=timezone.now(),
        **fields,
    )
    about(row)
    terms = {key: str(value) for key, value in fields.items() if value is not None}
    note(order=order, digest=found.digest[:12], **terms)
    return row


def declare_stock(site: Site, items: Sequence[Mapping[str, Any]]) -> Site:
    """Say which presentations of rescue drugs the site holds; the list replaces the one before."""
    return _keep(_locked(site), site, [_item(item, f"stock[{index}]") for index, item in enumerate(items)])


def add_stock(site: Site, item: Mapping[str, Any]) -> Site:
    """Put one presentation on the list."""
    held = _locked(site)
    return _keep(held, site, [*held.capabilities.get(STOCK, ()), _item(item, "stock")])


def remove_stock(site: Site, item: Mapping[str, Any]) -> Site:
    """Take one presentation off the list."""
    held = _locked(site)
    rest = list(held.capabilities.get(STOCK, ()))
    if item not in rest:
        raise RefusedError(
            "it is not on the list", where="stock", hint="Somebody else has changed the list: look again"
        )
    rest.remove(dict(item))
    return _keep(held, site, rest)


def _locked(site: Site) -> Site:
    """The row as it stands now: two people who write at once must not undo each other."""
    held: Site = Site.objects.select_for_update().get(pk=site.pk)
    return held


def _keep(held: Site, site: Site, items: list[dict[str, Any]]) -> Site:
    held.capabilities = site.capabilities = {**held.capabilities, STOCK: items}
    held.save(update_fields=["capabilities"])
    about(held)
    note(rescue_stock="; ".join(stock_of(item).words for item in items) or "none")
    return held


def stock_of(item: Mapping[str, Any]) -> Stock:
    """One line of a site's list as the offers take it."""
    return Stock(
        drug=item["drug"],
        routes=tuple(item["routes"]),
        concentration_mg_per_mL=item.get("concentration_mg_per_mL"),
        unit_mg=item.get("unit_mg"),
        label=item.get("label") or "",
    )


def _item(item: Mapping[str, Any], where: str) -> dict[str, Any]:
    drugs = sorted({order.drug for order in standing_orders().values() if order.given_as is None})
    if item.get("drug") not in drugs:
        raise InputError(f"drug {item.get('drug')!r}", where=f"{where}.drug", allowed=", ".join(drugs))
    routes = item.get("routes") or ()
    unknown = [route for route in routes if route not in ROUTE_WORDS or route == "inhaled"]
    if unknown or not routes:
        said = f"route {unknown[0]!r}" if unknown else "no route"
        raise InputError(
            said, where=f"{where}.routes", allowed=", ".join(key for key in ROUTE_WORDS if key != "inhaled")
        )
    label = str(item.get("label") or "").strip()
    if len(label) > 60:
        raise InputError("a long label", where=f"{where}.label", allowed="at most 60 characters")
    expires = item.get("expires_on")
    row = {
        "drug": item["drug"],
        "routes": list(routes),
        "concentration_mg_per_mL": item.get("concentration_mg_per_mL"),
        "unit_mg": item.get("unit_mg"),
        "label": label,
        "expires_on": expires.isoformat() if isinstance(expires, date) else expires,
    }
    stock_of(row)
    return row
