"""A session that nobody ended, found after the holidays: it can be ended, and its chair is free again."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from limen.clinic.sessions.actions import create_session, end_session, start_session
from limen.clinic.sessions.export import export_session
from limen.session.export import read_export
from live_room import furnish

pytestmark = pytest.mark.django_db
START = dt.datetime(2026, 12, 18, 9, 0, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize("days", [13, 15, 60])
def test_a_session_forgotten_for_weeks_can_be_ended_and_its_chair_used(days):
    with time_machine.travel(START, tick=False) as clock:
        room = furnish()
        session, _, _ = room.begun()
        clock.shift(dt.timedelta(days=days))
        end_session(by=room.nurse, session=session, reason="forgotten before the holidays")
        session.refresh_from_db()
        assert session.status == "ended"
        following = create_session(by=room.nurse, plan=room.signed_plan(2), chair=session.chair)
        start_session(by=room.nurse, session=following)
        assert read_export(export_session(session.pk)).events[-1].kind == "session.ended"
