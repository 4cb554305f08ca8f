"""One chair's row is held by somebody who does not come back: the other chairs are watched on."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import connection, connections, transaction

from limen.clinic.sessions.models import AlarmSnapshot, Heartbeat, Session
from limen.clinic.sessions.monitor import Monitor
from live_room import furnish


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="there the transaction is the lock, of all chairs at once")
def test_a_row_that_somebody_holds_keeps_nobody_else_waiting():
    room = furnish()
    other, held = room.begun(1)[0], room.begun(2)[0]  # the newest is visited first
    holding, over = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Session.objects.select_for_update(of=("self",)).get(pk=held.pk)
            holding.set()
            over.wait(60)
        connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert holding.wait(20)
        time.sleep(1.1)  # a second to be watched
        monitor = Monitor()
        begin_s = time.monotonic()
        monitor.round()
        waited_s = time.monotonic() - begin_s
        assert AlarmSnapshot.objects.get(session=other).tick_t_s is not None
        assert AlarmSnapshot.objects.get(session=held).tick_t_s is None
        assert Heartbeat.objects.exists()
        assert waited_s < 5.0  # not the 20 s that a request may wait
    finally:
        over.set()
        holder.join()
    monitor.round()
    assert AlarmSnapshot.objects.get(session=held).tick_t_s is not None
