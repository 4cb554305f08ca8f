"""A database that is held for longer than anybody waits: refused in words, nothing half written, and then as before."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from clinic.test_durability import held, keys, send, tap
from crowd import crowd
from live_processes import house


@pytest.mark.soak
def test_a_long_lock_is_answered_503_and_writes_nothing(tmp_path):
    with house(tmp_path, chairs=1) as made, crowd(made, processes=1) as hands:
        session = made.facts["sessions"][0]
        made.start("web")
        made.start("monitor")
        with ThreadPoolExecutor() as pool:
            with held(made):
                waiting = [pool.submit(tap, made, "long"), pool.submit(send, made, 1)]
                begin = time.monotonic()
                answers = [item.result() for item in waiting]
            assert [answer.status_code for answer in answers] == [503, 503]
            assert 15 < time.monotonic() - begin < 50
        assert "long" not in keys(hands, made)
        assert hands.do("stored", session=session) == {"samples": [], "batches": 0, "told": 0}
        assert tap(made, "long").status_code == 200
        assert send(made, 1).json()["stored"] == 1
        assert keys(hands, made).count("long") == 1
        until = time.monotonic() + 60
        while time.monotonic() < until and not hands.do("watched_to", session=session):
            time.sleep(0.5)
        made.stop()
        assert hands.do("alarms", session=session)["agrees"]
        assert hands.do("watched_to", session=session)
