"""An alarm that nobody answers calls the next person, and every call is proved to have been shown."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from limen.clinic.accounts.actions import bootstrap_user
from limen.clinic.audit.act import acting
from limen.clinic.audit.models import AuditEntry
from limen.clinic.calls.actions import accept, screen_asks, shown
from limen.clinic.calls.models import CallEntry
from limen.clinic.calls.queries import calls_of, log_of, passed
from limen.clinic.sessions.actions import answer_alarm, record
from limen.clinic.sessions.models import Session
from limen.clinic.sessions.queries import session_live
from limen.clinic.sessions.record import events_of
from limen.clinic.sessions.watching import Watcher
from limen.errors import InputError, RefusedError
from live_room import furnish

pytestmark = pytest.mark.django_db


class Floor:
    """A session in a room where saturation is low, and the second in which everything happens."""

    def __init__(self) -> None:
        self.room = furnish()
        self.session, self.device = self.room.begun()[:2]
        self.start = self.session.started_at
        self.watcher = Watcher()
        self.site = self.session.site
        self.other = bootstrap_user(
            by="tests",
            site=self.site,
            username="second-nurse",
            display_name="Second Nurse",
            initials="SN",
            password="correct horse battery staple",
            roles=["nurse"],
        )

    @property
    def owner(self):
        return self.session.owner

    def at(self, second: float):
        return time_machine.travel(self.start + timedelta(seconds=second), tick=False)

    def watch(self, second: float) -> None:
        with self.at(second):
            while self.watcher.visit(Session.objects.select_related("site").get(pk=self.session.pk)):
                pass

    def called(self) -> list[tuple[str, str, float]]:
        found = [entry for entry in log_of(self.session) if entry["alarm"] == self.alarm]
        return [(entry["who"], entry["kind"], entry["t_s"]) for entry in found]

    def told(self) -> list[dict[str, str]]:
        return [{"session": str(self.session.pk), "alarm": self.alarm}]

    @property
    def alarm(self) -> str:
        return next(entry["alarm"] for entry in log_of(self.session) if "MON-6" in entry["alarm"])

    def deep(self, second: float) -> None:
        """A sedation score that calls for a stop: one high alarm that stands until it is better."""
        with self.at(second):
            record(
                by=self.owner,
                session=self.session,
                kind="observation.recorded",
                data={"moaas": 1, "confirmed": ["moaas"]},
            )


@pytest.fixture
def floor() -> Floor:
    return Floor()


def test_the_owner_is_called_in_the_second_of_the_alarm(floor):
    floor.deep(10.2)
    with floor.at(10.5):
        screen_asks(user=floor.owner, site=floor.site)
    floor.watch(11)
    assert floor.called() == [(floor.owner.display_name, "called", 11.0)]


def test_a_screen_that_shows_the_call_is_the_proof_of_its_delivery(floor):
    floor.deep(10.2)
    with floor.at(10.5):
        screen_asks(user=floor.owner, site=floor.site)
    floor.watch(11)
    with floor.at(12):
        told = floor.told()
        assert shown(user=floor.owner, site=floor.site, calls=told) == 1
        assert shown(user=floor.owner, site=floor.site, calls=told) == 0  # once is enough
        assert shown(user=floor.other, site=floor.site, calls=told) == 0  # never called
    assert [(who, kind) for who, kind, _ in floor.called()] == [
        (floor.owner.display_name, "called"),
        (floor.owner.display_name, "delivered"),
    ]


def test_an_unanswered_alarm_calls_the_next_person(floor):
    floor.deep(10.2)
    for second in (10.5, 30.5):
        with floor.at(second):
            screen_asks(user=floor.owner, site=floor.site)
            screen_asks(user=floor.other, site=floor.site)
        if second == 10.5:
            floor.watch(11)
            with floor.at(12):
                shown(
                    user=floor.owner, site=floor.site, calls=[{"session": str(floor.session.pk), "alarm": floor.alarm}]
                )
    floor.watch(30)
    assert "Second Nurse" not in [who for who, _, _ in floor.called()]
    floor.watch(31)
    assert ("Second Nurse", "called", 31.0) in floor.called()
    with floor.at(32):
        assert [call["chair"] for call in calls_of(floor.other, floor.site)] == [floor.session.chair.name]


def test_who_goes_holds_the_ladder_and_the_alarm_still_waits(floor):
    floor.deep(10.2)
    with floor.at(10.5):
        screen_asks(user=floor.owner, site=floor.site)
        screen_asks(user=floor.other, site=floor.site)
    floor.watch(11)
    with floor.at(13):
        accept(by=floor.owner, session=floor.session, alarm=floor.alarm)
        accept(by=floor.owner, session=floor.session, alarm=floor.alarm)  # a second tap is not a second deed
        assert [call["accepted"] for call in calls_of(floor.owner, floor.site)] == [True]
    floor.watch(60)
    assert [kind for _, kind, _ in floor.called()] == ["called", "accepted"]
    assert AuditEntry.objects.filter(action="calls.accept").count() == 2


def test_an_answer_to_the_alarm_ends_every_call(floor):
    floor.deep(10.2)
    with floor.at(10.5):
        screen_asks(user=floor.owner, site=floor.site)
    floor.watch(11)
    with floor.at(12.2):
        answer_alarm(by=floor.owner, session=floor.session, kind="alarm.acknowledged", data={"alarm": floor.alarm})
    floor.watch(200)
    with floor.at(200):
        assert floor.alarm not in [call["alarm"] for call in calls_of(floor.owner, floor.site)]
    assert {who for who, _, _ in floor.called()} == {floor.owner.display_name}


def test_nobody_reached_is_said_once(floor):
    floor.deep(10.2)
    floor.watch(150)
    found = floor.called()
    assert [kind for _, kind, _ in found].count("nobody") == 1
    assert found[-1][0] is None


def test_nobody_accepts_a_call_of_another(floor):
    floor.deep(10.2)
    floor.watch(11)
    with floor.at(12), pytest.raises(InputError, match="no such call to you"):
        accept(by=floor.other, session=floor.session, alarm=floor.alarm)


def test_calls_cannot_be_changed_or_doubled(floor):
    floor.deep(10.2)
    floor.watch(11)
    row = CallEntry.objects.filter(kind="called").first()
    with acting(by="tests", action="tests.change", site=floor.site), pytest.raises(RefusedError):
        row.save()
    again = {"session": row.session, "alarm": row.alarm, "person": row.person, "kind": "called", "t_s": 1.0}
    with pytest.raises(IntegrityError), transaction.atomic(), acting(by="t", action="t.double", site=floor.site):
        CallEntry.objects.create(**again)


def test_a_page_asks_shows_and_accepts(floor):
    client = Client()
    client.force_login(floor.owner)

    def post(path, body):
        return client.post(
            path, json.dumps(body), content_type="application/json", headers={"Accept": "application/json"}
        )

    # The page asks with the clock of the machine; the session began now.
    assert post("/live/here", {}).json() == {"calls": [], "emergencies": [], "sounding": []}
    floor.deep(0.5)
    floor.watch(1)
    alarm = floor.alarm
    [call] = post("/live/here", {}).json()["calls"]
    assert (call["alarm"], call["delivered"], call["accepted"], call["priority"]) == (alarm, False, False, "high")
    [call] = post("/live/here", {"shown": [{"session": call["session"], "alarm": alarm}]}).json()["calls"]
    assert call["delivered"] is True
    [call] = post("/live/accept", {"session": call["session"], "alarm": alarm}).json()["calls"]
    assert call["accepted"] is True


@pytest.mark.parametrize(
    ("body", "what"), [("nonsense", "not JSON"), ("[]", "holds a list"), ('{"shown": 3}', "not a list of calls"),
                       ('{"shown": [{"session": "x"}]}', "names no session")],
)  # fmt: skip
def test_a_malformed_question_is_refused_in_one_line(floor, body, what):
    client = Client()
    client.force_login(floor.owner)
    answer = client.post("/live/here", body, content_type="application/json")
    assert answer.status_code == 400
    assert what in answer.json()["error"]["what"]


def test_somebody_of_another_site_sees_and_marks_nothing(floor, clinic):
    floor.deep(10.2)
    floor.watch(11)
    with floor.at(12):
        assert shown(user=clinic.stranger, site=clinic.other_site, calls=floor.told()) == 0
        assert calls_of(clinic.stranger, clinic.other_site) == []


def test_a_screen_writes_at_most_once_in_a_few_seconds(floor, django_assert_max_num_queries):
    screen_asks(user=floor.owner, site=floor.site)
    before = timezone.now()
    with django_assert_max_num_queries(4):
        screen_asks(user=floor.owner, site=floor.site)
    assert floor.owner.screens.get().asked_at <= before


def test_a_page_tells_whose_screens_can_be_heard(floor):
    """A session on a page whose sound was not tested says so, and which screens sound instead."""

    def here(user, **body):
        client = Client()
        client.force_login(user)
        return client.post("/live/here", json.dumps(body), content_type="application/json").json()["sounding"]

    with floor.at(10):
        assert here(floor.owner) == []
        assert here(floor.owner, sounds=False) == []
        assert here(floor.other, sounds=True) == [floor.other.display_name]
        assert here(floor.owner) == [floor.other.display_name]
    with floor.at(12):  # a page without sound asks in between and hides nothing
        assert here(floor.other) == [floor.other.display_name]
    with floor.at(60):
        assert here(floor.owner) == []  # the tab was closed, or its sound is off


def test_a_high_alarm_that_passed_unseen_waits_in_view_until_somebody_saw_it(floor):
    def waiting() -> list[str]:
        session = Session.objects.select_related("site").get(pk=floor.session.pk)
        return [alarm["id"] for alarm in passed({session.pk: events_of(session)}).get(session.pk, [])]

    floor.deep(10.2)
    floor.watch(12)
    assert waiting() == []  # it still stands
    with floor.at(14.2):
        better = {"moaas": 5}
        record(by=floor.owner, session=floor.session, kind="observation.recorded", data=better)
    floor.watch(16)
    assert waiting() == ["MON-6/MOAAS/MOAAS low/stop@11"]
    with floor.at(20):
        state = session_live(Session.objects.select_related("site", "chair", "plan").get(pk=floor.session.pk))
        assert [alarm["ended_t_s"] for alarm in state["passed"]] == [15.0]
        answer_alarm(by=floor.owner, session=floor.session, kind="alarm.acknowledged", data={"alarm": waiting()[0]})
    floor.watch(21)
    assert waiting() == []
