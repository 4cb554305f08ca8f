"""Own limits of a patient at the door: what the monitor could not watch, or would no longer watch, is refused."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from limen.clinic.sessions.actions import change_limits
from limen.clinic.sessions.ingest import Measured, take_batch
from limen.clinic.sessions.models import AlarmRecord, AlarmSnapshot, SessionEvent
from limen.clinic.sessions.watching import Watcher
from limen.errors import InputError, RefusedError
from live_room import furnish

pytestmark = pytest.mark.django_db
START = dt.datetime(2026, 11, 22, 9, 0, 0, 250_000, tzinfo=dt.UTC)
WHY = "her pulse is slow at rest"


@pytest.fixture
def room():
    return furnish()


@pytest.mark.parametrize(
    "limits",
    [{"SpO2": {"low": 88}}, {"BP": {"high": 170}}, ["SPO2"], "SPO2", 5, {"SPO2": 88}, {"SPO2": {"low": float("nan")}}],
    ids=str,
)
def test_limits_that_nobody_could_watch_are_refused_and_the_chair_is_watched_on(room, limits):
    with time_machine.travel(START, tick=False) as clock:
        session, device, _ = room.begun()
        with pytest.raises(InputError):
            change_limits(by=room.director, session=session, limits=limits, reason=WHY)
        assert not SessionEvent.objects.filter(session=session, kind="limits.changed").exists()
        clock.shift(2)
        take_batch(device=device, batch_key="b1", samples=[Measured(1, "SPO2", 84.0, 0.5)])
        clock.shift(1)
        Watcher().visit(session)
        assert AlarmSnapshot.objects.get(session=session).tick_t_s == 3
        assert AlarmRecord.objects.filter(session=session, kind="raised", data__alarm__rule="MON-4").exists()


@pytest.mark.parametrize(
    ("limits", "left_open"),
    [
        ({"HR": {"low": 45}}, "limits.HR.high"),
        ({"HR": {"high": 140}}, "limits.HR.low"),
        ({"NIBP_SYS": {"high": 170}}, "limits.NIBP_SYS.low"),
        ({"SPO2": {"low": 88}, "RR": {"low": 9}}, "limits.RR.high"),
        ({"SPO2": {"high": 99}}, "limits.SPO2.low"),
    ],
    ids=str,
)
def test_one_side_alone_would_switch_the_other_off_and_is_refused(room, limits, left_open):
    session, _, _ = room.begun()
    with pytest.raises(RefusedError, match="nobody would be warned") as refusal:
        change_limits(by=room.director, session=session, limits=limits, reason=WHY)
    assert refusal.value.where == left_open
    assert not SessionEvent.objects.filter(session=session, kind="limits.changed").exists()


@pytest.mark.parametrize("limits", [{"SPO2": {"low": 88}}, {"HR": {"low": 45, "high": 130}}, None, {}], ids=str)
def test_a_side_that_no_rule_watches_needs_no_limit(room, limits):
    session, _, _ = room.begun()
    change_limits(by=room.director, session=session, limits=limits, reason=WHY)
    assert SessionEvent.objects.filter(session=session, kind="limits.changed").count() == 1
