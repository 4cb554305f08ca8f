"""The monitor: once a second, tick by tick, never twice, and a replay of the export agrees to the letter."""

from __future__ import annotations

import datetime as dt
import itertools
import logging
from importlib import resources
from pathlib import Path

import pytest
import time_machine
from django.db import DataError, IntegrityError, InterfaceError, OperationalError

from limen.clinic.emergency.actions import end_emergency, start_emergency
from limen.clinic.sessions import monitor as monitoring
from limen.clinic.sessions import watching
from limen.clinic.sessions.actions import amend, answer_alarm, ask_discharge, discharge, halt, record
from limen.clinic.sessions.export import export_session
from limen.clinic.sessions.models import AlarmRecord, AlarmSnapshot, Heartbeat, LiveEvent, Session, SessionEvent
from limen.clinic.sessions.monitor import Monitor
from limen.clinic.sessions.watching import OvertakenError, Watcher
from limen.devices.replay import read_numerics
from limen.devices.runner import moments
from limen.session.replay import replay
from live_room import batch, furnish, post

pytestmark = pytest.mark.django_db

START = dt.datetime(2026, 11, 22, 9, 0, 0, 250_000, tzinfo=dt.UTC)


class Ward:
    """A session, its device, and a clock that only moves when told."""

    def __init__(self, client, travel) -> None:
        self.client = client
        self.travel = travel
        self.room = furnish()
        self.session, self.device, self.token = self.room.begun()
        self.watcher = Watcher()
        self.seq = 0

    def after(self, seconds: float) -> None:
        self.travel.shift(dt.timedelta(seconds=seconds))

    def send(self, **values: float | None) -> None:
        self.seq += 1
        body = batch("chair-1", f"b{self.seq}", [(self.seq, signal, value) for signal, value in values.items()])
        answer = post(self.client, self.token, body)
        assert answer.status_code == 200, answer.content

    def watch(self, watcher: Watcher | None = None) -> None:
        while (watcher or self.watcher).visit(self.session):
            pass

    def seconds(self, count: int, **values: float | None) -> None:
        """So many seconds, each with a sample and a visit of the monitor."""
        for _ in range(count):
            self.after(1)
            if values:
                self.send(**values)
            self.watch()

    def changes(self) -> list[tuple[str, str, float]]:
        rows = AlarmRecord.objects.filter(session=self.session).order_by("seq")
        return [(row.kind, row.data["alarm"]["rule"] if row.data["alarm"] else "", row.t_s) for row in rows]

    def standing(self) -> set[str]:
        found: dict[str, bool] = {}
        for row in AlarmRecord.objects.filter(session=self.session).order_by("seq"):
            found[row.data["alarm"]["rule"]] = row.kind != "ended"
        return {rule for rule, stands in found.items() if stands}

    def assert_replay_agrees(self) -> None:
        replayed = replay(export_session(self.session.pk))
        recorded = [row.data for row in AlarmRecord.objects.filter(session=self.session).order_by("seq")]
        assert list(replayed.changes) == recorded
        snapshot = AlarmSnapshot.objects.get(session=self.session)
        assert replayed.state["watched_until_t_s"] == snapshot.tick_t_s
        standing = [slot["alarm"]["id"] for slot in snapshot.state["slots"].values() if slot["alarm"]]
        assert sorted(replayed.state["standing_alarms"]) == sorted(standing)


@pytest.fixture
def ward(client):
    with time_machine.travel(START, tick=False) as travel:
        yield Ward(client, travel)


def test_normal_values_raise_nothing(ward):
    ward.seconds(40, SPO2=98.0, HR=72.0, RR=14.0)
    assert ward.changes() == []
    assert AlarmSnapshot.objects.get().tick_t_s == 40
    ward.assert_replay_agrees()


def test_low_saturation_is_an_alarm_within_a_second_and_ends_when_it_is_back(ward):
    ward.seconds(5, SPO2=98.0, HR=72.0, RR=14.0)
    ward.seconds(5, SPO2=88.0, HR=72.0, RR=14.0)
    raised = [entry for entry in ward.changes() if entry[0] == "raised"]
    assert raised[-1][:2] == ("raised", "MON-4")
    assert raised[-1][2] <= 7
    assert LiveEvent.objects.filter(kind="alarm").exists()
    ward.seconds(60, SPO2=98.0, HR=72.0, RR=14.0)
    assert "MON-4" not in ward.standing()
    ward.assert_replay_agrees()


def test_a_recorded_zero_is_technical_and_never_physiological(ward):
    ward.seconds(5, SPO2=98.0, HR=72.0, RR=14.0)
    ward.seconds(20, SPO2=0.0, HR=72.0, RR=14.0)
    kinds = {row.data["alarm"]["kind"] for row in AlarmRecord.objects.all()}
    assert kinds == {"technical"}
    assert AlarmRecord.objects.filter(kind="raised").first().data["alarm"]["signal"] == "SPO2"
    ward.assert_replay_agrees()


def test_a_silent_device_is_stale_then_lost_and_never_nothing(ward):
    ward.seconds(5, SPO2=98.0, HR=72.0, RR=14.0)
    ward.seconds(45)
    alarms = [row.data["alarm"] for row in AlarmRecord.objects.filter(kind="raised").order_by("seq")]
    assert {alarm["kind"] for alarm in alarms} == {"technical"}
    of_spo2 = [(alarm["priority"], alarm["t_s"]) for alarm in alarms if alarm["signal"] == "SPO2"]
    assert [priority for priority, _ in of_spo2] == ["low", "medium"]
    assert 14 <= of_spo2[0][1] <= 17
    assert 34 <= of_spo2[1][1] <= 37
    ward.assert_replay_agrees()


def test_a_session_without_any_value_is_lost_and_says_so(ward):
    ward.seconds(45)
    assert {row.data["alarm"]["signal"] for row in AlarmRecord.objects.filter(kind="raised")} >= {"SPO2", "HR"}


def test_two_monitors_raise_each_alarm_once(ward):
    second = Watcher()
    for _ in range(10):
        ward.after(1)
        ward.send(SPO2=88.0, HR=72.0, RR=14.0)
        ward.watch()
        ward.watch(second)
    raised = [entry for entry in ward.changes() if entry[0] == "raised" and entry[1] == "MON-4"]
    assert len(raised) == 1
    ward.assert_replay_agrees()


def test_a_monitor_that_read_an_older_state_stores_nothing(ward, monkeypatch):
    ward.seconds(3, SPO2=98.0, HR=72.0, RR=14.0)
    real = AlarmSnapshot.from_db

    def older(*args):
        row = real(*args)
        row.version -= 1
        return row

    monkeypatch.setattr(AlarmSnapshot, "from_db", older)
    ward.after(1)
    ward.send(SPO2=88.0)
    with pytest.raises(OvertakenError):
        ward.watch()
    monkeypatch.undo()
    assert ward.changes() == []
    assert AlarmSnapshot.objects.get().tick_t_s == 3


def test_a_monitor_remembers_nothing_of_a_visit_that_was_rolled_back(ward, monkeypatch):
    ward.seconds(3, SPO2=98.0, HR=72.0, RR=14.0)
    ward.after(1)
    ward.send(SPO2=88.0)

    def fails(*_):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(watching, "call_people", fails)
    with pytest.raises(RuntimeError):
        ward.watch()
    monkeypatch.undo()
    assert ward.changes() == []
    ward.watch()
    assert [entry[:2] for entry in ward.changes()] == [("raised", "MON-4")]
    ward.assert_replay_agrees()


def test_a_monitor_that_was_dead_catches_up_as_if_it_had_been_there(ward):
    ward.seconds(5, SPO2=98.0, HR=72.0, RR=14.0)
    for _ in range(20):  # nobody watches; the device goes on
        ward.after(1)
        ward.send(SPO2=88.0, HR=72.0, RR=14.0)
    for _ in range(200):
        ward.after(1)
        ward.send(SPO2=98.0, HR=72.0, RR=14.0)
    ward.watch(Watcher())
    rules = [entry for entry in ward.changes() if entry[1] == "MON-4"]
    assert (rules[0][0], rules[-1][0]) == ("raised", "ended")
    assert rules[0][2] <= 7
    assert rules[-1][2] < 100
    assert AlarmSnapshot.objects.get().tick_t_s == 225
    ward.assert_replay_agrees()


def test_what_arrives_in_a_second_that_is_decided_is_taken_by_the_next(ward):
    ward.after(3)
    ward.watch()
    ward.travel.shift(dt.timedelta(seconds=-2))  # the clock is set back
    ward.send(SPO2=88.0)
    event = record(by=ward.room.nurse, session=ward.session, kind="symptom.reported", data={"text": "headache"})
    assert event.t_s > 3
    ward.after(5)
    ward.watch()
    assert "MON-4" in ward.standing()
    ward.assert_replay_agrees()


def test_an_acknowledgement_answers_one_alarm(ward):
    ward.seconds(3, SPO2=88.0, HR=160.0, RR=14.0)
    alarm = next(
        row.data["alarm"] for row in AlarmRecord.objects.filter(kind="raised") if row.data["alarm"]["rule"] == "MON-4"
    )
    answer_alarm(by=ward.room.nurse, session=ward.session, kind="alarm.acknowledged", data={"alarm": alarm["id"]})
    ward.seconds(3, SPO2=88.0, HR=160.0, RR=14.0)
    acknowledged = [row.data["alarm"] for row in AlarmRecord.objects.filter(kind="acknowledged")]
    assert [entry["id"] for entry in acknowledged] == [alarm["id"]]
    assert acknowledged[0]["acknowledged_by"] == ward.room.nurse.display_name
    slots = AlarmSnapshot.objects.get().state["slots"].values()
    heart = [slot["alarm"] for slot in slots if slot["alarm"] and slot["alarm"]["signal"] == "HR"]
    assert all(entry["acknowledged_t_s"] is None for entry in heart)
    ward.assert_replay_agrees()


def test_the_pump_runs_empty_and_the_session_moves_to_recovery_by_time_alone(ward):
    record(by=ward.room.nurse, session=ward.session, kind="infusion.started", data={})
    ward.after(40 * 60 - 5)
    ward.watch()
    assert Session.objects.get().status == "running"
    ward.after(10)
    ward.watch()
    assert Session.objects.get().status == "recovery"


def test_a_discharge_is_not_undone_by_the_second_before_it(ward):
    ward.seconds(5, SPO2=98.0, HR=72.0, RR=14.0)
    ward.after(1)
    ask_discharge(by=ward.room.nurse, session=ward.session)
    discharge(by=ward.room.nurse, session=ward.session, reason="taken over by the ward")
    monitor = Monitor()
    for _ in range(3):
        monitor.round()
        ward.after(1)
    session = Session.objects.get()
    assert session.status == "discharged"
    last = SessionEvent.objects.get(kind="session.ended")
    assert AlarmSnapshot.objects.get().tick_t_s == pytest.approx(last.t_s, abs=1.0)
    ward.assert_replay_agrees()


def test_a_whole_session_with_every_trouble_replays_to_the_letter(ward):
    nurse = ward.room.nurse

    def write(act, kind: str, **data) -> None:
        act(by=nurse, session=ward.session, kind=kind, data=data)

    write(record, "observation.recorded", moaas=5, dissociation=0, sbp_mmHg=128, dbp_mmHg=78)
    write(record, "infusion.started")
    ward.seconds(5, SPO2=98.0, HR=72.0, RR=14.0, NIBP_SYS=128.0, NIBP_DIA=78.0)
    ward.seconds(7, SPO2=93.0, HR=112.0, RR=14.0)
    write(record, "symptom.reported", text="severe headache")
    ward.seconds(3, SPO2=0.0, HR=None, RR=14.0, NIBP_SYS=185.0, NIBP_DIA=112.0)
    write(halt, "infusion.paused", reason="pressure")
    write(answer_alarm, "audio.paused")
    ward.seconds(33)
    write(record, "observation.recorded", moaas=3, distress=2, symptoms=["headache"], confirmed=["moaas"])
    seen = SessionEvent.objects.filter(session=ward.session, kind="observation.recorded").last()
    amend(by=nurse, session=ward.session, entry=f"e{seen.seq}", changes={"moaas": 4}, reason="slip of the finger")
    ward.seconds(12, SPO2=97.0, HR=80.0, RR=15.0, NIBP_SYS=140.0, NIBP_DIA=85.0)
    emergency = start_emergency(by=nurse, site=ward.session.site, session=ward.session, key="em")
    ward.seconds(2, SPO2=97.0, HR=80.0, RR=15.0)
    end_emergency(by=nurse, emergency=emergency, outcome="better after oxygen")
    write(record, "infusion.resumed")
    ward.seconds(30, SPO2=97.0, HR=80.0, RR=15.0)
    assert len(ward.changes()) > 10
    ward.assert_replay_agrees()


def test_a_round_gives_a_sign_of_life_and_greets_each_session_once(ward):
    monitor = Monitor()
    for _ in range(3):
        ward.after(1)
        monitor.round()
    beat = Heartbeat.objects.get(name="monitor")
    assert beat.counter == 2
    assert SessionEvent.objects.filter(kind="monitor.started").count() == 1
    monitor.farewell()
    assert SessionEvent.objects.filter(kind="monitor.stopped").count() == 1
    ward.assert_replay_agrees()


def test_a_session_in_trouble_does_not_stop_the_others(ward, monkeypatch, caplog):
    other, _, _ = ward.room.begun(2)
    real = Watcher.visit

    def visit(self, session):
        if session.pk == ward.session.pk:
            raise ZeroDivisionError("broken")
        return real(self, session)

    monkeypatch.setattr(Watcher, "visit", visit)
    ward.after(2)
    with caplog.at_level(logging.ERROR):
        Monitor().round()
    assert AlarmSnapshot.objects.get(session=other).tick_t_s == 2
    assert AlarmSnapshot.objects.get(session=ward.session).tick_t_s is None
    assert "could not be watched" in caplog.text
    assert Heartbeat.objects.exists()


@pytest.mark.parametrize(
    "problem", [IntegrityError("once"), DataError("too long"), ZeroDivisionError("broken")], ids=repr
)
def test_rows_that_one_session_is_refused_do_not_stop_the_others(ward, monkeypatch, problem):
    newer, _, _ = ward.room.begun(2)  # visited first: the newest session is

    def refused(session, *_):
        if session.pk == newer.pk:
            raise problem

    monkeypatch.setattr(watching, "call_people", refused)
    ward.after(2)
    Monitor().round()
    assert AlarmSnapshot.objects.get(session=ward.session).tick_t_s == 2
    assert AlarmSnapshot.objects.get(session=newer).tick_t_s is None
    assert Heartbeat.objects.exists()


@pytest.mark.parametrize("problem", [OperationalError("disk is full"), InterfaceError("connection closed")], ids=repr)
def test_a_database_that_does_not_answer_gives_no_sign_of_life_and_the_monitor_goes_on(ward, monkeypatch, problem):
    def fails(self, live):
        raise problem

    monitor = Monitor()
    ward.after(2)
    with monkeypatch.context() as broken:
        broken.setattr(Watcher, "forget", fails)
        broken.setattr(monitoring.connection, "close", lambda: None)  # the test's transaction lives in it
        monitor.round()
    assert not Heartbeat.objects.exists()
    monitor.round()
    assert Heartbeat.objects.exists()


RECORDED = Path(__file__).resolve().parents[3] / "shared" / "data" / "icu-numerics-s00001.csv"
SHIPPED = Path(str(resources.files("limen.clinic") / "demo" / "data" / "numerics.csv"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [
        SHIPPED,
        pytest.param(
            RECORDED, marks=pytest.mark.skipif(not RECORDED.exists(), reason="the recorded numerics are not here")
        ),
    ],
    ids=["shipped", "recorded"],
)
def test_a_recorded_monitor_at_a_minute_a_second_never_makes_a_zero_a_patient(ward, path):
    moments_ = moments(read_numerics(path, speed_ratio=60.0))
    for _, samples in itertools.islice(moments_, 150):
        ward.after(1)
        ward.send(**{sample.signal: sample.value for sample in samples})
        ward.watch()
    alarms = [row.data["alarm"] for row in AlarmRecord.objects.filter(kind="raised")]
    assert any(alarm["kind"] == "technical" for alarm in alarms)
    assert all(alarm["value"] for alarm in alarms if alarm["kind"] == "physiological")
    zeros = [
        sample.t_s for sample in read_numerics(path, speed_ratio=60.0) if sample.signal == "SPO2" and not sample.value
    ]
    assert zeros
    ward.assert_replay_agrees()
