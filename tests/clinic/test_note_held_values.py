"""Values kept aside are told in the note of the patient they were measured on, whenever they came."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from clinic.orders import planned
from clinic.people import Clinic
from limen.clinic.audit.act import acting
from limen.clinic.notes.beside import device_words
from limen.clinic.patients.models import Patient
from limen.clinic.sessions.api import BatchIn
from limen.clinic.sessions.ingest import OUTSIDE
from limen.clinic.sessions.models import Device, DeviceAssociation, HeldBatch, Session

SPOOL_S = 5000.0  # the clock of a gateway: its own, from its own zero


@pytest.fixture
def session(clinic: Clinic, patient: Patient) -> Session:
    """A device was on the patient from 120 to 60 minutes ago."""
    made = planned(clinic, patient)
    now = timezone.now()
    with acting(by="tests", action="tests.device", site=clinic.site):
        device = Device.objects.create(site=clinic.site, name="m1", kind="monitor", token_hash="x")
        DeviceAssociation.objects.create(
            site=clinic.site,
            device=device,
            session=made,
            started_at=now - timedelta(minutes=120),
            ended_at=now - timedelta(minutes=60),
        )
    return made


def keep(session: Session, held_at: datetime, body: dict[str, Any], why: str = "device: m1 is on no session") -> None:
    with acting(by="tests", action="tests.held", site=session.site):
        HeldBatch.objects.create(
            device=Device.objects.get(name="m1"),
            batch_key=f"b{HeldBatch.objects.count()}",
            held_at=held_at,
            why=why,
            count=len(body["samples"]),
            body=body,
        )


def spooled(*ages_min: float) -> dict[str, Any]:
    """A refused batch as it is kept: the message itself."""
    samples = [
        {"seq": seq, "signal": "SPO2", "value": 88.0, "t_s": SPOOL_S - age_min * 60}
        for seq, age_min in enumerate(ages_min)
    ]
    return BatchIn.model_validate({"device": "m1", "batch": "b", "sent_s": SPOOL_S, "samples": samples}).model_dump()


def outside(*ages_min: float) -> dict[str, Any]:
    """Values of a batch that was taken, measured before the device came to that patient."""
    samples = [{"seq": n, "signal": "HR", "value": 70.0, "age_s": age * 60} for n, age in enumerate(ages_min)]
    return {"samples": samples}


def told(session: Session) -> str:
    return device_words(session)["m1"]


@pytest.mark.parametrize("body", [spooled, outside])
def test_a_value_that_came_after_the_device_was_taken_off_counts_by_when_it_was_measured(
    session: Session, body: Any
) -> None:
    # Came now: measured 121 (before), 119 and 61 (on this patient) and 59 minutes ago (after).
    keep(session, timezone.now(), body(121, 119, 61, 59))
    assert "2 values kept aside and not charted, the last because device: m1 is on no session" in told(session)


def test_what_was_measured_on_nobody_is_not_told_here(session: Session) -> None:
    keep(session, timezone.now(), spooled(59, 1))
    keep(session, timezone.now() - timedelta(minutes=119), outside(30), OUTSIDE)
    assert "kept aside" not in told(session)


def test_the_reason_is_that_of_the_last_values_of_this_patient(session: Session) -> None:
    keep(session, timezone.now() - timedelta(minutes=90), spooled(0.1, 0), "names another patient")
    keep(session, timezone.now(), spooled(100), "on no session")
    keep(session, timezone.now(), spooled(1), "not of this patient")
    assert "3 values kept aside and not charted, the last because on no session" in told(session)
