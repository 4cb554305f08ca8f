"""The alarm log and the alarm budget as pages, and limits tried on past sessions."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from limen.clinic.audit.act import acting
from limen.clinic.calls.history import alarms_of, budget, log, trial
from limen.clinic.sessions.actions import answer_alarm, end_session, record
from limen.clinic.sessions.models import Sample, Session
from limen.clinic.sessions.monitor import beat
from limen.clinic.sessions.watching import Watcher
from limen.errors import InputError
from live_room import furnish

pytestmark = pytest.mark.django_db


class Past:
    """A session of ten minutes in which saturation fell to 88 for twenty seconds, oxygen was given, and it ended."""

    def __init__(self) -> None:
        self.room = furnish()
        self.session, self.device = self.room.begun()[:2]
        self.start = self.session.started_at
        self.owner = self.session.owner
        with acting(by="test", action="test.samples", site=self.session.site, audited=False):
            Sample.objects.bulk_create(
                Sample(
                    session=self.session, device=self.device, seq=second, signal="SPO2",
                    value=88.0 if 120 <= second < 140 else 97.0, t_s=float(second), received_t_s=float(second),
                )
                for second in range(600)
            )  # fmt: skip
        with self.at(125.3):
            self.watch()
            [alarm] = [entry for entry in alarms_of(self.session) if entry.rule == "MON-4" and entry.priority == "high"]
            answer_alarm(by=self.owner, session=self.session, kind="alarm.acknowledged", data={"alarm": alarm.id})
        with self.at(130.3):
            record(by=self.owner, session=self.session, kind="rescue.given", data={"what": "oxygen 4 L/min"})
        with self.at(600.5):
            self.watch()
            end_session(by=self.owner, session=self.session, reason="end of the example")

    def at(self, second: float):
        return time_machine.travel(self.start + timedelta(seconds=second), tick=False)

    def watch(self) -> None:
        while Watcher().visit(Session.objects.select_related("site").get(pk=self.session.pk)):
            pass


@pytest.fixture
def past() -> Past:
    return Past()


def test_the_budget_counts_what_was_raised_and_acted_on(past):
    found = budget(past.session.site)
    assert found.sessions == 1
    assert found.chair_h == pytest.approx(600 / 3600, abs=0.01)
    row = next(row for row in found.rows if row.rule == "MON-4" and row.priority == "high")
    assert (row.count, row.acted, row.acknowledged) == (1, 1, 1)


def test_limits_that_would_have_missed_the_oxygen_say_so(past):
    found = trial(past.session, {"SPO2": {"low": 85}})
    assert [event.text for event in found.missed] == ["oxygen 4 L/min"]
    assert trial(past.session, {"SPO2": {"low": 90}}).missed == ()


def test_the_log_holds_the_alarm_its_answer_and_the_calls(past):
    kinds = [row["kind"] for row in log(past.session) if row["alarm"] and row["alarm"]["rule"] == "MON-4"]
    assert "raised" in kinds
    assert "acknowledged" in kinds
    assert "called" in kinds
    times = [row["t_s"] for row in log(past.session)]
    assert times == sorted(times)


def test_the_pages_for_those_who_may(past):
    client = Client()
    client.force_login(past.room.director)
    page = client.get("/alarms/").content.decode()
    assert "alarms a chair-hour" in page
    tried = client.get("/alarms/", {"SPO2-low": "85"}).content.decode()
    assert f"/alarms/{past.session.pk}/trial/?SPO2-low=85" in tried
    row = client.get(f"/alarms/{past.session.pk}/trial/", {"SPO2-low": "85"}).content.decode()
    assert 'data-missed="1"' in row
    assert "oxygen 4 L/min" in row
    log_page = client.get(f"/session/{past.session.pk}/alarms/").content.decode()
    assert "seen" in log_page
    # Seconds 0 to 600, each checked once; no monitor process ran here, so it has given no sign.
    assert "Limits checked 601 times, once a second" in log_page
    assert "The monitor has given no sign of life" in log_page
    beat()
    beat()
    log_page = client.get(f"/session/{past.session.pk}/alarms/").content.decode()
    assert "Self-check of the monitor number 1 at" in log_page
    refused = client.get("/alarms/", {"SPO2-low": "95", "NIBP_SYS-low": "200", "NIBP_SYS-high": "100"}).content.decode()
    assert "low is not under high" in refused


def test_a_nurse_reads_the_log_and_not_the_budget(past):
    client = Client()
    client.force_login(past.room.nurse)
    assert client.get(f"/session/{past.session.pk}/alarms/").status_code == 200
    assert client.get("/alarms/").status_code == 403
    assert client.get(f"/alarms/{past.session.pk}/trial/", {"SPO2-low": "85"}).status_code == 403


def test_no_limit_is_no_trial(past):
    with pytest.raises(InputError, match="names no limit"):
        trial(past.session, {})


def test_another_site_sees_nothing(past, clinic):
    client = Client()
    client.force_login(clinic.stranger)
    assert client.get(f"/session/{past.session.pk}/alarms/").status_code == 404
    assert budget(clinic.other_site).sessions == 0
