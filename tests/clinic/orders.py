"""Signed orders and events, as the pages leave them."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from clinic.people import Clinic
from limen.clinic.audit.act import acting
from limen.clinic.courses.models import Course, Plan, ScreeningResult
from limen.clinic.patients.models import Patient
from limen.clinic.sessions.models import Session, SessionEvent
from limen.clinic.sites.zones import today

HEADER = {
    "protocol": "TRD-IV",
    "product": "racemic",
    "route": "iv",
    "patient": {"age_years": 42, "sex": "female", "weight_kg": 70},
    "baseline": {"sbp_mmHg": 128, "dbp_mmHg": 78, "hr_per_min": 72, "spo2_pct": 98},
    "session_number": 1,
}


def signed_plan(clinic: Clinic, patient: Patient, *, dose_mg: float = 35.0, strength: float = 50.0) -> Plan:
    """A signed order of today, as the plan page leaves it."""
    day = today(clinic.site)
    with acting(by="tests", action="tests.plan", site=clinic.site):
        course = Course.objects.create(
            site=clinic.site, patient=patient, indication="trd", product="racemic", route="iv", setting="clinic"
        )
        screening = ScreeningResult.objects.create(
            site=clinic.site, course=course, case={}, result={}, verdict="eligible", knowledge_release="x", on=day
        )
        made: Plan = Plan.objects.create(
            site=clinic.site,
            course=course,
            screening=screening,
            protocol="TRD-IV",
            on=day,
            result={
                "dose": {"dose_mg": dose_mg, "syringe": {"vial_mg_per_mL": strength, "concentration_mg_per_mL": 1.0}}
            },
            status=Plan.Status.SIGNED,
            signed_by=clinic.prescriber,
            signed_at=timezone.now(),
        )
    return made


def planned(
    clinic: Clinic, patient: Patient, *, dose_mg: float = 35.0, strength: float = 50.0, number: int = 1
) -> Session:
    """A session with a signed order."""
    plan = signed_plan(clinic, patient, dose_mg=dose_mg, strength=strength)
    with acting(by="tests", action="tests.session", site=clinic.site):
        made: Session = Session.objects.create(
            site=clinic.site,
            course=plan.course,
            patient=patient,
            plan=plan,
            chair=clinic.chair,
            number=number,
            header=HEADER,
        )
    return made


def happened(session: Session, kind: str, t_s: float, **data: Any) -> None:
    with acting(by="tests", action="tests.event", site=session.site):
        seq = SessionEvent.objects.filter(session=session).count() + 1
        SessionEvent.objects.create(
            site=session.site, session=session, seq=seq, kind=kind, t_s=t_s, by="tests", data=data
        )
