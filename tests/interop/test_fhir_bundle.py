"""A referral bundle: every entry accounted for, every value with its date, nothing doubtful let in."""

from __future__ import annotations

import copy
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from limen.care.facts import Gap
from limen.errors import InputError
from limen.interop.fhir import case_from_bundle, read_bundle

ROOT = Path(__file__).parents[2]
OWN = ROOT / "src" / "limen" / "clinic" / "demo" / "data" / "referral-bundle.json"
SYNTHEA = ROOT.parent / "shared" / "data" / "synthea"
TODAY = date(2026, 11, 21)
PATIENT = {
    "resourceType": "Patient",
    "id": "p",
    "name": [{"family": "Holm", "given": ["Ada"]}],
    "gender": "female",
    "birthDate": "1980-01-31",
}


def bundle(*resources: dict[str, Any], patient: dict[str, Any] | None = None) -> dict[str, Any]:
    listed = [patient or PATIENT, *resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": item} for item in listed]}


def observation(code: str, quantity: dict[str, Any] | None = None, **other: Any) -> dict[str, Any]:
    made = {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-11-20T10:00:00+01:00",
        **other,
    }
    if quantity is not None:
        made["valueQuantity"] = quantity
    return {key: value for key, value in made.items() if value is not None}


def kg(value: float, **other: Any) -> dict[str, Any]:
    return observation("29463-7", {"value": value, "code": "kg"}, **other)


def pressure(systolic: float | None, diastolic: float | None, **other: Any) -> dict[str, Any]:
    parts = [("8480-6", systolic), ("8462-4", diastolic)]
    return observation(
        "85354-9",
        component=[
            {
                "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
                "valueQuantity": {"value": value, "code": "mm[Hg]"},
            }
            for code, value in parts
            if value is not None
        ],
        **other,
    )


def own() -> dict[str, Any]:
    return json.loads(OWN.read_text(encoding="utf-8"))


def refusal(*resources: dict[str, Any]) -> str:
    """Why the last entry was not imported."""
    row = read_bundle(bundle(*resources), on=TODAY).report.rows[-1]
    assert not row.imported, row
    return row.outcome


# --- every entry is accounted for ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["own", "liz-conn.json", "clemente-kreiger.json"])
def test_every_entry_stands_once_in_the_report(name: str) -> None:
    path = OWN if name == "own" else SYNTHEA / name
    if not path.exists():
        pytest.skip("the Synthea patients are not beside this checkout")
    raw = json.loads(path.read_text(encoding="utf-8"))
    report = read_bundle(raw, on=TODAY).report
    assert [row.entry for row in report.rows] == list(range(len(raw["entry"])))
    for row, entry in zip(report.rows, raw["entry"], strict=True):
        assert row.resource.startswith(entry["resource"]["resourceType"])
        assert row.outcome
    assert len(report.imported) + len(report.not_imported) == len(raw["entry"])
    assert len(report.to_json()["imported"]) == len(report.imported)


def test_what_is_not_used_is_named() -> None:
    report = read_bundle(own(), on=TODAY).report
    said = {row.outcome for row in report.not_imported}
    assert {"not used by Limen: Claim", "not used by Limen: Encounter"} <= said
    assert "not used by Limen: Observation, Tobacco smoking status" in said


# --- values, read a second way ------------------------------------------------------------------------------------


def test_synthea_patient_as_written_in_the_file() -> None:
    path = SYNTHEA / "liz-conn.json"
    if not path.exists():
        pytest.skip("the Synthea patients are not beside this checkout")
    raw = json.loads(path.read_text(encoding="utf-8"))
    found = read_bundle(raw, on=TODAY)
    assert (found.patient.given_name, found.patient.family_name) == ("Liz", "Conn")
    assert found.patient.birth_date == date(1986, 11, 28)
    assert found.patient.sex == "female"
    assert found.patient.record_number == "27c911c6-f045-4ffa-af5d-6eba57ac94b2"
    weight = found.latest("patient.weight_kg")
    assert weight is not None
    assert (weight.value, weight.on) == (pytest.approx(74.23527345209692), date(2018, 8, 17))
    assert sum(fact.key == "patient.weight_kg" for fact in found.facts) == 3
    assert [item.name for item in found.medications] == ["hydrochlorothiazide"]
    assert found.conditions[0].codes == (("snomed", "38341003"),)


def test_old_values_are_missing_not_todays() -> None:
    path = SYNTHEA / "liz-conn.json"
    if not path.exists():
        pytest.skip("the Synthea patients are not beside this checkout")
    raw = json.loads(path.read_text(encoding="utf-8"))
    case, _ = case_from_bundle(raw, TODAY, "trd", "racemic", "iv", "clinic")
    for key in ("patient.weight_kg", "vitals.sbp_mmHg", "patient.egfr_mL_per_min"):
        gap = case.current(key)
        assert isinstance(gap, Gap), key
        assert "2018-08-17" in gap.why
    assert case.age_years == 39  # born 28 November 1986; 40 a week later
    assert not case.conditions_asked
    assert not case.medications_asked


def test_fhirclient_reads_the_same_values() -> None:
    from fhirclient.models.bundle import Bundle

    other = Bundle(own(), strict=True)
    mine = read_bundle(own(), on=TODAY)
    resources = [entry.resource for entry in other.entry]
    patient = next(item for item in resources if item.resource_type == "Patient")
    assert patient.birthDate.date == mine.patient.birth_date
    assert patient.name[0].family == mine.patient.family_name
    assert patient.identifier[0].value == mine.patient.record_number
    kilograms = {
        item.effectiveDateTime.date: item.valueQuantity.value
        for item in resources
        if item.resource_type == "Observation"
        and item.code.coding[0].code == "29463-7"
        and item.valueQuantity.code == "kg"
    }
    weight = mine.latest("patient.weight_kg")
    assert weight is not None
    assert kilograms == {weight.effective_at: weight.value}
    medicines = {item.medicationCodeableConcept.text for item in resources if item.resource_type == "MedicationRequest"}
    assert medicines == {item.text for item in mine.medications}


def test_units_are_converted() -> None:
    found = read_bundle(own(), on=TODAY)
    height = found.latest("patient.height_cm")
    temperature = found.latest("vitals.temp_degC")
    assert height is not None
    assert temperature is not None
    assert height.value == pytest.approx(66 * 2.54)
    assert temperature.value == pytest.approx((98.2 - 32) / 1.8)
    pounds = next(fact for fact in found.facts if fact.key == "patient.weight_kg" and not fact.current)
    assert pounds.value == pytest.approx(158.7 * 0.45359237)
    alt = found.latest("labs.alt_xULN")
    assert alt is not None
    assert alt.value == pytest.approx(24 / 40)


def test_own_bundle_becomes_a_case() -> None:
    case, _ = case_from_bundle(own(), TODAY, "trd", "racemic", "iv", "clinic", "TRD-IV")
    assert {(item.system, item.code) for item in case.conditions} >= {("icd10", "F33.2"), ("snomed", "36474008")}
    assert {(item.name, item.status) for item in case.medications} == {
        ("sertraline", "stopped"),
        ("venlafaxine", "active"),
        ("hydrochlorothiazide", "active"),
    }
    assert case.protocol == "TRD-IV"
    assert case.facts["scores.PHQ-9"].value == 21


def test_the_newest_value_stands_and_the_older_is_history() -> None:
    older = kg(70, id="a", effectiveDateTime="2026-11-19")
    newer = kg(71, id="b", effectiveDateTime="2026-11-20")
    for pair in ((older, newer), (newer, older)):
        found = read_bundle(bundle(*copy.deepcopy(pair)), on=TODAY)
        latest = found.latest("patient.weight_kg")
        assert latest is not None
        assert latest.value == 71
        history = next(row for row in found.report.rows if row.resource == "Observation/a")
        assert history.outcome == "weight 70 kg kept as history, newer on 2026-11-20"


def test_a_medication_by_reference_is_named() -> None:
    order = {
        "resourceType": "MedicationStatement",
        "id": "s",
        "status": "active",
        "medicationReference": {"reference": "Medication/m"},
        "subject": {"reference": "Patient/p"},
    }
    drug = {"resourceType": "Medication", "id": "m", "code": {"text": "Lamotrigine 100 MG Oral Tablet"}}
    found = read_bundle(bundle(order, drug), on=TODAY)
    assert [item.name for item in found.medications] == ["lamotrigine"]
    assert all(row.imported for row in found.report.rows)


def test_an_allergy_to_ketamine_becomes_a_fact() -> None:
    allergy = {
        "resourceType": "AllergyIntolerance",
        "id": "a",
        "code": {"text": "Ketamine hydrochloride"},
        "patient": {"reference": "Patient/p"},
    }
    case, _ = case_from_bundle(bundle(allergy), TODAY, "trd", "racemic", "iv", "clinic")
    assert case.facts["facts.ketamine_allergy"].value is True


def test_no_known_allergy_is_no_allergy_and_answers_nothing() -> None:
    said = {
        "resourceType": "AllergyIntolerance",
        "id": "a",
        "code": {"text": "No known allergy"},
        "patient": {"reference": "Patient/p"},
    }
    found = read_bundle(bundle(said), on=TODAY)
    assert found.allergies == ()
    row = next(row for row in found.report.rows if row.resource == "AllergyIntolerance/a")
    assert (row.imported, row.outcome) == (
        False,
        "says that none is known, not who asked and when: ask, and record the answer",
    )


# --- what is refused, by name ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        (observation("29463-7", {"value": 350, "code": "furlong"}), "does not measure the same as kg"),
        (observation("29463-7", {"value": 70, "code": "stoone"}), "unknown unit 'stoone'"),
        (observation("29463-7", {"value": 70}), "no unit"),
        (kg(700), "700 is impossible, allowed 20 to 350 kg"),
        (observation("59408-5", {"value": 0, "code": "%"}), "0 is impossible"),
        (observation("44261-6", {"value": 28, "code": "{score}"}), "28 is impossible"),
        (observation("44261-6", {"value": 9.5, "code": "{score}"}), "not a whole number"),
        (observation("44261-6", {"value": 9, "code": "mg"}), "unknown unit 'mg'"),
        (observation("1742-6", {"value": 24, "code": "U/L"}), "upper limit was not sent"),
        (kg(70, status="entered-in-error"), "status entered-in-error"),
        (kg(70, status="preliminary"), "status preliminary"),
        (kg(70, effectiveDateTime=None), "no date of measurement"),
        (kg(70, effectiveDateTime="2026-11-30"), "dated 2026-11-30, after 2026-11-21"),
        (kg(70, subject={"reference": "Patient/q"}), "about another patient: Patient/q"),
        (kg(70, subject=None), "does not say which patient"),
        (kg(70, shoe=43), "not valid FHIR R4: shoe"),
        (kg(70, effectiveDateTime="yesterday"), "not valid FHIR R4: effectiveDateTime"),
        (observation("29463-7", {"value": 70, "code": "kg", "comparator": ">"}), "not an exact value"),
        (observation("29463-7", dataAbsentReason={"text": "patient declined"}), "no value (patient declined)"),
        (pressure(120, None), "pressure without its diastolic value"),
        (pressure(80, 120), "diastolic 120 is not below systolic 80"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_doubtful_observation_is_refused_and_named(resource: dict[str, Any], words: str) -> None:
    assert words in refusal(copy.deepcopy(resource))


def test_a_refused_value_leaves_the_rest() -> None:
    found = read_bundle(bundle(kg(700, id="a"), kg(71, id="b")), on=TODAY)
    assert [fact.value for fact in found.facts] == [71]


def test_the_same_resource_twice_counts_once() -> None:
    assert refusal(kg(70), kg(70)) == "stands in the bundle already"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"verificationStatus": {"coding": [{"code": "refuted"}]}}, "verification status refuted"),
        ({"code": {"coding": [{"system": "urn:local", "code": "x1"}]}}, "unknown code system urn:local"),
        ({"onsetDateTime": "2027-01-01"}, "onset 2027-01-01, after 2026-11-21"),
        ({"code": {}}, "without a name or a code"),
    ],
)
def test_a_condition_that_cannot_be_used(change: dict[str, Any], words: str) -> None:
    condition = {
        "resourceType": "Condition",
        "id": "c",
        "code": {"text": "Hypertension"},
        "subject": {"reference": "Patient/p"},
    }
    assert words in refusal({**condition, **change})


def test_an_unknown_resource_type_is_named() -> None:
    assert refusal({"resourceType": "Spell", "id": "x"}) == "not used by Limen: Spell"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ([], "not a Bundle"),
        ({"resourceType": "Patient"}, "not a Bundle"),
        ({"resourceType": "Bundle", "type": "collection"}, "no entries"),
        ({"resourceType": "Bundle", "entry": {"a": 1}}, "no entries"),
        ({"resourceType": "Bundle", "entry": [3]}, "entry[0]"),
        ({"resourceType": "Bundle", "entry": [{"fullUrl": "urn:x"}]}, "entry[0]"),
        (
            {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Claim", "id": "c"}}]},
            "the bundle holds no Patient",
        ),
        (bundle(PATIENT), "holds 2 Patients"),
        (bundle(patient={**PATIENT, "gender": "sometimes", "birthDate": 3}), "not valid FHIR R4"),
        (bundle(patient={**PATIENT, "birthDate": "2027-01-01"}), "2026-11-21 or earlier"),
        (bundle(patient={**PATIENT, "deceasedBoolean": True}), "recorded as deceased"),
    ],
)
def test_a_malformed_bundle_is_refused_whole(raw: Any, words: str) -> None:
    with pytest.raises(InputError) as problem:
        read_bundle(raw, on=TODAY)
    assert words in str(problem.value)


@pytest.mark.parametrize(
    ("display", "names"),
    [
        ("Hydrochlorothiazide 25 MG", ("hydrochlorothiazide",)),
        ("24 HR Metformin hydrochloride 500 MG Extended Release Oral Tablet", ("metformin hydrochloride",)),
        ("Simvastatin 10 MG Oral Tablet", ("simvastatin",)),
        ("Acetaminophen 300 MG / Hydrocodone Bitartrate 5 MG Oral Tablet", ("acetaminophen", "hydrocodone bitartrate")),
        ("0.3 ML Enoxaparin sodium 100 MG/ML Prefilled Syringe", ("enoxaparin sodium",)),
        ("sertraline", ("sertraline",)),
        ("Yaz 28 Day Pack", ("yaz 28 day pack",)),
    ],
)
def test_plain_drug_names(display: str, names: tuple[str, ...]) -> None:
    from limen.interop.fhir.history import plain_names

    assert plain_names(display) == names
