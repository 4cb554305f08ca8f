"""Standing orders from the command line: the same action as the page, with the named person's rights."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.db import transaction

from limen.clinic.accounts.models import User
from limen.clinic.sites import actions
from limen.clinic.sites.models import Site
from limen.clinic.sites.rescue import standing_at
from limen.errors import InputError
from limen.knowledge.standing_orders import get_order


def listing(site: Site) -> list[dict[str, Any]]:
    """Every order with what the site has signed of it."""
    return [
        {
            "order": entry.order.id,
            "title": entry.order.title,
            "state": entry.state,
            "because": entry.because,
            "terms_asked": list(entry.order.terms_asked),
            "version": entry.order.digest,
            "verification": entry.order.verification.value,
        }
        for entry in standing_at(site)
    ]


def sign(
    site: Site, names: Sequence[str], *, by: str, until: str, interval: Iterable[str], doses: Iterable[str]
) -> list[str]:
    """Sign the orders named, all of them or none.

    Raises
    ------
    InputError
        If a person, an order, a date or a number is not what it should be.
    """
    director = User.objects.filter(username=by.lower()).first()
    if director is None:
        raise InputError(f"no person {by!r}", where="--by", allowed="the user name of a medical director")
    last = _date(until)
    minutes = _terms(interval, "--interval", names)
    numbers = _terms(doses, "--doses", names)
    for name, number in numbers.items():
        if not number.is_integer():
            raise InputError(f"{number:g} doses", where=f"--doses {name}", allowed="a whole number")
    orders = [get_order(name) for name in dict.fromkeys(names)]

    with transaction.atomic():
        for order in orders:
            most = numbers.get(order.id)
            actions.sign_standing_order(
                by=director,
                site=site,
                order=order.id,
                digest=order.digest,
                expires_on=last,
                interval_min=minutes.get(order.id),
                max_doses=None if most is None else int(most),
            )
    return [f"signed by {director.display_name} until {last.isoformat()}: {order.title}" for order in orders]


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"date {text!r}", where="--until", allowed="a day such as 2027-11-21") from None


def _terms(entries: Iterable[str], where: str, names: Sequence[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for entry in entries:
        name, equals, value = entry.partition("=")
        try:
            number = float(value)
        except ValueError:
            number = float("nan")
        if not equals or number != number:
            raise InputError(f"term {entry!r}", where=where, allowed="ORDER=NUMBER")
        if name not in names:
            raise InputError(f"a term for {name!r}, which is not signed here", where=where, allowed=", ".join(names))
        found[name] = number
    return found
