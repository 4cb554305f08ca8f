"""A whole session lived faster than time: values, taps, faults and monitors that come and go, second by second."""

from __future__ import annotations

import datetime as dt
import json
import random
from typing import Any

import time_machine

from limen.clinic.emergency.actions import end_emergency, start_emergency
from limen.clinic.sessions.actions import (
    amend,
    answer_alarm,
    ask_discharge,
    associate_device,
    change_limits,
    discharge,
    halt,
    record,
    release_device,
)
from limen.clinic.sessions.export import export_session
from limen.clinic.sessions.ingest import Measured, take_batch
from limen.clinic.sessions.models import AlarmRecord, AlarmSnapshot, SessionEvent
from limen.clinic.sessions.queries import readiness_now
from limen.clinic.sessions.record import state_of
from limen.clinic.sessions.watching import Watcher
from limen.session.replay import replay
from live_room import furnish

START = dt.datetime(2026, 11, 22, 9, 0, 0, 250_000, tzinfo=dt.UTC)
REASON = "a reason that is long enough"


class LongSession:
    """One session. ``length_s`` stretches the same story; ``rng`` decides every value and most taps."""

    def __init__(self, clock: Any, length_s: int, seed: int) -> None:
        self.clock = clock
        self.length_s = length_s
        self.rng = random.Random(seed)
        self.room = furnish()
        self.session, self.device, _ = self.room.begun()
        self.watcher = Watcher()
        self.seq = 0
        self.kept: list[Measured] = []
        self.answers: list[dict[str, Any]] = []
        self.values = {"SPO2": 98.0, "HR": 72.0, "RR": 14.0}
        self.taps = 0

    def live(self) -> None:
        for second in range(1, self.length_s + 1):
            part = second / self.length_s
            self.clock.shift(dt.timedelta(seconds=0.7))
            self.story(second)
            self.clock.shift(dt.timedelta(seconds=0.3))  # no two things happen at one instant
            if not 0.40 < part < 0.42:  # the device is silent
                self.measure(second, offline=0.55 < part < 0.57)
            if not 0.60 < part < 0.63:  # no monitor runs; the next one catches up
                self.watch()
            if second % max(60, self.length_s // 12) == 0:
                self.watcher = Watcher()  # the monitor was killed: its memory is gone

    def story(self, second: int) -> None:
        """What people do: the fixed course of the session, and taps between."""
        by, session = self.room.nurse, self.session
        fixed = {
            0.05: lambda: record(by=by, session=session, kind="infusion.started"),
            0.15: lambda: halt(by=by, session=session, kind="infusion.paused"),
            0.18: lambda: record(by=by, session=session, kind="infusion.resumed"),
            0.25: lambda: change_limits(
                by=self.room.director, session=session, limits={"HR": {"low": 45, "high": 130}}, reason=REASON
            ),
            0.30: lambda: halt(by=by, session=session, kind="infusion.stopped", data={"reason": REASON}),
            0.35: lambda: start_emergency(by=by, site=session.site, session=session, key="em"),
            0.37: lambda: end_emergency(by=by, emergency=session.emergencies.get(), outcome=REASON),
            0.46: lambda: release_device(by=by, session=session, device=self.device),
            0.48: lambda: associate_device(by=by, session=session, device=self.device),
            0.70: self.correct,
            0.80: self.ask,
            0.95: self.ask,
            0.98: lambda: discharge(by=by, session=session, reason=REASON),
        }
        for part, deed in fixed.items():
            if second == round(part * self.length_s):
                deed()
                self.taps += 1
                return
        if second < 0.97 * self.length_s and self.rng.random() < 0.02:
            self.tap()
            self.taps += 1

    def tap(self) -> None:
        by, session = self.room.nurse, self.session
        kind = self.rng.choice(["observation", "symptom", "acknowledge", "sound", "late"])
        if kind == "observation":
            seen = self.rng.choice([5, 4, 2])
            data = {"moaas": seen, "dissociation": self.rng.choice([0, 1, 3]), "confirmed": ["moaas"]}
            record(by=by, session=session, kind="observation.recorded", data=data)
        elif kind == "symptom":
            text = self.rng.choice(["nausea", "severe headache", "chest pain"])
            record(by=by, session=session, kind="symptom.reported", data={"text": text})
        elif kind == "late":
            record(
                by=by, session=session, kind="observation.recorded", data={"moaas": 5}, late_s=self.rng.uniform(2, 20)
            )
        elif kind == "sound":
            answer_alarm(by=by, session=session, kind="audio.paused")
        else:
            slots = AlarmSnapshot.objects.get(session=session).state.get("slots", {}).values()
            standing = sorted(slot["alarm"]["id"] for slot in slots if slot["alarm"])
            if standing:
                data = {"alarm": self.rng.choice(standing)}
                answer_alarm(by=by, session=session, kind="alarm.acknowledged", data=data)

    def correct(self) -> None:
        row = SessionEvent.objects.filter(session=self.session, kind="observation.recorded").first()
        if row is not None:
            changes = {"moaas": 3, "confirmed": ["moaas"]}
            amend(
                by=self.room.nurse,
                session=self.session,
                entry=f"e{row.seq}",
                changes=changes,
                reason="slip of the finger",
            )

    def ask(self) -> None:
        ask_discharge(by=self.room.nurse, session=self.session)
        self.answers.append(readiness_now(self.session))

    def measure(self, second: int, *, offline: bool) -> None:
        """The device's values: they wander, fail, and are kept while the line is down."""
        associated = self.session.associations.filter(ended_at=None).exists()
        if not associated:
            self.kept.clear()
            return
        for signal, (low, high, step) in {"SPO2": (84, 99, 1.5), "HR": (38, 170, 6), "RR": (6, 24, 2)}.items():
            self.values[signal] = min(high, max(low, self.values[signal] + self.rng.uniform(-step, step)))
        self.seq += 1
        readings: dict[str, float | None] = dict(self.values)
        chance = self.rng.random()
        if chance < 0.02:
            readings["SPO2"] = self.rng.choice([0.0, None])
        elif chance < 0.04:
            readings.pop("HR")
        if second % 150 == 20:
            high = self.rng.choice([128.0, 165.0, 184.0])
            readings |= {"NIBP_SYS": high, "NIBP_DIA": high - 50}
        self.kept = [Measured(item.seq, item.signal, item.value, item.age_s + 1.0) for item in self.kept]
        self.kept += [Measured(self.seq, signal, value, self.rng.uniform(0, 0.4)) for signal, value in readings.items()]
        if not offline:
            self.rng.shuffle(self.kept)
            take_batch(device=self.device, batch_key=f"b{self.seq}", samples=self.kept)
            self.kept = []

    def watch(self) -> None:
        while self.watcher.visit(self.session):
            pass


def live_and_replay(length_s: int, seed: int) -> dict[str, int]:
    """Live a session, then replay its export as text: the same alarms, state and answers, to the letter."""
    with time_machine.travel(START, tick=False) as clock:
        lived = LongSession(clock, length_s, seed)
        lived.live()
        session = lived.session
        snapshot = AlarmSnapshot.objects.get(session=session)
        recorded = [row.data for row in AlarmRecord.objects.filter(session=session).order_by("seq")]
        export = json.loads(json.dumps(export_session(session.pk), allow_nan=False))
    again = replay(export)
    assert len(again.changes) == len(recorded)
    for number, (live, replayed) in enumerate(zip(recorded, again.changes, strict=True)):
        assert replayed == live, f"alarm change {number} of {len(recorded)}"
    assert again.state["watched_until_t_s"] == snapshot.tick_t_s
    standing = [slot["alarm"]["id"] for slot in snapshot.state["slots"].values() if slot["alarm"]]
    assert sorted(again.state["standing_alarms"]) == sorted(standing)
    last_s = max([snapshot.tick_t_s, *(event["t_s"] for event in export["events"])])
    for name, value in state_of(session, at_t_s=last_s).to_json().items():
        assert again.state[name] == value, name
    assert [(item["ready"], item["unmet"]) for item in again.discharge] == [
        (item["ready"], item["unmet"]) for item in lived.answers
    ]
    assert again.state["discharged_t_s"] is not None
    return {
        "seconds": int(snapshot.tick_t_s),
        "samples": len(export["samples"]),
        "events": len(export["events"]),
        "alarm_changes": len(recorded),
    }
