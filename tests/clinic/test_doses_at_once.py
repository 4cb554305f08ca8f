"""Sessions without a pump: devices, an injection; each dose the next of the plan, and every milligram in the book."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction

from limen.clinic.audit.act import acting
from limen.clinic.courses.models import Plan
from limen.clinic.sessions.actions import associate_device, create_session, record, start_session
from limen.clinic.sessions.clock import lock
from limen.clinic.sessions.devices import bootstrap_device
from limen.clinic.sessions.models import Session, SessionEvent
from limen.clinic.sessions.queries import session_live
from limen.clinic.sessions.record import state_of
from limen.clinic.sites.zones import today
from limen.clinic.stock.actions import draw, receive
from limen.clinic.stock.queries import candidates
from limen.errors import InputError, RefusedError
from live_room import Room, furnish

pytestmark = pytest.mark.django_db


def step(kind: str, at_min: float, dose_mg: float) -> dict:
    return {"kind": kind, "at_min": at_min, "dose_mg": dose_mg, "duration_min": 0.0, "volume_mL": None}


SPRAYS = {
    "dose_mg": 56.0,
    "devices": 2,
    "syringe": None,
    "duration_min": 0.0,
    "steps": [step("device", 0.0, 28.0), step("device", 5.0, 28.0)],
}
SHOT = {
    "dose_mg": 35.0,
    "devices": None,
    "duration_min": 0.0,
    "syringe": {"concentration_mg_per_mL": 50.0, "volume_mL": 0.7, "vial_mg_per_mL": 50.0},
    "steps": [{**step("bolus", 0.0, 35.0), "volume_mL": 0.7}],
}


def seated(room: Room, protocol: str, product: str, route: str, dose: dict) -> Session:
    plan = room.signed_plan(1)
    with acting(by="test", action="test.plan", site=room.site):
        course = plan.course
        course.product, course.route, course.protocol = product, route, protocol
        course.save()
        Plan.objects.filter(pk=plan.pk).update(protocol=protocol, result={**plan.result, "dose": dose})
    plan.refresh_from_db()
    session = create_session(by=room.nurse, plan=plan, chair=room.chairs[0])
    device, _ = bootstrap_device(by="test", site=room.site, name="chair-1")
    associate_device(by=room.nurse, session=session, device=device)
    start_session(by=room.nurse, session=session)
    session.refresh_from_db()
    return session


@pytest.fixture
def room() -> Room:
    return furnish()


@pytest.fixture
def nasal(room: Room) -> Session:
    return seated(room, "ESK-TRD", "esketamine-nasal", "in", SPRAYS)


def held(room: Room, label: str, product: str, strength: str = "", volume: str = ""):
    pharmacist = room.person(f"pharmacist-{label}".lower(), "pharmacist")
    expiry = today(room.site) + timedelta(days=300)
    line = receive(
        by=pharmacist, site=room.site, label=label, key=f"r-{label}", product=product, strength_mg_per_mL=strength,
        volume_mL=volume, lot="L1", expiry=expiry,
    )  # fmt: skip
    return line.vial


def test_a_nasal_session_gives_its_devices_one_by_one(room, nasal):
    first = record(by=room.nurse, session=nasal, kind="dose.given", data={})
    assert (first.data["dose_mg"], first.data["devices"], first.data["route"]) == (28.0, 1, "in")
    assert state_of(nasal).given_mg == 28.0
    record(by=room.nurse, session=nasal, kind="dose.given", data={})
    state = state_of(nasal)
    assert (state.given_mg, state.phase) == (56.0, "recovery")
    with pytest.raises(RefusedError, match="every dose of the signed plan is given"):
        record(by=room.nurse, session=nasal, kind="dose.given", data={})
    assert session_live(nasal)["given_mg"] == 56.0


def test_another_amount_needs_a_reason_in_words(room, nasal):
    with pytest.raises(RefusedError, match=r"dose_mg 14 is not the signed plan's 28"):
        record(by=room.nurse, session=nasal, kind="dose.given", data={"dose_mg": 14.0})
    told = "half of it ran out of the nose"
    row = record(by=room.nurse, session=nasal, kind="dose.given", data={"dose_mg": 14.0, "note": told})
    assert SessionEvent.objects.get(pk=row.pk).data["note"] == told


def test_the_same_tap_twice_is_one_dose(room, nasal):
    key = str(uuid.uuid4())
    one = record(by=room.nurse, session=nasal, kind="dose.given", data={}, key=key)
    assert record(by=room.nurse, session=nasal, kind="dose.given", data={}, key=key).pk == one.pk
    assert state_of(nasal).given_mg == 28.0


def test_the_last_tap_sent_again_because_its_answer_was_lost_is_the_dose_that_stands(room, nasal):
    record(by=room.nurse, session=nasal, kind="dose.given", data={}, key="first")
    last = record(by=room.nurse, session=nasal, kind="dose.given", data={}, key="last")
    again = record(by=room.nurse, session=nasal, kind="dose.given", data={}, key="last", late_s=30.0)
    assert again.pk == last.pk
    assert state_of(nasal).given_mg == 56.0
    with pytest.raises(RefusedError, match="every dose of the signed plan is given"):
        record(by=room.nurse, session=nasal, kind="dose.given", data={}, key="another")


@pytest.mark.skipif(connection.vendor == "sqlite", reason="there the transaction is the lock, and nobody can pass it")
@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_tap_the_last_dose_at_once_one_is_told_that_it_is_given(room, nasal):
    record(by=room.nurse, session=nasal, kind="dose.given", data={}, key="first")
    said: list[str] = []

    def other() -> None:
        try:
            record(by=room.director, session=nasal, kind="dose.given", data={}, key="theirs")
        except RefusedError as problem:
            said.append(problem.what)
        finally:
            connections.close_all()

    thread = threading.Thread(target=other)
    with transaction.atomic():
        lock(nasal)
        thread.start()
        thread.join(0.5)  # by now it waits for the lock
        record(by=room.nurse, session=nasal, kind="dose.given", data={}, key="mine")
    thread.join()
    assert said == ["every dose of the signed plan is given (2)"]
    assert state_of(nasal).given_mg == 56.0


def test_devices_close_in_the_book(room, nasal):
    witness = room.person("second", "nurse")
    vials = [held(room, f"SPRAY-{number}", "esketamine-nasal") for number in (1, 2)]
    assert {item["vial"].label for item in candidates(nasal)} == {"SPRAY-1", "SPRAY-2"}
    for vial in vials:
        draw(by=room.nurse, session=nasal, vial=vial, amount_mg="28.0", witness=witness, key=f"d-{vial.label}")
        record(by=room.nurse, session=nasal, kind="dose.given", data={})
    given = list(nasal.ledger_entries.filter(kind="give"))
    assert sum(entry.amount_mg for entry in given) == 56


def test_a_device_has_no_strength_and_is_not_a_vial(room, nasal):
    with pytest.raises(InputError, match="140 of a device"):
        held(room, "SPRAY-9", "esketamine-nasal", "140", "0.2")
    witness = room.person("second", "nurse")
    racemic = held(room, "VIAL-1", "racemic", "50", "10")
    with pytest.raises(RefusedError, match="holds racemic"):
        draw(by=room.nurse, session=nasal, vial=racemic, amount_mg="28.0", witness=witness, key="d-x")


def test_a_spray_is_not_drawn_for_a_syringe(room):
    session = seated(room, "TRD-SC", "racemic", "sc", SHOT)
    witness = room.person("second", "nurse")
    spray = held(room, "SPRAY-1", "esketamine-nasal")
    with pytest.raises(RefusedError, match="is a device"):
        draw(by=room.nurse, session=session, vial=spray, amount_mg="28.0", witness=witness, key="d-x")


def test_an_injection_is_one_dose_of_the_plan(room):
    session = seated(room, "TRD-SC", "racemic", "sc", SHOT)
    row = record(by=room.nurse, session=session, kind="dose.given", data={})
    assert (row.data["dose_mg"], row.data["route"]) == (35.0, "sc")
    assert "devices" not in row.data
    assert state_of(session).phase == "recovery"
