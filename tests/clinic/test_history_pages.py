"""Allergies and antidepressants tried: asked by a person on a day, corrected by a new entry, used by the rules."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clinic.people import Clinic
from clinic.well import answer_everything
from limen.clinic.accounts.policy import DeniedError
from limen.clinic.audit.act import acting
from limen.clinic.courses.actions import open_course, run_screening
from limen.clinic.courses.models import Course
from limen.clinic.patients.actions import (
    correct_fact,
    correct_trial,
    mark_history_taken,
    record_allergies,
    record_fact,
    record_trial,
    retract_record,
)
from limen.clinic.patients.allergies import allergies_of
from limen.clinic.patients.models import Fact, Patient, TrialRecord
from limen.clinic.patients.queries import recorded_since
from limen.clinic.patients.trials import trials_of
from limen.errors import InputError, RefusedError

FAILED = {"dose_mg_per_day": 100.0, "weeks": 12.0, "adherence": "good", "response": "none", "episode": "current"}


def words(answer: Any) -> str:
    text = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", answer.content.decode(), flags=re.S)
    return re.sub(r"[\s\u00a0]+", " ", html.unescape(text))


def screened(clinic: Clinic, course: Course) -> dict[str, Any]:
    result: dict[str, Any] = run_screening(by=clinic.nurse, course=course).result
    return result


def rule(result: dict[str, Any], name: str) -> str:
    """How a rule came out: the level of its finding, ``missing``, or ``passed``."""
    found = next((item["level"] for item in result["findings"] if item["rule"] == name), None)
    missing = any(item["rule"] == name for item in result["missing"])
    return found or ("missing" if missing else "passed")


@pytest.fixture
def course(clinic: Clinic, patient: Patient) -> Course:
    """Everything answered but the two questions of this page."""
    answer_everything(clinic, patient, **{"facts.ketamine_allergy": None, "facts.adequate_trials_failed": None})
    return open_course(
        by=clinic.prescriber, patient=patient, indication="trd", product="racemic", route="iv", protocol="TRD-IV"
    )


# ---- allergies


def test_nobody_asked_is_not_none_known(clinic: Clinic, patient: Patient) -> None:
    assert allergies_of(patient).names is None
    record_allergies(by=clinic.nurse, patient=patient, none=True)
    found = allergies_of(patient)
    assert found.names == ()
    assert found.asked is not None
    assert found.asked.source == "Nina Nurse"


def test_names_add_to_the_record_and_none_is_then_refused(clinic: Clinic, patient: Patient) -> None:
    record_allergies(by=clinic.nurse, patient=patient, names=["Penicillin (rash)", " ", "Latex"])
    record_allergies(by=clinic.nurse, patient=patient, names=["latex", "Ondansetron"])
    assert allergies_of(patient).names == ("Penicillin (rash)", "Latex", "Ondansetron")
    with pytest.raises(RefusedError, match=r"on record: Penicillin \(rash\); Latex; Ondansetron"):
        record_allergies(by=clinic.nurse, patient=patient, none=True)


@pytest.mark.parametrize("said", [{}, {"none": True, "names": ["Latex"]}, {"names": ["  "]}, {"names": ["x" * 201]}])
def test_an_answer_that_is_none_or_both_is_refused(clinic: Clinic, patient: Patient, said: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        record_allergies(by=clinic.nurse, patient=patient, **said)
    assert not Fact.objects.filter(patient=patient).exists()


def test_what_was_named_and_taken_back_leaves_the_question_open(clinic: Clinic, patient: Patient) -> None:
    record_allergies(by=clinic.nurse, patient=patient, names=["Penicilin"])
    row = allergies_of(patient).rows[0]
    mended = correct_fact(by=clinic.nurse, fact=row, value="Penicillin", reason="spelled wrong")
    assert allergies_of(patient).names == ("Penicillin",)
    correct_fact(by=clinic.nurse, fact=mended, value=None, reason="another patient")
    assert allergies_of(patient).names is None


def test_screening_reads_the_answer_and_a_name_for_ketamine_blocks(clinic: Clinic, course: Course) -> None:
    assert rule(screened(clinic, course), "SEL-01") == "missing"
    record_allergies(by=clinic.nurse, patient=course.patient, names=["Penicillin"])
    assert rule(screened(clinic, course), "SEL-01") == "passed"
    record_allergies(by=clinic.nurse, patient=course.patient, names=["Spravato (swelling)"])
    assert rule(screened(clinic, course), "SEL-01") == "block"


def test_a_referral_that_names_an_allergy_has_not_asked_for_all(clinic: Clinic, course: Course) -> None:
    with acting(by="tests", action="tests.allergy", site=clinic.site):
        Fact.objects.create(patient=course.patient, kind="allergy", value="Penicillin", source="referral")
    assert allergies_of(course.patient).names == ("Penicillin",)
    assert rule(screened(clinic, course), "SEL-01") == "missing"


def test_an_answer_by_hand_is_not_lifted_by_a_list(clinic: Clinic, course: Course) -> None:
    record_fact(by=clinic.nurse, patient=course.patient, kind="facts.ketamine_allergy", value=True)
    record_allergies(by=clinic.nurse, patient=course.patient, none=True)
    assert rule(screened(clinic, course), "SEL-01") == "block"


def test_the_chart_asks_says_none_and_lists(clinic: Clinic, patient: Patient, browser: Client) -> None:
    chart, entry = (reverse(f"patients:{name}", args=[patient.pk]) for name in ("detail", "facts"))
    assert "Allergies Not asked. That is not the same as none known" in words(browser.get(chart))
    refused = browser.post(entry, {"group": "allergies", "answer": "some", "names": ""})
    assert refused.status_code == 400
    assert "none known, or at least one name" in words(refused)
    assert browser.post(entry, {"group": "allergies", "answer": "none"}).status_code == 302
    assert "None known. Asked today" in words(browser.get(chart))
    assert "allergies none known , today" in words(browser.get(entry))
    row = Fact.objects.get(patient=patient, kind="history.allergies")
    changed = browser.post(reverse("patients:correct", args=[row.pk]), {"value": "listed", "reason": "not asked"})
    assert changed.status_code == 400
    browser.post(reverse("patients:correct", args=[row.pk]), {"value": "", "reason": "not asked"})
    assert "Not asked" in words(browser.get(chart))
    browser.post(entry, {"group": "allergies", "answer": "some", "names": "Latex (hives)\nPenicillin"})
    assert "Latex (hives) today" in words(browser.get(chart))


# ---- antidepressants tried


def test_two_adequate_trials_that_failed_are_counted(clinic: Clinic, course: Course) -> None:
    assert rule(screened(clinic, course), "BAS-16") == "missing"
    for drug in ("sertraline", "citalopram"):
        record_trial(by=clinic.nurse, patient=course.patient, trial=FAILED | {"drug": drug})
    result = screened(clinic, course)
    assert rule(result, "BAS-16") == "passed"
    assert result["antidepressant_trials"]["adequate_failed"] == {"at_least": 2, "at_most": 2}


def test_one_trial_settles_nothing_until_the_list_is_whole(clinic: Clinic, course: Course) -> None:
    record_trial(by=clinic.nurse, patient=course.patient, trial=FAILED | {"drug": "sertraline"})
    assert rule(screened(clinic, course), "BAS-16") == "missing"
    mark_history_taken(by=clinic.nurse, patient=course.patient, about="trials")
    assert rule(screened(clinic, course), "BAS-16") == "hold"


def test_a_number_by_hand_stands_and_the_difference_is_said(clinic: Clinic, course: Course, browser: Client) -> None:
    record_fact(by=clinic.nurse, patient=course.patient, kind="facts.adequate_trials_failed", value=3)
    # 25 mg of sertraline is under the 50 mg that both sources name.
    record_trial(by=clinic.nurse, patient=course.patient, trial=FAILED | {"drug": "sertraline", "dose_mg_per_day": 25})
    mark_history_taken(by=clinic.nurse, patient=course.patient, about="trials")
    assert rule(screened(clinic, course), "BAS-16") == "warn"
    page = words(browser.get(reverse("patients:trials", args=[course.patient_id])))
    assert "Given by hand: 3 , today" in page
    assert "The list does not allow that number" in page
    assert "25 mg a day of sertraline is too low (50 mg a day)" in page
    assert "By hand it is 3, which the list does not allow" in words(
        browser.get(reverse("courses:screening", args=[course.pk]))
    )


def test_a_correction_is_a_new_entry_and_the_old_one_stays(clinic: Clinic, patient: Patient) -> None:
    row = record_trial(by=clinic.nurse, patient=patient, trial=FAILED | {"drug": "sertraline", "weeks": 2})
    assert trials_of(patient, {}).history.at_least == 0
    with pytest.raises(RefusedError, match="nothing in it"):
        correct_trial(
            by=clinic.nurse, record=row, trial=FAILED | {"drug": "sertraline", "weeks": 2}, reason="two weeks"
        )
    mended = correct_trial(
        by=clinic.nurse, record=row, trial=FAILED | {"drug": "sertraline"}, reason="twelve weeks, not two"
    )
    assert (mended.entered_in_error_of, mended.effective_at) == (row, row.effective_at)
    assert trials_of(patient, {}).history.at_least == 1
    assert TrialRecord.objects.filter(patient=patient).count() == 2
    with pytest.raises(RefusedError, match="corrected already"):
        correct_trial(by=clinic.nurse, record=row, trial=FAILED | {"drug": "citalopram"}, reason="another drug")
    retract_record(by=clinic.nurse, record=mended, reason="another patient")
    assert trials_of(patient, {}).tried == ()


def test_a_verdict_says_that_a_trial_was_entered_after_it(clinic: Clinic, course: Course) -> None:
    row = run_screening(by=clinic.nurse, course=course)
    record_trial(by=clinic.nurse, patient=course.patient, trial=FAILED | {"drug": "sertraline"})
    assert recorded_since(course.patient, row.created_at) == 1


def test_only_those_at_the_bedside_enter_trials_and_allergies(clinic: Clinic, patient: Patient) -> None:
    for person in (clinic.pharmacist, clinic.stranger):
        with pytest.raises(DeniedError):
            record_trial(by=person, patient=patient, trial=FAILED | {"drug": "sertraline"})
        with pytest.raises(DeniedError):
            record_allergies(by=person, patient=patient, none=True)


def test_the_page_from_the_first_entry_to_the_correction(clinic: Clinic, course: Course, browser: Client) -> None:
    page = reverse("patients:trials", args=[course.patient_id])
    assert "Nothing is listed. That is not the same as none" in words(browser.get(page))
    sent = {"drug": "Zoloft", "dose_mg_per_day": "100", "weeks": "12", "adherence": "good", "response": "none"}
    wrong = browser.post(page, sent | {"episode": "current", "weeks": "9000"})
    assert wrong.status_code == 400
    assert "0 to 3000 weeks" in words(wrong)
    assert browser.post(page, sent | {"episode": "current"}).status_code == 302
    told = words(browser.get(page))
    assert "Antidepressants tried: 1 adequate and failed" in told
    assert "Zoloft read as sertraline" in told
    assert "Adequate, failed: counts" in told
    assert "Not said to be whole" in told
    browser.post(reverse("patients:trials_asked", args=[course.patient_id]))
    assert "Said to be whole , today" in words(browser.get(page))
    row = TrialRecord.objects.get()
    correct = reverse("patients:correct_trial", args=[row.pk])
    assert 'value="Zoloft"' in browser.get(correct).content.decode()
    mended = sent | {"episode": "current", "response": "", "improvement_pct": "60", "reason": "the scale says better"}
    assert browser.post(correct, mended).status_code == 302
    told = words(browser.get(page))
    assert "Helped: does not count" in told
    assert "1 entry put right or taken back" in told
    assert "the scale says better" in told
    newest = TrialRecord.objects.order_by("-created_at")[0]
    taken = browser.post(reverse("patients:retract_trial", args=[newest.pk]), {"reason": "another patient"})
    assert taken.url == page
    assert "None was tried" in words(browser.get(page))
