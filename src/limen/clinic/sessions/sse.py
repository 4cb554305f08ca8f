"""Server-sent events: a stream that tells a page every new row, and every second that it is alive.

A stream ends by itself after a while; the browser comes back with ``Last-Event-ID``, and is asked for its sign-in then.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from limen.clinic.sessions.models import Heartbeat, LiveEvent, Session
from limen.clinic.sessions.tail import ROWS, Ear, ask, message, message_of, rows_after, tail
from limen.clinic.web.refusals import trouble

LIVE = (Session.Status.RUNNING, Session.Status.RECOVERY)
PULSE_S = 1.0
LIFE_S = 900.0
MAX_STREAMS = 64
FAR_BEHIND = 2000

_open_streams = 0


@dataclass(frozen=True, slots=True)
class Scope:
    """What a page listens to: one session, or every session of a site."""

    field: str
    key: Any

    def rows_after(self, last_id: int) -> list[dict[str, Any]]:
        """The rows over ``last_id``, in order."""
        return rows_after(last_id, **{self.field: self.key})

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
    ear = await tail().join(scope.field, scope.key)
    try:
        if last_id is None or await ask(scope.behind, last_id) > FAR_BEHIND:
            yield message("reset", {}, ear.from_id)
        else:
            async for chunk in _missed(scope, last_id, ear.from_id):
                yield chunk
        async for chunk in _heard(scope, ear):
            yield chunk
    finally:
        tail().leave(ear)


async def _missed(scope: Scope, last_id: int, until_id: int) -> AsyncIterator[bytes]:
    """What the page has to be told before it hears what comes."""
    while last_id < until_id:
        rows = await ask(scope.rows_after, last_id)
        for row in rows:
            last_id = row["id"]
            if last_id <= until_id:
                yield message_of(row)
        if len(rows) < ROWS:
            return


async def _heard(scope: Scope, ear: Ear) -> AsyncIterator[bytes]:
    """What comes, and a pulse every second; until the stream's time is over or there is nothing more to be heard."""
    begin_s = time.monotonic()
    pulse_s = begin_s
    while (now_s := time.monotonic()) - begin_s < LIFE_S:
        if now_s >= pulse_s:
            pulse_s = now_s + PULSE_S
            yield message("pulse", await ask(scope.pulse))
        try:
            heard = await asyncio.wait_for(ear.waiting.get(), max(0.001, pulse_s - time.monotonic()))
        except TimeoutError:
            continue
        if heard is None:
            return
        yield heard
