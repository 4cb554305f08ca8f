"""The event table that live pages tail: one row for each thing that a page must hear of, in the order of their commits.

Readers ask for rows with an id over the last one they saw. That is only safe if ids become visible in order. SQLite
has one writer, so they do. PostgreSQL hands out ids before commit: a later id could be committed first and an earlier
one then be missed for ever. So every writer there takes one transaction-wide lock before it takes its id, and keeps it
until its commit. Writers hold it for the last moment of a short transaction; always take the session's own lock first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connection

from limen.clinic.sessions.models import LiveEvent, Session

_ORDER_LOCK = 0x11AE17


def emit(session: Session, kind: str, data: dict[str, Any]) -> None:
    """Tell live pages; inside an act, as the last write before its commit."""
    emit_all([LiveEvent(session=session, kind=kind, data=data)])


def emit_all(events: Iterable[LiveEvent]) -> None:
    """The same, of several things in their order."""
    rows = list(events)
    if rows and connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ORDER_LOCK])
    LiveEvent.objects.bulk_create(rows)
