"""The site's book in the database: rows read as ledger entries, and lines written at the end of the chain."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from types import MappingProxyType
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from limen.clinic.audit.act import about, note
from limen.clinic.sessions.models import Session
from limen.clinic.sites.models import Site
from limen.clinic.stock.models import LedgerEntry, Vial
from limen.ledger import Entry, Line, post, show_mg


def entry_of(row: LedgerEntry) -> Entry:
    """A row as the ledger reads it. Every column that the seal covers is taken from the row itself."""
    line = Line(
        kind=row.kind,
        vial=row.vial.label,
        amount_mg=row.amount_mg,
        by=row.by,
        key=row.key,
        witness=row.witness or None,
        session=str(row.session_id) if row.session_id else None,
        reason=row.reason or None,
        corrects=row.data.get("corrects"),
        label=MappingProxyType(row.data.get("label") or {}),
    )
    return Entry(row.position, line, row.at, row.prev_hash, row.hash)


def rows(site: Site) -> QuerySet[LedgerEntry, LedgerEntry]:
    """The rows of a site in the order of its book."""
    found: QuerySet[LedgerEntry, LedgerEntry] = (
        LedgerEntry.objects.filter(site=site).select_related("vial").order_by("position")
    )
    return found


def with_sessions(found: QuerySet[LedgerEntry, LedgerEntry]) -> QuerySet[LedgerEntry, LedgerEntry]:
    """Rows with the session and the patient to be named beside them, without the rules that a session carries."""
    named = found.select_related("vial", "session__patient", "session__chair")
    return named.defer("session__header", "session__rules_snapshot")


def entries(found: Iterable[LedgerEntry]) -> list[Entry]:
    """Rows as entries."""
    return [entry_of(row) for row in found]


def lock_book(site: Site) -> None:
    """One writer at a time: SQLite by BEGIN IMMEDIATE, PostgreSQL by this lock; at last, by the unique position.

    Taken after the session's own lock, where an act needs both. No key: every row of the clinic points at its site, and
    may be written meanwhile.
    """
    Site.objects.select_for_update(no_key=True).get(pk=site.pk)


def write(site: Site, vial: Vial, line: Line, session: Session | None, at: datetime | None = None) -> LedgerEntry:
    """Put a line at the end of the site's chain, inside an act. The same line twice is written once.

    Raises
    ------
    InputError, RefusedError
        As ``limen.ledger.post`` does.
    """
    lock_book(site)
    last = rows(site).last()
    same_key = rows(site).filter(key=line.key).exclude(vial=vial)
    known = entries([*rows(site).filter(vial=vial), *same_key])
    entry = post(
        known,
        line,
        at=at or timezone.now(),
        position=last.position + 1 if last else 1,
        prev_hash=last.hash if last else "",
    )
    about(vial)
    note(kind=line.kind, amount_mg=show_mg(line.amount_mg), position=entry.position)
    held = LedgerEntry.objects.filter(site=site, key=line.key).first()
    if held is not None:
        return held
    made: LedgerEntry = LedgerEntry.objects.create(
        site=site,
        position=entry.position,
        kind=line.kind,
        vial=vial,
        amount_mg=line.amount_mg,
        session=session,
        by=line.by,
        witness=line.witness or "",
        reason=line.reason or "",
        key=line.key,
        at=entry.at,
        data=_data(line),
        prev_hash=entry.prev_hash,
        hash=entry.hash,
    )
    return made


def _data(line: Line) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if line.corrects:
        data["corrects"] = line.corrects
    if line.label:
        data["label"] = dict(line.label)
    return data


def key_for(*parts: object) -> str:
    """An idempotency key made of what it stands for, short enough for the column."""
    text = ":".join(str(part) for part in parts)
    return text if len(text) <= 80 else hashlib.sha256(text.encode()).hexdigest()


def line_for(kind: str, *, by: str, vial: Vial, amount_mg: str, key: str, **other: str | None) -> dict[str, str | None]:
    """A line as JSON, for ``read_line`` to check."""
    return {"kind": kind, "vial": vial.label, "amount_mg": amount_mg, "by": by, "key": key, **other}
