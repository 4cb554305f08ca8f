"""Batches that gather are stored in one transaction, and each caller gets its own answer only when it stands."""

from __future__ import annotations

import sqlite3
import threading
import time

import pytest
from django.db import DatabaseError, OperationalError, connection, connections, transaction

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


BEAT = {"at": "2026-11-22T08:00:00Z", "pid": 1, "version": "x"}
FIRST = "first"  # it holds the turn until the others have gathered
REFUSED = RefusedError("the device is on another patient", where="patient")


class Beats:
    """Writes a row for each name in one transaction, and remembers how they came."""

    def __init__(self, site) -> None:
        self.site = site
        self.opened = threading.Event()
        self.groups: list[list[str]] = []

    def __call__(self, names):
        if list(names) == [FIRST]:
            self.opened.wait(10)
            return [FIRST]
        self.groups.append(list(names))
        with acting(by="test", action="test.beat", site=self.site, audited=False):
            for name in names:
                if name != "refused":
                    Heartbeat.objects.create(name=name, **BEAT)
        return [REFUSED if name == "refused" else name for name in names]


def gathered(act, wanted: list[str], opened: threading.Event | None = None) -> list:
    """Let all gather behind a first one, then go: what each got, a value or a problem."""
    together: Together[str, str] = Together(act)
    found: list = [None] * len(wanted)

    def run(place: int, name: str) -> None:
        try:
            found[place] = together.do(name)
        except BaseException as problem:  # noqa: BLE001  it is what the caller got
            found[place] = problem
        finally:
            connections.close_all()

    first = threading.Thread(target=together.do, args=(FIRST,))
    threads = [threading.Thread(target=run, args=each) for each in enumerate(wanted)]
    first.start()
    for thread in threads:
        thread.start()
    while len(together._waiting) < len(wanted):
        time.sleep(0.005)
    (opened or act.opened).set()
    for thread in [first, *threads]:
        thread.join()
    return found


@pytest.fixture
def act() -> Beats:
    return Beats(furnish().site)


def names() -> list[str]:
    return sorted(Heartbeat.objects.values_list("name", flat=True))


def test_what_gathers_is_done_at_once_and_everyone_is_answered(act):
    wanted = [f"n{number}" for number in range(6)]
    assert gathered(act, wanted) == wanted
    assert names() == wanted
    assert [sorted(group) for group in act.groups] == [wanted]


def test_a_refusal_concerns_nobody_else(act):
    assert gathered(act, ["a", "refused", "c"]) == ["a", REFUSED, "c"]
    assert names() == ["a", "c"]


def test_where_the_database_fails_for_one_each_is_done_alone(act):
    found = gathered(act, ["a", "a", "c"])
    assert sorted(type(each).__name__ for each in found[:2]) == ["IntegrityError", "str"]
    assert found[2] == "c"
    assert names() == ["a", "c"]


def test_where_the_transaction_does_not_end_nobody_is_told_that_theirs_stands(act, monkeypatch):
    def full(self) -> None:
        self.rollback()
        raise DatabaseError("database or disk is full")

    monkeypatch.setattr(DatabaseWrapper, "commit", full)
    found = gathered(act, ["a", "b"])
    monkeypatch.undo()
    assert [type(problem) for problem in found] == [DatabaseError, DatabaseError]
    assert names() == []


def test_where_the_database_stays_locked_all_are_told_at_once(act, monkeypatch):
    """Each alone would wait as long again, one after the other: the last of fifty for a quarter of an hour."""
    asked = []

    def locked(self) -> None:
        asked.append(1)
        problem = sqlite3.OperationalError("database is locked")
        problem.sqlite_errorcode = sqlite3.SQLITE_BUSY_SNAPSHOT
        raise OperationalError("database is locked") from problem

    monkeypatch.setattr(DatabaseWrapper, "_start_transaction_under_autocommit", locked)
    found = gathered(act, ["a", "b", "c"])
    monkeypatch.undo()
    assert [type(problem) for problem in found] == [OperationalError] * 3
    assert len(asked) == 1
    assert names() == []


def test_where_the_one_who_acts_for_all_is_ended_the_others_are_answered_all_the_same(act):
    ended = []

    def once(names):
        if list(names) != [FIRST] and not ended:
            ended.append(list(names))
            raise SystemExit
        return act(names)

    found = gathered(once, ["a", "b", "c"], opened=act.opened)
    assert [type(each).__name__ for each in found].count("SystemExit") == 1
    kept = [name for name, each in zip("abc", found, strict=True) if each == name]
    assert len(kept) == 2
    assert names() == kept


def test_within_a_transaction_of_the_caller_it_is_simply_done(act):
    with transaction.atomic():
        assert Together(act).do("a") == "a"
        transaction.set_rollback(True)
    assert names() == []
