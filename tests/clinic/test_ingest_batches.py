"""The devices' door: whole batches, once, for the patient the device is on and for nobody else."""

from __future__ import annotations

import json

import pytest

from limen.clinic.audit.act import acting
from limen.clinic.audit.models import AuditEntry
from limen.clinic.sessions.models import DeviceAssociation, HeldBatch, LiveEvent, Sample, SampleBatch, Session
from live_room import batch, furnish, post

pytestmark = pytest.mark.django_db


@pytest.fixture
def room():
    return furnish()


@pytest.fixture
def session(room):
    return room.running()


@pytest.fixture
def token(room, session):
    return room.device(session)[1]


def stored() -> list[tuple[int, str, float | None]]:
    return list(Sample.objects.order_by("seq", "signal").values_list("seq", "signal", "value"))


def test_a_batch_is_stored_with_both_times_and_told_to_the_pages(client, token, session):
    answer = post(client, token, batch("chair-1", "a", [(1, "HR", 72.0), (1, "SPO2", 97.0)]))
    assert answer.status_code == 200, answer.content
    assert answer.json() == {"batch": "a", "session": str(session.pk), "stored": 2, "known": 0, "outside": 0}
    assert stored() == [(1, "HR", 72.0), (1, "SPO2", 97.0)]
    sample = Sample.objects.first()
    assert sample.t_s == pytest.approx(sample.received_t_s, abs=1.0)
    assert 60 <= sample.t_s < 90  # begun a minute ago, by a clock that runs on
    event = LiveEvent.objects.get()
    assert event.kind == "samples"
    assert sorted(value[::2] for value in event.data["values"]) == [["HR", 72.0], ["SPO2", 97.0]]


def test_the_same_batch_again_gets_the_same_answer_and_changes_nothing(client, token):
    body = batch("chair-1", "a", [(1, "HR", 72.0)])
    first = post(client, token, body).json()
    assert post(client, token, body).json() == first
    assert stored() == [(1, "HR", 72.0)]
    assert SampleBatch.objects.count() == LiveEvent.objects.count() == 1


def test_a_key_that_comes_again_with_other_values_is_refused_and_they_are_kept_aside(client, token):
    """A gateway that counts its batches anew after a restart: told that they stand, it would forget them."""
    post(client, token, batch("chair-1", "1", [(1, "HR", 72.0)]))
    answer = post(client, token, batch("chair-1", "1", [(2, "HR", 73.0)]))
    assert (answer.status_code, answer.json()["error"]["where"]) == (409, "batch")
    assert stored() == [(1, "HR", 72.0)]
    assert [entry["value"] for entry in HeldBatch.objects.get().body["samples"]] == [73.0]
    assert post(client, token, batch("chair-1", "2", [(2, "HR", 73.0)])).json()["stored"] == 1


def test_samples_that_come_again_in_another_batch_are_known(client, token):
    post(client, token, batch("chair-1", "a", [(1, "HR", 72.0)]))
    answer = post(client, token, batch("chair-1", "b", [(1, "HR", 72.0), (2, "HR", 73.0)])).json()
    assert (answer["stored"], answer["known"]) == (1, 1)
    assert stored() == [(1, "HR", 72.0), (2, "HR", 73.0)]


def test_order_of_arrival_does_not_matter(client, token):
    for key, seq in (("c", 3), ("a", 1), ("b", 2)):
        assert post(client, token, batch("chair-1", key, [(seq, "HR", 70.0 + seq)])).status_code == 200
    assert stored() == [(1, "HR", 71.0), (2, "HR", 72.0), (3, "HR", 73.0)]


def test_a_number_that_comes_again_with_another_value_is_refused_and_nothing_is_stored(client, token):
    post(client, token, batch("chair-1", "a", [(1, "HR", 72.0)]))
    answer = post(client, token, batch("chair-1", "b", [(1, "HR", 99.0), (2, "HR", 73.0)]))
    assert answer.status_code == 409
    assert "stored as 72.0, sent again as 99.0" in answer.json()["error"]["what"]
    assert stored() == [(1, "HR", 72.0)]


def test_a_recorded_zero_and_a_missing_value_are_kept_as_they_came(client, token):
    post(client, token, batch("chair-1", "a", [(1, "SPO2", 0.0), (2, "SPO2", None)]))
    assert stored() == [(1, "SPO2", 0.0), (2, "SPO2", None)]


def test_a_late_value_keeps_the_time_it_was_measured(client, token):
    body = batch("chair-1", "a", [(1, "HR", 72.0)])
    body["samples"][0]["t_s"] = body["sent_s"] - 30
    post(client, token, body)
    sample = Sample.objects.get()
    assert sample.received_t_s - sample.t_s == pytest.approx(30)


def test_a_value_measured_before_the_device_came_to_this_patient_is_not_this_patients(client, token):
    body = batch("chair-1", "a", [(1, "HR", 172.0), (2, "HR", 72.0)])
    body["samples"][0]["t_s"] = body["sent_s"] - 3600
    answer = post(client, token, body).json()
    assert (answer["stored"], answer["outside"]) == (1, 1)
    assert stored() == [(2, "HR", 72.0)]


@pytest.mark.parametrize(
    ("change", "status", "where"),
    [
        ({"samples": []}, 422, "samples"),
        ({"samples": [{"seq": 1, "t_s": 0, "signal": "BIS", "value": 1.0}]}, 422, "signal"),
        ({"samples": [{"seq": -1, "t_s": 0, "signal": "HR", "value": 1.0}]}, 422, "seq"),
        ({"samples": [{"seq": 1, "t_s": 0, "signal": "HR", "value": "seventy"}]}, 422, "value"),
        ({"samples": [{"seq": 1, "t_s": 0, "signal": "HR"}]}, 422, "value"),
        ({"samples": [{"seq": 1, "t_s": 2000, "signal": "HR", "value": 1.0}]}, 400, "samples.t_s"),
        ({"sent_s": None}, 422, "sent_s"),
        ({"session": "00000000-0000-0000-0000-000000000000"}, 404, "session"),
        ({"session": "chair one"}, 404, "session"),
        ({"patient": "no such number"}, 404, "patient"),
        ({"device": "chair-2"}, 409, "device"),
        ({"colour": "red"}, 422, "colour"),
    ],
)
def test_bad_input_says_what_and_where_and_stores_nothing(client, token, change, status, where):
    answer = post(client, token, batch("chair-1", "a", [(1, "HR", 72.0)]) | change)
    assert answer.status_code == status, answer.content
    error = answer.json()["error"]
    assert where in error["where"]
    assert error["what"]
    assert stored() == []
    # A message that disagrees about whose it is may be said on the chair's page; its values never reach one.
    assert LiveEvent.objects.filter(kind="samples").count() == 0


@pytest.mark.parametrize("text", ["", "{", "[]", '{"device": "chair-1"', "\xff"])
def test_what_is_not_json_is_refused(client, token, text):
    answer = post(client, token, text)
    assert answer.status_code in (400, 422)
    assert answer.json()["error"]["what"]


def test_a_number_that_is_not_finite_is_refused(client, token):
    for word in ("NaN", "Infinity", "-Infinity", "1e999"):
        text = json.dumps(batch("chair-1", "a", [(1, "HR", 72.0)])).replace("72.0", word)
        answer = post(client, token, text)
        assert answer.status_code in (400, 422), word
    assert stored() == []


def test_a_message_that_names_another_patient_is_refused_and_audited(client, token, room):
    other = room.running(2)
    for change in ({"patient": other.patient.mrn}, {"session": str(other.pk)}):
        answer = post(client, token, batch("chair-1", "a", [(1, "HR", 72.0)], **change))
        assert answer.status_code == 409
    assert stored() == []
    denied = AuditEntry.objects.filter(outcome="denied", action="sessions.take_batch")
    assert denied.count() == 2
    assert denied.first().actor == "device:chair-1"


def test_the_right_patient_and_session_may_be_named(client, token, session):
    body = batch("chair-1", "a", [(1, "HR", 72.0)], patient=session.patient.mrn, session=str(session.pk))
    assert post(client, token, body).status_code == 200


def test_an_unknown_or_retired_token_gets_401(client, room, session):
    assert post(client, "guess", batch("chair-1", "a", [(1, "HR", 72.0)])).status_code == 401
    device, token = room.device(session, "chair-9")
    with acting(by="test", action="test.retire", site=room.site):
        device.status = "retired"
        device.save()
    answer = post(client, token, batch("chair-9", "a", [(1, "HR", 72.0)]))
    assert answer.status_code == 401
    assert "token" in answer.json()["error"]["what"]


def test_a_device_on_nobody_is_refused(client, room):
    _, token = room.device(None)
    answer = post(client, token, batch("chair-1", "a", [(1, "HR", 72.0)]))
    assert answer.status_code == 409
    assert "no session" in answer.json()["error"]["what"]


@pytest.mark.parametrize("status", ["planned", "ended", "discharged"])
def test_a_session_that_does_not_run_takes_nothing(client, token, session, room, status):
    with acting(by="test", action="test.status", site=room.site):
        Session.objects.filter(pk=session.pk).update(status=status)
    assert post(client, token, batch("chair-1", "a", [(1, "HR", 72.0)])).status_code == 409
    assert stored() == []


def test_a_device_taken_off_is_refused(client, token, room):
    with acting(by="test", action="test.off", site=room.site):
        association = DeviceAssociation.objects.get()
        DeviceAssociation.objects.filter(pk=association.pk).update(ended_at=association.started_at)
    assert post(client, token, batch("chair-1", "a", [(1, "HR", 72.0)])).status_code == 409


def test_the_schema_is_published(client):
    schema = client.get("/api/openapi.json").json()
    assert "/api/ingest" in schema["paths"]


def test_two_devices_may_use_the_same_numbers(client, token, room, session):
    _, second = room.device(session, "pump-1")
    post(client, token, batch("chair-1", "a", [(1, "HR", 72.0)]))
    assert post(client, second, batch("pump-1", "a", [(1, "HR", 73.0)])).json()["stored"] == 1
    assert Sample.objects.count() == 2
