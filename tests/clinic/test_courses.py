"""From a referral that cannot be judged to a signed plan: verdicts, overrides by the right person, signature."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic.people import Clinic
from clinic.well import CALM, answer_everything
from limen.clinic.accounts.policy import DeniedError
from limen.clinic.audit.models import AuditEntry
from limen.clinic.courses.actions import open_course, override_finding, run_screening, sign_plan, write_plan
from limen.clinic.courses.cases import case_of
from limen.clinic.courses.models import Course, Override, Plan, ScreeningResult
from limen.clinic.courses.overriding import waived
from limen.clinic.patients.actions import record_condition, record_facts, record_medication
from limen.clinic.patients.models import Patient
from limen.clinic.sites.actions import declare_settings
from limen.errors import InputError, RefusedError


@pytest.fixture
def course(clinic: Clinic, patient: Patient) -> Course:
    return open_course(
        by=clinic.prescriber,
        patient=patient,
        indication="trd",
        product="racemic",
        route="iv",
        protocol="TRD-IV",
    )


def rules_at(row: ScreeningResult, level: str) -> set[str]:
    return {item["rule"] for item in row.result["findings"] if item["level"] == level}


def test_a_bare_referral_needs_data(clinic: Clinic, course: Course) -> None:
    row = run_screening(by=clinic.nurse, course=course)
    assert row.verdict == "needs-data"
    assert row.result["missing"]
    assert row.case["conditions_asked"] is False


def test_answers_change_the_verdict(clinic: Clinic, course: Course) -> None:
    answer_everything(clinic, course.patient)
    row = run_screening(by=clinic.nurse, course=course)
    gaps = [item for item in row.result["missing"] if item["level"] in ("block", "hold")]
    assert (row.verdict, gaps) in (("eligible", []), ("caution", [])), row.result["findings"]


def test_yesterdays_pressure_is_missing_today(clinic: Clinic, course: Course) -> None:
    answer_everything(clinic, course.patient)
    fresh = run_screening(by=clinic.nurse, course=course)
    assert "vitals.sbp_mmHg" in {fact["key"] for fact in fresh.case["facts"]}
    Fact = type(course.patient.facts.first())
    assert Fact.objects.filter(kind="vitals.sbp_mmHg").count() == 1
    from limen.care.screening import screen
    from limen.clinic.courses.cases import case_of

    later = case_of(course, on=fresh.on + timedelta(days=1))
    assert later.number("vitals.sbp_mmHg") is None
    assert later.weight_kg == 70
    missing = {item.input for item in screen(later).missing}
    assert any("sbp_mmHg" in name for name in missing)


def test_a_history_taken_long_ago_is_asked_again(clinic: Clinic, course: Course, time_machine) -> None:
    answer_everything(clinic, course.patient)
    fresh = run_screening(by=clinic.nurse, course=course)
    assert "conditions" not in {row["input"] for row in fresh.result["missing"]}
    now = timezone.now()
    time_machine.move_to(now + timedelta(days=30))
    assert case_of(course).conditions_asked is True
    time_machine.move_to(now + timedelta(days=31))
    assert (case_of(course).conditions_asked, case_of(course).medications_asked) == (False, False)


def test_the_day_of_a_fact_is_the_sites_day(clinic: Clinic, course: Course) -> None:
    from datetime import UTC, date, datetime

    from limen.clinic.courses.cases import case_of

    # 23:30 UTC on the 9th is 00:30 on the 10th in Berlin.
    record_facts(
        by=clinic.nurse, patient=course.patient, values=CALM, effective_at=datetime(2026, 3, 9, 23, 30, tzinfo=UTC)
    )
    assert case_of(course, on=date(2026, 3, 10)).number("vitals.sbp_mmHg") == 124
    assert case_of(course, on=date(2026, 3, 9)).number("vitals.sbp_mmHg") is None


def hold_screening(clinic: Clinic, course: Course) -> tuple[ScreeningResult, str]:
    """A screening with a hold: pressure over what the rules accept before a dose."""
    answer_everything(clinic, course.patient, **{"vitals.sbp_mmHg": 168, "vitals.dbp_mmHg": 104})
    row = run_screening(by=clinic.nurse, course=course)
    held = [item for item in row.result["findings"] if item["level"] == "hold" and item.get("override") == "prescriber"]
    assert held, row.result["findings"]
    return row, held[0]["rule"]


def block_screening(clinic: Clinic, course: Course) -> tuple[ScreeningResult, str]:
    answer_everything(clinic, course.patient)
    record_condition(
        by=clinic.nurse, patient=course.patient, text="abdominal aortic aneurysm", code="I71.4", system="icd10"
    )
    row = run_screening(by=clinic.nurse, course=course)
    assert row.verdict == "excluded"
    return row, "SEL-04"


def test_a_hold_is_overridden_by_a_prescriber_with_a_reason(clinic: Clinic, course: Course) -> None:
    row, rule = hold_screening(clinic, course)
    for person in (clinic.nurse, clinic.pharmacist, clinic.stranger):
        with pytest.raises(DeniedError):
            override_finding(by=person, screening=row, rule=rule, reason="because I say so")
    with pytest.raises(InputError, match="too little"):
        override_finding(by=clinic.prescriber, screening=row, rule=rule, reason="fine")
    made = override_finding(by=clinic.prescriber, screening=row, rule=rule, reason="white coat, repeated at rest")
    assert (made.level, made.role, made.created_by) == ("hold", "prescriber", "paula-prescriber")
    with pytest.raises(RefusedError, match="already"):
        override_finding(by=clinic.prescriber, screening=row, rule=rule, reason="white coat, repeated at rest")
    row.refresh_from_db()
    assert rule in rules_at(row, "hold"), "the refusal stays as it is"
    entry = AuditEntry.objects.filter(action="courses.override_finding", outcome="done").get()
    assert entry.detail["reason"] == "white coat, repeated at rest"
    assert AuditEntry.objects.filter(outcome="denied").count() == 3


def test_a_block_is_the_medical_directors_alone(clinic: Clinic, course: Course) -> None:
    row, rule = block_screening(clinic, course)
    with pytest.raises(DeniedError, match="override:block"):
        override_finding(by=clinic.prescriber, screening=row, rule=rule, reason="repaired last year, cleared")
    made = override_finding(by=clinic.director, screening=row, rule=rule, reason="repaired last year, cleared")
    assert (made.level, made.role) == ("block", "medical-director")


def test_some_acts_nobody_may_order(clinic: Clinic, course: Course) -> None:
    answer_everything(clinic, course.patient)
    made = write_plan(
        by=clinic.prescriber, course=course, protocol="TRD-IV", concentration_mg_per_mL=100.0, diluted=False
    )
    never = [item for item in made.result["findings"] if item["override"] == "none"]
    assert never, made.result["findings"]
    for person in (clinic.prescriber, clinic.director):
        with pytest.raises(RefusedError, match="no override"):
            override_finding(
                by=person, screening=made.screening, rule=never[0]["rule"], reason="we always do it so", plan=made
            )
    assert made.result["released"] is False
    assert made.result["dose"] is None


def test_a_decision_against_a_hold_says_nothing_about_a_block_of_the_same_rule() -> None:
    hold = {"rule": "R-1", "level": "hold", "because": "a"}
    block = {"rule": "R-1", "level": "block", "because": "b"}
    row = Override(rule="R-1", level="hold", because="a")
    assert waived([hold], [row]) == ["R-1"]
    assert waived([hold, block], [row]) == []
    assert waived([{**hold, "because": "worse"}], [row]) == []


def released_plan(clinic: Clinic, course: Course) -> Plan:
    answer_everything(clinic, course.patient)
    return usual_plan(clinic, course)


def usual_plan(clinic: Clinic, course: Course) -> Plan:
    return write_plan(
        by=clinic.prescriber, course=course, protocol="TRD-IV", concentration_mg_per_mL=50.0, diluted=True
    )


def test_a_plan_doses_by_todays_weight_and_carries_its_forecast(clinic: Clinic, course: Course) -> None:
    made = released_plan(clinic, course)
    assert made.result["released"] is True, made.result["blocked_by"]
    assert made.result["dose"]["dose_mg"] == pytest.approx(35.0)  # 0.5 mg/kg of 70 kg
    assert made.result["forecast"]["outputs"]
    assert len(made.result["forecast"]["members"]) >= 4


def test_an_override_releases_the_plan_and_stands_on_it(clinic: Clinic, course: Course) -> None:
    row, rule = hold_screening(clinic, course)
    refused = write_plan(
        by=clinic.prescriber, course=course, protocol="TRD-IV", concentration_mg_per_mL=50.0, diluted=True
    )
    assert refused.result["released"] is False
    assert refused.result["forecast"]["outputs"], "a refused plan still shows what the dose would do"
    for held in rules_at(row, "hold"):
        override_finding(by=clinic.prescriber, screening=row, rule=held, reason="white coat, repeated at rest")
    made = write_plan(
        by=clinic.prescriber, course=course, protocol="TRD-IV", concentration_mg_per_mL=50.0, diluted=True
    )
    assert made.result["released"] is True, made.result["blocked_by"]
    assert rule in {item.rule for item in made.overrides.all()}
    refused.refresh_from_db()
    assert refused.status == "superseded"


def test_a_new_reading_needs_a_new_decision(clinic: Clinic, course: Course) -> None:
    row, rule = hold_screening(clinic, course)
    override_finding(by=clinic.prescriber, screening=row, rule=rule, reason="white coat, repeated at rest")
    record_facts(by=clinic.nurse, patient=course.patient, values={"vitals.sbp_mmHg": 172, "vitals.dbp_mmHg": 108})
    made = write_plan(
        by=clinic.prescriber, course=course, protocol="TRD-IV", concentration_mg_per_mL=50.0, diluted=True
    )
    assert made.result["released"] is False
    assert rule in {item["rule"] for item in made.result["blocked_by"]}


def test_only_a_prescriber_signs_and_only_once(clinic: Clinic, course: Course) -> None:
    made = released_plan(clinic, course)
    with pytest.raises(DeniedError):
        sign_plan(by=clinic.nurse, plan=made)
    signed = sign_plan(by=clinic.prescriber, plan=made)
    assert (signed.status, signed.signed_by, signed.course.status) == ("signed", clinic.prescriber, "active")
    with pytest.raises(RefusedError, match="is signed"):
        sign_plan(by=clinic.prescriber, plan=signed)
    second = write_plan(
        by=clinic.prescriber, course=course, protocol="TRD-IV", dose_text="0.4 mg/kg iv over 40 min",
        concentration_mg_per_mL=50.0, diluted=True,
    )  # fmt: skip
    sign_plan(by=clinic.director, plan=second)
    signed.refresh_from_db()
    assert signed.status == "superseded"
    assert Plan.objects.filter(course=course, status="signed").count() == 1


def test_a_signature_does_not_rest_on_facts_that_have_changed(clinic: Clinic, course: Course) -> None:
    made = released_plan(clinic, course)
    record_facts(by=clinic.nurse, patient=course.patient, values={"patient.weight_kg": 60})
    with pytest.raises(RefusedError, match="has changed"):
        sign_plan(by=clinic.prescriber, plan=made)
    made.refresh_from_db()
    assert (made.status, made.signed_by) == ("draft", None)


def test_yesterdays_plan_is_not_signed_today(clinic: Clinic, course: Course, time_machine) -> None:
    made = released_plan(clinic, course)
    time_machine.move_to(timezone.now() + timedelta(days=1))
    with pytest.raises(RefusedError, match="facts of"):
        sign_plan(by=clinic.prescriber, plan=made)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"dose_text": "-35 mg iv over 40 min"}, "-35"),
        ({"dose_text": "thirty milligrams"}, "thirty"),
        ({"dose_text": "0.5 mg/kg im"}, "im"),
        ({"concentration_mg_per_mL": 37.0}, "37"),
        ({"protocol": "NO-SUCH"}, "NO-SUCH"),
        ({"pass_walls": ["soft maximum"]}, "without a reason"),
    ],
)
def test_what_cannot_be_planned_is_refused_whole(clinic: Clinic, course: Course, asked: dict, says: str) -> None:
    answer_everything(clinic, course.patient)
    with pytest.raises(InputError, match=says):
        write_plan(by=clinic.prescriber, course=course, **{"protocol": "TRD-IV", **asked})
    assert Plan.objects.count() == 0
    assert ScreeningResult.objects.count() == 0


def test_a_course_must_fit_its_protocol(clinic: Clinic, patient: Patient) -> None:
    with pytest.raises(InputError, match="TRD-IV is for racemic by iv"):
        open_course(
            by=clinic.prescriber, patient=patient, indication="trd", product="racemic", route="im", protocol="TRD-IV"
        )
    with pytest.raises(InputError, match="unknown indication"):
        open_course(by=clinic.prescriber, patient=patient, indication="boredom", product="racemic", route="iv")
    with pytest.raises(DeniedError):
        open_course(by=clinic.nurse, patient=patient, indication="trd", product="racemic", route="iv")


def test_a_soft_limit_is_passed_with_a_reason_and_never_in_silence(clinic: Clinic, course: Course) -> None:
    answer_everything(clinic, course.patient)
    asked = {
        "protocol": "TRD-IV",
        "dose_text": "0.85 mg/kg iv over 40 min",
        "concentration_mg_per_mL": 50.0,
        "diluted": True,
    }
    held = write_plan(by=clinic.prescriber, course=course, **asked)
    binding = held.result["limits"]["binding"]
    assert binding["asked"] > binding["used"]
    assert held.result["dose"]["dose_mg"] < 0.85 * 70
    soft = {wall["name"] for wall in held.result["limits"]["walls"] if wall["kind"] == "soft"}
    passed = write_plan(
        by=clinic.prescriber,
        course=course,
        **asked,
        pass_walls=sorted(soft),
        pass_because="no effect of four sessions at less",
    )
    assert passed.result["dose"]["dose_mg"] > held.result["dose"]["dose_mg"]
    assert (passed.passed_walls, passed.passed_because) == (sorted(soft), "no effect of four sessions at less")
    with pytest.raises(InputError, match="no soft wall"):
        write_plan(
            by=clinic.prescriber, course=course, **asked, pass_walls=["hard maximum"], pass_because="because I want to"
        )


# ---- pages


def test_a_refusal_is_overridden_from_the_plan_and_the_plan_made_again(clinic: Clinic, course: Course) -> None:
    row, _ = hold_screening(clinic, course)
    first = usual_plan(clinic, course)
    nurse, prescriber = Client(), Client()
    nurse.force_login(clinic.nurse)
    prescriber.force_login(clinic.prescriber)
    where = reverse("courses:plan", args=[course.pk])
    assert "Decide against a refusal" not in nurse.get(where).content.decode()
    assert "Decide against a refusal" in prescriber.get(where).content.decode()
    held = sorted(rules_at(row, "hold"))
    sent = {"rule": held[0], "reason": "no"}
    answer = prescriber.post(reverse("courses:override_plan", args=[first.pk]), sent)
    assert answer.status_code == 400
    assert "no</textarea>" in answer.content.decode()
    for rule in held:
        newest = Plan.objects.filter(course=course, status="draft").get()
        sent = {"rule": rule, "reason": "white coat, repeated at rest"}
        assert prescriber.post(reverse("courses:override_plan", args=[newest.pk]), sent).status_code == 302
    newest = Plan.objects.filter(course=course, status="draft").get()
    assert newest.result["released"] is True, newest.result["blocked_by"]
    assert newest.pk != first.pk
    assert {item.rule for item in newest.overrides.all()} == set(held)


def test_the_whole_way_by_page(clinic: Clinic, course: Course) -> None:
    nurse, prescriber = Client(), Client()
    nurse.force_login(clinic.nurse)
    prescriber.force_login(clinic.prescriber)
    where = reverse("courses:screening", args=[course.pk])
    assert "Not yet screened" in nurse.get(where).content.decode()
    page = nurse.post(reverse("courses:screen", args=[course.pk]), follow=True).content.decode()
    assert "Needs data" in page
    row, rule = hold_screening(clinic, course)
    page = nurse.get(where).content.decode()
    assert "Your role may not" in page
    answer = nurse.post(
        reverse("courses:override", args=[course.pk]), {"rule": rule, "reason": "because I say so, really"}
    )
    assert answer.status_code == 403
    answer = prescriber.post(reverse("courses:override", args=[course.pk]), {"rule": rule, "reason": "fine"})
    assert answer.status_code == 400
    assert "at least 10 letters" in answer.content.decode()
    assert "fine</textarea>" in answer.content.decode()
    for held in rules_at(row, "hold"):
        answer = prescriber.post(
            reverse("courses:override", args=[course.pk]), {"rule": held, "reason": "white coat, repeated at rest"}
        )
        assert answer.status_code == 302
    assert "white coat, repeated at rest" in nurse.get(where).content.decode()
    where = reverse("courses:plan", args=[course.pk])
    answer = prescriber.post(where, {"protocol": "TRD-IV", "dose_text": "350 mg/kg iv over 40 min"})
    assert answer.status_code in (302, 400)
    answer = prescriber.post(
        where,
        {
            "protocol": "TRD-IV",
            "dose_text": "0.5 mg/kg iv over 40 min",
            "concentration_mg_per_mL": "50",
        },
    )
    assert answer.status_code == 302, answer.content.decode()[:2000]
    page = prescriber.get(where).content.decode()
    assert "Sign 35.0" in page.replace("\u00a0", " ")
    assert "Sign 35.0" not in nurse.get(where).content.decode().replace("\u00a0", " ")
    made = Plan.objects.get(course=course, status="draft")
    assert nurse.post(reverse("courses:sign", args=[made.pk])).status_code == 403
    assert prescriber.post(reverse("courses:sign", args=[made.pk])).status_code == 302
    assert "Paula Prescriber" in nurse.get(where).content.decode()
    assert prescriber.get(reverse("courses:detail", args=[course.pk])).status_code == 200
    assert prescriber.get(reverse("patients:detail", args=[course.patient_id])).status_code == 200


@pytest.mark.parametrize("chosen", ["TRD-IV", ""])
def test_the_first_plan_stands_on_the_course_s_own_protocol_or_on_none(
    clinic: Clinic, patient: Patient, chosen: str
) -> None:
    opened = open_course(
        by=clinic.prescriber, patient=patient, indication="trd", product="racemic", route="iv", protocol=chosen
    )
    client = Client()
    client.force_login(clinic.prescriber)
    page = client.get(reverse("courses:plan", args=[opened.pk])).content.decode()
    listed = re.findall(r'<option value="([^"]*)"( selected)?', page)
    assert ("TRD-IV", "") in listed or ("TRD-IV", " selected") in listed
    # With nothing marked as selected a browser takes the first.
    assert next((value for value, selected in listed if selected), listed[0][0]) == chosen


def test_an_unreadable_dose_keeps_what_was_typed(clinic: Clinic, course: Course) -> None:
    answer_everything(clinic, course.patient)
    client = Client()
    client.force_login(clinic.prescriber)
    answer = client.post(reverse("courses:plan", args=[course.pk]), {"protocol": "TRD-IV", "dose_text": "half a vial"})
    assert answer.status_code == 400
    assert 'value="half a vial"' in answer.content.decode()


def test_open_a_course_by_page(clinic: Clinic, patient: Patient) -> None:
    client = Client()
    client.force_login(clinic.prescriber)
    where = reverse("courses:open", args=[patient.pk])
    assert client.get(where).status_code == 200
    sent = {"indication": "trd", "product": "racemic", "route": "im", "setting": "clinic", "protocol": "TRD-IV"}
    assert client.post(where, sent).status_code == 400
    assert client.post(where, sent | {"route": "iv"}).status_code == 302


def test_interactions_reach_the_verdict(clinic: Clinic, course: Course) -> None:
    answer_everything(clinic, course.patient)
    record_medication(by=clinic.nurse, patient=course.patient, name="theophylline", dose="200 mg")
    row = run_screening(by=clinic.nurse, course=course)
    assert any("theophylline" in str(item).lower() for item in row.result["findings"])


def test_a_forecast_reckons_with_the_drugs_taken_whose_effect_was_measured(clinic: Clinic, course: Course) -> None:
    alone = released_plan(clinic, course).result["forecast"]
    assert alone["with"] == []
    record_medication(by=clinic.nurse, patient=course.patient, name="Rifadin 300 mg", dose="")
    with_it = usual_plan(clinic, course)
    forecast = with_it.result["forecast"]
    assert forecast["with"] == ["rifampicin"]
    # Peltoniemi 2012: the area of intravenous S-ketamine falls to 0.86 of what it was.
    area = "auc_0_end_ng_h_per_mL"
    name = "ketamine_plasma_ng_per_mL"
    assert forecast["summary"][name][area]["typical"] < 0.95 * alone["summary"][name][area]["typical"]
    prescriber = Client()
    prescriber.force_login(clinic.prescriber)
    page = prescriber.get(reverse("courses:plan", args=[course.pk])).content.decode()
    assert "Reckoned with rifampicin" in page


def test_a_course_is_opened_where_the_site_can_treat(clinic, patient) -> None:
    """A site that declared nothing is a clinic; what it declares is what it may open, and home never is."""
    asked = {"indication": "anaesthesia", "product": "racemic", "route": "iv", "protocol": "GA-IV"}
    with pytest.raises(InputError, match="unknown setting 'anaesthesia'; allowed: clinic"):
        open_course(by=clinic.prescriber, patient=patient, setting="anaesthesia", **asked)
    declare_settings(by=clinic.director, site=clinic.site, settings=["anaesthesia", "clinic"])
    patient.refresh_from_db()
    assert open_course(by=clinic.prescriber, patient=patient, setting="anaesthesia", **asked).setting == "anaesthesia"
    with pytest.raises(InputError, match="allowed: clinic, palliative, emergency, anaesthesia, intensive-care"):
        declare_settings(by=clinic.director, site=clinic.site, settings=["home"])
    with pytest.raises(DeniedError):
        declare_settings(by=clinic.nurse, site=clinic.site, settings=["clinic"])


def test_the_page_offers_the_settings_of_the_site(clinic, patient) -> None:
    browser = Client()
    browser.force_login(clinic.prescriber)
    page = browser.get(reverse("courses:open", args=[patient.pk])).content.decode()
    assert 'value="clinic"' in page
    assert 'value="intensive-care"' not in page
