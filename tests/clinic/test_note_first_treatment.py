"""Whether a session of nasal esketamine is the patient's first: only doses of that product that were given count."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from clinic.orders import HEADER, happened, planned
from clinic.people import Clinic
from limen.clinic.audit.act import acting
from limen.clinic.notes.rems import recorded_rems
from limen.clinic.patients.models import Patient
from limen.clinic.sessions.models import Session

NASAL = {"product": "esketamine-nasal", "protocol": "ESK-TRD", "route": "in"}
DOSE = ("dose.given", {"dose_mg": 28.0, "route": "in", "devices": 1})
Event = tuple[str, dict[str, Any]]


def held(clinic: Clinic, patient: Patient, days_ago: int, header: dict[str, Any], *events: Event) -> Session:
    made = planned(clinic, patient)
    with acting(by="tests", action="tests.started", site=clinic.site):
        made.header = {**HEADER, **header}
        made.started_at = timezone.now() - timedelta(days=days_ago)
        made.save()
    for t_s, (kind, data) in enumerate((("session.started", {}), *events)):
        happened(made, kind, float(t_s), **data)
    return made


@pytest.mark.parametrize(
    ("header", "events", "first"),
    [
        (NASAL, [DOSE], False),
        ({**NASAL, "product": None}, [DOSE], False),  # the protocol alone says which product it was
        (NASAL, [], True),  # started, and nothing given
        (NASAL, [DOSE, ("entry.corrected", {"entry": "e2", "reason": "wrong chair"})], True),
        ({}, [("infusion.started", {"dose_mg": 35.0, "duration_min": 40})], True),
        ({}, [("dose.given", {"dose_mg": 35.0, "route": "im"})], True),
    ],
)
def test_only_a_dose_of_the_product_given_before_counts(
    clinic: Clinic, patient: Patient, header: dict[str, Any], events: list[Event], first: bool
) -> None:
    held(clinic, patient, 7, header, *events)
    now = held(clinic, patient, 0, NASAL, DOSE)
    assert recorded_rems(now)["first_treatment"] is first


def test_a_later_session_does_not_count(clinic: Clinic, patient: Patient) -> None:
    now = held(clinic, patient, 3, NASAL, DOSE)
    held(clinic, patient, 0, NASAL, DOSE)
    assert recorded_rems(now)["first_treatment"] is True
