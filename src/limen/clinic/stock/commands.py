"""The ledger for the command line: lines of several people in one transaction, each with their own rights."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from limen.clinic.accounts.models import User
from limen.clinic.audit.act import acting
from limen.clinic.sessions.models import Session
from limen.clinic.sites.models import Site
from limen.clinic.stock import actions
from limen.clinic.stock.book import entry_of, rows
from limen.clinic.stock.models import LedgerEntry, Vial
from limen.errors import InputError, LimenError
from limen.ledger import Line, read_line, show_mg

_SIGHTED = ("transfer", "count", "lose", "destroy", "correct")


def find_site(slug: str | None) -> Site:
    """The site with this short name; without one, the only site there is.

    Raises
    ------
    InputError
        If there is no such site, or more than one to choose from.
    """
    known = list(Site.objects.order_by("slug"))
    found = [site for site in known if slug is None or site.slug == slug]
    if len(found) == 1:
        return found[0]
    names = ", ".join(site.slug for site in known) or "none yet"
    raise InputError("which site" if slug is None else f"no site {slug!r}", where="--site", allowed=names)


def post_lines(site: Site, lines: Sequence[Any]) -> dict[str, Any]:
    """Write every line, or none.

    Raises
    ------
    LimenError
        Of the first line that cannot be written, with its number.
    """
    read = []
    unknown: dict[str, None] = {}
    for number, raw in enumerate(lines):
        line, ignored = read_line(raw, where=f"line[{number}]")
        read.append(line)
        unknown.update(dict.fromkeys(ignored))
    before = rows(site).count()
    made: list[LedgerEntry] = []
    with acting(by="command line", action="stock.post_lines", site=site):
        for number, line in enumerate(read):
            try:
                made.append(_post(site, line))
            except LimenError as problem:
                problem.where = f"line[{number}].{problem.where}" if problem.where else f"line[{number}]"
                raise
    return {
        "entries": [entry_of(row).to_json() for row in made],
        "posted": len({row.pk for row in made if row.position > before}),
        "already_there": len({row.pk for row in made if row.position <= before}),
        "unknown_inputs": list(unknown),
    }


def _post(site: Site, line: Line) -> LedgerEntry:
    act = actions.ACTS[line.kind]
    by = _person(line.by, "by")
    common: dict[str, Any] = {
        "by": by,
        "key": line.key,
        "reason": line.reason or "",
        "witness": _person(line.witness, "witness") if line.witness else None,
        "amount_mg": show_mg(line.amount_mg),
    }
    if line.kind == "receive":
        return act(site=site, label=line.vial, **common, **_label(line.label))
    vial = Vial.objects.filter(site=site, label=line.vial).first()
    if vial is None:
        raise InputError(f"unknown vial {line.vial!r}", where="vial", allowed="a vial that was received")
    common["vial"] = vial
    if line.kind == "correct":
        return act(corrects=line.corrects or "", session=_session(site, line), **common)
    if line.kind in _SIGHTED:
        return act(**common)
    session = _session(site, line)
    if session is None:
        raise InputError(f"{line.kind} without a session", where="session", allowed="the session it is for")
    return act(session=session, **common)


def _person(name: str, where: str) -> User:
    found = User.objects.filter(username=name.lower(), is_active=True).first()
    if found is None:
        raise InputError(f"no person {name!r}", where=where, allowed="the user name of somebody at this site")
    return found


def _session(site: Site, line: Line) -> Session | None:
    if line.session is None:
        return None
    try:
        key = uuid.UUID(line.session)
    except ValueError:
        key = uuid.UUID(int=0)
    found = Session.objects.filter(site=site, pk=key).select_related("course", "plan", "site").first()
    if found is None:
        raise InputError(f"unknown session {line.session!r:.60}", where="session", allowed="the id of a session here")
    return found


def _label(label: Mapping[str, str]) -> dict[str, Any]:
    given: dict[str, Any] = dict(label)
    if "expiry" in given:
        try:
            given["expiry"] = date.fromisoformat(given["expiry"])
        except ValueError:
            raise InputError(f"cannot read {given['expiry']!r}", where="expiry", allowed="YYYY-MM-DD") from None
    return given
