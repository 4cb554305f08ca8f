"""The day of a consent is the clinic's day, as that of every other fact: in the west, UTC is a day ahead by evening."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import time_machine

from clinic.people import Clinic
from limen.care.screening import screen
from limen.clinic.audit.act import acting
from limen.clinic.courses.actions import open_course
from limen.clinic.courses.cases import case_as_json, case_of, value_of_day
from limen.clinic.patients import consent_queries
from limen.clinic.patients.consents import record_consent, withdraw_consent
from limen.clinic.patients.models import Patient

KEY = "facts.consent_signed"


@pytest.mark.parametrize(
    ("zone", "day"),
    [("America/Los_Angeles", date(2026, 11, 22)), ("UTC", date(2026, 11, 23)), ("Asia/Tokyo", date(2026, 11, 23))],
)
@pytest.mark.parametrize("withdrawn", [False, True])
def test_a_consent_is_of_the_sites_own_day(
    clinic: Clinic, patient: Patient, zone: str, day: date, withdrawn: bool
) -> None:
    with acting(by="tests", action="tests.zone", site=clinic.site):
        clinic.site.timezone = zone
        clinic.site.save()
    patient.refresh_from_db()
    course = open_course(
        by=clinic.prescriber, patient=patient, indication="trd", product="racemic", route="iv", protocol="TRD-IV"
    )
    form = consent_queries.form_of(course)
    with time_machine.travel(datetime(2026, 11, 23, 0, 30, tzinfo=UTC), tick=False) as clock:
        record_consent(
            by=clinic.nurse,
            course=course,
            version=form.version,
            ticked=[item.id for item in form.items],
            signed_name="Ada North",
        )
        if withdrawn:
            clock.shift(60)
            withdraw_consent(by=clinic.nurse, course=course, reason="changed her mind", signed_name="Ada North")
        case = case_of(course)
        kept = case_as_json(case)
    assert case.on == day
    (taken,) = [str(item["taken_at"]) for item in kept["facts"] if item["key"] == KEY]
    # The note prints the first ten letters as the day of the consent.
    assert taken[:10] == day.isoformat()
    assert value_of_day(kept, KEY, day) is not withdrawn
    if not withdrawn:
        assert KEY not in [item.input for item in screen(case).missing]
