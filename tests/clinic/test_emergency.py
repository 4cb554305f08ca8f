"""Emergency mode: one press calls everyone, times are those of the taps, and no chair is left without somebody."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from limen.clinic.accounts.policy import DeniedError
from limen.clinic.audit.models import AuditEntry
from limen.clinic.emergency.actions import end_emergency, name_chair, screen_showed, start_emergency, take_chair, tap
from limen.clinic.emergency.models import Emergency, EmergencyEntry
from limen.clinic.emergency.queries import emergency_json, open_emergencies, sheets
from limen.clinic.notes.content import draft
from limen.clinic.sessions.actions import create_session, end_session, record
from limen.clinic.sessions.export import export_session
from limen.clinic.sessions.models import AlarmRecord, Session, SessionEvent
from limen.clinic.sessions.record import state_of
from limen.errors import InputError, RefusedError
from limen.session.replay import replay
from live_room import furnish

pytestmark = pytest.mark.django_db


class Floor:
    def __init__(self) -> None:
        self.room = furnish(chairs=2)
        self.session = self.room.begun(1)[0]
        self.other = self.room.begun(2)[0]
        self.site = self.session.site
        self.nurse = self.session.owner
        self.helper = self.room.person("helper", "nurse")
        self.pharmacist = self.room.person("pharmacist", "pharmacist")

    def start(self, key: str = "k1", **more) -> Emergency:
        return start_emergency(
            by=self.nurse, site=self.site, key=key, session=more.pop("session", self.session), **more
        )

    def kinds(self, session: Session) -> list[str]:
        return list(SessionEvent.objects.filter(session=session).order_by("seq").values_list("kind", flat=True))

    def entries(self, emergency: Emergency) -> list[tuple[str, str, str]]:
        rows = EmergencyEntry.objects.filter(emergency=emergency).order_by("id")
        return list(rows.values_list("kind", "person__username", "what"))


@pytest.fixture
def floor() -> Floor:
    return Floor()


def test_one_press_calls_everyone_who_may_help_and_is_in_the_record(floor):
    emergency = floor.start()
    called = {person for kind, person, _ in floor.entries(emergency) if kind == "called"}
    assert floor.nurse.username in called
    assert floor.helper.username in called
    assert floor.pharmacist.username not in called
    assert floor.kinds(floor.session)[-1] == "emergency.started"
    assert AuditEntry.objects.filter(action="emergency.start_emergency").count() == 1


def test_a_second_press_is_the_same_emergency(floor):
    first = floor.start()
    assert floor.start() == first
    assert floor.start("k2") == first
    assert floor.kinds(floor.session).count("emergency.started") == 1


def test_the_chair_may_be_named_later_and_once(floor):
    emergency = floor.start(session=None)
    assert open_emergencies(floor.site)[0]["chair"] is None
    name_chair(by=floor.helper, emergency=emergency, session=floor.session)
    assert open_emergencies(floor.site)[0]["chair"] == floor.session.chair.name
    assert "emergency.started" in floor.kinds(floor.session)
    with pytest.raises(RefusedError, match="the chair has been named"):
        name_chair(by=floor.helper, emergency=emergency, session=floor.other)


def test_a_chair_whose_session_is_over_still_calls_everyone(floor):
    end_session(by=floor.nurse, session=floor.session, reason="patient transferred to another room")
    floor.session.refresh_from_db()
    emergency = floor.start()
    assert [kind for kind, _, _ in floor.entries(emergency)].count("called") >= 2
    assert open_emergencies(floor.site)[0]["chair"] == f"{floor.session.chair.name}, after its session"
    assert "emergency.started" not in floor.kinds(floor.session)


def test_an_emergency_after_the_session_is_in_that_patients_record(floor):
    end_session(by=floor.nurse, session=floor.session, reason="patient transferred to another room")
    stale = Session.objects.get(pk=floor.session.pk)
    emergency = floor.start(session=stale)
    assert floor.start("k2", session=stale) == emergency
    kept = {sheet["session"]: sheet for sheet in sheets(floor.site)}
    assert [kept[str(each.pk)]["live"] for each in (stale, floor.other)] == [False, True]
    assert kept[str(stale.pk)]["weight_kg"] == stale.header["patient"]["weight_kg"]
    for _ in range(2):
        tap(by=floor.helper, emergency=emergency, kind="step", what="airway-oxygen", key="s")
    end_emergency(by=floor.helper, emergency=emergency, outcome="taken over by the ambulance", key="e")
    client = Client()
    client.force_login(floor.nurse)
    paper = client.get(f"/emergency/{emergency.pk}/").content.decode()
    assert floor.session.patient.mrn in paper
    assert str(stale.pk) not in {sheet["session"] for sheet in sheets(floor.site)}, "the emergency has ended"
    assert f"{floor.session.chair.name}, after its session" in paper
    (told,) = draft(stale)["emergencies"]
    assert (told["outcome"], list(told["steps"])) == ("taken over by the ambulance", ["airway-oxygen"])
    # What was done stands once among its events, after its end, and neither opens it again nor leaves it in emergency.
    assert floor.kinds(stale)[-2:] == ["session.ended", "emergency.step"]
    stale.refresh_from_db()
    assert (stale.status, state_of(stale).phase, state_of(stale).emergency) == (Session.Status.ENDED, "ended", False)
    recorded = [row.data for row in AlarmRecord.objects.filter(session=stale).order_by("seq")]
    assert list(replay(export_session(stale.pk)).changes) == recorded


def test_a_press_of_a_page_that_still_shows_a_running_session_is_not_refused(floor):
    stale = Session.objects.select_related("site", "chair").get(pk=floor.session.pk)
    end_session(by=floor.nurse, session=floor.session, reason="patient transferred to another room")
    assert floor.start(session=stale).session_id == stale.pk


def test_an_emergency_before_the_session_has_a_patient_too(floor):
    planned = create_session(by=floor.nurse, plan=floor.room.signed_plan(3), chair=floor.room.chairs[0])
    emergency = floor.start(session=planned)
    tap(by=floor.helper, emergency=emergency, kind="step", what="airway-oxygen", key="s")
    assert emergency_json(emergency)["chair"] == f"{planned.chair.name}, before its session"
    assert list(emergency_json(emergency)["steps"]) == ["airway-oxygen"]
    assert floor.kinds(planned) == []


def test_no_chair_is_named_in_an_emergency_that_has_ended(floor):
    """A tap that was kept, or another page: the session would hear of an emergency that nobody can end."""
    emergency = floor.start(session=None)
    end_emergency(by=floor.nurse, emergency=emergency, outcome="called by mistake", key="e")
    with pytest.raises(RefusedError, match="the emergency has ended"):
        name_chair(by=floor.helper, emergency=emergency, session=floor.session)
    assert "emergency.started" not in floor.kinds(floor.session)


def test_a_chair_of_another_site_is_not_named(floor):
    there = furnish("hill").begun(1)[0]
    emergency = floor.start(session=None)
    for put in (
        lambda: name_chair(by=floor.helper, emergency=emergency, session=there),
        lambda: floor.start("other", session=there),
    ):
        with pytest.raises(InputError, match="no such chair at this site"):
            put()
    assert "emergency.started" not in floor.kinds(there)


@pytest.mark.parametrize("kind", ["emergency.started", "emergency.ended", "emergency.step"])
def test_the_door_of_a_session_takes_no_emergency_that_calls_nobody(floor, kind):
    client = Client()
    client.force_login(floor.nurse)
    answer = client.post(
        f"/live/session/{floor.session.pk}/act", json.dumps({"kind": kind, "key": "a"}), content_type="application/json"
    )
    assert answer.status_code == 400
    assert kind not in floor.kinds(floor.session)
    with pytest.raises(InputError, match="is not recorded here"):
        record(by=floor.nurse, session=floor.session, kind=kind)
    assert not Emergency.objects.exists()


def test_a_step_has_the_time_of_its_tap_even_when_it_arrives_late(floor):
    emergency = floor.start()
    tap(by=floor.nurse, emergency=emergency, kind="step", what="airway-oxygen", key="s1", late_s=90.0)
    tap(by=floor.nurse, emergency=emergency, kind="step", what="airway-oxygen", key="s1", late_s=90.0)
    [row] = EmergencyEntry.objects.filter(emergency=emergency, kind="step")
    assert (row.created_at - row.at).total_seconds() == pytest.approx(90.0, abs=2.0)
    event = SessionEvent.objects.get(session=floor.session, kind="emergency.step")
    assert event.data["what"] == "Oxygen on"


def test_steps_whose_keys_begin_alike_are_both_in_the_record(floor):
    emergency = floor.start()
    alike = "the-same-long-beginning-of-a-key-as-some-client-may-make-it-"
    for number, step in enumerate(("airway-oxygen", "airway-open")):
        tap(by=floor.nurse, emergency=emergency, kind="step", what=step, key=f"{alike}{number}")
    assert SessionEvent.objects.filter(session=floor.session, kind="emergency.step").count() == 2


@pytest.mark.parametrize(
    ("kind", "what", "said"),
    [("step", "nonsense", "unknown step"), ("role", "nonsense", "unknown role"), ("called", "", "unknown deed")],
)
def test_a_deed_that_is_none_is_refused(floor, kind, what, said):
    emergency = floor.start()
    with pytest.raises(InputError, match=said):
        tap(by=floor.nurse, emergency=emergency, kind=kind, what=what, key="x")


def test_another_chair_of_the_owner_is_taken_under_the_own_name(floor):
    emergency = floor.start()
    assert floor.other.owner == floor.nurse
    take_chair(by=floor.helper, emergency=emergency, session=floor.other, key="t1")
    floor.other.refresh_from_db()
    assert floor.other.owner == floor.helper
    assert floor.kinds(floor.other)[-1] == "owner.changed"
    assert emergency_json(emergency)["chairs_taken"] == {floor.other.chair.name: floor.helper.display_name}
    with pytest.raises(InputError, match="not another chair"):
        take_chair(by=floor.helper, emergency=emergency, session=floor.session, key="t2")


def test_what_a_screen_showed_is_kept_once_and_only_of_those_called(floor):
    emergency = floor.start()
    for _ in range(2):
        screen_showed(user=floor.helper, site=floor.site, ids=[emergency.pk])
    screen_showed(user=floor.pharmacist, site=floor.site, ids=[emergency.pk])
    shown = [person for kind, person, _ in floor.entries(emergency) if kind == "shown"]
    assert shown == [floor.helper.username]


def test_the_end_needs_words_and_closes_the_record(floor):
    emergency = floor.start()
    with pytest.raises(InputError, match="no outcome"):
        end_emergency(by=floor.nurse, emergency=emergency, outcome=" ", key="e0")
    end_emergency(by=floor.nurse, emergency=emergency, outcome="called by mistake", key="e1")
    assert open_emergencies(floor.site) == []
    assert floor.kinds(floor.session)[-1] == "emergency.ended"
    with pytest.raises(RefusedError, match="has ended"):
        tap(by=floor.nurse, emergency=emergency, kind="going", key="late")
    assert floor.start("k9") != emergency  # a new one may be called


def test_the_kept_sheet_holds_every_live_chair_with_owner_and_weight(floor):
    found = {sheet["chair"]: sheet for sheet in sheets(floor.site)}
    assert set(found) == {floor.session.chair.name, floor.other.chair.name}
    sheet = found[floor.session.chair.name]
    assert sheet["weight_kg"] == floor.session.header["patient"]["weight_kg"]
    assert sheet["owner"] == floor.nurse.display_name
    assert all(offer["usable"] is False for offer in sheet["offers"])  # nothing is signed at this site


def test_a_pharmacist_may_not_press_and_another_site_sees_nothing(floor, clinic):
    with pytest.raises(DeniedError):
        start_emergency(by=floor.pharmacist, site=floor.site, key="p")
    floor.start()
    assert open_emergencies(clinic.site) == []


def test_entries_cannot_be_changed(floor):
    emergency = floor.start()
    row = EmergencyEntry.objects.filter(emergency=emergency).first()
    row.what = "something else"
    with pytest.raises(RefusedError):
        row.save()


def test_through_the_door_as_a_page_does(floor):
    client = Client()
    client.force_login(floor.helper)

    def post(kind, key, **data):
        return client.post(
            "/emergency/act", json.dumps({"kind": kind, "key": key, "data": data}), content_type="application/json"
        )

    started = post("emergency.start", "a", session=str(floor.session.pk)).json()["emergency"]
    assert post("emergency.going", "b", emergency=started["id"]).status_code == 200
    assert post("emergency.role", "c", emergency=started["id"], what="lead").json()["emergency"]["roles"] == {
        "lead": floor.helper.display_name
    }
    heard = client.post("/live/here", json.dumps({"emergencies": [started["id"]]}), content_type="application/json")
    [seen] = heard.json()["emergencies"]
    me = next(entry for entry in seen["people"] if entry["name"] == floor.helper.display_name)
    assert {"called", "shown", "going"} <= set(me)
    paper = client.get(f"/emergency/{started['id']}/").content.decode()
    assert floor.session.patient.mrn in paper
    assert "Still open" in paper
    ready = client.get("/emergency/ready").json()
    assert {chair["session"] for chair in ready["chairs"]} == {str(floor.session.pk), str(floor.other.pk)}
    assert post("emergency.end", "d", emergency=started["id"], outcome="all well").status_code == 200


def test_what_was_tapped_before_the_start_arrived_names_it_by_its_key(floor):
    """Without a network a page has no number yet: its taps wait in order, each with its own time."""
    client = Client()
    client.force_login(floor.helper)

    def post(kind, key, late_s, **data):
        body = {"kind": f"emergency.{kind}", "key": key, "data": data, "late_s": late_s}
        return client.post("/emergency/act", json.dumps(body), content_type="application/json")

    chair = str(floor.session.pk)
    assert post("start", "s", 120.0, session=chair).status_code == 200
    assert post("step", "a", 90.0, begun="s", at_session=chair, what="airway-oxygen").status_code == 200
    row = EmergencyEntry.objects.get(kind="step")
    assert (row.created_at - row.at).total_seconds() == pytest.approx(90.0, abs=2.0)
    # Another person's press for this chair came first: the taps of this page belong to that one.
    assert post("start", "t", 100.0, session=chair).json()["emergency"]["id"] == str(row.emergency_id)
    assert post("going", "b", 80.0, begun="t", at_session=chair).json()["emergency"]["id"] == str(row.emergency_id)
    answer = post("going", "c", 0.0, begun="u")
    assert (answer.status_code, answer.json()["error"]["what"]) == (400, "no such emergency")


def test_paper_keeps_what_may_not_be_given_apart(floor):
    emergency = floor.start()
    client = Client()
    client.force_login(floor.nurse)
    paper = client.get(f"/emergency/{emergency.pk}/").content.decode()
    may, _, may_not = paper.partition("Not to be given now")
    assert "No drug of this list may be given here now." in may
    assert "has not signed it" in may_not
    assert "has not signed it" not in may


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("nonsense", "not JSON"),
        ('{"kind": "session.started", "key": "a"}', "unknown deed"),
        ('{"kind": "emergency.start"}', "no key"),
        ('{"kind": "emergency.end", "key": "a", "data": {"outcome": "\\u0000"}}', "NUL character"),
        ('{"kind": "emergency.going", "key": "a", "data": {"emergency": "7"}}', "is no id"),
    ],
)
def test_a_malformed_deed_gets_one_line(floor, body, said):
    client = Client()
    client.force_login(floor.nurse)
    answer = client.post("/emergency/act", body, content_type="application/json")
    assert answer.status_code == 400
    assert said in answer.json()["error"]["what"]


def test_every_page_carries_the_control_and_the_cards(floor):
    client = Client()
    client.force_login(floor.nurse)
    for path in ("/board/", f"/session/{floor.session.pk}/", "/patients/"):
        page = client.get(path).content.decode()
        assert "data-emergency-open" in page, path
        assert "Airway open" in page, path
