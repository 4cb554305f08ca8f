"""Between two rounds the monitor visits a session when a second of its own has ended: no value waits for both."""

from __future__ import annotations

import time

import pytest

from limen.clinic.sessions.models import AlarmSnapshot
from limen.clinic.sessions.monitor import Monitor
from live_room import furnish

pytestmark = pytest.mark.django_db


def tick(session) -> float | None:
    return AlarmSnapshot.objects.get(session=session).tick_t_s


def test_a_session_is_visited_when_its_own_second_ends():
    session = furnish().begun()[0]
    monitor = Monitor()
    monitor.round()
    before = tick(session)
    wait_s = monitor.wait_s()
    assert 0.0 <= wait_s <= 1.0
    time.sleep(wait_s + 0.02)
    monitor.between()
    assert tick(session) == before + 1
    monitor.between()  # its next second has not ended
    assert tick(session) == before + 1


def test_a_session_that_is_over_is_forgotten():
    room = furnish()
    session = room.begun()[0]
    monitor = Monitor()
    monitor.round()
    assert set(monitor.watcher.due_s) == {session.pk}
    monitor.watcher.forget(set())
    assert monitor.watcher.due_s == {}


def test_nobody_to_watch_waits_a_round():
    monitor = Monitor()
    monitor.round()
    assert 0.5 < monitor.wait_s() <= 1.0
    monitor.between()
