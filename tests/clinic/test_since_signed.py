"""What is recorded between the signature and the start: what blocks or holds keeps the session from starting."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from clinic.orders import planned
from clinic.people import Clinic
from clinic.well import answer_everything
from limen.clinic.audit.act import acting
from limen.clinic.courses.actions import open_course, sign_plan, write_plan
from limen.clinic.courses.models import Plan
from limen.clinic.patients.actions import record_fact, record_facts
from limen.clinic.patients.consents import withdraw_consent
from limen.clinic.patients.models import ConsentRecord, Patient
from limen.clinic.sessions.actions import create_session, start_session
from limen.clinic.sessions.models import Session
from limen.errors import RefusedError


@pytest.fixture
def session(clinic: Clinic, patient: Patient, clock: time_machine.Coordinates) -> Session:
    made = planned(clinic, patient)
    clock.shift(600)
    return made


def test_a_positive_pregnancy_test_since_the_signature_stops_the_start(
    clinic: Clinic, patient: Patient, session: Session
) -> None:
    record_fact(by=clinic.nurse, patient=patient, kind="facts.pregnancy_test", value="positive")
    with pytest.raises(RefusedError, match="recorded since the plan was signed") as refused:
        start_session(by=clinic.nurse, session=session)
    assert "pregnan" in refused.value.what.lower()
    session.refresh_from_db()
    assert session.started_at is None


@pytest.mark.parametrize(
    ("pressure", "starts"),
    [
        ({"vitals.sbp_mmHg": 128, "vitals.dbp_mmHg": 78}, True),
        ({"vitals.sbp_mmHg": 196, "vitals.dbp_mmHg": 118}, False),
    ],
)
def test_a_pressure_measured_on_arrival_counts(
    clinic: Clinic, patient: Patient, session: Session, pressure: dict[str, Any], starts: bool
) -> None:
    record_facts(by=clinic.nurse, patient=patient, values=pressure)
    if starts:
        assert start_session(by=clinic.nurse, session=session).kind == "session.started"
        return
    with pytest.raises(RefusedError, match="recorded since the plan was signed"):
        start_session(by=clinic.nurse, session=session)


def test_what_the_plan_was_signed_with_is_the_prescribers(clinic: Clinic, patient: Patient, session: Session) -> None:
    record_fact(by=clinic.nurse, patient=patient, kind="facts.pregnancy_test", value="positive")
    with pytest.raises(RefusedError) as refused:
        start_session(by=clinic.nurse, session=session)
    rules = [words.split()[0] for words in refused.value.what.split("; ")]
    with acting(by="tests", action="tests.plan", site=clinic.site):
        known = [{"rule": rule, "level": level} for rule in rules for level in ("block", "hold")]
        Plan.objects.filter(pk=session.plan_id).update(result={**session.plan.result, "findings": known})
    assert start_session(by=clinic.nurse, session=session).kind == "session.started"


def test_consent_taken_back_stops_the_start(clinic: Clinic, session: Session) -> None:
    with acting(by="tests", action="tests.consent", site=clinic.site):
        ConsentRecord.objects.create(
            course=session.course, kind="given", on=session.plan.on, version="x", signed_name="A"
        )
    withdraw_consent(by=clinic.nurse, course=session.course, reason="does not want it any more")
    with pytest.raises(RefusedError, match="taken consent back"):
        start_session(by=clinic.nurse, session=session)


def test_a_true_plan_starts_after_the_nurse_wrote_down_what_is_well(
    clinic: Clinic, patient: Patient, clock: time_machine.Coordinates
) -> None:
    """Nothing that the plan was signed with comes back as new, and nor does the session itself."""
    course = open_course(
        by=clinic.prescriber, patient=patient, indication="trd", product="racemic", route="iv", protocol="TRD-IV"
    )
    answer_everything(clinic, patient)
    plan = write_plan(
        by=clinic.prescriber, course=course, protocol="TRD-IV", concentration_mg_per_mL=50.0, diluted=True
    )
    sign_plan(by=clinic.prescriber, plan=plan)
    made = create_session(by=clinic.nurse, plan=plan, chair=clinic.chair)
    clock.shift(600)
    record_facts(by=clinic.nurse, patient=patient, values={"vitals.sbp_mmHg": 126, "vitals.dbp_mmHg": 77})
    assert start_session(by=clinic.nurse, session=made).kind == "session.started"
