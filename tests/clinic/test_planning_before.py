"""A plan in the clinic counts what the book says was given before, and obeys what the site declares."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from clinic.people import Clinic
from clinic.well import answer_everything
from limen.clinic.accounts.policy import DeniedError
from limen.clinic.audit.act import acting
from limen.clinic.courses.actions import open_course, sign_plan, write_plan
from limen.clinic.courses.exposures import history_of
from limen.clinic.courses.models import Course, Plan, ScreeningResult
from limen.clinic.patients.actions import record_facts
from limen.clinic.patients.models import Patient
from limen.clinic.sessions.models import Session
from limen.clinic.sites.actions import sign_dosing
from limen.clinic.sites.dosing import dosing_of
from limen.clinic.sites.proposing import propose_dosing
from limen.clinic.sites.zones import local, today
from limen.clinic.stock.models import LedgerEntry, Vial
from limen.errors import InputError, RefusedError


@pytest.fixture
def vial(clinic: Clinic) -> Vial:
    with acting(by="tests", action="tests.vial", site=clinic.site):
        made: Vial = Vial.objects.create(label="V-1", product="racemic")
    return made


def opened(clinic: Clinic, patient: Patient, route: str, protocol: str, indication: str = "trd") -> Course:
    return open_course(
        by=clinic.prescriber, patient=patient, indication=indication, product="racemic", route=route, protocol=protocol
    )


def given(clinic: Clinic, course: Course, vial: Vial, dose_mg: str | None, days_ago: float) -> None:
    """A session as the book holds it; without a line in the book nothing was given."""
    with acting(by="tests", action="tests.given", site=clinic.site):
        at = timezone.now() - dt.timedelta(days=days_ago)
        if course.started_on is None:
            course.started_on = local(at, clinic.site).date()
            course.save()
        screening = ScreeningResult.objects.create(
            course=course, case={}, result={}, verdict="eligible", knowledge_release="x", on=today(clinic.site)
        )
        plan = Plan.objects.create(
            course=course,
            screening=screening,
            protocol=course.protocol,
            result={"dose": {"duration_min": 40, "weight_kg": 70}},
            on=at.date(),
            status=Plan.Status.SUPERSEDED,
        )
        number = course.sessions.count() + 1
        session = Session.objects.create(
            course=course,
            patient=course.patient,
            plan=plan,
            chair=clinic.chair,
            number=number,
            status=Session.Status.DISCHARGED,
            header={},
            started_at=at,
            ended_at=at,
        )
        if dose_mg is not None:
            LedgerEntry.objects.create(
                position=LedgerEntry.objects.count() + 1,
                kind="give",
                vial=vial,
                amount_mg=dose_mg,
                session=session,
                by="tests",
                key=f"give-{session.pk}",
                hash="x",
            )


def test_the_history_is_the_book_over_every_course(clinic: Clinic, patient: Patient, vial: Vial) -> None:
    first = opened(clinic, patient, "iv", "TRD-IV")
    second = opened(clinic, patient, "sc", "TRD-SC")
    given(clinic, first, vial, "35.000", 10)
    given(clinic, first, vial, None, 9)
    given(clinic, second, vial, "34.500", 3)
    told = history_of(second)
    known = [(item.dose_mg, item.route, item.protocol, item.duration_min, item.weight_kg) for item in told.exposures]
    assert sorted(known) == [(34.5, "sc", "TRD-SC", 40, 70), (35, "iv", "TRD-IV", 40, 70)]
    assert str(told.zone) == clinic.site.timezone


def test_a_day_in_pain_counts_the_morning_by_another_route(clinic: Clinic, patient: Patient, vial: Vial) -> None:
    answer_everything(clinic, patient)
    given(clinic, opened(clinic, patient, "im", "TRD-IM"), vial, "40.000", 0)
    course = opened(clinic, patient, "iv", "CRPS-OP", "crps")
    plan = write_plan(by=clinic.prescriber, course=course, protocol="CRPS-OP", dose_text="0.35 mg/kg/h iv over 4 h")
    binding = plan.result["limits"]["binding"]
    assert (binding["name"], binding["limit"], binding["asked"]) == ("daily maximum", 60, 98)
    assert plan.result["forecast_for"]["dose_mg"] <= 60


def test_what_was_given_meanwhile_stops_the_signature(clinic: Clinic, patient: Patient, vial: Vial) -> None:
    answer_everything(clinic, patient)
    course = opened(clinic, patient, "iv", "CRPS-OP", "crps")
    plan = write_plan(by=clinic.prescriber, course=course, protocol="CRPS-OP", concentration_mg_per_mL=50)
    assert plan.result["released"], plan.result["blocked_by"]
    given(clinic, opened(clinic, patient, "im", "TRD-IM"), vial, "40.000", 0)
    with pytest.raises(RefusedError, match="changed"):
        sign_plan(by=clinic.prescriber, plan=plan)


def test_the_page_shows_the_proposal_and_fills_nothing_in(
    clinic: Clinic, patient: Patient, vial: Vial, browser: Client
) -> None:
    answer_everything(clinic, patient)
    course = opened(clinic, patient, "sc", "TRD-SC")
    long_ago = timezone.now() - dt.timedelta(days=4)
    record_facts(by=clinic.nurse, patient=patient, values={"scores.MADRS": 32}, effective_at=long_ago)
    given(clinic, course, vial, "35.000", 3)
    record_facts(by=clinic.nurse, patient=patient, values={"scores.MADRS": 24})
    browser.force_login(clinic.prescriber)
    page = browser.get(f"/courses/{course.pk}/plan/")
    shown = page.content.decode()
    assert "TRD-SC proposes 0.6 mg/kg sc" in shown
    assert "MADRS 24" in shown
    assert 'value="0.6' not in shown
    step: dict[str, Any] = page.context["next_step"]
    assert (step["titration"]["decision"], step["exposure"]["sessions"], step["position"]["session"]) == ("raise", 1, 2)


def test_a_site_lays_limits_of_its_own_and_names_its_pump(clinic: Clinic, patient: Patient) -> None:
    answer_everything(clinic, patient)
    course = opened(clinic, patient, "iv", "TRD-IV")
    week = {"name": "a week here", "kind": "cap", "measure": "week", "limit": 30, "unit": "mg", "why": "ours"}
    pump = {"pump_least_mL_per_h": 60}
    said: dict[str, Any] = {"site": clinic.site, "why": "Two nurses on the floor"}
    with pytest.raises(DeniedError):
        propose_dosing(by=clinic.nurse, dosing={"limits": [week]}, **said)
    with pytest.raises(InputError, match="limits"):
        propose_dosing(by=clinic.director, dosing={"limits": [week | {"unit": "mL"}]}, **said)
    row = propose_dosing(by=clinic.director, dosing={"limits": [week], "equipment": pump}, **said)
    assert dosing_of(clinic.site).limits == ()
    sign_dosing(by=clinic.director, site=clinic.site, number=row.number, digest=row.digest)
    assert dosing_of(clinic.site).equipment.pump_least_mL_per_h == 60
    course.refresh_from_db()
    plan = write_plan(by=clinic.prescriber, course=course, protocol="TRD-IV", concentration_mg_per_mL=50, diluted=True)
    assert plan.result["limits"]["binding"]["name"] == "a week here"
    assert "DOSE-PUMP" in {item["rule"] for item in plan.result["blocked_by"]}


def test_the_weight_a_dose_follows_is_kept_with_the_plan(clinic: Clinic, patient: Patient) -> None:
    answer_everything(clinic, patient, **{"patient.weight_kg": 110, "patient.height_cm": 170})
    course = opened(clinic, patient, "iv", "TRD-IV")
    plan = write_plan(by=clinic.prescriber, course=course, protocol="TRD-IV", weight_basis="ideal")
    assert plan.weight_basis == "ideal"
    # Devine 1974 for 170 cm: 45.5 or 50 kg and 2.3 for each inch over 60.
    ideal_kg = (45.5 if patient.sex == "female" else 50) + 2.3 * (170 / 2.54 - 60)
    assert plan.result["weights"]["ideal_kg"] == pytest.approx(ideal_kg, abs=1e-3)
    assert plan.result["asked"]["dose_mg"] == pytest.approx(0.5 * ideal_kg)


def test_the_course_page_says_what_was_missed_and_what_is_done(
    clinic: Clinic, patient: Patient, vial: Vial, browser: Client
) -> None:
    answer_everything(clinic, patient)
    course = opened(clinic, patient, "sc", "TRD-SC")
    given(clinic, course, vial, "35.000", 8)
    with acting(by="tests", action="tests.protocol", site=clinic.site):
        course.protocol = "ESK-TRD"  # a rule on missed sessions; the product plays no part in it
        course.save()
    browser.force_login(clinic.prescriber)
    shown = browser.get(f"/courses/{course.pk}/").content.decode()
    assert "1 missed: week 1 ended with 1 of 2 sessions given" in shown
    assert "Keep the schedule" in shown
