"""The threads that requests share, so that each finds a database connection open.

Django gives every request of an ASGI server a thread of its own, and with it a new connection: a third of the work of a
small request, and several times that where the database is PostgreSQL. Here a fixed set of threads serves them all,
devices apart from people: however many devices wait for a lock, a nurse's tap has a thread.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from asgiref.sync import ThreadSensitiveContext

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

FOR_PEOPLE = 16
FOR_DEVICES = 8  # on SQLite they gather behind the one that writes


class Threads:
    """So many single threads; a request keeps to one of them."""

    def __init__(self, count: int, name: str) -> None:
        self.executors = [ThreadPoolExecutor(1, thread_name_prefix=f"{name}-{number}") for number in range(count)]
        self.waiting = [0] * count

    @contextmanager
    def least_busy(self, *, counted: bool) -> Iterator[ThreadPoolExecutor]:
        """The thread with the fewest requests on it. A stream does not count: its thread is idle while it is open."""
        chosen = min(range(len(self.waiting)), key=self.waiting.__getitem__)
        self.waiting[chosen] += counted
        try:
            yield self.executors[chosen]
        finally:
            self.waiting[chosen] -= counted


def sharing_threads(application: Application) -> Application:
    """The application, its requests on shared threads."""
    people, devices = Threads(FOR_PEOPLE, "people"), Threads(FOR_DEVICES, "devices")

    async def shared(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        threads = devices if scope["path"].startswith("/api/") else people
        accepted = next((value for name, value in scope["headers"] if name == b"accept"), b"")
        with threads.least_busy(counted=not listens(accepted.decode("latin-1"))) as executor:
            async with ThreadSensitiveContext(executor=executor):
                await application(scope, receive, send)

    return shared


def listens(accept: str) -> bool:
    """Whether a request that accepts this opens a stream of events, which stays open for minutes.

    Examples
    --------
    >>> listens("text/event-stream"), listens("text/html,*/*")
    (True, False)
    """
    return "text/event-stream" in accept
