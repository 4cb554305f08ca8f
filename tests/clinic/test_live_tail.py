"""One look for all pages: each hears its own rows in order, a lost database ends the streams, a slow page is let go."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from django.db import OperationalError

from limen.clinic.sessions import tail as tails
from limen.clinic.sessions.tail import MOST_WAITING, Ear, Tail

SITE, OTHER = uuid.uuid4(), uuid.uuid4()


class Table:
    """The event table, without a database."""

    def __init__(self, monkeypatch) -> None:
        self.rows: list[dict] = []
        self.looks = 0
        self.gone = False
        monkeypatch.setattr(tails, "rows_after", self.after)
        monkeypatch.setattr(tails, "newest_id", lambda: len(self.rows))
        monkeypatch.setattr(tails, "LOOK_S", 0.005)

    def after(self, last_id: int) -> list[dict]:
        self.looks += 1
        if self.gone:
            raise OperationalError("gone")
        return [row for row in self.rows if row["id"] > last_id][:3]

    def add(self, site: uuid.UUID) -> None:
        number = len(self.rows) + 1
        self.rows.append({"id": number, "site_id": site, "session_id": number, "kind": "event", "data": {}})


@pytest.fixture
def table(monkeypatch) -> Table:
    return Table(monkeypatch)


async def _ids(ear: Ear, count: int) -> list[int]:
    texts = [await asyncio.wait_for(ear.waiting.get(), 5) for _ in range(count)]
    return [int(text.split(b"\n")[0].removeprefix(b"id: ")) for text in texts]


def test_each_page_hears_its_own_rows_in_order_and_none_twice(table):
    async def listen():
        tail = Tail()
        table.add(SITE)
        first = await tail.join("site_id", SITE)
        second = await tail.join("site_id", OTHER)
        for number in range(20):
            table.add(SITE if number % 2 else OTHER)
        assert await _ids(first, 10) == list(range(3, 22, 2))
        late = await tail.join("site_id", SITE)
        table.add(SITE)
        assert await _ids(second, 10) == list(range(2, 21, 2))
        assert (await _ids(first, 1), await _ids(late, 1), late.from_id) == ([22], [22], 21)
        assert first.waiting.empty()
        assert second.waiting.empty()

    asyncio.run(listen())


def test_pages_that_come_at_once_share_one_look(table):
    async def listen():
        tail = Tail()
        ears = await asyncio.gather(*(tail.join("site_id", SITE) for _ in range(10)))
        table.looks = 0
        await asyncio.sleep(0.1)
        assert 2 <= table.looks <= 21
        for ear in ears:
            tail.leave(ear)
        await asyncio.sleep(0.05)
        seen = table.looks
        await asyncio.sleep(0.05)
        assert table.looks == seen, "nobody listens, and it looks"
        again = await tail.join("site_id", SITE)
        table.add(SITE)
        assert await _ids(again, 1) == [1]

    asyncio.run(listen())


def test_where_the_database_does_not_answer_every_stream_ends_and_the_next_page_begins_anew(table):
    async def listen():
        tail = Tail()
        ears = [await tail.join("site_id", SITE) for _ in range(3)]
        table.gone = True
        assert [await asyncio.wait_for(ear.waiting.get(), 5) for ear in ears] == [None] * 3
        table.gone = False
        again = await tail.join("site_id", SITE)
        table.add(SITE)
        assert await _ids(again, 1) == [1]

    asyncio.run(listen())


def test_a_page_that_takes_nothing_is_let_go_and_the_others_hear_on(table):
    async def listen():
        tail = Tail()
        slow = await tail.join("site_id", SITE)
        for _ in range(MOST_WAITING):
            slow.hear(b"id: 0\n")
        quick = await tail.join("site_id", SITE)
        table.add(SITE)
        table.add(SITE)
        assert await _ids(quick, 2) == [1, 2]
        assert slow.waiting.get_nowait() is None
        assert slow.waiting.empty()

    asyncio.run(listen())
