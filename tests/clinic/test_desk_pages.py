"""What the desk pages say: of answers, of who did it, of how old a verdict is. Each line read from the page itself."""

from __future__ import annotations

import html
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from clinic.people import Clinic
from clinic.well import CALM, answer_everything
from limen.clinic.courses.actions import open_course, run_screening, write_plan
from limen.clinic.courses.models import Course
from limen.clinic.patients.actions import mark_history_taken, record_condition, record_facts
from limen.clinic.patients.cssrs import screener
from limen.clinic.patients.models import Patient

TOPICS = (
    "wish to be dead",
    "thoughts of ending life",
    "with a method",
    "with some intent",
    "with plan and intent",
    "any behaviour, ever",
    "behaviour in the past 3 months",
)


def words(answer) -> str:
    """A page as it reads, without its markup."""
    text = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", answer.content.decode(), flags=re.S)
    return re.sub(r"[\s\u00a0]+", " ", html.unescape(text))


@pytest.fixture
def course(clinic: Clinic, patient: Patient) -> Course:
    return open_course(
        by=clinic.prescriber, patient=patient, indication="trd", product="racemic", route="iv", protocol="TRD-IV"
    )


# ---- the C-SSRS screener


def test_the_questions_of_the_screener_are_named_by_topic(browser: Client, patient: Patient) -> None:
    page = words(browser.get(reverse("patients:facts", args=[patient.pk])))
    for number, topic in zip(("1", "2", "3", "4", "5", "6", "6 recent"), TOPICS, strict=True):
        assert f"{number}. {topic[0].upper()}{topic[1:]}" in page
    assert "C-SSRS screener, q1" not in page


# Tiers as the Columbia triage page has them: ideation with intent, or behaviour in the past 3 months, is high.
@pytest.mark.parametrize(
    ("answers", "tier", "do"),
    [
        (dict.fromkeys(("q1", "q2", "q6"), False), "none", ""),
        ({"q1": True, "q2": False, "q6": False}, "low", "Tell the clinician before dosing"),
        ({"q1": False, "q2": False, "q6": True, "q6_recent": True}, "high", "Do not leave alone"),
        ({"q1": False, "q2": False}, "indeterminate, treat as at least moderate", "evaluation on record before dosing"),
    ],
)
def test_the_tier_stands_beside_the_answers_on_chart_and_screening(
    clinic: Clinic, browser: Client, course: Course, answers: dict, tier: str, do: str
) -> None:
    record_facts(by=clinic.nurse, patient=course.patient, values={"scores.C-SSRS": answers})
    run_screening(by=clinic.nurse, course=course)
    for address in (
        reverse("patients:detail", args=[course.patient_id]),
        reverse("courses:screening", args=[course.pk]),
        reverse("patients:facts", args=[course.patient_id]),
    ):
        page = words(browser.get(address))
        assert f"Triage tier {tier} " in page, address
        assert do in page, address
        assert "wish to be dead" in page, address
        assert not re.search(r"\bq\d", page), address


def test_an_answer_that_should_have_been_asked_is_told_from_one_that_need_not() -> None:
    found = dict(screener({"q1": False, "q2": True, "q3": False, "q6": False}).answers)
    assert found["not answered"] == "with some intent; with plan and intent"
    assert found["not asked"] == "behaviour in the past 3 months"
    assert dict(screener({"q1": False, "q2": False, "q6": False}).answers)["not asked"] == "; ".join(
        (*TOPICS[2:5], TOPICS[6])
    )


def test_what_is_on_record_stands_with_its_day(clinic: Clinic, browser: Client, patient: Patient) -> None:
    values = {"patient.weight_kg": 70, "scores.C-SSRS": {"q1": False, "q2": False, "q6": False}}
    record_facts(by=clinic.nurse, patient=patient, values=values)
    page = words(browser.get(reverse("patients:facts", args=[patient.pk])))
    assert re.search(r"weight 70 kg , today \d\d:\d\d", page)
    assert re.search(r"Triage tier none , today \d\d:\d\d", page)
    assert "0 on record. One at a time. Diagnosis" in page


# ---- histories, and who did what


def test_a_history_that_was_taken_is_said_in_words(clinic: Clinic, browser: Client, patient: Patient) -> None:
    mark_history_taken(by=clinic.nurse, patient=patient, about="conditions")
    page = words(browser.get(reverse("patients:detail", args=[patient.pk])))
    assert "history of conditions taken today" in page
    assert "history of medications" not in page


def test_an_import_names_the_person_not_the_account(clinic: Clinic, browser: Client, tmp_path: Path) -> None:
    sent = {
        "resourceType": "Patient",
        "id": "p",
        "identifier": [{"value": "REF-8", "type": {"coding": [{"code": "MR"}]}}],
        "name": [{"family": "Moreau", "given": ["Lea"]}],
        "gender": "female",
        "birthDate": "1979-05-04",
    }
    entry = {"fullUrl": "urn:uuid:p", "resource": sent}
    file = tmp_path / "lea.json"
    file.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [entry]}))
    with file.open("rb") as upload:
        report = browser.post(reverse("patients:import"), {"bundle": upload}, follow=True)
    chart = browser.get(reverse("patients:detail", args=[Patient.objects.get(mrn="REF-8").pk]))
    with file.open("rb") as upload:
        again = browser.post(reverse("patients:import"), {"bundle": upload}, follow=True)
    for answer in (report, chart, again):
        assert "Nina Nurse" in words(answer).replace("Nina Nurse Nurse", "", 1)
        assert "nina-nurse" not in words(answer)


# ---- a verdict and a draft rest on what was on record then


def verdict(answer) -> tuple[str, str]:
    """The words about the verdict, and the button that stands out."""
    section = re.search(r'<section class="verdict.*?</section>', answer.content.decode(), re.S)[0]
    main = re.findall(r'<(?:button|a) class="[^"]*press--main[^"]*"[^>]*>([^<]*)<', section)
    assert len(main) == 1
    return re.sub(r"<[^>]+>", " ", section), main[0]


def test_a_verdict_says_what_was_recorded_after_it(clinic: Clinic, course: Course) -> None:
    browser = Client()
    browser.force_login(clinic.prescriber)
    address = reverse("courses:screening", args=[course.pk])
    record_facts(by=clinic.nurse, patient=course.patient, values=CALM)
    run_screening(by=clinic.nurse, course=course)
    said, main = verdict(browser.get(address))
    assert "recorded after this verdict" not in said
    assert main == "To the plan"
    record_facts(by=clinic.nurse, patient=course.patient, values={"patient.weight_kg": 71})
    assert "1 value was recorded after this verdict: screen again." in verdict(browser.get(address))[0]
    mark_history_taken(by=clinic.nurse, patient=course.patient, about="conditions")
    record_condition(by=clinic.nurse, patient=course.patient, text="Asthma")
    said, main = verdict(browser.get(address))
    assert "3 values were recorded after this verdict: screen again." in said
    assert main == "Screen again"
    browser.post(reverse("courses:screen", args=[course.pk]))
    assert "recorded after this verdict" not in verdict(browser.get(address))[0]


def test_a_verdict_of_another_day_does_not_pass_for_todays(clinic: Clinic, course: Course, time_machine) -> None:
    run_screening(by=clinic.nurse, course=course)
    screened = course.screenings.get().created_at
    time_machine.move_to(screened + timedelta(days=1))
    browser = Client()
    browser.force_login(clinic.prescriber)
    said, main = verdict(browser.get(reverse("courses:screening", args=[course.pk])))
    assert "This verdict is not of today: screen again." in said
    assert main == "Screen again"


def sign_button(answer) -> str:
    return html.unescape(re.search(r"<button[^>]*>Sign [^<]*</button>", answer.content.decode())[0])


def test_a_draft_older_than_the_newest_fact_is_shown_again_before_it_is_signed(clinic: Clinic, course: Course) -> None:
    browser = Client()
    browser.force_login(clinic.prescriber)
    address = reverse("courses:plan", args=[course.pk])
    answer_everything(clinic, course.patient)
    write_plan(
        by=clinic.prescriber, course=course, protocol="TRD-IV", concentration_mg_per_mL=50, dilute_to_mg_per_mL=1
    )
    page = browser.get(address)
    assert "recorded after this draft" not in words(page)
    assert "Sign 35.0\u00a0mg over 40\u00a0min" in sign_button(page)
    assert "disabled" not in sign_button(page)
    assert "You sign as Paula Prescriber , prescriber." in words(page)
    record_facts(by=clinic.nurse, patient=course.patient, values={"patient.weight_kg": 71})
    page = browser.get(address)
    assert "1 value was recorded after this draft. Press “Show what this does” before it is signed." in words(page)
    assert "disabled" in sign_button(page)
    browser.post(address, {"protocol": "TRD-IV", "concentration_mg_per_mL": "50", "dilute_to_mg_per_mL": "1"})
    page = browser.get(address)
    assert "recorded after this draft" not in words(page)
    assert "Sign 35.5\u00a0mg" in sign_button(page)
    assert "disabled" not in sign_button(page)


@pytest.mark.parametrize(("days", "said", "past"), [(0, "needs-data, today", False), (19, "needs-data, 3 Nov", True)])
def test_a_verdict_stands_with_its_day_on_list_and_chart(
    clinic: Clinic, course: Course, time_machine, days: int, said: str, past: bool
) -> None:
    # 23:30 UTC on the 2nd is the 3rd at the site, in Berlin.
    time_machine.move_to(datetime(2026, 11, 2, 23, 30, tzinfo=UTC), tick=False)
    run_screening(by=clinic.nurse, course=course)
    time_machine.move_to(datetime(2026, 11, 3, 8, 0, tzinfo=UTC) + timedelta(days=days), tick=False)
    browser = Client()
    browser.force_login(clinic.nurse)
    for address in (reverse("patients:list"), reverse("patients:detail", args=[course.patient_id])):
        answer = browser.get(address)
        assert said in words(answer)
        assert ("door-line--past" in answer.content.decode()) is past


# ---- the forecast of a plan, from the pressure of the day


def test_the_forecast_rises_from_the_pressure_of_the_day_to_named_limits(
    clinic: Clinic, course: Course, time_machine
) -> None:
    time_machine.move_to(datetime(2026, 11, 3, 8, 0, tzinfo=UTC), tick=False)
    answer_everything(clinic, course.patient)  # 124 mmHg
    browser = Client()
    browser.force_login(clinic.prescriber)
    address = reverse("courses:plan", args=[course.pk])
    write_plan(by=clinic.prescriber, course=course, protocol="TRD-IV")
    page = words(browser.get(address))
    assert re.search(r"forecast peak 1\d\d–1\d\d mmHg from 124", page)
    assert "hold 180, MON-1 : 56 mmHg over the baseline" in page
    assert "warn 160, MON-1 : 36 mmHg over the baseline" in page
    time_machine.move_to(datetime(2026, 11, 4, 8, 0, tzinfo=UTC), tick=False)
    browser.force_login(clinic.prescriber)
    write_plan(by=clinic.prescriber, course=course, protocol="TRD-IV")
    page = words(browser.get(address))
    assert "Rise in systolic pressure peaks at" in page
    assert "from 124" not in page
    assert "hold 180" not in page
    assert "No systolic pressure of the day on record" in page


# ---- how strong the pump runs is asked once


def test_one_field_says_whether_and_how_far_a_vial_is_diluted(clinic: Clinic, course: Course) -> None:
    answer_everything(clinic, course.patient)
    browser = Client()
    browser.force_login(clinic.prescriber)
    address = reverse("courses:plan", args=[course.pk])
    empty = browser.get(address)
    assert "TRD-IV's own: 1 mg/mL in sodium chloride 0.9 % (clinic rule). Empty: the vial as it is" in words(empty)
    field = re.search(r'<input[^>]*name="dilute_to_mg_per_mL"[^>]*>', empty.content.decode())[0]
    assert "value=" not in field
    assert "placeholder=" not in field
    assert 'name="diluted"' not in empty.content.decode()

    def ask(**fields: str) -> dict:
        assert browser.post(address, {"protocol": "TRD-IV", **fields}).status_code == 302
        return course.plans.first().result

    # 35 mg of a 50 mg/mL vial is 0.7 mL as it is, and 35 mL at 1 mg/mL
    plain = ask(concentration_mg_per_mL="50")["dose"]["syringe"]
    assert (plain["diluent"], plain["volume_mL"]) == (None, pytest.approx(0.7))
    made_up = ask(concentration_mg_per_mL="50", dilute_to_mg_per_mL="1")["dose"]["syringe"]
    assert (made_up["concentration_mg_per_mL"], made_up["volume_mL"]) == (1.0, pytest.approx(35.0))


def test_a_strong_vial_left_undiluted_is_refused(clinic: Clinic, course: Course) -> None:
    answer_everything(clinic, course.patient)
    browser = Client()
    browser.force_login(clinic.prescriber)
    address = reverse("courses:plan", args=[course.pk])
    browser.post(address, {"protocol": "TRD-IV", "concentration_mg_per_mL": "100"})
    row = course.plans.first()
    assert row.screening.case["request"]["diluted"] is False
    assert "DOSE-CONC" in [item["rule"] for item in row.result["blocked_by"]]
    browser.post(address, {"protocol": "TRD-IV", "concentration_mg_per_mL": "100", "dilute_to_mg_per_mL": "1"})
    assert "DOSE-CONC" not in [item["rule"] for item in course.plans.first().result["blocked_by"]]
