"""Batches that gather are stored in one transaction, and each caller gets its own answer only when it stands."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import DatabaseError, connection, connections, transaction

from limen.clinic.audit.act import acting
from limen.clinic.project.sqlite.base import DatabaseWrapper
from limen.clinic.sessions.models import Heartbeat
from limen.clinic.sessions.together import Together
from limen.errors import RefusedError
from live_room import furnish

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite's writers take turns"),
]


def beat(site, name: str, *, problem: Exception | None = None):
    """Write a row, or write it and fail."""

    def act() -> str:
        with acting(by="test", action="test.beat", site=site, audited=False):
            Heartbeat.objects.create(name=name, at="2026-11-22T08:00:00Z", pid=1, version="x")
            if problem is not None:
                raise problem
            return name

    return act


def gathered(together: Together, acts: list) -> list:
    """Let all gather behind a first one, then go: what each got, a value or a problem."""
    found: list = [None] * len(acts)
    opened = threading.Event()

    def run(index: int, act) -> None:
        try:
            found[index] = together.do(act)
        except Exception as problem:  # noqa: BLE001  it is what the caller got
            found[index] = problem
        finally:
            connections.close_all()

    first = threading.Thread(target=run, args=(0, lambda: opened.wait(10)))
    threads = [threading.Thread(target=run, args=(index, act)) for index, act in enumerate(acts)]
    first.start()
    for thread in threads:
        thread.start()
    while len(together._waiting) < len(acts):
        time.sleep(0.005)
    opened.set()
    for thread in [first, *threads]:
        thread.join()
    return found


@pytest.fixture
def site():
    return furnish().site


def names() -> list[str]:
    return sorted(Heartbeat.objects.values_list("name", flat=True))


def test_what_gathers_is_one_transaction_and_everyone_is_answered(site, monkeypatch):
    begun = []
    real = DatabaseWrapper._start_transaction_under_autocommit
    monkeypatch.setattr(
        DatabaseWrapper, "_start_transaction_under_autocommit", lambda self: (begun.append(1), real(self))[1]
    )
    wanted = [f"n{number}" for number in range(6)]
    assert gathered(Together(), [beat(site, name) for name in wanted]) == wanted
    assert names() == wanted
    assert len(begun) == 1


def test_a_refusal_concerns_nobody_else(site):
    refusal = RefusedError("the device is on another patient", where="patient")
    found = gathered(Together(), [beat(site, "a"), beat(site, "b", problem=refusal), beat(site, "c")])
    assert (found[0], found[1], found[2]) == ("a", refusal, "c")
    assert names() == ["a", "c"]


def test_where_the_database_fails_for_one_each_is_done_alone(site):
    found = gathered(Together(), [beat(site, "a"), beat(site, "a"), beat(site, "c")])
    assert found[0] == "a"
    assert isinstance(found[1], DatabaseError)
    assert found[2] == "c"
    assert names() == ["a", "c"]


def test_where_the_transaction_does_not_end_nobody_is_told_that_theirs_stands(site, monkeypatch):
    def full(self) -> None:
        self.rollback()
        raise DatabaseError("database or disk is full")

    monkeypatch.setattr(DatabaseWrapper, "commit", full)
    found = gathered(Together(), [beat(site, "a"), beat(site, "b")])
    monkeypatch.undo()
    assert [type(problem) for problem in found] == [DatabaseError, DatabaseError]
    assert names() == []


def test_within_a_transaction_of_the_caller_it_is_simply_done(site):
    with transaction.atomic():
        assert Together().do(beat(site, "a")) == "a"
        transaction.set_rollback(True)
    assert names() == []
