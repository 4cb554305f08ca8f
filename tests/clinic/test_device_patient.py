"""A device's values reach its own patient or nobody: bound by read-back, refused and kept aside, said at the chair."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.utils import timezone

from limen.clinic.audit.act import acting
from limen.clinic.sessions.actions import (
    associate_device,
    create_session,
    discharge,
    end_session,
    release_device,
    start_session,
)
from limen.clinic.sessions.devices import bootstrap_device
from limen.clinic.sessions.health import device_view, devices_on, doubts, forget_held
from limen.clinic.sessions.ingest import Measured, take_batch
from limen.clinic.sessions.models import (
    AlarmSnapshot,
    DeviceAssociation,
    DeviceHealth,
    HeldBatch,
    Sample,
    SessionEvent,
)
from limen.clinic.sessions.queries import board, session_live
from limen.clinic.sessions.watching import Watcher
from limen.errors import RefusedError
from live_room import batch, furnish, post

pytestmark = pytest.mark.django_db
REASON = "a reason that is long enough"


@pytest.fixture
def room():
    return furnish()


def values(*numbers: float) -> list[tuple[int, str, float | None]]:
    return [(index, "SPO2", number) for index, number in enumerate(numbers, start=1)]


def lost_events(session):
    return [row.data for row in SessionEvent.objects.filter(session=session, kind="device.lost")]


@pytest.mark.parametrize(
    ("label", "chair", "refused"),
    [
        ("MON-0001", "Chair 1", None),
        (" mon-0001 ", "chair  1", None),
        ("MON-0002", "Chair 1", "the label read is MON-0002"),
        ("MON-0001", "Chair 2", "this session is in Chair 1"),
        ("", "Chair 1", "the label read is empty"),
        ("MON-0001", "", "the chair read is empty"),
    ],
)
def test_a_device_is_put_on_only_where_label_and_chair_are_read_back(room, label, chair, refused):
    session, _, _ = room.begun()
    device, _ = bootstrap_device(by="test", site=room.site, name="new", label="MON-0001")
    if refused is None:
        made = associate_device(by=room.nurse, session=session, device=device, label=label, chair=chair)
        assert made.read_back == "MON-0001 at Chair 1"
    else:
        with pytest.raises(RefusedError, match=refused):
            associate_device(by=room.nurse, session=session, device=device, label=label, chair=chair)
        assert not DeviceAssociation.objects.filter(device=device).exists()


def test_a_batch_whose_parts_are_kept_aside_for_two_reasons_is_counted_once(client, room):
    session, device, token = room.begun()
    part = batch("chair-1", "a", values(97.0, 96.0))
    part["samples"][0]["t_s"] -= 3600.0  # measured before the device came to this patient
    assert post(client, token, part).json()["outside"] == 1
    release_device(by=room.nurse, session=session, device=device)
    whole = batch("chair-1", "b", values(95.0, 94.0))
    assert [post(client, token, body).status_code for body in (part, whole)] == [409, 409]
    associate_device(by=room.nurse, session=session, device=device)
    whole["sent_s"] += 60.0  # sent again a minute later, with its ages as they are now: of nobody still
    assert post(client, token, whole).json()["outside"] == 2
    assert [(row.batch_key, row.count) for row in HeldBatch.objects.filter(device=device)] == [("a", 1), ("b", 2)]
    assert device_view(device)["held"] == 3


def test_a_device_that_was_taken_off_is_not_put_on_again_by_a_tap_sent_twice(room):
    session, device, _ = room.begun()
    release_device(by=room.nurse, session=session, device=device)
    for _ in range(2):
        made = associate_device(by=room.nurse, session=session, device=device, key="on")
        assert made.device == device
    assert DeviceAssociation.objects.filter(device=device, ended_at=None).count() == 1
    release_device(by=room.nurse, session=session, device=device)
    associate_device(by=room.nurse, session=session, device=device, key="on")
    assert not DeviceAssociation.objects.filter(device=device, ended_at=None).exists()


def test_values_of_an_unbound_device_are_kept_aside_and_counted(client, room):
    device, token = room.device(None, "stray")
    for key in ("a", "a", "b"):  # the first is sent twice
        assert post(client, token, batch("stray", key, values(97.0, 96.0))).status_code == 409
    assert Sample.objects.count() == 0
    assert [(row.batch_key, row.count) for row in HeldBatch.objects.all()] == [("a", 2), ("b", 2)]
    view = device_view(device)
    assert (view["held"], view["held_at"] is not None) == (4, True)
    assert "on no session" in view["held_why"]
    assert HeldBatch.objects.first().body["samples"][0]["value"] == 97.0


@pytest.mark.parametrize(
    ("named", "status"), [({"patient": "20402"}, 409), ({"patient": "nobody"}, 404), ({"device": "chair-2"}, 409)]
)
def test_a_disagreeing_message_is_not_charted_and_its_signals_are_lost_at_once(client, room, named, status):
    session, _, token = room.begun()
    room.signed_plan(2)  # the other patient exists
    assert post(client, token, batch("chair-1", "a", values(97.0))).status_code == 200
    for key in ("b", "c", "d"):
        body = batch("chair-1", key, [(int(key, 16), "SPO2", 55.0)]) | named
        assert post(client, token, body).status_code == status
    assert list(Sample.objects.values_list("value", flat=True)) == [97.0]
    (lost,) = lost_events(session)  # told once, however often it comes
    assert lost["device"] == "chair-1"
    assert "not charted" in lost["reason"]
    with time_machine.travel(timezone.now() + dt.timedelta(seconds=2), tick=False):
        Watcher().visit(session)
    standing = [slot["alarm"] for slot in AlarmSnapshot.objects.get(session=session).state["slots"].values()]
    technical = {alarm["signal"]: alarm["condition"] for alarm in standing if alarm}
    assert technical["SPO2"] == "SPO2 lost"
    assert all(alarm["kind"] == "technical" for alarm in standing if alarm)
    # One value that agrees ends it; the next that does not is told again.
    assert post(client, token, batch("chair-1", "e", [(50, "SPO2", 96.0)], patient="20401")).status_code == 200
    post(client, token, batch("chair-1", "f", [(51, "SPO2", 55.0)]) | named)
    assert len(lost_events(session)) == 2
    assert devices_on(session)[0]["held"] == 4


def test_values_measured_on_the_patient_before_stay_with_nobody(client, room):
    first, device, token = room.begun(1)
    second, _, _ = room.begun(2)
    release_device(by=room.nurse, session=first, device=device)
    associate_device(by=room.nurse, session=second, device=device)
    body = batch("chair-1", "late", [(1, "SPO2", 71.0), (2, "SPO2", 97.0)])
    body["samples"][0]["t_s"] = body["sent_s"] - 20
    answer = post(client, token, body).json()
    assert (answer["stored"], answer["outside"]) == (1, 1)
    assert [(row.session, row.value) for row in Sample.objects.all()] == [(second, 97.0)]
    (held,) = HeldBatch.objects.all()
    assert held.body["samples"][0]["value"] == 71.0
    assert "before this device was put on" in held.why


def test_a_monitor_that_sends_before_the_start_puts_nobodys_values_in_doubt(client, room):
    session = create_session(by=room.nurse, plan=room.signed_plan(), chair=room.chairs[0])
    device, token = bootstrap_device(by="test", site=room.site, name="chair-1")
    associate_device(by=room.nurse, session=session, device=device)
    assert post(client, token, batch("chair-1", "a", values(97.0))).status_code == 409
    assert device_view(device)["held"] == 1
    start_session(by=room.nurse, session=session)
    assert post(client, token, batch("chair-1", "b", [(2, "SPO2", 97.0)])).status_code == 200
    assert doubts(site=room.site) == {}
    assert devices_on(session)[0]["doubt"] == ""


def standing(session) -> set[str]:
    slots = AlarmSnapshot.objects.get(session=session).state["slots"].values()
    return {slot["alarm"]["condition"] for slot in slots if slot["alarm"]}


@pytest.mark.parametrize(
    ("new_one_sends", "expected"), [(True, set()), (False, {"HR stale", "SPO2 stale", "RR stale"})]
)
def test_a_monitor_that_another_has_replaced_leaves_no_alarm_behind_and_silence_is_said(room, new_one_sends, expected):
    begin = timezone.now()
    with time_machine.travel(begin, tick=False) as clock:
        session, old, _ = room.begun()
        new, _ = bootstrap_device(by="test", site=room.site, name="new")
        watcher = Watcher()
        for second in range(1, 19):
            clock.shift(1)
            if second == 2:
                associate_device(by=room.nurse, session=session, device=new)
            sending = [old] if second <= 5 else []
            for device in [*sending, *([new] if new_one_sends and second > 2 else [])]:
                pairs = (("HR", 70.0), ("SPO2", 97.0), ("RR", 14.0))
                samples = [Measured(second, signal, value, 0.0) for signal, value in pairs]
                take_batch(device=device, batch_key=str(second), samples=samples)
            if second == 6:
                release_device(by=room.nurse, session=session, device=old)
            watcher.visit(session)
    assert standing(session) == expected


@pytest.mark.parametrize("end", ["discharge", "end"])
def test_the_association_ends_with_the_session(client, room, end):
    session, device, token = room.begun()
    if end == "discharge":
        discharge(by=room.nurse, session=session, reason=REASON)
    else:
        end_session(by=room.nurse, session=session, reason=REASON)
    assert not DeviceAssociation.objects.filter(ended_at=None).exists()
    assert post(client, token, batch("chair-1", "z", values(40.0))).status_code == 409
    assert Sample.objects.count() == 0
    assert device_view(device)["held"] == 1


def test_the_clock_of_a_device_is_measured_by_median_and_said_when_it_is_off(client, room):
    session, _, token = room.begun()
    begin = timezone.now()
    with time_machine.travel(begin, tick=False) as clock:
        for number in range(20):
            clock.shift(1)
            wrong_s = -3600.0 if number == 7 else 75.0  # one stray stamp among honest ones
            body = batch(
                "chair-1", f"k{number}", [(number, "SPO2", 97.0)], clock_s=timezone.now().timestamp() + wrong_s
            )
            assert post(client, token, body).status_code == 200
    (view,) = devices_on(session)
    assert view["clock_skew_s"] == pytest.approx(75.0, abs=0.01)
    assert view["clock_wrong"] is True
    assert view["clock_skew_limit_s"] == 60.0
    # Alarms go by our clock: no value is early or late by it.
    assert all(abs(row.received_t_s - row.t_s) < 0.01 for row in Sample.objects.all())


def test_a_device_without_a_clock_is_not_called_right(client, room):
    session, _, token = room.begun()
    post(client, token, batch("chair-1", "a", values(97.0), lost=12))
    (view,) = devices_on(session)
    assert (view["clock_skew_s"], view["clock_wrong"], view["lost"]) == (None, False, 12)


def test_what_is_kept_aside_does_not_fill_the_disk(room, monkeypatch):
    from limen.clinic.sessions import health

    monkeypatch.setattr(health, "MOST_HELD", 3)
    device, _ = room.device(None, "stray")
    with acting(by="test", action="test.held", site=room.site):
        for number in range(8):
            health.hold(device, f"b{number}", {"samples": [number]}, "nobody's", "")
        HeldBatch.objects.filter(batch_key="b6").update(held_at=timezone.now() - dt.timedelta(days=8))
        forget_held()
    assert sorted(HeldBatch.objects.values_list("batch_key", flat=True)) == ["b4", "b5", "b7"]
    assert DeviceHealth.objects.get(device=device).held == 8


def test_board_and_chair_say_what_is_in_doubt_of_a_device(client, room):
    session, _, token = room.begun()
    other, _, _ = room.begun(2)
    assert (
        post(client, token, batch("chair-1", "a", values(97.0), clock_s=timezone.now().timestamp())).status_code == 200
    )
    (fine,) = devices_on(session)
    assert (fine["doubt"], fine["signals"]) == ("", ["HR", "NIBP_DIA", "NIBP_SYS", "RR", "SPO2"])
    assert fine["heard_t_s"] == pytest.approx(Sample.objects.get().received_t_s)
    assert doubts(site=room.site) == {}
    body = batch("chair-1", "b", [(2, "SPO2", 97.0)], clock_s=timezone.now().timestamp() + 75)
    assert post(client, token, body).status_code == 200
    health = DeviceHealth.objects.get()
    assert (health.skew_s, devices_on(session)[0]["doubt"]) == (pytest.approx(37.5, abs=1), "")  # the median of two
    for number in range(3, 6):
        body = batch("chair-1", f"c{number}", [(number, "SPO2", 97.0)], clock_s=timezone.now().timestamp() + 75)
        post(client, token, body)
    assert doubts(site=room.site) == {session.pk: "clock"}
    assert post(client, token, batch("chair-1", "d", [(9, "SPO2", 60.0)], patient="20402")).status_code == 409
    assert doubts(site=room.site) == {session.pk: "patient"}, "whose values they are counts before the clock"
    assert [chair.get("device_doubt") for chair in board(room.site)["chairs"][:2]] == ["patient", ""]
    assert session_live(session)["devices"][0]["doubt"] == "patient"
    with time_machine.travel(timezone.now() + dt.timedelta(seconds=61)):
        assert devices_on(session)[0]["doubt"] == "clock", "the last word of a device that has gone silent is over"
    with time_machine.travel(timezone.now() - dt.timedelta(hours=1)):
        assert devices_on(session)[0]["doubt"] == "patient", "a clock that was set back ends no doubt"
    assert devices_on(other)[0]["doubt"] == ""
