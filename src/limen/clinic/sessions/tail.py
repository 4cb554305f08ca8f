"""One look at the event table for every page of this process.

Each page used to look for itself ten times a second. Now one task looks, writes each new row once in the wire format,
and hands it to the pages that listen to its session or its site; it ends with the last of them.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import Context
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from asgiref.sync import sync_to_async
from django.db import Error, connection

from limen.clinic.sessions.models import LiveEvent

LOOK_S = 0.05
ROWS = 500
MOST_WAITING = 2000  # messages that a page has not taken: it is gone, or its way is too slow

T = TypeVar("T")
_POOL = ThreadPoolExecutor(max_workers=4, thread_name_prefix="live")
_LOG = logging.getLogger(__name__)


@dataclasses.dataclass(eq=False, slots=True)
class Ear:
    """What one page listens to. It hears every row over ``from_id``; the earlier ones it reads for itself.

    ``None`` among what waits says that nothing more will come: the page has to listen anew.
    """

    field: str
    key: Any
    from_id: int
    waiting: asyncio.Queue[bytes | None] = dataclasses.field(default_factory=asyncio.Queue)

    def hear(self, text: bytes | None) -> bool:
        """Put a message into its queue; whether it still listens."""
        if self.waiting.qsize() >= MOST_WAITING:
            text = None
            while not self.waiting.empty():
                self.waiting.get_nowait()
        self.waiting.put_nowait(text)
        return text is not None


class Tail:
    """The task that looks, for one event loop."""

    def __init__(self) -> None:
        self.ears: set[Ear] = set()
        self.last_id = 0
        self._beginning = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def join(self, field: str, key: Any) -> Ear:
        """Begin to listen, from the newest row that others have heard."""
        async with self._beginning:
            if self._task is None or self._task.done():
                self.last_id = await ask(newest_id)
                # Not in the context of the page that came first: it goes, and the others stay.
                self._task = asyncio.create_task(self._look(), context=Context())
            ear = Ear(field, key, self.last_id)
            self.ears.add(ear)
            return ear

    def leave(self, ear: Ear) -> None:
        """Stop listening."""
        self.ears.discard(ear)

    async def _look(self) -> None:
        try:
            while self.ears:
                for row in await ask(rows_after, self.last_id):
                    self.last_id = row["id"]
                    self._tell(row)
                await asyncio.sleep(LOOK_S)
        except Error:
            pass  # told by ``ask``; the pages come back, and the first of them begins to look again
        finally:
            for ear in self.ears:
                ear.hear(None)
            self.ears.clear()

    def _tell(self, row: dict[str, Any]) -> None:
        text = message_of(row)
        self.ears -= {ear for ear in self.ears if row[ear.field] == ear.key and not ear.hear(text)}


_TAILS: WeakKeyDictionary[asyncio.AbstractEventLoop, Tail] = WeakKeyDictionary()


def tail() -> Tail:
    """The tail of the running event loop."""
    return _TAILS.setdefault(asyncio.get_running_loop(), Tail())


def rows_after(last_id: int, **scope: Any) -> list[dict[str, Any]]:
    """The rows over ``last_id``, in order."""
    wanted = LiveEvent.objects.filter(id__gt=last_id, **scope).order_by("id")[:ROWS]
    return [dict(row) for row in wanted.values("id", "site_id", "session_id", "kind", "data")]


def newest_id() -> int:
    """The id of the newest row, 0 where there is none."""
    return LiveEvent.objects.order_by("-id").values_list("id", flat=True).first() or 0


def message_of(row: dict[str, Any]) -> bytes:
    """A row in the wire format."""
    return message(row["kind"], {"session": str(row["session_id"]), **row["data"]}, row["id"])


def message(kind: str, data: dict[str, Any], last_id: int | None = None) -> bytes:
    """One event in the wire format.

    Examples
    --------
    >>> message("pulse", {"monitor_age_s": 0.4})
    b'event: pulse\\ndata: {"monitor_age_s": 0.4}\\n\\n'
    """
    number = "" if last_id is None else f"id: {last_id}\n"
    return f"{number}event: {kind}\ndata: {json.dumps(data, allow_nan=False)}\n\n".encode()


async def ask(question: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Ask the database from one of the few threads that all streams share."""
    return await sync_to_async(_answer, thread_sensitive=False, executor=_POOL)(question, *args, **kwargs)


def _answer(question: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    try:
        return question(*args, **kwargs)
    except Error:
        # The thread keeps its connection between looks; after a failure the next look gets a new one.
        _LOG.warning("live stream: the database did not answer", exc_info=True)
        with suppress(Error):
            connection.close()
        raise
