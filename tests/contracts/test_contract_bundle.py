"""``limen screen`` and ``limen plan`` on a FHIR R4 Bundle: what is taken, what is refused, what must be asked."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from contracts.documents import BUNDLE
from contracts.door import changed, given, keys_present, limen, refused

ON = ("--on", "2026-11-21")
SYNTHEA = sorted((Path(__file__).parents[3] / "shared" / "data" / "synthea").glob("*.json"))


def screen(bundle: Any) -> Any:
    return given("screen", "-", *ON, stdin=bundle)


def observed(code: str, quantity: dict[str, Any], when: str | None = "2026-11-21T08:00:00+00:00") -> dict[str, Any]:
    resource = {
        "resourceType": "Observation",
        "id": f"o-{code}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": "urn:uuid:p1"},
        "valueQuantity": quantity,
    }
    if when:
        resource["effectiveDateTime"] = when
    return {"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource}


def with_entries(*entries: dict[str, Any]) -> dict[str, Any]:
    bundle = copy.deepcopy(BUNDLE)
    bundle["entry"] += entries
    return bundle


def refused_row(found: Any, resource: str) -> str:
    """Why one entry was not taken."""
    outcome = next(row["outcome"] for row in found["import"]["not_imported"] if row["resource"] == resource)
    assert isinstance(outcome, str)
    return outcome


def test_a_record_is_not_a_history_that_was_asked() -> None:
    found = screen(BUNDLE)
    keys_present(found, "verdict", "findings", "missing", "unknown_inputs", "import")
    assert found["verdict"] == "needs-data"
    why = {item["rule"]: item["why"] for item in found["missing"]}
    for rule in ("SEL-04", "SEL-05", "SEL-06", "SEL-09", "INT-06"):
        assert why[rule] == "not on record, ask"
    assert "SEL-04" not in {item["rule"] for item in found["passed"]}


def test_what_is_on_record_counts() -> None:
    aneurysm = copy.deepcopy(BUNDLE["entry"][2])
    aneurysm["fullUrl"], aneurysm["resource"]["id"] = "urn:uuid:c2", "c2"
    aneurysm["resource"]["code"] = {
        "coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "I71.43"}],
        "text": "Infrarenal abdominal aortic aneurysm",
    }
    found = screen(with_entries(aneurysm))
    assert found["verdict"] == "excluded"
    assert ("SEL-04", "block") in {(item["rule"], item["level"]) for item in found["findings"]}


def test_every_entry_has_its_line() -> None:
    immunisation = {"resource": {"resourceType": "Immunization", "id": "i1"}}
    account = screen(with_entries(immunisation))["import"]
    rows = [*account["imported"], *account["not_imported"]]
    assert sorted(row["entry"] for row in rows) == list(range(account["entries"]))
    assert account["entries"] == len(BUNDLE["entry"]) + 1
    assert [row["resource"] for row in account["not_imported"]] == ["Immunization/i1"]


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (observed("29463-7", {"value": 70, "code": "stoone"}), ("stoone",)),
        (observed("29463-7", {"value": 70}), ("unit",)),
        (observed("29463-7", {"value": 700, "code": "kg"}), ("700", "20 to 350 kg")),
        (observed("29463-7", {"value": 70, "code": "mmHg"}), ("mmHg", "kg")),
        (observed("59408-5", {"value": 140, "code": "%"}), ("140", "100")),
        (observed("59408-5", {"value": 0, "code": "%"}), ("0",)),
        (observed("8867-4", {"value": 9000, "code": "/min"}), ("9000",)),
        (observed("29463-7", {"value": 70, "code": "kg"}, "2027-03-01T08:00:00+00:00"), ("2027-03-01",)),
        (observed("29463-7", {"value": 70, "code": "kg"}, None), ("date",)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_value_that_cannot_be_is_refused_by_name_and_never_used(entry: dict[str, Any], says: tuple[str, ...]) -> None:
    bundle = with_entries(entry)
    del bundle["entry"][1]
    found = screen(bundle)
    words = refused_row(found, f"Observation/{entry['resource']['id']}")
    for word in says:
        assert word in words
    if entry["resource"]["id"] == "o-29463-7":
        assert "BAS-01" in {item["rule"] for item in found["missing"] if item["input"].endswith("weight_kg")}


def test_what_was_left_out_is_said_in_words_too() -> None:
    bundle = with_entries({"resource": {"resourceType": "Immunization", "id": "i1"}})
    bundle["entry"][1] = observed("29463-7", {"value": 70, "code": "stoone"})
    done = limen("screen", "-", *ON, stdin=json.dumps(bundle))
    assert "Imported 2 of 4" in done.out
    assert "stoone" in done.out
    assert "Immunization" in done.out


def test_an_unknown_code_system_is_refused_by_name() -> None:
    bundle = changed(BUNDLE, "entry.2.resource.code.coding.0.system", "urn:house:codes")
    found = screen(bundle)
    assert "unknown code system urn:house:codes" in refused_row(found, "Condition/c1")
    assert "IND-TRD" in {item["rule"] for item in [*found["findings"], *found["missing"]]}


def test_the_resources_own_date_is_used() -> None:
    assert "BAS-01" not in {item["rule"] for item in screen(BUNDLE)["missing"] if item["input"].endswith("weight_kg")}
    old = screen(changed(BUNDLE, "entry.1.resource.effectiveDateTime", "2018-08-17T09:00:00+00:00"))
    why = [item["why"] for item in old["missing"] if item["input"].endswith("weight_kg")]
    assert why
    assert "2018-08-17" in why[0]


def test_a_unit_is_converted() -> None:
    """150 lb is 68.0 kg: 0.5 mg/kg of it is 34.0 mg."""
    bundle = changed(BUNDLE, "entry.1.resource.valueQuantity", {"value": 150, "code": "[lb_av]"})
    found = given("plan", "-", *ON, "--protocol", "TRD-IV", "--population", "0", stdin=bundle)
    assert found["asked"]["dose_mg"] == pytest.approx(0.5 * 150 * 0.45359237, abs=0.05)
    assert found["released"] is False
    assert found["dose"] is None


PATIENT_ENTRY = BUNDLE["entry"][0]


@pytest.mark.parametrize(
    ("bundle", "says"),
    [
        ({"resourceType": "Bundle", "type": "collection"}, ("entries",)),
        ({"resourceType": "Bundle", "type": "collection", "entry": []}, ("entries",)),
        ({"resourceType": "Bundle", "type": "collection", "entry": [{}]}, ("entry[0]",)),
        ({"resourceType": "Bundle", "type": "collection", "entry": {"a": 1}}, ("entr",)),
        ({"resourceType": "Bundle", "type": "collection", "entry": BUNDLE["entry"][1:]}, ("no Patient",)),
        (
            {"resourceType": "Bundle", "type": "collection", "entry": [PATIENT_ENTRY, PATIENT_ENTRY]},
            ("2 Patients", "exactly one"),
        ),
        (changed(BUNDLE, "entry.0.resource.birthDate", "yesterday"), ("birth",)),
        (changed(BUNDLE, "entry.0.resource.birthDate", "2031-01-01"), ("2031-01-01",)),
        (changed(BUNDLE, "entry.0.resource.gender", 7), ("gender",)),
        (changed(BUNDLE, "resourceType", "Patient"), ("Patient", "Bundle")),
        (changed(BUNDLE, "resourceType", 7), ("Bundle",)),
    ],
    ids=str,
)
def test_a_broken_bundle_is_refused_whole(bundle: Any, says: tuple[str, ...]) -> None:
    for arguments in (("screen", "-", *ON), ("plan", "-", *ON, "--protocol", "TRD-IV")):
        line = refused(*arguments, "--json", stdin=bundle)
        for word in says:
            assert word in line


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("entry.2.resource.code", "F33.2"),
        ("entry.2.resource.code.coding", 5),
        ("entry.2.resource.code.coding", ["F33.2"]),
        ("entry.2.resource.code.coding.0", None),
        ("entry.2.resource.subject", "urn:uuid:p1"),
        ("entry.2.resource.medicationReference", "urn:uuid:m1"),
        ("entry.2.resource.resourceType", "Medication"),
        ("entry.2.resource.contained", [{"resourceType": "Nothing"}]),
        ("entry.1.resource.valueQuantity", 70),
        ("entry.1.resource.valueQuantity.value", "70"),
        ("entry.0.resource.name.0.given", [None]),
        ("entry.0.resource.name", "Ida"),
        ("entry.0.fullUrl", 5),
    ],
)
def test_a_misshapen_entry_never_ends_in_a_traceback(path: str, value: Any) -> None:
    done = limen("screen", "-", *ON, "--json", stdin=json.dumps(changed(BUNDLE, path, value)))
    assert done.code in {0, 2}
    assert done.err.count("\n") == (1 if done.code else 0)


@pytest.mark.skipif(not SYNTHEA, reason="the Synthea bundles of ../shared/data are not here")
@pytest.mark.parametrize("path", SYNTHEA, ids=lambda path: path.stem)
def test_patients_nobody_here_made_up(path: Path) -> None:
    found = given("screen", str(path), "--on", "2026-11-22")
    assert found["verdict"] in {"needs-data", "hold", "excluded"}
    account = found["import"]
    assert len(account["imported"]) + len(account["not_imported"]) == account["entries"]
    assert found["missing"]
