"""Requests share threads: devices apart from people, the least busy first, a stream counted for nothing."""

from __future__ import annotations

import asyncio
import threading

from asgiref.sync import sync_to_async

from limen.clinic.project.threads import FOR_DEVICES, Threads, sharing_threads


def scope(path: str, accept: bytes = b"*/*", kind: str = "http") -> dict:
    return {"type": kind, "path": path, "headers": [(b"accept", accept)]}


async def _names(requests: list[dict]) -> list[str]:
    """The thread that each request's synchronous work ran on, all of them open at once."""
    everybody = asyncio.Event()
    names: list[str] = []

    async def application(asked, receive, send):
        name = await sync_to_async(lambda: threading.current_thread().name)()
        names.append(name)
        if len(names) == len(requests):
            everybody.set()
        await everybody.wait()
        assert await sync_to_async(lambda: threading.current_thread().name)() == name

    shared = sharing_threads(application)
    await asyncio.wait_for(asyncio.gather(*(shared(asked, None, None) for asked in requests)), 10)
    return names


def test_requests_at_once_have_threads_of_their_own_and_keep_them():
    names = asyncio.run(_names([scope("/board") for _ in range(5)]))
    assert len(set(names)) == 5
    assert all(name.startswith("people") for name in names)


def test_devices_wait_for_each_other_and_never_take_a_persons_thread():
    names = asyncio.run(_names([scope("/api/ingest") for _ in range(9)] + [scope("/board")]))
    assert len({name for name in names if name.startswith("devices")}) == FOR_DEVICES
    assert sum(name.startswith("people") for name in names) == 1


def test_an_open_stream_is_no_work():
    threads = Threads(2, "test")
    with threads.least_busy(counted=False) as stream, threads.least_busy(counted=True) as page:
        assert stream is page
        with threads.least_busy(counted=True) as other:
            assert other is not page
    assert threads.waiting == [0, 0]


def test_what_is_no_request_passes():
    seen = []

    async def application(asked, receive, send):
        seen.append(asked["type"])

    asyncio.run(sharing_threads(application)(scope("", kind="lifespan"), None, None))
    assert seen == ["lifespan"]
