"""The twin's process: one event when something is new, none when nothing is, and pages that show it."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from limen.clinic.audit.act import acting
from limen.clinic.sessions.actions import amend, halt, record
from limen.clinic.sessions.models import Sample, Session, SessionEvent
from limen.clinic.sessions.queries import board, export_session, session_live
from limen.clinic.sessions.twins import Forecaster
from limen.session.replay import replay
from live_room import furnish

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


class Chair:
    def __init__(self) -> None:
        self.room = furnish()
        self.session, self.device = self.room.begun()[:2]
        self.start = self.session.started_at
        self.twins = Forecaster()
        self.seq = 0
        with self.at(60):
            record(by=self.session.owner, session=self.session, kind="infusion.started")

    def at(self, second: float):
        return time_machine.travel(self.start + timedelta(seconds=second), tick=False)

    def cuff(self, second: float, systolic: float) -> None:
        with acting(by="test", action="test.cuff", site=self.session.site, audited=False):
            for signal, value in (("NIBP_SYS", systolic), ("NIBP_DIA", systolic - 50)):
                self.seq += 1
                Sample.objects.create(
                    session=self.session, device=self.device, seq=self.seq, signal=signal, value=value, t_s=second,
                    received_t_s=second,
                )  # fmt: skip

    def visit(self, second: float) -> bool:
        with self.at(second):
            rows = Session.objects.select_related("site", "course", "plan")
            return self.twins.visit(rows.get(pk=self.session.pk))

    def forecasts(self) -> list[SessionEvent]:
        return list(SessionEvent.objects.filter(session=self.session, kind="forecast.updated").order_by("seq"))


@pytest.fixture
def chair() -> Chair:
    return Chair()


def test_one_forecast_when_the_dose_begins_and_none_until_something_is_seen(chair):
    assert chair.visit(61)
    assert not chair.visit(63)
    chair.cuff(360, 140)
    assert chair.visit(362)
    assert not chair.visit(364)
    first, second = chair.forecasts()
    assert first.data["readings"] == 0
    assert second.data["readings"] == 1
    assert second.by == "forecast"
    assert {"NIBP_SYS", "HR"} == set(second.data["bands"])


def test_a_pressure_by_hand_that_is_put_right_is_forecast_anew(chair):
    with chair.at(360):
        wrong = {"sbp_mmHg": 178, "dbp_mmHg": 80}
        row = record(by=chair.session.owner, session=chair.session, kind="observation.recorded", data=wrong)
    assert chair.visit(362)
    with chair.at(370):
        why = "read from the wrong monitor"
        amend(by=chair.session.owner, session=chair.session, entry=f"e{row.seq}", changes={"sbp_mmHg": 128}, reason=why)
    assert chair.visit(372)
    before, after = chair.forecasts()
    assert after.data["peak"]["p50"] < before.data["peak"]["p50"]


def test_a_pump_that_is_touched_is_forecast_anew(chair):
    chair.visit(61)
    with chair.at(600):
        halt(by=chair.session.owner, session=chair.session, kind="infusion.paused")
    assert chair.visit(602)
    before, after = chair.forecasts()
    name = "ketamine_effect_site_ng_per_mL"
    assert max(after.data["outlook"]["outputs"][name]["typical"]) < max(
        before.data["outlook"]["outputs"][name]["typical"]
    )


def test_the_pages_show_the_newest_forecast_and_the_log_leaves_it_out(chair):
    chair.cuff(360, 150)
    chair.visit(362)
    with chair.at(363):
        live = session_live(Session.objects.get(pk=chair.session.pk))
        assert live["outlook"]["basis"] == "twin"
        assert live["twin"]["readings"] == 1
        assert live["twin"]["ready"]["earliest_t_s"] is not None
        assert "forecast.updated" not in {entry["kind"] for entry in live["log"]}
        [tile] = [tile for tile in board(chair.session.site)["chairs"] if tile["session"]]
        assert tile["outlook"]["basis"] == "twin"


def test_a_reading_outside_the_band_is_an_alarm_in_the_replay_of_the_export(chair):
    chair.visit(61)
    chair.cuff(660, 225)
    with chair.at(670):
        exported = export_session(chair.session.pk)
    exported["until_t_s"] = 670
    assert "DEV-1" in {alarm["rule"] for alarm in replay(exported).alarms}


def test_a_dose_no_ensemble_covers_says_so_once(chair):
    course = chair.session.course
    with acting(by="test", action="test.product", site=chair.session.site):
        course.product = "s-ketamine-tablet"
        course.save()
    header = {**chair.session.header, "product": "s-ketamine-tablet"}
    with acting(by="test", action="test.header", site=chair.session.site):
        Session.objects.filter(pk=chair.session.pk).update(header=header)
    assert chair.visit(61)
    assert not chair.visit(63)
    [row] = chair.forecasts()
    assert row.data["bands"] == {}
    assert row.data["said"].startswith("No forecast: ")


def test_a_session_that_is_over_is_left_alone(chair):
    with acting(by="test", action="test.end", site=chair.session.site):
        Session.objects.filter(pk=chair.session.pk).update(status="ended")
    chair.twins.round()
    assert chair.forecasts() == []
