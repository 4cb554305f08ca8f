"""Each signal tells its page between what a value can be a reading at all."""

from __future__ import annotations

import pytest

from limen.clinic.sessions import queries
from limen.clinic.sessions.record import rule_set
from live_room import furnish

pytestmark = pytest.mark.django_db


def test_a_page_is_told_the_range_that_the_server_judges_by() -> None:
    room = furnish(chairs=1)
    session = room.begun(1)[0]
    told = queries.session_live(session)["signals"]
    known = {signal.id: (signal.low, signal.high) for signal in rule_set(session).monitoring.signals}
    assert told
    assert {name: (view["low"], view["high"]) for name, view in told.items()} == {name: known[name] for name in told}
    # 127 and 511 are what an oximeter sends for "no value"; IEEE 11073 and Bluetooth use them so
    assert told["SPO2"]["high"] < 127
    assert told["SPO2"]["low"] >= 0
