"""Registering, importing, recording and correcting: bad input is refused in one line and nothing is half-written."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic.people import Clinic
from limen.clinic.audit.models import AuditEntry
from limen.clinic.patients import queries
from limen.clinic.patients.actions import (
    correct_fact,
    mark_history_taken,
    record_condition,
    record_facts,
    record_medication,
    register_patient,
    retract_record,
)
from limen.clinic.patients.imports import import_bundle
from limen.clinic.patients.models import BundleImport, ConditionRecord, Fact, MedicationRecord, Patient
from limen.errors import InputError, RefusedError

LIZ = Path(__file__).parents[3] / "shared" / "data" / "synthea" / "liz-conn.json"


def bundle(**patient: object) -> dict:
    """A small bundle of our own: a patient, an old weight, a condition, a drug, and a resource Limen does not use."""
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {
                "fullUrl": "urn:uuid:p",
                "resource": {
                    "resourceType": "Patient",
                    "id": "p",
                    "identifier": [{"value": "REF-7", "type": {"coding": [{"code": "MR"}]}}],
                    "name": [{"family": "Moreau", "given": ["Lea"]}],
                    "gender": "female",
                    "birthDate": "1979-05-04",
                    **patient,
                },
            },
            {
                "fullUrl": "urn:uuid:w",
                "resource": {
                    "resourceType": "Observation",
                    "id": "w",
                    "status": "final",
                    "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7", "display": "Body weight"}]},
                    "subject": {"reference": "urn:uuid:p"},
                    "effectiveDateTime": "2018-08-17T10:00:00+02:00",
                    "valueQuantity": {"value": 74.2, "unit": "kg", "code": "kg"},
                },
            },
            {
                "fullUrl": "urn:uuid:c",
                "resource": {
                    "resourceType": "Condition",
                    "id": "c",
                    "clinicalStatus": {"coding": [{"code": "active"}]},
                    "code": {
                        "coding": [{"system": "http://snomed.info/sct", "code": "59621000"}],
                        "text": "Hypertension",
                    },
                    "subject": {"reference": "urn:uuid:p"},
                    "onsetDateTime": "2010-01-01",
                },
            },
            {
                "fullUrl": "urn:uuid:i",
                "resource": {
                    "resourceType": "Immunization",
                    "id": "i",
                    "status": "completed",
                    "patient": {"reference": "urn:uuid:p"},
                },
            },
        ],
    }


def test_an_import_keeps_dates_and_accounts_for_every_entry(clinic: Clinic) -> None:
    record = import_bundle(by=clinic.nurse, site=clinic.site, raw=bundle(), file_name="lea.json")
    patient = record.patient
    assert (patient.mrn, str(patient), patient.birth_date, patient.sex) == (
        "REF-7",
        "Moreau, Lea",
        date(1979, 5, 4),
        "female",
    )
    weight = Fact.objects.get(patient=patient, kind="patient.weight_kg")
    assert (weight.value, weight.unit) == (74.2, "kg")
    assert weight.effective_at == datetime(2018, 8, 17, 8, 0, tzinfo=UTC)
    assert weight.source == "Observation/w"
    assert ConditionRecord.objects.get(patient=patient).onset == date(2010, 1, 1)
    assert record.report["entries"] == 4
    assert [row["resource"] for row in record.report["not_imported"]] == ["Immunization/i"]
    assert record.report["stored"] == {"facts": 1, "conditions": 1, "medications": 0}
    assert AuditEntry.objects.filter(action="patients.import_bundle", outcome="done").count() == 1


def test_the_same_bundle_twice_is_refused_and_adds_nothing(clinic: Clinic) -> None:
    import_bundle(by=clinic.nurse, site=clinic.site, raw=bundle())
    counted = (Fact.objects.count(), ConditionRecord.objects.count())
    with pytest.raises(RefusedError, match="was imported on"):
        import_bundle(by=clinic.nurse, site=clinic.site, raw=bundle())
    assert (Fact.objects.count(), ConditionRecord.objects.count()) == counted


def test_a_later_bundle_adds_only_what_is_new(clinic: Clinic) -> None:
    import_bundle(by=clinic.nurse, site=clinic.site, raw=bundle())
    later = bundle()
    later["entry"][1]["resource"] |= {"id": "w2", "effectiveDateTime": "2024-01-01"}
    record = import_bundle(by=clinic.nurse, site=clinic.site, raw=later)
    assert record.report["stored"] == {"facts": 1, "conditions": 0, "medications": 0}
    assert Patient.objects.count() == 1


def test_somebody_else_under_a_number_on_file_is_refused(clinic: Clinic) -> None:
    import_bundle(by=clinic.nurse, site=clinic.site, raw=bundle())
    with pytest.raises(InputError, match="belongs to Moreau"):
        import_bundle(by=clinic.nurse, site=clinic.site, raw=bundle(birthDate="1980-05-04"))
    assert BundleImport.objects.count() == 1


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({"resourceType": "Patient"}, "not a Bundle"),
        ({"resourceType": "Bundle", "entry": []}, "no entries"),
        ([], "not a Bundle"),
        (bundle(birthDate=None), "date of birth"),
    ],
)
def test_a_malformed_bundle_stores_nothing(clinic: Clinic, raw: object, says: str) -> None:
    with pytest.raises(InputError, match=says):
        import_bundle(by=clinic.nurse, site=clinic.site, raw=raw)
    assert Patient.objects.count() == Fact.objects.count() == BundleImport.objects.count() == 0


def test_a_real_referral(clinic: Clinic) -> None:
    if not LIZ.is_file():
        pytest.skip("the recorded referral is not beside this checkout")
    raw = json.loads(LIZ.read_text(encoding="utf-8"))
    record = import_bundle(by=clinic.nurse, site=clinic.site, raw=raw, file_name=LIZ.name)
    assert record.report["entries"] == len(raw["entry"])
    assert len(record.report["imported"]) + len(record.report["not_imported"]) == len(raw["entry"])
    assert all(row["outcome"] for row in record.report["not_imported"])
    newest = queries.newest_facts(record.patient)
    assert newest["vitals.sbp_mmHg"].effective_at.date() < timezone.now().date()


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"patient.weight_kg": 700}, "patient.weight_kg"),
        ({"patient.weight_kg": -3}, "patient.weight_kg"),
        ({"vitals.sbp_mmHg": 120}, "vitals.dbp_mmHg"),
        ({"vitals.sbp_mmHg": 80, "vitals.dbp_mmHg": 120}, "vitals.dbp_mmHg"),
        ({"vitals.spo2_pct": 0}, "vitals.spo2_pct"),
        ({"moon.phase": 1}, "moon.phase"),
        ({"patient.birth_date": date(1990, 1, 1)}, "patient.birth_date"),
    ],
)
def test_impossible_values_are_refused_whole(clinic: Clinic, patient: Patient, values: dict, where: str) -> None:
    with pytest.raises(InputError) as refused:
        record_facts(by=clinic.nurse, patient=patient, values={"facts.escort": True, **values})
    assert refused.value.where == where
    assert Fact.objects.count() == 0


@pytest.mark.parametrize("values", [{}, {"vitals.hr_per_min": None}])
def test_nothing_is_not_a_record(clinic: Clinic, patient: Patient, values: dict) -> None:
    with pytest.raises(InputError, match="nothing to record"):
        record_facts(by=clinic.nurse, patient=patient, values=values)


def test_a_unit_is_converted_and_an_unknown_one_refused(clinic: Clinic, patient: Patient) -> None:
    rows = record_facts(
        by=clinic.nurse, patient=patient, values={"patient.weight_kg": 150}, units={"patient.weight_kg": "[lb_av]"}
    )
    assert rows[0].value == pytest.approx(68.04, abs=0.01)
    assert rows[0].unit == "kg"
    with pytest.raises(InputError, match="unknown unit"):
        record_facts(
            by=clinic.nurse, patient=patient, values={"patient.weight_kg": 10}, units={"patient.weight_kg": "bananas"}
        )


def test_nothing_is_measured_in_the_future(clinic: Clinic, patient: Patient) -> None:
    tomorrow = timezone.now() + timedelta(days=1)
    with pytest.raises(InputError, match="future"):
        record_facts(by=clinic.nurse, patient=patient, values={"patient.weight_kg": 70}, effective_at=tomorrow)
    with pytest.raises(InputError, match="future"):
        record_medication(by=clinic.nurse, patient=patient, name="sertraline", last_taken_at=tomorrow)


def test_a_correction_is_a_new_row_and_the_old_one_stays(clinic: Clinic, patient: Patient) -> None:
    [wrong] = record_facts(by=clinic.nurse, patient=patient, values={"patient.weight_kg": 17.5 + 20})
    right = correct_fact(by=clinic.nurse, fact=wrong, value=75.5, reason="digits swapped")
    assert queries.newest_facts(patient)["patient.weight_kg"] == right
    assert right.effective_at == wrong.effective_at
    assert Fact.objects.filter(pk=wrong.pk, value=37.5).exists()
    with pytest.raises(RefusedError, match="already"):
        correct_fact(by=clinic.nurse, fact=wrong, value=76, reason="again again")
    taken_back = correct_fact(by=clinic.nurse, fact=right, value=None, reason="another patient's")
    assert taken_back.retracted
    assert "patient.weight_kg" not in queries.newest_facts(patient)
    [other] = record_facts(by=clinic.nurse, patient=patient, values={"patient.weight_kg": 70})
    with pytest.raises(InputError, match="reason"):
        correct_fact(by=clinic.nurse, fact=other, value=71, reason="")


def test_conditions_and_medications_can_be_taken_back(clinic: Clinic, patient: Patient) -> None:
    condition = record_condition(by=clinic.nurse, patient=patient, text="Depression", code="F33.2", system="icd10")
    drug = record_medication(by=clinic.nurse, patient=patient, name="sertraline", dose="100 mg")
    retract_record(by=clinic.nurse, record=condition, reason="another patient's")
    retract_record(by=clinic.nurse, record=drug, reason="another patient's")
    assert not queries.conditions(patient).exists()
    assert not queries.medications(patient).exists()
    assert (ConditionRecord.objects.count(), MedicationRecord.objects.count()) == (2, 2)


def test_an_unknown_code_system_is_refused(clinic: Clinic, patient: Patient) -> None:
    with pytest.raises(InputError, match="code system"):
        record_condition(by=clinic.nurse, patient=patient, text="x", code="1", system="icd-o")
    with pytest.raises(InputError, match="history"):
        mark_history_taken(by=clinic.nurse, patient=patient, about="moons")


def test_register_refuses_what_cannot_be(clinic: Clinic, patient: Patient) -> None:
    good = {"mrn": "2", "family_name": "A", "given_name": "B", "birth_date": date(1990, 1, 1), "sex": "male"}
    for change, says in (
        ({"mrn": patient.mrn}, "on file already"),
        ({"mrn": " "}, "record number"),
        ({"birth_date": date(2190, 1, 1)}, "date of birth"),
        ({"sex": "x"}, "sex"),
    ):
        with pytest.raises(InputError, match=says):
            register_patient(by=clinic.nurse, site=clinic.site, **{**good, **change})


# ---- pages


def test_a_typed_value_stays_when_it_is_refused(browser: Client, patient: Patient) -> None:
    address = reverse("patients:facts", args=[patient.pk])
    answer = browser.post(address, {"group": "body", "patient.weight_kg": "700", "patient.height_cm": "171"})
    assert answer.status_code == 400
    page = answer.content.decode()
    assert "700 is impossible; allowed: 20 to 350 kg" in page
    assert 'value="171' in page
    assert Fact.objects.count() == 0


def test_facts_are_recorded_by_group_and_no_field_is_filled_again(browser: Client, patient: Patient) -> None:
    address = reverse("patients:facts", args=[patient.pk])
    answer = browser.post(
        address, {"group": "vitals", "vitals.sbp_mmHg": "128", "vitals.dbp_mmHg": "78", "vitals.hr_per_min": "70"}
    )
    assert answer.status_code == 302
    assert {row.kind: row.value for row in Fact.objects.all()} == {
        "vitals.sbp_mmHg": 128.0,
        "vitals.dbp_mmHg": 78.0,
        "vitals.hr_per_min": 70.0,
    }
    page = browser.get(address).content.decode()
    assert 'value="128' not in page
    answer = browser.post(address, {"group": "c-ssrs", "scores.C-SSRS.q1": "yes", "scores.C-SSRS.q2": "no"})
    assert answer.status_code == 302
    assert Fact.objects.get(kind="scores.C-SSRS").value == {"q1": True, "q2": False}
    answer = browser.post(address, {"group": "consent", "facts.consent_signed": "no", "facts.capacity": "yes"})
    assert answer.status_code == 302
    assert Fact.objects.get(kind="facts.consent_signed").value is False
    answer = browser.post(address, {"group": "condition", "text": "Depression", "status": "active"})
    assert answer.status_code == 302
    answer = browser.post(address, {"group": "history", "about": "conditions"})
    assert answer.status_code == 302
    assert browser.post(address, {"group": "moons"}).status_code == 404


def test_every_known_fact_can_be_entered_somewhere() -> None:
    from limen.clinic.patients.fact_groups import COUNTED, ON_THE_PATIENT, fact_groups
    from limen.knowledge.inputs import inputs

    keys = [key for group in fact_groups() for key in group.keys]
    assert sorted(keys) == sorted(set(inputs()) - ON_THE_PATIENT - COUNTED)


def test_pages_of_a_patient(browser: Client, patient: Patient, tmp_path: Path) -> None:
    assert browser.get(reverse("patients:list")).status_code == 200
    assert "Okafor" in browser.get(reverse("patients:list"), {"q": "ada"}).content.decode()
    assert "Okafor" not in browser.get(reverse("patients:list"), {"q": "nobody"}).content.decode()
    assert browser.get(reverse("patients:detail", args=[patient.pk])).status_code == 200
    assert browser.get(reverse("patients:register")).status_code == 200
    file = tmp_path / "lea.json"
    file.write_text(json.dumps(bundle()))
    with file.open("rb") as upload:
        answer = browser.post(reverse("patients:import"), {"bundle": upload}, follow=True)
    assert answer.status_code == 200
    assert "4 entries: 3 taken, 1 not" in answer.content.decode()
    assert "not used by Limen: Immunization" in answer.content.decode()


def test_entries_are_corrected_and_taken_back_by_page(clinic: Clinic, browser: Client, patient: Patient) -> None:
    [weight] = record_facts(by=clinic.nurse, patient=patient, values={"patient.weight_kg": 57})
    condition = record_condition(by=clinic.nurse, patient=patient, text="Depression")
    drug = record_medication(by=clinic.nurse, patient=patient, name="sertraline")
    chart = browser.get(reverse("patients:detail", args=[patient.pk])).content.decode()
    where = reverse("patients:correct", args=[weight.pk])
    assert where in chart
    assert browser.get(where).status_code == 200
    answer = browser.post(where, {"value": "570", "reason": "digits swapped"})
    assert answer.status_code == 400
    assert "20 to 350 kg" in answer.content.decode()
    assert browser.post(where, {"value": "75", "reason": "digits swapped"}).status_code == 302
    assert queries.newest_facts(patient)["patient.weight_kg"].value == 75
    for where in (
        reverse("patients:retract_condition", args=[condition.pk]),
        reverse("patients:retract_medication", args=[drug.pk]),
    ):
        assert where in chart
        assert browser.get(where).status_code == 200
        assert browser.post(where, {"reason": "another patient's"}).status_code == 302
    assert not queries.conditions(patient).exists()
    assert not queries.medications(patient).exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "bad.json:1:2: not JSON"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b'{"a": 1, "a": 2}', "stands twice"),
        (b'{"resourceType": "Bundle", "entry": [NaN]}', "NaN is not a number"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"resourceType": "Bundle", "entry": [{}]}', "an entry without a resource"),
    ],
)
def test_a_bad_file_is_a_400_that_says_where(browser: Client, tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "bad.json"
    file.write_bytes(content)
    with file.open("rb") as upload:
        answer = browser.post(reverse("patients:import"), {"bundle": upload})
    assert answer.status_code == 400
    assert says in answer.content.decode()
    assert Patient.objects.count() == 0


def test_a_stranger_sees_nothing(clinic: Clinic, patient: Patient) -> None:
    client = Client()
    client.force_login(clinic.stranger)
    assert client.get(reverse("patients:detail", args=[patient.pk])).status_code == 404
    assert client.get(reverse("patients:facts", args=[patient.pk])).status_code == 404
    assert "Okafor" not in client.get(reverse("patients:list")).content.decode()


def test_a_pharmacist_may_not_import_and_it_is_audited(clinic: Clinic, tmp_path: Path) -> None:
    client = Client()
    client.force_login(clinic.pharmacist)
    file = tmp_path / "lea.json"
    file.write_text(json.dumps(bundle()))
    with file.open("rb") as upload:
        answer = client.post(reverse("patients:import"), {"bundle": upload})
    assert answer.status_code == 403
    assert Patient.objects.count() == 0
    assert AuditEntry.objects.get(outcome="denied").actor == "piet-pharmacist"
