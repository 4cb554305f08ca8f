"""Before a session: a chair for the signed plan, a monitor on the right patient, and devices that the clinic knows."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from clinic.orders import signed_plan
from clinic.people import Clinic
from limen.clinic.audit.act import acting
from limen.clinic.audit.models import AuditEntry
from limen.clinic.patients.models import Patient
from limen.clinic.sessions.actions import associate_device, start_session
from limen.clinic.sessions.devices import bootstrap_device, retire_device
from limen.clinic.sessions.health import Heard, hear, hold
from limen.clinic.sessions.ingest import device_of, token_hash
from limen.clinic.sessions.models import Device, DeviceAssociation, Session
from limen.clinic.sites.actions import bootstrap_chair
from limen.errors import InputError, RefusedError


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def session(clinic: Clinic, patient: Patient, browser: Client) -> Session:
    plan = signed_plan(clinic, patient)
    address = reverse("sessions:prepare", args=[plan.course_id])
    assert "Make the session" in browser.get(address).text
    answer = browser.post(address, {"chair": str(clinic.chair.pk)})
    made = Session.objects.get()
    assert answer.headers["Location"] == reverse("sessions:seat", args=[made.pk])
    return made


def test_a_signed_plan_gets_its_session_once(clinic: Clinic, session: Session, browser: Client) -> None:
    assert (session.chair, session.owner, session.number) == (clinic.chair, clinic.nurse, 1)
    address = reverse("sessions:prepare", args=[session.course_id])
    assert "has had its session" in browser.get(address).text
    assert browser.post(address, {"chair": str(clinic.chair.pk)}).status_code == 400
    assert Session.objects.count() == 1


def test_without_a_signed_plan_the_page_says_who_must_act(clinic: Clinic, patient: Patient, browser: Client) -> None:
    plan = signed_plan(clinic, patient)
    address = reverse("sessions:prepare", args=[plan.course_id])
    with acting(by="tests", action="tests.supersede", site=clinic.site):
        type(plan).objects.filter(pk=plan.pk).update(status="superseded")
    text = browser.get(address).text
    assert "No plan is signed" in text
    assert "Make the session" not in text


def test_a_pharmacist_prepares_no_session_and_the_attempt_is_audited(clinic: Clinic, patient: Patient) -> None:
    plan = signed_plan(clinic, patient)
    address = reverse("sessions:prepare", args=[plan.course_id])
    answer = signed_in(clinic.pharmacist).post(address, {"chair": str(clinic.chair.pk)})
    assert answer.status_code == 403
    assert AuditEntry.objects.filter(outcome="denied", actor=clinic.pharmacist.username).exists()
    assert not Session.objects.exists()


def test_a_monitor_is_on_one_patient_and_can_be_taken_off(clinic: Clinic, session: Session, browser: Client) -> None:
    device, _ = bootstrap_device(by="tests", site=clinic.site, name="bedside-1")
    seat = reverse("sessions:seat", args=[session.pk])
    assert "No monitor is on this patient" in browser.get(seat).text
    read = {"device": str(device.pk), "label": "bedside-1", "chair": session.chair.name}
    wrong = browser.post(reverse("sessions:put_on", args=[session.pk]), read | {"label": "bedside-2"})
    assert wrong.status_code == 409
    assert "the label read is bedside-2" in wrong.text
    browser.post(reverse("sessions:put_on", args=[session.pk]), read)
    assert DeviceAssociation.objects.get(ended_at=None).session == session
    assert "bedside-1</b> is on this patient" in browser.get(seat).text
    assert browser.post(reverse("sessions:put_on", args=[session.pk]), read).status_code == 400
    browser.post(reverse("sessions:take_off", args=[session.pk]), {"device": "bedside-1"})
    assert not DeviceAssociation.objects.filter(ended_at=None).exists()


def test_a_device_is_registered_by_the_director_and_its_secret_is_shown_once(clinic: Clinic) -> None:
    director = signed_in(clinic.director)
    address = reverse("sessions:devices")
    answer = director.post(address, {"name": "replay-1"})
    secret = answer.context["secret"]
    assert secret in answer.text
    assert Device.objects.get(name="replay-1").token_hash == token_hash(secret)
    assert secret not in director.get(address).text
    assert secret not in str(list(AuditEntry.objects.values_list("detail", flat=True)))
    again = director.post(address, {"name": "replay-1"})
    assert again.status_code == 400
    assert "registered already" in again.text


def test_a_secret_that_is_renewed_or_retired_is_refused_from_then_on(clinic: Clinic) -> None:
    director = signed_in(clinic.director)
    device, first = bootstrap_device(by="tests", site=clinic.site, name="bedside-1")
    renew, retire = (reverse(f"sessions:{name}", args=[device.pk]) for name in ("renew_secret", "retire_device"))
    page = director.get(reverse("sessions:devices")).text
    assert renew in page
    assert retire in page
    answer = director.post(renew)
    second = answer.context["secret"]
    assert second in answer.text
    assert (device_of(first), device_of(second)) == (None, device)
    assert second not in str(list(AuditEntry.objects.values_list("detail", flat=True)))
    assert director.post(retire, follow=True).status_code == 200
    assert device_of(second) is None
    assert director.post(renew).status_code == 409, "retired for good"
    assert renew not in director.get(reverse("sessions:devices")).text


def test_a_device_on_a_patient_keeps_its_secret(clinic: Clinic, session: Session) -> None:
    director = signed_in(clinic.director)
    device, secret = bootstrap_device(by="tests", site=clinic.site, name="bedside-1")
    associate_device(by=clinic.nurse, session=session, device=device)
    for name in ("renew_secret", "retire_device"):
        assert director.post(reverse(f"sessions:{name}", args=[device.pk])).status_code == 409
    assert device_of(secret) == device


def test_a_retired_device_is_put_on_nobody_by_a_page_that_was_loaded_before(clinic: Clinic, session: Session) -> None:
    device, _ = bootstrap_device(by="tests", site=clinic.site, name="bedside-1")
    retire_device(by=clinic.director, device=Device.objects.get(pk=device.pk))
    with pytest.raises(InputError, match="no such device"):
        associate_device(by=clinic.nurse, session=session, device=device)


def test_a_nurse_changes_no_device_and_nobody_one_of_another_site(clinic: Clinic, browser: Client) -> None:
    device, secret = bootstrap_device(by="tests", site=clinic.site, name="bedside-1")
    for name in ("renew_secret", "retire_device"):
        address = reverse(f"sessions:{name}", args=[device.pk])
        assert browser.post(address).status_code == 403
        assert signed_in(clinic.stranger).post(address).status_code == 404
    assert device_of(secret) == device


def test_a_nurse_registers_no_device(clinic: Clinic, browser: Client) -> None:
    address = reverse("sessions:devices")
    assert browser.get(address).status_code == 403
    assert browser.post(address, {"name": "mine"}).status_code == 403
    assert not Device.objects.exists()


def test_a_session_of_another_site_does_not_exist_here(clinic: Clinic, session: Session) -> None:
    stranger = signed_in(clinic.stranger)
    assert stranger.get(reverse("sessions:seat", args=[session.pk])).status_code == 404
    assert stranger.get(reverse("sessions:prepare", args=[session.course_id])).status_code == 404


def test_a_pump_is_registered_with_its_label_and_the_page_says_what_is_known_of_it(clinic: Clinic) -> None:
    director = signed_in(clinic.director)
    address = reverse("sessions:devices")
    answer = director.post(address, {"name": "pump-1", "label": "IP-0042", "kind": "pump"})
    assert answer.status_code == 200
    pump = Device.objects.get(name="pump-1")
    assert (pump.kind, pump.label, pump.streams) == ("pump", "IP-0042", {})
    assert "another device has the label" in director.post(address, {"name": "x", "label": "IP-0042"}).text
    with acting(by="tests", action="tests.held", site=clinic.site):
        hold(pump, "b1", {"samples": [1, 2, 3]}, "device pump-1 is on no session", "device")
        hear([Heard(pump, -90.0, 7)])
    text = director.get(address).text
    assert "off by -90" in text
    assert "<b>3</b> kept aside" in text
    assert "<b>7</b> lost at its gateway" in text


def test_a_session_made_at_the_wrong_chair_ends_before_it_begins_and_its_plan_is_free(
    clinic: Clinic, session: Session, browser: Client
) -> None:
    device, _ = bootstrap_device(by="tests", site=clinic.site, name="bedside-1")
    associate_device(by=clinic.nurse, session=session, device=device)
    right = bootstrap_chair(by="tests", site=clinic.site, name="Chair 2")
    seat, end = (reverse(f"sessions:{name}", args=[session.pk]) for name in ("seat", "give_up"))
    assert end in browser.get(seat).text
    answer = browser.post(end, {"reason": "wrong"})
    assert (answer.status_code, "the reason says too little" in answer.text) == (400, True)
    prepare = reverse("sessions:prepare", args=[session.course_id])
    for _ in range(2):
        answer = browser.post(end, {"reason": "made at the wrong chair"})
        assert answer.headers["Location"] == prepare
    session.refresh_from_db()
    assert (session.status, session.started_at) == (Session.Status.ENDED, None)
    assert session.ended_at is not None
    assert not session.events.exists()
    assert not DeviceAssociation.objects.filter(ended_at=None).exists()
    first, *_ = AuditEntry.objects.filter(action="sessions.end_session", outcome="done").order_by("pk")
    assert (first.actor, first.detail["reason"]) == (clinic.nurse.username, "made at the wrong chair")
    assert end not in browser.get(seat).text
    with pytest.raises(RefusedError, match="the session has ended"):
        start_session(by=clinic.nurse, session=session)

    assert "Make the session" in browser.get(prepare).text
    browser.post(prepare, {"chair": str(right.pk)})
    made = Session.objects.exclude(pk=session.pk).get()
    assert (made.plan, made.chair, made.number, made.header["session_number"]) == (session.plan, right, 1, 1)
    start_session(by=clinic.nurse, session=made)
    assert browser.get(reverse("patients:detail", args=[session.patient_id])).status_code == 200
    page = browser.get(reverse("sessions:chair", args=[session.pk]), follow=True)
    assert "ended before it began" in page.text
    assert "To the chair" not in page.text, "where it could be started"
    answer = browser.post(reverse("sessions:give_up", args=[made.pk]), {"reason": "it runs, so it is not given up"})
    assert answer.status_code == 409


def test_the_live_door_ends_a_session_that_has_not_begun(clinic: Clinic, session: Session, browser: Client) -> None:
    body = {"kind": "session.ended", "key": "a", "data": {"reason": "made at the wrong chair"}}
    for _ in range(2):
        answer = browser.post(f"/live/session/{session.pk}/act", body, content_type="application/json")
        assert (answer.status_code, answer.json()["seq"]) == (200, None)
    session.refresh_from_db()
    assert session.status == Session.Status.ENDED


def test_the_page_before_a_session_says_that_its_order_was_replaced(
    clinic: Clinic, session: Session, browser: Client
) -> None:
    address = reverse("sessions:seat", args=[session.pk])
    assert "Do not start this session" not in browser.get(address).text
    with acting(by="tests", action="tests.supersede", site=clinic.site):
        type(session.plan).objects.filter(pk=session.plan_id).update(status="superseded")
    assert "another plan has been signed since this session was prepared" in browser.get(address).text
