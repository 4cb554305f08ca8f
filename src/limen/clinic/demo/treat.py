"""One invented patient's treatment, act by act, through the clinic's own actions."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from limen.clinic.accounts.models import User
from limen.clinic.courses.actions import open_course, run_screening, sign_plan, write_plan
from limen.clinic.courses.models import Course, Plan
from limen.clinic.demo.past import Clock
from limen.clinic.demo.people import HISTORY, ON_THE_DAY, Person
from limen.clinic.notes.actions import sign_note
from limen.clinic.outcomes.actions import record_questionnaire
from limen.clinic.patients.actions import (
    mark_history_taken,
    record_allergies,
    record_condition,
    record_facts,
    record_medication,
    register_patient,
)
from limen.clinic.patients.models import Patient
from limen.clinic.sessions.actions import (
    ask_discharge,
    create_session,
    discharge,
    halt,
    record,
    start_session,
)
from limen.clinic.sessions.models import Session
from limen.clinic.sites.models import Chair, Site
from limen.clinic.stock.actions import draw, waste
from limen.clinic.stock.models import Vial
from limen.clinic.stock.queries import site_balance

STRENGTH_MG_PER_ML = 50.0
SPARE_MG = "2.0"


@dataclass(frozen=True, slots=True)
class Staff:
    """The people of the demonstration, in the order of its accounts."""

    prescriber: User
    nurse: User
    second_nurse: User
    pharmacist: User
    director: User


def meet(site: Site, staff: Staff, person: Person) -> tuple[Patient, Course]:
    """The patient and their course: on file already, or registered with their history."""
    patient = Patient.objects.filter(site=site, mrn=person.mrn).first()
    if patient is not None:
        course = patient.courses.order_by("created_at").last()
        if course is not None:
            return patient, course
    else:
        patient = register_patient(
            by=staff.nurse,
            site=site,
            mrn=person.mrn,
            family_name=person.family_name,
            given_name=person.given_name,
            birth_date=person.birth_date,
            sex=person.sex,
        )
        for code, system, text in person.conditions:
            record_condition(by=staff.nurse, patient=patient, text=text, code=code, system=system)
        for name, dose in person.medications:
            record_medication(by=staff.nurse, patient=patient, name=name, dose=dose)
        for about in ("conditions", "medications"):
            mark_history_taken(by=staff.nurse, patient=patient, about=about)
        record_allergies(by=staff.nurse, patient=patient, none=True)
        record_facts(by=staff.nurse, patient=patient, values=HISTORY)
    course = open_course(
        by=staff.prescriber, patient=patient, indication="trd", product="racemic", route="iv", protocol="TRD-IV"
    )
    return patient, course


def prepare_day(staff: Staff, person: Person, patient: Patient, course: Course, number: int = 0) -> None:
    """What is asked and measured before a session, and the screening on it."""
    systolic, diastolic = person.pressure
    values = ON_THE_DAY | {
        "patient.weight_kg": person.weight_kg,
        "patient.height_cm": person.height_cm,
        "vitals.sbp_mmHg": systolic,
        "vitals.dbp_mmHg": diastolic,
        "facts.pregnancy_test": "negative" if person.sex == "female" else "not-applicable",
        "facts.session_number": number + 1,
        "facts.sessions_done": number,
    }
    record_facts(by=staff.nurse, patient=patient, values=values | dict(person.known))
    if person.phq9:
        record_questionnaire(
            by=staff.nurse,
            course=course,
            instrument="PHQ-9",
            phase="baseline" if number == 0 else "before",
            answers={"items": list(person.phq9[min(number, len(person.phq9) - 1)])},
            at=timezone.now(),
        )
    run_screening(by=staff.nurse, course=course)


def plan_today(staff: Staff, course: Course, *, sign: bool = True) -> Plan:
    """The protocol's own dose, signed unless the signature is left to do."""
    plan = write_plan(
        by=staff.prescriber,
        course=course,
        protocol="TRD-IV",
        concentration_mg_per_mL=STRENGTH_MG_PER_ML,
        dilute_to_mg_per_mL=1.0,
    )
    return sign_plan(by=staff.prescriber, plan=plan) if sign else plan


def draw_up(staff: Staff, session: Session) -> Vial:
    """The dose and a little more, from the first vial that holds it; the second nurse confirms."""
    dose_mg = session.plan.result["dose"]["dose_mg"]
    needed = dose_mg + float(SPARE_MG)
    on_hand = {line["vial"]: float(line["on_hand_mg"]) for line in site_balance(session.site)["vials"]}
    vial = next(
        vial for vial in Vial.objects.filter(site=session.site).order_by("label") if on_hand[vial.label] >= needed
    )
    draw(
        by=staff.nurse,
        session=session,
        vial=vial,
        amount_mg=f"{needed:.3f}",
        witness=staff.second_nurse,
        key=f"demo-draw-{session.pk}",
    )
    return vial


def live_through(site: Site, staff: Staff, person: Person, number: int, clock: Clock) -> None:
    """One whole session in the past, from the questions before it to the signed note."""
    patient, course = meet(site, staff, person)
    prepare_day(staff, person, patient, course, number)
    clock.forward(20)
    plan = plan_today(staff, course)
    session = create_session(by=staff.nurse, plan=plan, chair=Chair.objects.filter(site=site).order_by("name")[3])
    vial = draw_up(staff, session)
    start_session(by=staff.nurse, session=session)
    systolic, diastolic = person.pressure
    minutes = round(plan.result["dose"]["duration_min"])

    def observe(rise_mmHg: int, dissociation: int, **more: object) -> None:
        seen = {
            "sbp_mmHg": systolic + rise_mmHg,
            "dbp_mmHg": diastolic + rise_mmHg // 2,
            "hr_per_min": 72 + rise_mmHg // 3,
            "spo2_pct": 98,
            "rr_per_min": 14,
            "moaas": 5,
            "dissociation": dissociation,
            "distress": 0,
        }
        record(by=staff.nurse, session=session, kind="observation.recorded", data=seen | more)

    observe(0, 0)
    clock.forward(2)
    record(by=staff.nurse, session=session, kind="infusion.started", data={})
    for rise_mmHg, dissociation in ((5, 1), (9, 2), (12, 2)):
        clock.forward(minutes / 4)
        observe(rise_mmHg, dissociation)
    clock.forward(minutes / 4)
    syringe = plan.result["dose"]["syringe"]
    volume = plan.result["dose"]["dose_mg"] / syringe["concentration_mg_per_mL"]
    halt(
        by=staff.nurse,
        session=session,
        kind="infusion.stopped",
        data={"reason": "complete", "pump_volume_mL": round(volume, 3)},
    )
    observe(11, 2)
    clock.forward(3)
    waste(
        by=staff.nurse,
        session=session,
        vial=vial,
        amount_mg=SPARE_MG,
        witness=staff.second_nurse,
        reason="left in the syringe",
        key=f"demo-waste-{session.pk}",
    )
    for rise_mmHg, dissociation in ((7, 1), (4, 0), (2, 0)):
        clock.forward(15)
        observe(rise_mmHg, dissociation)
    clock.forward(20)
    observe(
        0,
        0,
        aldrete=10,
        oriented=True,
        walks_unaided=True,
        symptoms=[],
        escort=True,
        instructions_given=True,
        emergency_number_given=True,
        safety_plan_given=True,
        next_cssrs_on=f"{clock.at:%Y-%m-%d}",
    )
    ask_discharge(by=staff.nurse, session=session)
    discharge(by=staff.nurse, session=session, condition="well", escort_name="a relative")
    clock.forward(10)
    session.refresh_from_db()
    sign_note(by=staff.nurse, session=session)
