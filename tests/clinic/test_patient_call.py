"""The patient's call page: one address, one phone, no sign-in; a call is never lost, nor written a hundred times."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from limen.clinic.audit.models import AuditEntry
from limen.clinic.sessions.actions import end_session, record
from limen.clinic.sessions.models import LiveEvent, SessionEvent
from limen.clinic.sessions.patient_call import comfort_of, make_call_page, record_comfort
from limen.clinic.sessions.patient_views import qr_path
from limen.clinic.sessions.queries import board, session_live
from limen.errors import InputError
from live_room import furnish

pytestmark = pytest.mark.django_db


@pytest.fixture
def room():
    return furnish()


@pytest.fixture
def session(room):
    return room.begun()[0]


@pytest.fixture
def address(room, session):
    return f"/call/{make_call_page(by=room.nurse, session=session)}/"


@pytest.fixture
def phone(address):
    client = Client(enforce_csrf_checks=True)
    say(client, address, "begin")
    return client


def say(client, address, word, **more):
    page = client.get(address).content.decode()
    token = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', page)
    return client.post(address, {"word": word, "csrfmiddlewaretoken": token.group(1) if token else ""}, **more)


def calls(session):
    return [row.data["signal"] for row in SessionEvent.objects.filter(session=session, kind="patient.called")]


def test_a_call_is_on_the_board_and_wakes_every_live_page(room, session, address, phone):
    before = LiveEvent.objects.filter(session=session).count()
    say(phone, address, "come")
    assert calls(session) == ["come"]
    assert LiveEvent.objects.filter(session=session).count() == before + 1
    assert board(room.site)["chairs"][0]["call"]["times"] == 1
    assert session_live(session)["call"]["times"] == 1
    assert "have been told" in phone.get(address).content.decode()
    record(by=room.nurse, session=session, kind="call.answered", data={})
    assert board(room.site)["chairs"][0]["call"] is None
    assert f"{room.nurse.display_name} is coming" in phone.get(address).content.decode()


def test_a_look_takes_nothing_and_the_first_phone_that_begins_has_it(address):
    for _ in range(3):  # previews, scanners, a second look
        assert "Begin on this phone" in Client().get(address).content.decode()
    first, second = Client(), Client()
    say(first, address, "begin")
    assert "Please come" in first.get(address).content.decode()
    assert second.get(address).status_code == 403
    assert second.post(address, {"word": "come"}).status_code == 403
    assert second.post(address, {"word": "begin"}).status_code == 403
    cookie = first.cookies["limen_call"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"
    assert cookie["path"] == address


def test_a_page_elsewhere_cannot_call(session, address, phone):
    assert phone.post(address, {"word": "come"}).status_code == 403  # no token of this page
    assert calls(session) == []


def test_the_page_says_nothing_about_the_patient(session, address, phone):
    text = phone.get(address).content.decode()
    for secret in (session.patient.family_name, session.patient.given_name, session.patient.mrn, str(session.pk)):
        assert secret not in text


def test_an_address_is_kept_as_a_digest_only(room, session, address):
    token = address.split("/")[2]
    assert token not in "".join(str(vars(row)) for row in session.patient_links.all())
    assert token not in "".join(str(entry.detail) for entry in AuditEntry.objects.all())


def test_a_new_page_ends_the_one_before(room, session, address, phone):
    other = f"/call/{make_call_page(by=room.nurse, session=session)}/"
    assert phone.get(address).status_code == 410
    assert "Begin" in phone.get(other).content.decode()


def test_the_page_ends_with_the_session(room, session, address, phone):
    end_session(by=room.nurse, session=session, reason="taken over by the ward at once")
    assert phone.get(address).status_code == 410
    assert phone.post(address, {"word": "come"}).status_code == 403
    assert calls(session) == []
    assert Client().get("/call/no-such-address/").status_code == 404


def test_a_hundred_presses_are_one_call_and_none_is_lost(room, session, address, phone):
    for _ in range(20):
        say(phone, address, "come")
    assert calls(session) == ["come"]
    with time_machine.travel(timezone.now() + timedelta(seconds=5), tick=False):
        say(phone, address, "come")
    assert calls(session) == ["come", "come"]
    record(by=room.nurse, session=session, kind="call.answered", data={})
    say(phone, address, "come")  # nobody knows of this one: it counts at once
    assert calls(session) == ["come", "come", "come"]
    assert board(room.site)["chairs"][0]["call"] is not None


def test_i_am_ok_ends_a_call(room, session, address, phone):
    say(phone, address, "come")
    say(phone, address, "ok")
    assert board(room.site)["chairs"][0]["call"] is None
    assert board(room.site)["chairs"][0]["said"]["signal"] == "ok"


def test_the_script_hears_json(session, address, phone):
    answer = say(phone, address, "come", headers={"Accept": "application/json"})
    assert answer.json()["state"] == "called"
    assert phone.get(f"{address}state").json()["state"] == "called"
    assert Client().get(f"{address}state").status_code == 403


def test_staff_make_the_page_and_see_its_code(room, session):
    client = Client()
    client.force_login(room.nurse)
    where = f"/session/{session.pk}/patient/"
    assert "QR code" not in client.get(where).content.decode()
    page = client.post(where, {"call_page": "make"}).content.decode()
    address = re.search(r"http://testserver(/call/[\w-]{43}/)", page)
    assert address
    assert "QR code of the call page" in page
    assert "Begin" in Client().get(address.group(1)).content.decode()


def test_a_code_has_its_quiet_zone():
    code = qr_path("https://clinic.example/call/x/")
    assert code["size"] >= 21 + 8
    rows = [int(part) for part in re.findall(r"M\d+ (\d+)", code["d"])]
    assert min(rows) == 4
    assert max(rows) == code["size"] - 5


def test_what_calms_is_kept_word_for_word_and_the_newest_is_shown(room, session):
    assert comfort_of(session.patient) is None
    with pytest.raises(InputError, match="says nothing"):
        record_comfort(by=room.nurse, patient=session.patient, helps=" ", touch="ask")
    with pytest.raises(InputError, match="not asked"):
        record_comfort(by=room.nurse, patient=session.patient, helps="music", touch="")
    record_comfort(by=room.nurse, patient=session.patient, helps="the window open", touch="no")
    record_comfort(by=room.nurse, patient=session.patient, helps="slow counting", touch="welcome", words="You are safe")
    shown = session_live(session)["comfort"]
    assert (shown["helps"], shown["words"], shown["touch"]) == ("slow counting", "You are safe", "a hand is welcome")
    assert shown["by"] == room.nurse.display_name
    assert shown["on"]
