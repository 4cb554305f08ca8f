"""Server-sent events: a stream that tails the event table and says every second that it is alive.

One look at the table every 100 ms at most, from a small pool of threads that all streams of the process share, so the
number of database connections is bounded however many pages are open. A stream ends by itself after a while; the
browser comes back with ``Last-Event-ID``, and is asked for its sign-in again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.db import DatabaseError, connection
from django.utils import timezone

from limen.clinic.sessions.models import Heartbeat, LiveEvent, Session
from limen.clinic.web.refusals import trouble

LIVE = (Session.Status.RUNNING, Session.Status.RECOVERY)
LOOK_S = 0.1
PULSE_S = 1.0
LIFE_S = 900.0
MAX_STREAMS = 64
ROWS = 500
FAR_BEHIND = 2000

T = TypeVar("T")
_POOL = ThreadPoolExecutor(max_workers=4, thread_name_prefix="live")
_LOG = logging.getLogger(__name__)
_open_streams = 0


@dataclass(frozen=True, slots=True)
class Scope:
    """What a page listens to: one session, or every session of a site."""

    field: str
    key: Any

    def rows_after(self, last_id: int) -> list[Any]:
        """The rows over ``last_id``, in order."""
        wanted = LiveEvent.objects.filter(**{self.field: self.key}, id__gt=last_id).order_by("id")[:ROWS]
        return list(wanted.values("id", "session_id", "kind", "data"))

    def newest(self) -> int:
        """The id of the newest row, 0 where there is none."""
        return (
            LiveEvent.objects.filter(**{self.field: self.key}).order_by("-id").values_list("id", flat=True).first() or 0
        )

    def behind(self, last_id: int) -> int:
        """How many rows there are over ``last_id``, up to a bound."""
        return LiveEvent.objects.filter(**{self.field: self.key}, id__gt=last_id)[: FAR_BEHIND + 1].count()

    def pulse(self) -> dict[str, Any]:
        """The sign of life: how long ago the monitor gave its own, and how old the last watched second of each is."""
        now = timezone.now()
        ages = {
            str(pk): round((now - started_at).total_seconds() + (offset_s or 0.0) - (tick_s or 0.0), 1)
            for pk, started_at, tick_s, offset_s in Session.objects.filter(
                **({"pk": self.key} if self.field == "session_id" else {self.field: self.key}), status__in=LIVE
            ).values_list("pk", "started_at", "alarms__tick_t_s", "alarms__clock_offset_s")
            if started_at is not None
        }
        return {
            "now": now.isoformat(),
            "monitor_age_s": monitor_age_s(),
            "watched_age_s": ages,
            "trouble": trouble(),
        }


def monitor_age_s() -> float | None:
    """Seconds since the monitor's last sign of life; ``None`` where it never gave one."""
    beat = Heartbeat.objects.filter(name="monitor").first()
    return round((timezone.now() - beat.at).total_seconds(), 1) if beat else None


def has_room() -> bool:
    """Whether this process may open one more stream."""
    return _open_streams < MAX_STREAMS


async def stream(scope: Scope, last_id: int | None) -> AsyncIterator[bytes]:
    """The stream of a page from ``last_id`` on.

    Sends ``samples``, ``event``, ``alarm`` and ``monitor`` with their ids, ``pulse`` every second, and ``reset`` where
    the page has to fetch its whole state anew.
    """
    global _open_streams  # noqa: PLW0603  one process, one count
    _open_streams += 1
    try:
        async for chunk in _tail(scope, last_id):
            yield chunk
    finally:
        _open_streams -= 1


async def _tail(scope: Scope, last_id: int | None) -> AsyncIterator[bytes]:
    yield b"retry: 1000\n\n"
    if last_id is None or await _ask(scope.behind, last_id) > FAR_BEHIND:
        last_id = await _ask(scope.newest)
        yield message("reset", {}, last_id)
    begin_s = time.monotonic()
    pulse_s = -PULSE_S
    while (now_s := time.monotonic() - begin_s) < LIFE_S:
        if now_s - pulse_s >= PULSE_S:
            pulse_s = now_s
            yield message("pulse", await _ask(scope.pulse))
        for row in await _ask(scope.rows_after, last_id):
            last_id = row["id"]
            yield message(row["kind"], {"session": str(row["session_id"]), **row["data"]}, last_id)
        await asyncio.sleep(LOOK_S)


def message(kind: str, data: dict[str, Any], last_id: int | None = None) -> bytes:
    """One event in the wire format.

    Examples
    --------
    >>> message("pulse", {"monitor_age_s": 0.4})
    b'event: pulse\\ndata: {"monitor_age_s": 0.4}\\n\\n'
    """
    number = "" if last_id is None else f"id: {last_id}\n"
    return f"{number}event: {kind}\ndata: {json.dumps(data, allow_nan=False)}\n\n".encode()


async def _ask(question: Callable[..., T], *args: Any) -> T:
    return await sync_to_async(_answer, thread_sensitive=False, executor=_POOL)(question, *args)


def _answer(question: Callable[..., T], *args: Any) -> T:
    try:
        return question(*args)
    except DatabaseError:
        # The thread keeps its connection between looks; after a failure the next look gets a new one.
        _LOG.warning("live stream: the database did not answer", exc_info=True)
        connection.close()
        raise
