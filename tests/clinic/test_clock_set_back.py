"""The server's clock is set back an hour in mid-session: time goes on, nothing is lost, alarms come, and it is said.

A leap ahead is said too: it cannot be told from time that nobody watched.
"""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.utils import timezone

from limen.clinic.calls.actions import accept, screen_asks, shown
from limen.clinic.calls.queries import calls_of, log_of, people, sounding
from limen.clinic.emergency.actions import end_emergency, start_emergency, tap
from limen.clinic.emergency.queries import told_beside
from limen.clinic.sessions.actions import answer_alarm, record
from limen.clinic.sessions.export import export_session
from limen.clinic.sessions.floor_models import PatientLink
from limen.clinic.sessions.ingest import Measured, take_batch
from limen.clinic.sessions.models import AlarmRecord, AlarmSnapshot, Sample, SessionEvent
from limen.clinic.sessions.patient_call import answered, begin, look_up, make_call_page, signal
from limen.clinic.sessions.queries import board, session_live
from limen.clinic.sessions.sse import Scope
from limen.clinic.sessions.watching import Watcher
from limen.knowledge.alarm_response import alarm_response
from limen.session.replay import replay
from live_room import furnish

pytestmark = pytest.mark.django_db
START = dt.datetime(2026, 11, 22, 9, 0, 0, tzinfo=dt.UTC)
BACK = dt.timedelta(hours=1)


class Floor:
    """One chair, a value and a look of the monitor each second."""

    def __init__(self, clock) -> None:
        self.clock, self.seq = clock, 0
        self.room = furnish()
        self.session, self.device, _ = self.room.begun()
        # The steady clock goes on with the seconds that are lived, whatever the other one is set to.
        self.lived_s = 0.0
        self.watcher = Watcher(steady=lambda: self.lived_s)

    def live(self, seconds: int, spo2: float = 97.0, *, age_s: float = 0.2) -> None:
        for _ in range(seconds):
            self.clock.shift(1)
            self.lived_s += 1.0
            self.seq += 1
            measured = [Measured(self.seq, "SPO2", spo2, age_s), Measured(self.seq, "HR", 70.0, age_s)]
            take_batch(device=self.device, batch_key=f"b{self.seq}", samples=measured)
            while self.watcher.visit(self.session):
                pass

    @property
    def tick_s(self) -> float:
        return AlarmSnapshot.objects.get(session=self.session).tick_t_s or 0.0


@pytest.fixture
def floor():
    with time_machine.travel(START, tick=False) as clock:
        yield Floor(clock)


def test_the_monitor_goes_on_second_by_second_and_no_value_is_lost(floor):
    floor.live(60)
    before_s = floor.tick_s
    floor.clock.move_to(timezone.now() - BACK)
    floor.live(60)
    assert floor.tick_s - before_s == pytest.approx(60, abs=2)
    rows = list(Sample.objects.filter(signal="SPO2").order_by("id").values_list("seq", "t_s", "received_t_s"))
    assert [seq for seq, _, _ in rows] == list(range(1, 121))
    arrived = [received for _, _, received in rows]
    assert arrived == sorted(arrived)
    assert arrived[-1] - arrived[0] == pytest.approx(119, abs=2)


def test_a_fall_of_saturation_after_it_alarms_within_its_bound(floor):
    floor.live(30)
    floor.clock.move_to(timezone.now() - BACK)
    floor.live(5)
    floor.live(3, spo2=85.0)
    raised = AlarmRecord.objects.filter(kind="raised", data__alarm__rule="MON-4")
    assert raised.count() == 1
    first = Sample.objects.filter(value=85.0).order_by("id").first()
    assert raised.get().t_s - first.received_t_s <= 2.0


def test_silence_after_it_is_said_in_time(floor):
    floor.live(30)
    floor.clock.move_to(timezone.now() - BACK)
    for _ in range(14):
        floor.clock.shift(1)
        floor.watcher.visit(floor.session)
    assert AlarmRecord.objects.filter(kind="raised", data__alarm__rule="TEC-STALE", data__alarm__signal="SPO2").exists()


def test_what_a_person_writes_after_it_stands_after_what_they_wrote_before(floor):
    floor.live(10)
    record(by=floor.room.nurse, session=floor.session, kind="observation.recorded", data={"moaas": 5})
    floor.clock.move_to(timezone.now() - BACK)
    record(by=floor.room.nurse, session=floor.session, kind="observation.recorded", data={"moaas": 4})
    floor.live(5)
    record(by=floor.room.nurse, session=floor.session, kind="observation.recorded", data={"moaas": 5})
    times = list(SessionEvent.objects.filter(session=floor.session).order_by("seq").values_list("t_s", flat=True))
    assert times == sorted(times)


def test_it_is_said_in_the_record_and_to_the_pages_whose_ages_stay_right(floor):
    floor.live(30)
    floor.clock.move_to(timezone.now() - BACK)
    floor.live(10)
    (note,) = [row.data["note"] for row in SessionEvent.objects.filter(session=floor.session, kind="monitor.started")]
    assert note.startswith("the server's clock was set back by about 60 min")
    page = session_live(floor.session)
    assert page["clock_offset_s"] == pytest.approx(3600, abs=2)
    assert page["t_s"] == pytest.approx(40, abs=2)
    age = Scope("session_id", floor.session.pk).pulse()["watched_age_s"][str(floor.session.pk)]
    assert -1.0 <= age <= 2.0


def test_a_clock_that_leaps_ahead_is_said_once_and_the_replay_agrees(floor):
    floor.live(30)
    floor.clock.shift(3600)
    floor.live(10)
    (note,) = [row.data["note"] for row in SessionEvent.objects.filter(session=floor.session, kind="monitor.started")]
    assert note.startswith("the server's clock leapt ahead by about 60 min")
    recorded = [row.data for row in AlarmRecord.objects.filter(session=floor.session).order_by("seq")]
    assert list(replay(export_session(floor.session.pk)).changes) == recorded


def test_what_was_written_by_a_clock_that_stood_ahead_keeps_no_answer_from_its_alarm(floor):
    # After a restart the clock is an hour ahead for a moment, a nurse writes, the monitor is not there yet.
    floor.live(30)
    floor.clock.shift(BACK)
    record(by=floor.room.nurse, session=floor.session, kind="observation.recorded", data={"moaas": 5})
    floor.clock.move_to(timezone.now() - BACK)
    floor.live(5)
    floor.live(3, spo2=85.0)
    raised = AlarmRecord.objects.filter(kind="raised", data__alarm__rule="MON-4").latest("seq").data["alarm"]
    answer_alarm(by=floor.room.nurse, session=floor.session, kind="alarm.acknowledged", data={"alarm": raised["id"]})
    floor.live(3, spo2=85.0)
    assert AlarmRecord.objects.filter(kind="acknowledged", data__alarm__id=raised["id"]).exists()
    assert SessionEvent.objects.filter(session=floor.session, kind="monitor.started").count() <= 2
    recorded = [row.data for row in AlarmRecord.objects.filter(session=floor.session).order_by("seq")]
    assert list(replay(export_session(floor.session.pk)).changes) == recorded


@pytest.mark.parametrize("missed_s", [0, 3600])
def test_a_monitor_that_was_late_says_nothing_of_the_clock(floor, missed_s):
    floor.live(30)
    floor.clock.shift(missed_s)
    floor.lived_s += missed_s
    floor.live(30)
    assert not SessionEvent.objects.filter(session=floor.session, kind="monitor.started").exists()


def test_a_device_put_on_before_it_goes_on_charting_and_the_export_replays_to_the_letter(floor):
    floor.live(20)
    floor.clock.move_to(timezone.now() - BACK)
    floor.live(20, spo2=91.0)
    recorded = [row.data for row in AlarmRecord.objects.filter(session=floor.session).order_by("seq")]
    assert list(replay(export_session(floor.session.pk)).changes) == recorded
    assert recorded


def test_a_page_fetched_before_the_monitor_has_noticed_does_not_run_back(floor):
    floor.live(30)
    before = session_live(floor.session)
    floor.clock.move_to(timezone.now() - BACK)
    page = session_live(floor.session)
    assert page["t_s"] == pytest.approx(before["t_s"], abs=2)
    assert page["clock_offset_s"] == pytest.approx(3600, abs=2)
    (tile,) = [chair for chair in board(floor.room.site)["chairs"] if chair["session"]]
    assert (tile["t_s"], tile["clock_offset_s"]) == (page["t_s"], page["clock_offset_s"])


def test_a_pages_own_clock_follows_the_session_not_the_wall(floor):
    floor.live(30)
    floor.clock.move_to(timezone.now() - BACK)
    floor.live(10)
    page = session_live(floor.session)
    # What live-parts.js counts with: the start by the clock as it stands now, so that now minus start is session time.
    began = floor.session.started_at - dt.timedelta(seconds=page["clock_offset_s"])
    assert (dt.datetime.fromisoformat(page["now"]) - began).total_seconds() == pytest.approx(page["t_s"], abs=0.1)


def test_a_call_is_shown_and_accepted_in_the_seconds_after_it_was_made(floor):
    nurse, site = floor.room.nurse, floor.room.site
    floor.live(30)
    floor.clock.move_to(timezone.now() - BACK)
    floor.live(5)
    screen_asks(user=nurse, site=site)
    floor.live(3, spo2=85.0)
    called = next(
        entry for entry in log_of(floor.session) if entry["who"] == nurse.display_name and "MON-4" in entry["alarm"]
    )
    (call,) = [one for one in calls_of(nurse, site) if one["alarm"] == called["alarm"]]
    age_s = (timezone.now() - dt.datetime.fromisoformat(call["since"])).total_seconds()
    assert age_s == pytest.approx(1.0, abs=2.0)
    floor.live(40, spo2=85.0)
    shown(user=nurse, site=site, calls=[{"session": str(floor.session.pk), "alarm": called["alarm"]}])
    floor.live(20, spo2=85.0)
    accept(by=nurse, session=floor.session, alarm=called["alarm"])
    mine = [
        entry for entry in log_of(floor.session) if (entry["alarm"], entry["who"]) == (called["alarm"], called["who"])
    ]
    at = {entry["kind"]: entry["t_s"] for entry in mine}
    assert at["delivered"] - at["called"] == pytest.approx(40, abs=2)
    assert at["accepted"] - at["called"] == pytest.approx(60, abs=2)


def test_a_screen_that_closes_after_it_is_counted_on_no_longer(floor):
    nurse, site = floor.room.nurse, floor.room.site

    def there() -> tuple[bool, list[str]]:
        (mine,) = [person for person in people(site, alarm_response()) if person.id == str(nurse.pk)]
        return mine.present, sounding(site)

    screen_asks(user=nurse, site=site, sounds=True)
    assert there() == (True, [nurse.display_name])
    floor.clock.move_to(timezone.now() - BACK)
    screen_asks(user=nurse, site=site, sounds=True)
    assert there() == (True, [nurse.display_name])
    floor.clock.shift(alarm_response().present_within_s + 1)
    assert there() == (False, [])


@pytest.mark.parametrize("back", [BACK, dt.timedelta(0)])
def test_an_emergency_stands_in_the_note_at_the_second_of_its_event(floor, back):
    floor.live(30)
    floor.clock.move_to(timezone.now() - back)
    floor.live(10)
    emergency = start_emergency(by=floor.room.nurse, site=floor.room.site, key="k", session=floor.session)
    floor.live(10)
    tap(by=floor.room.nurse, emergency=emergency, kind="step", what="airway-oxygen", key="s")
    floor.live(10)
    end_emergency(by=floor.room.nurse, emergency=emergency, outcome="all well", key="e")
    (told,) = told_beside(floor.session)
    wall = [told["started_at"], told["steps"]["airway-oxygen"]["at"], told["ended_at"]]
    events = SessionEvent.objects.filter(session=floor.session, kind__startswith="emergency.").order_by("seq")
    for at, event in zip(wall, events, strict=True):
        since_s = (dt.datetime.fromisoformat(at) - floor.session.started_at).total_seconds()
        assert since_s == pytest.approx(event.t_s, abs=2)


def test_the_patient_is_told_for_how_long_the_call_has_stood(floor):
    link = PatientLink.objects.get(pk=look_up(make_call_page(by=floor.room.nurse, session=floor.session), "").link.pk)
    begin(link)
    floor.live(30)
    signal(link, "come")
    floor.clock.move_to(timezone.now() - BACK)
    floor.live(50)
    assert answered(link)["for_s"] == pytest.approx(50, abs=2)
