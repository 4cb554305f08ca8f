"""What a CASE may hold, and how an impossible one is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from limen.care.case import Condition, Pressure, build_case
from limen.care.case_json import case_from_json, partial_date
from limen.care.facts import Fact, Gap, current, fact
from limen.care.history import belongs, months_before
from limen.errors import InputError
from limen.knowledge.rules import code_sets

ON = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"patient": {"weight_kg": 700}}, "patient.weight_kg: 700 is impossible; allowed: 20 to 350 kg"),
        ({"patient": {"weight_kg": 19.9}}, "patient.weight_kg: 19.9 is impossible; allowed: 20 to 350 kg"),
        ({"patient": {"weight_kg": "70"}}, "patient.weight_kg: '70' is not a number"),
        ({"patient": {"weight_kg": True}}, "patient.weight_kg: True is not a number"),
        ({"patient": {"weight_kg": float("nan")}}, "patient.weight_kg: nan is impossible"),
        ({"patient": {"age_years": 121}}, "patient.age_years: 121 is impossible; allowed: 0 to 120 years"),
        ({"patient": {"sex": "F"}}, "patient.sex: 'F' is not understood; allowed: female, male, other, unknown"),
        ({"vitals": {"sbp_mmHg": 301, "dbp_mmHg": 90}}, "vitals.sbp_mmHg: 301 is impossible; allowed: 30 to 300 mmHg"),
        ({"vitals": {"sbp_mmHg": 80, "dbp_mmHg": 90}}, "vitals.dbp_mmHg: pressure 80/90; allowed: diastolic below"),
        ({"vitals": {"spo2_pct": 0}}, "vitals.spo2_pct: 0 is impossible"),
        ({"vitals": {"taken_at": "2026-11-22"}}, "vitals.taken_at: 2026-11-22 is in the future"),
        ({"vitals": {"taken_at": "yesterday"}}, "vitals.taken_at: 'yesterday' is not a date or time"),
        ({"vitals": {"repeats": [{"at_min": 10}]}}, "vitals.repeats[0]: an incomplete repeat"),
        ({"vitals": {"repeats": [{"at_min": 10, "sbp_mmHg": 130, "dbp_mmHg": 80}]}}, "vitals.repeats: repeats without"),
        ({"vitals": [1]}, "vitals: [1] is not an object"),
        ({"labs": {"alt_xULN": -1}}, "labs.alt_xULN: -1 is impossible"),
        ({"scores": {"PHQ-9": 28}}, "scores.PHQ-9: 28 is impossible; allowed: 0 to 27"),
        ({"scores": {"PHQ-9": 12.5}}, "scores.PHQ-9: 12.5 is not a whole number"),
        ({"scores": {"C-SSRS": {"q1": "yes"}}}, "scores.C-SSRS.q1: 'yes' is not a yes or no"),
        ({"scores": {"C-SSRS": {"q7": True}}}, "scores.C-SSRS: unknown item 'q7'"),
        ({"facts": {"pregnancy_test": "maybe"}}, "facts.pregnancy_test: 'maybe' is not understood"),
        ({"facts": {"escort": "sister"}}, "facts.escort: 'sister' is not understood; allowed: true or false"),
        ({"facts": {"asa_class": 7}}, "facts.asa_class: 7 is impossible; allowed: 1 to 6"),
        ({"facts": {"adequate_trials_failed": -1}}, "facts.adequate_trials_failed: -1 is impossible"),
        ({"indication": "gout"}, "indication: unknown indication 'gout'; allowed: trd, "),
        ({"route": "nose"}, "route: unknown route 'nose'"),
        ({"setting": "garage"}, "setting: unknown setting 'garage'"),
        ({"product": "ketamine"}, "product: unknown product 'ketamine'"),
        ({"conditions": [{"code": "1", "system": "read"}]}, "conditions[0].system: unknown code system 'read'"),
        ({"conditions": [{"text": "a", "status": "old"}]}, "conditions[0].status: unknown status 'old'"),
        ({"conditions": [{}]}, "conditions[0]: a condition with neither code nor text"),
        (
            {"conditions": [{"text": "a", "onset": "2027-01-01"}]},
            "conditions[0].onset: onset 2027-01-01 of a is in the",
        ),
        ({"conditions": [{"text": "a", "onset": "2024-13"}]}, "conditions[0].onset: '2024-13' is not a date"),
        (
            {"conditions": [{"text": "a"}, {"code": "36474009", "system": "snomed"}]},
            "conditions[1].code: '36474009' is no",
        ),
        ({"conditions": [{"code": "depression", "system": "icd10"}]}, "conditions[0].code: 'depression' is no ICD-10"),
        ({"patient": {"birth_date": "2027-01-01"}}, "patient.birth_date: 2027-01-01 is in the future"),
        ({"patient": {"weight_kg": 70, "weight_on": "2026-11-22"}}, "patient.weight_on: 2026-11-22 is in the future"),
        ({"labs": {"alt_xULN": 1}, "labs_on": "2026-11-22"}, "labs_on: 2026-11-22 is in the future"),
        ({"conditions": "none"}, "conditions: 'none' is not a list; allowed: a list, or null for not asked"),
        ({"medications": [{"dose": "1 mg"}]}, "medications[0].name: a medication without a name"),
        ({"medications": [{"name": "x", "last_taken_h": -1}]}, "medications[0].last_taken_h: -1 is impossible"),
        ({"request": {"concentration_mg_per_mL": 0}}, "request.concentration_mg_per_mL: 0 is impossible"),
        ({"request": {"sessions": 1.5}}, "request.sessions: 1.5 sessions"),
        ({"request": {"diluted": "yes"}}, "request.diluted: 'yes' is not a yes or no"),
        ({"on": "21.11.2026"}, "on: '21.11.2026' is not a date; allowed: YYYY-MM-DD"),
    ],
)
def test_refused(document: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        case_from_json({"on": "2026-11-21", **document})
    assert message in str(caught.value)


def test_the_day_is_required() -> None:
    with pytest.raises(InputError, match="the day of the decision is not given"):
        case_from_json({})
    assert case_from_json({}, on=ON).on == ON


def test_unknown_keys_are_kept_and_named() -> None:
    case = case_from_json(
        {
            "on": "2026-11-21",
            "moon": 1,
            "patient": {"star": 2},
            "vitals": {"sun": 3, "taken_at": None, "repeats": None},
            "facts": {"comet": 4},
            "conditions": [{"text": "a", "hue": "red"}],
            "request": {"wish": "x"},
        }
    )
    assert set(case.unknown_inputs) == {
        "moon",
        "patient.star",
        "vitals.sun",
        "facts.comet",
        "conditions[0].hue",
        "request.wish",
    }


def test_a_list_means_asked_and_null_means_not() -> None:
    asked = case_from_json({"on": "2026-11-21", "conditions": [], "medications": []})
    assert (asked.conditions_asked, asked.medications_asked) == (True, True)
    for document in ({"conditions": None, "medications": None}, {}):
        case = case_from_json({"on": "2026-11-21", **document})
        assert (case.conditions_asked, case.medications_asked) == (False, False)


def test_a_null_date_means_the_day_itself() -> None:
    case = case_from_json({"on": "2026-11-21", "vitals": {"sbp_mmHg": 120, "dbp_mmHg": 70}, "labs": {"alt_xULN": 1}})
    assert case.pressures == (Pressure(0.0, 120.0, 70.0),)
    assert case.pressures_on == ON
    assert case.number("labs.alt_xULN") == 1.0


@pytest.mark.parametrize(
    ("key", "days", "fresh"),
    [
        ("vitals.hr_per_min", 0, True),
        ("vitals.hr_per_min", 1, False),
        ("patient.weight_kg", 30, True),
        ("patient.weight_kg", 31, False),
    ],
)
def test_how_old_a_fact_may_be(key: str, days: int, fresh: bool) -> None:
    taken = date.fromordinal(ON.toordinal() - days)
    found = current(fact(key, 80, taken_at=taken), key, ON)
    assert isinstance(found, Fact) is fresh
    if isinstance(found, Gap):
        assert taken.isoformat() in found.why


def test_an_undated_value_is_not_fresh() -> None:
    found = current(fact("patient.weight_kg", 80, taken_at=None), "patient.weight_kg", ON)
    assert found == Gap("patient.weight_kg", "last 80 kg, undated")


def test_the_newest_fact_stands_and_later_ones_wait() -> None:
    case = build_case(
        on=ON,
        facts=[
            fact("patient.weight_kg", 70, taken_at=date(2026, 11, 20)),
            fact("patient.weight_kg", 72, taken_at=date(2026, 11, 21)),
            fact("patient.weight_kg", 60, taken_at=date(2026, 11, 1)),
            fact("patient.weight_kg", 99, taken_at=date(2026, 11, 22)),
        ],
    )
    assert case.weight_kg == 72


def test_times_in_two_zones_are_put_in_order() -> None:
    from datetime import timedelta, timezone

    east = datetime(2026, 11, 21, 9, 0, tzinfo=timezone(timedelta(hours=9)))
    later = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
    case = build_case(
        on=ON,
        facts=[
            fact("vitals.hr_per_min", 80, taken_at=later),
            fact("vitals.hr_per_min", 60, taken_at=east),
        ],
    )
    assert case.number("vitals.hr_per_min") == 80


@pytest.mark.parametrize(
    ("born", "years"), [(date(1986, 11, 21), 40), (date(1986, 11, 22), 39), (date(2026, 11, 21), 0)]
)
def test_age_from_the_date_of_birth(born: date, years: int) -> None:
    case = build_case(on=ON, facts=[fact("patient.birth_date", born, taken_at=None)])
    assert case.age_years == years


def test_a_weight_in_pounds_is_converted() -> None:
    # 150 lb avoirdupois are 68.0389 kg by definition (0.45359237 kg each).
    assert fact("patient.weight_kg", 150, unit="[lb_av]", taken_at=ON).value == pytest.approx(150 * 0.45359237)
    with pytest.raises(InputError, match="does not measure the same"):
        fact("patient.weight_kg", 150, unit="mmHg", taken_at=ON)


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("2024", date(2024, 12, 31)),
        ("2026", ON),
        ("2024-02", date(2024, 2, 29)),
        ("2024-02-05", date(2024, 2, 5)),
        ("2024-02-05T10:00:00Z", date(2024, 2, 5)),
    ],
)
def test_a_partial_date_is_read_strictly(text: str, last: date) -> None:
    assert partial_date(text, ON, where="onset") == last


def test_months_before_keep_to_the_calendar() -> None:
    assert months_before(date(2024, 2, 29), 12) == date(2023, 2, 28)
    assert months_before(date(2026, 1, 15), 1) == date(2025, 12, 15)


@pytest.mark.parametrize(
    ("text", "of", "expected"),
    [
        ("Thoracic aortic aneurysm, repaired", "aneurysm", True),
        ("no aneurysm", "aneurysm", False),
        ("No history of aneurysm", "aneurysm", False),
        ("Family history of stroke", "stroke", False),
        ("denies chest pain", "unstable-heart", False),
        ("no aneurysm; later: aneurysm found", "aneurysm", True),
        ("Pulmonary hypertension", "hypertension", False),
        ("Pulmonary hypertension and essential hypertension", "hypertension", True),
        ("Hypomania", "mania", True),
        ("BMI 30", "coronary-event", False),
        ("MI 2019", "coronary-event", True),
        ("Depression screening", "depression", True),
        ("Postpartum", "pregnancy", False),
    ],
)
def test_plain_names(text: str, of: str, expected: bool) -> None:
    assert belongs(Condition(text), code_sets()[of]) is expected


@pytest.mark.parametrize(
    ("code", "system", "of", "expected"),
    [
        ("I7143", "icd10", "aneurysm", True),
        ("i71.43", "icd10", "aneurysm", True),
        ("I71.43", None, "aneurysm", True),
        ("I71.43", "snomed", "aneurysm", False),
        ("G45.4", "icd10", "stroke", False),
        ("G45.9", "icd10", "stroke", True),
        ("38341003", "snomed", "hypertension", True),
        ("F17.210", "icd10", "other-substance-use-disorder", False),
    ],
)
def test_codes(code: str, system: str | None, of: str, expected: bool) -> None:
    assert belongs(Condition(code=code, system=system), code_sets()[of]) is expected
