"""Every session leaves a file that replays to what the clinic recorded: alarms, answers and note, to the letter."""

from __future__ import annotations

import datetime as dt
import json
import random

import pytest
import time_machine
from django.utils import timezone

from limen.clinic.audit.act import acting
from limen.clinic.emergency.actions import end_emergency, start_emergency
from limen.clinic.notes.content import draft, plain, recorded_of
from limen.clinic.sessions.actions import answer_alarm, ask_discharge, discharge, halt, record
from limen.clinic.sessions.export import black_box
from limen.clinic.sessions.ingest import Measured, take_batch
from limen.clinic.sessions.models import AlarmRecord, AlarmSnapshot
from limen.clinic.sessions.record import append
from limen.clinic.sessions.watching import Watcher
from limen.errors import LimenError
from limen.session.black_box import record_check
from limen.session.replay import replay
from live_room import furnish

pytestmark = pytest.mark.django_db
START = dt.datetime(2026, 11, 22, 9, 0, 0, tzinfo=dt.UTC)
BAND = {"HR": {"t_s": [0.0, 3600.0], "low": [60.0, 58.0], "high": [90.0, 95.0]}}


class Chair:
    """One chair, a monitor's look each second, and deeds that a seed chooses."""

    def __init__(self, clock: time_machine.Coordinates, seed: int) -> None:
        self.clock, self.seq, self.chance = clock, 0, random.Random(seed)
        self.room = furnish()
        self.session, self.device, _ = self.room.begun()
        self.nurse, self.watcher = self.room.nurse, Watcher()
        self.emergency = None

    def live(self, seconds: int) -> None:
        for _ in range(seconds):
            self.clock.shift(1)
            self.seq += 1
            spo2 = self.chance.choice([97.0, 97.0, 98.0, 91.0, 85.0, 0.0, None])
            heart = self.chance.choice([70.0, 74.0, 141.0, 44.0])
            if self.chance.random() < 0.85:
                age_s = self.chance.choice([0.1, 0.4, 3.0])
                measured = [Measured(self.seq, "SPO2", spo2, age_s), Measured(self.seq, "HR", heart, age_s)]
                take_batch(device=self.device, batch_key=f"b{self.seq}", samples=measured)
            if self.chance.random() < 0.3:
                self.deed()
            self.watch()

    def watch(self) -> None:
        while self.watcher.visit(self.session):
            pass

    def deed(self) -> None:
        pump = {"dose_mg": 35.0, "duration_min": 40.0}
        seen = {"sbp_mmHg": self.chance.choice([128.0, 185.0]), "dbp_mmHg": 82.0, "moaas": self.chance.choice([5, 3])}
        who = {"by": self.nurse, "session": self.session}
        deeds = [
            lambda: record(**who, kind="infusion.started", data=pump),
            lambda: halt(**who, kind="infusion.paused", data={"reason": "nausea"}),
            lambda: record(**who, kind="infusion.resumed", data={}),
            lambda: record(**who, kind="observation.recorded", data=seen),
            lambda: record(**who, kind="observation.recorded", data=seen, late_s=8.0),
            lambda: record(**who, kind="symptom.reported", data={"text": "headache"}),
            lambda: answer_alarm(**who, kind="alarm.acknowledged", data={"signal": "SPO2"}),
            lambda: ask_discharge(**who),
            self.alarm,
            self.foresee,
        ]
        try:
            self.chance.choice(deeds)()
        except LimenError:
            return  # what may not follow is refused, and recorded nowhere

    def alarm(self) -> None:
        if self.emergency is None:
            self.emergency = start_emergency(
                by=self.nurse, site=self.room.site, key=f"k{self.seq}", session=self.session
            )
        else:
            end_emergency(by=self.nurse, emergency=self.emergency, outcome="woke up")
            self.emergency = None

    def foresee(self) -> None:
        with acting(by="forecast", action="test.forecast", site=self.room.site):
            append(self.session, "forecast.updated", by="forecast", data={"bands": BAND, "said": "as expected"})

    def boxed(self) -> dict:
        return json.loads(json.dumps(black_box(self.session.pk), allow_nan=False))

    def assert_the_file_agrees(self) -> None:
        box = self.boxed()
        again = replay(box).to_json()
        found = record_check(box, again["alarms"])
        assert (found["seal"], found["alarms_same"]) == ("fits", True), found["said"]
        recorded = [row.data for row in AlarmRecord.objects.filter(session=self.session).order_by("seq")]
        assert again["changes"] == recorded
        assert again["state"]["watched_until_t_s"] == AlarmSnapshot.objects.get(session=self.session).tick_t_s
        assert again["unknown_inputs"] == []


@pytest.fixture
def clock():
    with time_machine.travel(START, tick=False) as found:
        yield found


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_any_session_leaves_a_file_that_replays_to_what_was_recorded(clock, seed: int) -> None:
    chair = Chair(clock, seed)
    chair.live(20)
    # while it runs
    chair.assert_the_file_agrees()
    if seed % 2:
        clock.move_to(timezone.now() - dt.timedelta(hours=1))
    chair.live(25)
    if chair.emergency is not None:
        chair.alarm()
    for kind in ("infusion.paused", "infusion.stopped"):
        try:
            halt(by=chair.nurse, session=chair.session, kind=kind, data={"reason": "the end of the test"})
        except LimenError:
            continue
    discharge(by=chair.nurse, session=chair.session, reason="insists on leaving, told of the risks")
    clock.shift(3)
    chair.watch()
    chair.session.refresh_from_db()
    chair.assert_the_file_agrees()
    # the note: with what the clinic knows beside, the file gives it to the letter
    named = json.loads(json.dumps(black_box(chair.session.pk, recorded=plain(recorded_of(chair.session)))))
    assert plain(replay(named).note) == draft(chair.session)["note"]
    left = draft(chair.session)["note"]["leaving"]["left"]
    assert (left["ready"], left["reason"]) == (False, "insists on leaving, told of the risks")
    assert draft(chair.session)["clock_turned_s"] == pytest.approx(3600.0 if seed % 2 else 0.0, abs=2)


def test_a_session_that_was_never_started_leaves_a_file_too(clock) -> None:
    room = furnish()
    from limen.clinic.sessions.actions import create_session

    session = create_session(by=room.nurse, plan=room.signed_plan(), chair=room.chairs[0])
    box = json.loads(json.dumps(black_box(session.pk)))
    found = record_check(box, [dict(alarm) for alarm in replay(box).alarms])
    assert (found["seal"], found["alarms_same"], box["started_at"]) == ("fits", True, None)
