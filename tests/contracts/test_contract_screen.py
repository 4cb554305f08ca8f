"""``limen screen`` on a direct CASE: every key, the table of verdicts, and what is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from contracts.documents import CASE
from contracts.door import changed, given, keys_present, limen, refused, without

LEVELS = {"block", "hold", "warn", "info"}
MARKS = {"V", "V2", "M", "P", "D"}


def screen(case: Any, *arguments: str) -> Any:
    return given("screen", "-", *arguments, stdin=case)


def level_of(found: Any, rule: str) -> str | None:
    """The worst level at which a rule was found."""
    order = ["block", "hold", "warn", "info"]
    levels = [finding["level"] for finding in found["findings"] if finding["rule"] == rule]
    return min(levels, key=order.index) if levels else None


def missing_rules(found: Any) -> set[str]:
    return {item["rule"] for item in found["missing"]}


def test_a_clean_case_is_eligible_with_every_key() -> None:
    found = screen(CASE)
    keys_present(found, "verdict", "findings", "missing", "unknown_inputs")
    assert found["verdict"] == "eligible"
    assert found["unknown_inputs"] == []
    assert {finding["level"] for finding in found["findings"]} <= {"info"}
    assert not [item for item in found["missing"] if item["level"] in {"block", "hold"}]


def test_a_file_and_standard_input_are_the_same(tmp_path: Path) -> None:
    path = tmp_path / "case.json"
    path.write_text(json.dumps(CASE), encoding="utf-8")
    assert given("screen", str(path)) == screen(CASE)


def test_a_finding_carries_its_whole_reason() -> None:
    found = screen(changed(CASE, "facts.ketamine_allergy", True))
    assert found["verdict"] == "excluded"
    finding = next(finding for finding in found["findings"] if finding["rule"] == "SEL-01")
    keys_present(
        finding, *("rule", "level", "title", "because", "input", "threshold", "action", "sources", "verification")
    )
    assert isinstance(finding["input"], dict)
    for key in ("rule", "level", "title", "because", "action", "verification"):
        assert isinstance(finding[key], str)
        assert finding[key]
    assert finding["level"] in LEVELS
    assert finding["verification"] in MARKS
    assert finding["sources"]


@pytest.mark.parametrize(
    ("path", "value", "verdict", "rule", "level"),
    [
        ("facts.ketamine_allergy", True, "excluded", "SEL-01", "block"),
        ("facts.capacity", False, "excluded", "SEL-27", "block"),
        ("facts.consent_signed", False, "excluded", "SEL-27", "block"),
        ("facts.pregnancy_test", "positive", "excluded", "SEL-13", "block"),
        ("facts.pregnancy_test", "not-done", "hold", "BAS-06", "hold"),
        ("facts.breastfeeding", True, "hold", "SEL-14", "hold"),
        ("facts.escort", False, "hold", "SEL-26", "hold"),
        ("facts.will_drive", True, "hold", "SEL-26", "hold"),
        ("facts.fasted_food_h", 5.9, "hold", "SEL-25", "hold"),
        ("facts.fasted_clear_h", 1.9, "hold", "SEL-25", "hold"),
        ("facts.fasted_clear_h", 2, "eligible", "SEL-25", None),
        ("facts.adequate_trials_failed", 1, "hold", "BAS-16", "hold"),
        ("facts.adequate_trials_failed", 2, "eligible", "BAS-16", None),
        ("facts.urine_drug_screen", "positive", "hold", "SEL-19", "hold"),
        ("facts.pdmp_checked", False, "hold", "BAS-07", "hold"),
        ("facts.asa_class", 3, "hold", "BAS-01-ASA", "hold"),
        ("patient.age_years", 17, "excluded", "SEL-21", "block"),
        ("patient.age_years", 65, "caution", "SEL-22", "warn"),
        ("patient.age_years", 64, "eligible", "SEL-22", None),
        ("patient.weight_kg", 100, "caution", "SEL-23", "warn"),
        ("patient.weight_kg", 44.9, "caution", "SEL-23", "warn"),
        ("patient.weight_kg", 45, "eligible", "SEL-23", None),
        ("patient.child_pugh", "C", "excluded", "SEL-15", "block"),
        ("patient.child_pugh", "B", "caution", "SEL-15", "warn"),
        ("labs.alt_xULN", 3, "eligible", "SEL-15", None),
        ("labs.alt_xULN", 3.1, "hold", "SEL-15", "hold"),
        ("labs.bilirubin_xULN", 1.1, "hold", "SEL-15", "hold"),
        ("scores.YMRS", 11, "eligible", "SEL-10", None),
        ("scores.YMRS", 12, "hold", "SEL-10", "hold"),
        ("scores.YMRS", 20, "hold", "SEL-10", "hold"),
        ("scores.YMRS", 21, "excluded", "SEL-10", "block"),
        ("vitals.spo2_pct", 95, "eligible", "BAS-01", None),
        ("vitals.spo2_pct", 94, "caution", "BAS-01", "warn"),
        ("vitals.spo2_pct", 92, "caution", "BAS-01", "warn"),
        ("vitals.spo2_pct", 91, "hold", "BAS-01", "hold"),
        ("vitals.hr_per_min", 110, "eligible", "BAS-01", None),
        ("vitals.hr_per_min", 111, "caution", "BAS-01", "warn"),
        ("vitals.hr_per_min", 130, "caution", "BAS-01", "warn"),
        ("vitals.hr_per_min", 131, "hold", "BAS-01", "hold"),
        ("vitals.hr_per_min", 50, "caution", "BAS-01", "warn"),
        ("vitals.hr_per_min", 49, "hold", "BAS-01", "hold"),
        ("setting", "home", "excluded", "SETTING-HOME", "block"),
    ],
)
def test_each_level_makes_its_verdict(path: str, value: Any, verdict: str, rule: str, level: str | None) -> None:
    """Levels as the clinical reference has them; the verdict is that of the worst finding."""
    found = screen(changed(CASE, path, value))
    assert level_of(found, rule) == level
    assert found["verdict"] == verdict


def test_hys_law() -> None:
    """ALT at 3 times and bilirubin at 2 times the upper limit is a danger sign; either alone is less."""
    case = changed(changed(CASE, "labs.alt_xULN", 3), "labs.bilirubin_xULN", 2)
    found = screen(case)
    assert (found["verdict"], level_of(found, "SEL-15")) == ("excluded", "block")
    assert level_of(screen(changed(case, "labs.alt_xULN", 2.9)), "SEL-15") == "hold"


@pytest.mark.parametrize(
    ("sbp_mmHg", "dbp_mmHg", "age_years", "level"),
    [
        (140, 90, 42, None),
        (141, 90, 42, "hold"),
        (140, 91, 42, "hold"),
        (160, 100, 42, "hold"),
        (179, 109, 42, "hold"),
        (180, 70, 42, "block"),
        (120, 110, 42, "block"),
        (181, 111, 42, "block"),
        (139, 90, 55, None),
        (139, 91, 55, "hold"),
    ],
)
def test_sel_03_at_its_lines(sbp_mmHg: float, dbp_mmHg: float, age_years: float, level: str | None) -> None:
    """HOLD over 140/90, no dosing over 160/100, BLOCK from 180/110: either number."""
    case = changed(CASE, "patient.age_years", age_years)
    case["vitals"] |= {"sbp_mmHg": sbp_mmHg, "dbp_mmHg": dbp_mmHg}
    assert level_of(screen(case), "SEL-03") == level


def test_sel_03_is_rechecked() -> None:
    """Over 140/90 once, then twice at 10 to 15 min within it: dosing may go on; once is not enough, and 180 stays."""
    case = changed(CASE, "vitals.sbp_mmHg", 150)
    first, second = ({"at_min": at_min, "sbp_mmHg": 130, "dbp_mmHg": 80} for at_min in (12, 25))
    assert level_of(screen(changed(case, "vitals.repeats", [first])), "SEL-03") == "hold"
    assert level_of(screen(changed(case, "vitals.repeats", [first, second])), "SEL-03") is None
    high = {"at_min": 25, "sbp_mmHg": 162, "dbp_mmHg": 80}
    assert level_of(screen(changed(case, "vitals.repeats", [first, high])), "SEL-03") == "hold"
    crisis = {"at_min": 25, "sbp_mmHg": 185, "dbp_mmHg": 80}
    assert level_of(screen(changed(case, "vitals.repeats", [first, crisis])), "SEL-03") == "block"


CONDITIONS = {
    "SEL-04": ("I71.43", "block"),
    "SEL-05": ("I61.9", "block"),
    "SEL-06": ("I63.9", "block"),
    "SEL-09": ("F20.9", "block"),
    "SEL-11": ("G91.9", "block"),
    "SEL-24": ("J44.1", "hold"),
    "SEL-29": ("G40.909", "warn"),
}


@pytest.mark.parametrize(("rule", "code", "level"), [(rule, *rest) for rule, rest in CONDITIONS.items()])
def test_history_is_found_by_code(rule: str, code: str, level: str) -> None:
    case = json.loads(json.dumps(CASE))
    case["conditions"].append({"code": code, "system": "icd10", "text": "", "status": "active", "onset": None})
    assert level_of(screen(case), rule) == level


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Unstable angina", "SEL-07"),
        ("Angina, unstable", "SEL-07"),
        ("Paranoid schizophrenia", "SEL-09"),
        ("Failure, heart", "SEL-08"),
        ("Abdominal aortic aneurysm", "SEL-04"),
        ("Hydrocephalus", "SEL-11"),
        ("Graves disease", "SEL-17"),
        ("Ketamine bladder", "SEL-20"),
    ],
)
def test_history_is_found_by_its_name_in_either_order(text: str, rule: str) -> None:
    case = json.loads(json.dumps(CASE))
    case["conditions"].append({"code": None, "system": None, "text": text, "status": "active", "onset": None})
    assert level_of(screen(case), rule) == "block"


def test_a_condition_that_no_rule_reads_is_said() -> None:
    case = json.loads(json.dumps(CASE))
    case["conditions"].append({"code": "L40.0", "system": "icd10", "text": "Psoriasis", "status": "active"})
    found = screen(case)
    assert found["verdict"] == "eligible"
    assert ["Psoriasis" in text for text in found["unread_conditions"]] == [True]


@pytest.mark.parametrize(
    ("onset", "level"),
    [("2026-10-20", "block"), ("2025-11-22", "block"), ("2025-11-20", "hold"), (None, "block")],
)
def test_an_infarction_blocks_for_a_year_then_asks_cardiology(onset: str | None, level: str) -> None:
    case = json.loads(json.dumps(CASE))
    case["conditions"].append(
        {"code": "I21.9", "system": "icd10", "text": "Myocardial infarction", "status": "resolved", "onset": onset}
    )
    assert level_of(screen(case), "SEL-07") == level


def test_theophylline_blocks() -> None:
    case = changed(CASE, "medications", [{"name": "theophylline", "dose": "200 mg", "last_taken_h": 6}])
    found = screen(case)
    assert (found["verdict"], level_of(found, "INT-06")) == ("excluded", "block")


@pytest.mark.parametrize(
    ("setting", "level"),
    [
        ("clinic", "hold"),
        ("home", "hold"),
        ("emergency", "warn"),
        ("palliative", "warn"),
        ("anaesthesia", "warn"),
        ("intensive-care", "warn"),
    ],
)
@pytest.mark.parametrize("answers", [{"q4": True}, {"q5": True}, {"q6": True, "q6_recent": True}])
def test_high_suicide_risk_is_never_outpatient_only(answers: dict[str, bool], setting: str, level: str) -> None:
    """SEL-30: intent, plan, or behaviour in 3 months holds where the patient goes home; it is no bar to treatment."""
    every = {"q1": True, "q2": True, "q3": True, "q4": False, "q5": False, "q6": False} | answers
    case = changed(changed(CASE, "scores.C-SSRS", every), "setting", setting)
    assert level_of(screen(case), "SEL-30") == level


@pytest.mark.parametrize("key", ["conditions", "medications"])
def test_a_history_not_taken_is_missing_and_an_empty_one_is_not(key: str) -> None:
    rule = {"conditions": "SEL-04", "medications": "INT-06"}[key]
    # A list means that the history was taken: what is not in it is absent.
    with_list = screen(changed(CASE, key, CASE[key]))
    assert rule not in missing_rules(with_list)
    for case in (changed(CASE, key, None), without(CASE, key)):
        found = screen(case)
        assert found["verdict"] == "needs-data"
        assert rule in missing_rules(found)
        assert all({"rule", "input", "why"} <= set(item) for item in found["missing"])


def test_needs_data_only_where_nothing_worse_is_found() -> None:
    assert screen(changed(CASE, "conditions", None))["verdict"] == "needs-data"
    worse = changed(changed(CASE, "conditions", None), "facts.ketamine_allergy", True)
    assert screen(worse)["verdict"] == "excluded"
    held = changed(changed(CASE, "conditions", None), "facts.escort", False)
    assert screen(held)["verdict"] == "hold"
    warned = changed(changed(CASE, "conditions", None), "patient.age_years", 66)
    assert screen(warned)["verdict"] == "needs-data"


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("vitals.sbp_mmHg", "SEL-03"),
        ("vitals.dbp_mmHg", "SEL-03"),
        ("facts.ketamine_allergy", "SEL-01"),
        ("facts.capacity", "SEL-27"),
        ("facts.consent_signed", "SEL-27"),
        ("facts.pregnancy_test", "SEL-13"),
        ("facts.escort", "SEL-26"),
        ("facts.fasted_food_h", "SEL-25"),
        ("patient.age_years", "SEL-21"),
        ("patient.weight_kg", "BAS-01"),
        ("scores.C-SSRS", "SEL-30"),
    ],
)
@pytest.mark.parametrize("absent", [True, False])
def test_a_missing_input_is_listed_and_never_passed(path: str, rule: str, absent: bool) -> None:
    found = screen(without(CASE, path) if absent else changed(CASE, path, None))
    assert found["verdict"] == "needs-data"
    assert rule in missing_rules(found)
    assert rule not in {item["rule"] for item in found["passed"]}


def test_a_null_date_is_the_day_itself_and_an_old_value_is_missing() -> None:
    assert screen(changed(CASE, "vitals.taken_at", "2026-11-21"))["verdict"] == "eligible"
    old_vitals = screen(changed(CASE, "vitals.taken_at", "2026-11-20"))
    assert old_vitals["verdict"] == "needs-data"
    assert "SEL-03" in missing_rules(old_vitals)
    assert screen(changed(CASE, "patient.weight_on", "2026-10-22"))["verdict"] == "eligible"
    old_weight = screen(changed(CASE, "patient.weight_on", "2026-10-21"))
    assert "BAS-01" in missing_rules(old_weight)
    assert any("2026-10-21" in item["why"] for item in old_weight["missing"])


def test_unknown_keys_are_accepted_and_listed() -> None:
    case = changed(CASE, "shoe", 43)
    case["vitals"]["mood"] = 7
    case["facts"]["moon"] = "full"
    case["request"]["colour"] = "blue"
    case["conditions"][0]["laterality"] = "left"
    found = screen(case)
    assert found["verdict"] == "eligible"
    assert set(found["unknown_inputs"]) == {
        "shoe",
        "vitals.mood",
        "facts.moon",
        "request.colour",
        "conditions[0].laterality",
    }


def test_a_protocol_that_is_not_installed_is_never_passed_over_in_silence() -> None:
    done = limen("screen", "-", "--json", stdin=json.dumps(changed(CASE, "protocol", "NO-SUCH")))
    said = done.err if done.code == 2 else " ".join(json.loads(done.out)["unknown_inputs"])
    assert "NO-SUCH" in said


def test_product_route_and_setting_are_applied() -> None:
    undiluted = changed(changed(CASE, "request.concentration_mg_per_mL", 100), "request.diluted", False)
    found = screen(undiluted)
    assert (found["verdict"], level_of(found, "DOSE-CONC")) == ("excluded", "block")
    assert level_of(screen(changed(undiluted, "route", "im")), "DOSE-CONC") is None
    assert level_of(screen(changed(undiluted, "request.diluted", True)), "DOSE-CONC") is None
    nasal = CASE | {"product": "esketamine-nasal", "route": "in", "protocol": None}
    assert "REMS" in missing_rules(screen(nasal))
    assert level_of(screen(changed(nasal, "facts.rems_site_certified", False)), "REMS") == "block"


def test_a_choice_on_the_command_line_stands_over_the_case() -> None:
    assert screen(CASE, "--setting", "home")["verdict"] == "excluded"
    line = refused("screen", "-", "--setting", "moon", stdin=CASE)
    assert "moon" in line
    assert "palliative" in line


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("patient.weight_kg", 700, ("patient.weight_kg", "700", "350")),
        ("patient.weight_kg", 0, ("patient.weight_kg",)),
        ("patient.weight_kg", "70", ("patient.weight_kg",)),
        ("patient.weight_kg", [70], ("patient.weight_kg",)),
        ("patient.weight_kg", True, ("patient.weight_kg",)),
        ("patient.age_years", 200, ("patient.age_years",)),
        ("patient.sex", "f", ("patient.sex", "female")),
        ("patient.child_pugh", "D", ("patient.child_pugh",)),
        ("patient.weight_on", "2026-11-22", ("weight_on", "future")),
        ("patient.weight_on", "yesterday", ("weight_on",)),
        ("patient.weight_on", "2026-02-30", ("weight_on",)),
        ("patient", [], ("patient", "object")),
        ("vitals.sbp_mmHg", 700, ("vitals.sbp_mmHg", "700")),
        ("vitals.sbp_mmHg", 0, ("vitals.sbp_mmHg",)),
        ("vitals.sbp_mmHg", 70, ("70/76",)),
        ("vitals.spo2_pct", 140, ("vitals.spo2_pct", "140", "100")),
        ("vitals.spo2_pct", 0, ("vitals.spo2_pct",)),
        ("vitals.hr_per_min", -3, ("vitals.hr_per_min",)),
        ("vitals.temp_degC", 98.6, ("vitals.temp_degC",)),
        ("vitals.moaas", 6, ("vitals.moaas",)),
        ("vitals.moaas", 4.5, ("vitals.moaas",)),
        ("vitals.taken_at", "2026-11-22T08:00:00+00:00", ("taken_at", "future")),
        ("vitals.repeats", {"at_min": 5}, ("repeats", "list")),
        ("vitals.repeats", [{"at_min": 5}], ("repeats",)),
        ("vitals", "fine", ("vitals", "object")),
        ("labs.alt_xULN", "high", ("labs.alt_xULN",)),
        ("labs_on", "2027-01-01", ("labs_on", "future")),
        ("scores.PHQ-9", 28, ("PHQ-9", "27")),
        ("scores.PHQ-9", 3.5, ("PHQ-9",)),
        ("scores.C-SSRS", 3, ("C-SSRS",)),
        ("scores.C-SSRS", {"q1": "yes"}, ("C-SSRS",)),
        ("scores.C-SSRS", {"q9": True}, ("q9",)),
        ("facts.pregnancy_test", "maybe", ("pregnancy_test", "not-done")),
        ("facts.escort", "yes", ("facts.escort", "true or false")),
        ("facts.asa_class", 9, ("facts.asa_class",)),
        ("facts.fasted_food_h", -1, ("facts.fasted_food_h",)),
        ("conditions", {}, ("conditions", "list")),
        ("conditions", ["asthma"], ("conditions[0]", "object")),
        ("conditions.0.system", "icd9", ("icd9", "snomed")),
        ("conditions.0.status", "gone", ("gone", "resolved")),
        ("conditions.0.onset", "2027-05-01", ("onset", "future")),
        ("conditions.0.onset", "last spring", ("onset",)),
        ("conditions.0.code", 33, ("code",)),
        ("medications", "none", ("medications", "list")),
        ("medications", [{}], ("medications[0]",)),
        ("medications", [{"name": "lithium", "last_taken_h": -1}], ("last_taken_h",)),
        ("on", "2026-13-45", ("on", "YYYY-MM-DD")),
        ("on", 20261121, ("on",)),
        ("on", None, ("on",)),
        ("indication", "sadness", ("sadness", "trd")),
        ("product", "heroin", ("heroin", "racemic")),
        ("route", "nose", ("nose", "buccal")),
        ("setting", "moon", ("moon", "clinic")),
        ("protocol", 5, ("protocol",)),
        ("protocol", "NO-SUCH", ("NO-SUCH", "TRD-IV")),
        ("request.concentration_mg_per_mL", -50, ("concentration",)),
        ("request.sessions", 2.5, ("sessions",)),
        ("request.diluted", "yes", ("diluted",)),
        ("request.dose", 35, ("request.dose",)),
    ],
)
def test_refuses_what_cannot_be(path: str, value: Any, says: tuple[str, ...]) -> None:
    line = refused("screen", "-", "--json", stdin=changed(CASE, path, value))
    for word in says:
        assert word in line


def test_in_words() -> None:
    done = limen("screen", "-", stdin=json.dumps(changed(CASE, "facts.ketamine_allergy", True)))
    assert (done.code, done.err) == (0, "")
    assert "EXCLUDED" in done.out
    assert "SEL-01" in done.out
