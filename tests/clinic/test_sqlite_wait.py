"""How a transaction waits for SQLite's one writer: often enough to find a short gap, and no longer than it may."""

from __future__ import annotations

import sqlite3
import threading
import time

import pytest
from django.db import OperationalError

from limen.clinic.project.database import sqlite
from limen.clinic.project.sqlite import base


@pytest.fixture
def writer(tmp_path, django_db_blocker):
    entry = sqlite(tmp_path / "w.sqlite3")
    entry |= {"TIME_ZONE": None, "CONN_HEALTH_CHECKS": False, "AUTOCOMMIT": True}
    entry["OPTIONS"]["timeout"] = 0.4
    made = base.DatabaseWrapper(entry)
    with django_db_blocker.unblock():
        made.ensure_connection()
        made.cursor().execute("CREATE TABLE row (value)")
        yield made
        made.close()


@pytest.fixture
def other(writer):
    link = sqlite3.connect(writer.settings_dict["NAME"], isolation_level=None, timeout=5, check_same_thread=False)
    yield link
    link.close()


def begin(writer) -> None:
    writer._start_transaction_under_autocommit()


def test_it_takes_the_write_lock_at_once(writer, other):
    begin(writer)
    other.execute("PRAGMA busy_timeout = 0")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    writer.cursor().execute("COMMIT")
    other.execute("BEGIN IMMEDIATE")


def test_who_takes_the_lock_again_and_again_starves_nobody(writer, other):
    """Transactions of 20 ms with gaps of 3 ms: a wait that asks every 100 ms misses most gaps."""
    ended = threading.Event()
    waiting = threading.Event()
    taken = 0

    def hog() -> None:
        nonlocal taken
        while not ended.is_set():
            other.execute("BEGIN IMMEDIATE")
            taken += waiting.is_set()
            time.sleep(0.020)
            other.execute("COMMIT")
            time.sleep(0.003)

    thread = threading.Thread(target=hog)
    thread.start()
    try:
        waited_for = []
        writer.settings_dict["OPTIONS"]["timeout"] = 20
        for _ in range(10):
            time.sleep(0.005)
            before = taken
            waiting.set()
            begin(writer)
            waiting.clear()
            waited_for.append(taken - before)
            writer.cursor().execute("COMMIT")
    finally:
        ended.set()
        thread.join()
    assert sorted(waited_for)[5] <= 2, waited_for


def test_it_gives_up_in_words_when_its_time_is_over(writer, other):
    other.execute("BEGIN IMMEDIATE")
    begun = time.monotonic()
    with pytest.raises(OperationalError, match="locked"):
        begin(writer)
    assert time.monotonic() - begun >= 0.4
    other.execute("COMMIT")
    assert writer.cursor().execute("PRAGMA busy_timeout").fetchone()[0] == 400
    begin(writer)


def test_another_trouble_is_told_at_once(writer):
    begin(writer)
    with pytest.raises(OperationalError, match="within a transaction"):
        begin(writer)
