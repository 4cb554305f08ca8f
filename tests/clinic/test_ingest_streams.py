"""Random streams at the devices' door: gaps, repeats, disorder, zeros, spikes. Nothing is lost, doubled or late."""

from __future__ import annotations

import datetime as dt
from itertools import count
from typing import Any

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from limen.clinic.audit.act import acting
from limen.clinic.sessions.ingest import Measured, take_batch
from limen.clinic.sessions.models import AlarmRecord, AlarmSnapshot, Sample, SampleBatch
from limen.clinic.sessions.watching import Watcher
from limen.errors import RefusedError
from live_room import Room, furnish

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
START = dt.datetime(2026, 11, 22, 9, 0, 0, tzinfo=dt.UTC)
SECONDS = 20
SIGNALS = ("SPO2", "HR")
ROOMS = count(1)
FEW = settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)

# What a sensor says at one second: a value, a crossing, nothing, zero, a spike, or it is silent.
spoken = st.sampled_from([97.0, 97.0, 97.0, 85.0, 0.0, None, 250.0, "silent"])


@st.composite
def streams(draw: st.DrawFn) -> list[list[tuple[int, str, Any]]]:
    """What each second's batches hold: every value once, late by up to 6 s, in any order, some of it again."""
    arriving: list[list[tuple[int, str, Any]]] = [[] for _ in range(SECONDS + 8)]
    for second in range(1, SECONDS + 1):
        for signal in SIGNALS:
            value = draw(spoken)
            if value == "silent":
                continue
            late = draw(st.sampled_from([0, 0, 0, 0, 1, 3, 6]))
            arriving[second + late].append((second, signal, value))
            if draw(st.integers(0, 5)) == 0:  # the line sends it again
                arriving[second + late + 1].append((second, signal, value))
    return [draw(st.permutations(batch)) for batch in arriving]


def live(room: Room, number: int, arriving: list[list[tuple[int, str, Any]]], clock: Any) -> Any:
    session, device, _ = room.begun(number)
    watcher = Watcher()
    offset = 1000 * number
    for second, batch in enumerate(arriving):
        if second:
            clock.shift(1)
        samples = [Measured(offset + at, signal, value, float(second - at)) for at, signal, value in batch]
        if samples:
            for _ in range(2 if second % 5 == 0 else 1):  # an answer that was lost: the whole batch again
                take_batch(device=device, batch_key=f"b{second}", samples=samples)
        while watcher.visit(session):
            pass
    clock.shift(1)
    while watcher.visit(session):
        pass
    return session


@FEW
@given(arriving=streams())
def test_no_sample_is_lost_or_doubled_and_alarms_come_in_time(arriving):
    room = furnish(slug=f"harbour-{next(ROOMS)}")
    with time_machine.travel(START, tick=False) as clock:
        session = live(room, 1, arriving, clock)
    said = {(1000 + at, signal): value for batch in arriving for at, signal, value in batch}
    stored = Sample.objects.filter(session=session).values_list("seq", "signal", "value")
    assert len(stored) == len(said)
    assert {(seq, signal): value for seq, signal, value in stored} == said
    arrivals = list(Sample.objects.filter(session=session).order_by("id").values_list("received_t_s", flat=True))
    assert arrivals == sorted(arrivals)
    raised = AlarmRecord.objects.filter(session=session, kind="raised", data__alarm__kind="physiological")
    # The first crossing that is a reading (85 of SpO2) alarms by the tick after it arrived, unless it came after newer
    # values and too late to matter; nothing else of these streams is physiological but a spike of the pulse.
    first = min(
        (second for second, batch in enumerate(arriving) for at, signal, v in batch if signal == "SPO2" and v == 85.0),
        default=None,
    )
    low = [row.t_s for row in raised if row.data["alarm"]["signal"] == "SPO2"]
    if first is None:
        assert low == []
    else:
        assert low
        assert min(low) - first <= 2.0
    values = {row.data["alarm"]["value"] for row in raised}
    assert values <= {85.0, 250.0}


def test_the_same_number_with_another_value_is_refused_whatever_the_order(db):
    room = furnish()
    session, device, _ = room.begun()
    take_batch(device=device, batch_key="a", samples=[Measured(1, "HR", 72.0, 0.0)])
    with pytest.raises(RefusedError, match="sent again as 99"):
        take_batch(device=device, batch_key="b", samples=[Measured(1, "HR", 99.0, 0.0)])
    assert list(Sample.objects.filter(session=session).values_list("value", flat=True)) == [72.0]


def test_two_devices_of_one_patient_keep_their_own_numbers(db):
    room = furnish()
    session, device, _ = room.begun()
    other, _ = room.device(session, "second", ago_s=0)
    for sender in (device, other):
        take_batch(device=sender, batch_key="a", samples=[Measured(1, "HR", 72.0, 0.0)])
    assert Sample.objects.filter(session=session, seq=1).count() == 2
    assert SampleBatch.objects.count() == 2
    assert AlarmSnapshot.objects.filter(session=session).count() == 1
    with acting(by="test", action="test.end", site=room.site):
        assert other.associations.filter(ended_at=None).update(ended_at=dt.datetime.now(dt.UTC)) == 1
    with pytest.raises(RefusedError, match="on no session"):
        take_batch(device=other, batch_key="b", samples=[Measured(2, "HR", 73.0, 0.0)])
