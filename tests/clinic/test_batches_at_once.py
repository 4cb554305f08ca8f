"""Batches of several devices taken at once: each is answered, stored and refused as if it had come alone."""

from __future__ import annotations

import random
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from limen.clinic.audit.act import acting
from limen.clinic.sessions import ingest
from limen.clinic.sessions.ingest import Batch, Measured, UnknownError, WrongPatientError, take_batch, take_batches
from limen.clinic.sessions.models import (
    DeviceAssociation,
    DeviceHealth,
    HeldBatch,
    LiveEvent,
    Sample,
    SampleBatch,
    Session,
)
from limen.errors import InputError, RefusedError
from live_room import furnish

pytestmark = pytest.mark.django_db


class Floor:
    """Three chairs with a device each, and one device that is on no session."""

    def __init__(self) -> None:
        self.room = furnish()
        self.sessions = [self.room.running(number) for number in (1, 2, 3)]
        self.devices = [self.room.device(session, f"chair-{n}")[0] for n, session in enumerate(self.sessions, 1)]
        self.loose = self.room.device(None, "loose")[0]


@pytest.fixture
def floor() -> Floor:
    return Floor()


def values(*numbers: int, value: float = 72.0, age_s: float = 0.0) -> list[Measured]:
    return [Measured(number, "HR", value, age_s) for number in numbers]


def stored() -> list[tuple]:
    return sorted(Sample.objects.values_list("device__name", "session_id", "seq", "value", "created_by"))


def test_each_is_stored_for_its_own_patient_by_its_own_device(floor):
    answers = take_batches([Batch(device, "a", values(1, 2)) for device in floor.devices])
    assert [answer["session"] for answer in answers] == [str(session.pk) for session in floor.sessions]
    assert [(answer["stored"], answer["known"], answer["outside"]) for answer in answers] == [(2, 0, 0)] * 3
    assert stored() == [
        (device.name, session.pk, seq, 72.0, f"device:{device.name}")
        for device, session in zip(floor.devices, floor.sessions, strict=True)
        for seq in (1, 2)
    ]
    told = LiveEvent.objects.order_by("id")
    assert [event.session_id for event in told] == [session.pk for session in floor.sessions]
    assert all([value[::2] for value in event.data["values"]] == [["HR", 72.0], ["HR", 72.0]] for event in told)


def test_so_many_questions_for_three_as_for_one(floor):
    take_batches([Batch(device, "a", values(1)) for device in floor.devices])  # what is asked once in a process
    with CaptureQueriesContext(
        connection,
    ) as one:
        take_batches([Batch(floor.devices[0], "b", values(2))])
    with CaptureQueriesContext(connection) as three:
        take_batches([Batch(device, "c", values(3)) for device in floor.devices])
    assert len(three) == len(one)


def test_the_refusal_of_one_concerns_nobody_else(floor):
    take_batch(device=floor.devices[0], batch_key="first", samples=values(1))
    good, wrong, gone = floor.devices
    with acting(by="tests", action="tests.end", site=floor.room.site):
        Session.objects.filter(pk=floor.sessions[2].pk).update(status=Session.Status.DISCHARGED)
    answers = take_batches(
        [
            Batch(good, "again", values(1, value=99.0)),
            Batch(wrong, "b", values(1), named_patient="nobody"),
            Batch(gone, "c", values(1)),
            Batch(floor.loose, "d", values(1)),
            Batch(wrong, "e", values(2), named_session=str(floor.sessions[0].pk)),
            Batch(wrong, "f", values(3, age_s=-60.0)),
            Batch(wrong, "g", values(4)),
        ]
    )
    kinds = [RefusedError, UnknownError, RefusedError, RefusedError, WrongPatientError, InputError]
    assert [type(answer) for answer in answers[:-1]] == kinds
    said = ["stored as 72.0, sent again as 99.0", "unknown patient", "not running", "on no session", "names", "after"]
    assert all(word in str(answer) for word, answer in zip(said, answers, strict=False))
    assert answers[-1]["stored"] == 1
    assert [row[:3] for row in stored()] == [
        (good.name, floor.sessions[0].pk, 1),
        (wrong.name, floor.sessions[1].pk, 4),
    ]
    assert set(SampleBatch.objects.values_list("batch_key", flat=True)) == {"first", "g"}


def test_a_devices_second_batch_knows_of_its_first(floor):
    device, other, _ = floor.devices
    answers = take_batches(
        [
            Batch(device, "a", values(1, 2)),
            Batch(other, "a", values(1)),
            Batch(device, "b", values(2, 3)),
            Batch(device, "a", values(1, 2)),
            Batch(device, "c", values(3, value=5.0)),
        ]
    )
    assert [(answer["stored"], answer["known"]) for answer in answers[:4]] == [(2, 0), (1, 0), (1, 1), (2, 0)]
    assert isinstance(answers[4], RefusedError)
    assert [row[2] for row in stored() if row[0] == device.name] == [1, 2, 3]


def test_sites_are_taken_apart(floor):
    there = furnish("hill")
    session = there.running(1)
    device = there.device(session, "over-there")[0]
    answers = take_batches([Batch(floor.devices[0], "a", values(1)), Batch(device, "a", values(1))])
    assert [answer["stored"] for answer in answers] == [1, 1]
    assert Sample.objects.get(device=device).site_id == there.site.pk


def test_what_was_measured_before_is_kept_aside_for_its_own_device(floor):
    first, second, _ = floor.devices
    answers = take_batches([Batch(first, "a", values(1, age_s=3600.0)), Batch(second, "a", values(1))])
    assert [(answer["stored"], answer["outside"]) for answer in answers] == [(0, 1), (1, 0)]
    assert HeldBatch.objects.get().device == first
    assert DeviceHealth.objects.get(device=first).held == 1


def test_clocks_and_losses_are_noted_for_each(floor):
    first, second, third = floor.devices
    batches = [Batch(first, "a", values(1), clock_off_s=-90.0), Batch(second, "a", values(1), lost=7)]
    take_batches([*batches, Batch(third, "a", values(1))])
    assert DeviceHealth.objects.get(device=first).skew_s == -90.0
    noted = DeviceHealth.objects.get(device=second)
    assert (noted.skew_s, noted.lost) == (None, 7)
    assert not DeviceHealth.objects.filter(device=third).exists()
    take_batches([Batch(first, "b", values(2), clock_off_s=-90.1), Batch(second, "b", values(2), lost=3)])
    assert DeviceHealth.objects.get(device=first).offsets == [-90.0], "within ten seconds, and moved by little"
    assert DeviceHealth.objects.get(device=second).lost == 7
    with acting(by="tests", action="tests.later", site=floor.room.site):
        DeviceHealth.objects.filter(device=first).update(skew_at=timezone.now() - timedelta(seconds=11))
    take_batches([Batch(first, "c", values(3), clock_off_s=-90.1)])
    assert DeviceHealth.objects.get(device=first).offsets == [-90.0, -90.1]
    take_batches([Batch(first, "d", values(4), clock_off_s=2.0)])
    assert DeviceHealth.objects.get(device=first).offsets == [-90.0, -90.1, 2.0], "at once, for it moved by more"


def test_what_waited_for_its_turn_is_not_of_the_patient_who_came_meanwhile(floor):
    """A value of a moment ago, held up for five seconds, in which its device was put on another patient."""
    mover, other, _ = floor.devices
    now = timezone.now()
    with acting(by="tests", action="tests.move", site=floor.room.site):
        DeviceAssociation.objects.filter(device=mover).update(ended_at=now - timedelta(seconds=2))
        DeviceAssociation.objects.create(
            device=mover, session=floor.sessions[2], started_at=now - timedelta(seconds=2), site=floor.room.site
        )
    held_up = time.monotonic() - 5.0
    moved, stayed = take_batches(
        [
            Batch(mover, "a", values(1, age_s=0.2), came_at_s=held_up),
            Batch(other, "a", values(1, age_s=0.2), came_at_s=held_up),
        ]
    )
    assert (moved["stored"], moved["outside"]) == (0, 1)
    assert HeldBatch.objects.get().device == mover
    assert stayed["stored"] == 1
    sample = Sample.objects.get()
    assert sample.received_t_s - sample.t_s == pytest.approx(5.2, abs=0.3)


def test_more_values_than_one_question_holds_are_taken_in_turns_and_each_device_in_its_order(floor, monkeypatch):
    """SQLite binds 32766 values to one question; fifty gateways that come back from an outage bring fifty thousand."""
    monkeypatch.setattr(ingest, "MOST_AT_ONCE", 25)
    first, second, third = floor.devices
    batches = [Batch(device, "a", values(*range(10))) for device in (first, second, third)]
    batches += [Batch(third, "b", values(10)), Batch(third, "c", values(10, value=5.0)), Batch(first, "b", values(10))]
    with CaptureQueriesContext(connection) as asked:
        answers = take_batches(batches)
    assert [answer["stored"] for answer in (*answers[:4], answers[5])] == [10, 10, 10, 1, 1]
    assert isinstance(answers[4], RefusedError)
    told = LiveEvent.objects.filter(session=floor.sessions[2]).order_by("id")
    assert [len(event.data["values"]) for event in told] == [10, 1], (
        "its second not in the place left in the first turn"
    )
    questions = [query["sql"] for query in asked if 'FROM "treatment_sample"' in query["sql"]]
    assert len(questions) == 4, "20 values; 10 and 1; 1; 1"


@pytest.mark.parametrize("seed", range(5))
def test_at_once_or_one_after_the_other_is_the_same(floor, seed, monkeypatch):
    """Random batches with repeats, overlaps and contradictions, cut into random groups."""
    monkeypatch.setattr(ingest, "MOST_AT_ONCE", 5 + 10 * seed)
    rng = random.Random(seed)
    batches = [
        Batch(
            rng.choice([*floor.devices, floor.loose]),
            rng.choice("abcdef"),
            [
                Measured(rng.randrange(8), rng.choice(["HR", "SPO2"]), rng.choice([70.0, 70.0, 71.0]), 0.0),
                *values(*rng.sample(range(8), rng.randrange(4)), value=70.0),
            ],
        )
        for _ in range(40)
    ]

    def told(answer) -> str:
        return str(answer) if isinstance(answer, Exception) else str(sorted(answer.items()))

    def rows() -> tuple:
        return sorted(Sample.objects.values_list("device", "session", "seq", "signal", "value")), sorted(
            SampleBatch.objects.values_list("device", "batch_key", "count")
        )

    savepoint = connection.savepoint() if connection.in_atomic_block else None
    alone = [told(take_batches([batch])[0]) for batch in batches]
    after = rows()
    connection.savepoint_rollback(savepoint)
    grouped: list[str] = []
    while len(grouped) < len(batches):
        size = rng.randrange(1, 12)
        grouped += [told(answer) for answer in take_batches(batches[len(grouped) : len(grouped) + size])]
    assert grouped == alone
    assert rows() == after
    assert any("stored as" in answer for answer in alone)
    assert after[0]
