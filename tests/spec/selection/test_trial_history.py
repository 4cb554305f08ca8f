"""Did two adequate trials fail? Each trial, the count, and a number given by hand beside it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from limen.care.case_json import case_from_json
from limen.care.screening import screen
from limen.care.trial_json import daily_dose, read_trial
from limen.care.trials import Trial, judge_trials
from limen.errors import InputError
from limen.interop.fhir import case_from_bundle
from limen.knowledge.conditions import Threshold, parts
from limen.knowledge.rules import rules
from limen.knowledge.trials import adequacy, trial_rules

ON = date(2026, 11, 21)
TABLE: list[dict[str, Any]] = YAML(typ="safe").load((Path(__file__).parent / "trials.yaml").read_text(encoding="utf-8"))
GOOD = {"weeks": 8, "adherence": "good", "response": "none"}


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row["says"])
def test_one_trial(row: dict[str, Any]) -> None:
    (judged,) = judge_trials([read_trial(row["trial"], "antidepressant_trials[0]", ON)]).trials
    assert judged.verdict == row["is"], judged.because
    assert row.get("because", "") in judged.because
    assert judged.sources


@pytest.mark.parametrize(("drug", "row"), sorted(adequacy().items()))
def test_each_drug_just_inside_and_just_outside_its_dose(drug: str, row: Any) -> None:
    enough, low = row.enough_mg_per_day, row.too_low_mg_per_day
    above = enough if row.enough_from_mg_per_day is not None else enough + 0.5
    below = low if row.too_low_to_mg_per_day is not None else low - 0.5
    for dose_mg_per_day, verdict in ((above, "failed"), (below, "inadequate")):
        (judged,) = judge_trials([Trial(drug, dose_mg_per_day, 8, "good", "none")]).trials
        assert judged.verdict == verdict


def test_the_published_case_counts_two_of_its_trials() -> None:
    # Current Psychiatry 2012;11(3): sertraline 100 mg for 3 months failed; citalopram 20 mg for one month too short;
    # venlafaxine 75 mg for 7 weeks too low; duloxetine 90 mg responded. (Its augmentation is left to the prescriber.)
    history = judge_trials(
        [
            Trial("sertraline", 100, 13, "good", improvement_pct=0),
            Trial("citalopram", 20, 30 / 7, "good", "none"),
            Trial("venlafaxine", 75, 7, "good", improvement_pct=30),
            Trial("duloxetine", 90, 104, "good", improvement_pct=80),
        ]
    )
    assert [item.verdict for item in history.trials] == ["failed", "unknown", "inadequate", "responded"]
    assert history.at_least == 1


def test_a_drug_counts_once() -> None:
    history = judge_trials([Trial("Zoloft", 100, 8, "good", "none"), Trial("sertraline", 200, 12, "good", "none")])
    assert [item.counted for item in history.trials] == [True, False]
    assert history.number == 1


def test_the_order_changes_no_number() -> None:
    trials = [Trial("sertraline", 100, 8, "good", "none"), Trial("phenelzine", 60, 8, "good", "none")]
    first, second = judge_trials(trials), judge_trials(reversed(trials))
    assert (first.at_least, first.at_most) == (second.at_least, second.at_most) == (1, 2)


def _case(trials: Any, **facts: Any) -> Any:
    document = {"on": "2026-11-21", "indication": "trd", "antidepressant_trials": trials, "facts": facts}
    return screen(case_from_json(document)).to_json()


def test_a_number_by_hand_stands_and_the_difference_is_shown() -> None:
    result = _case([{"drug": "sertraline", "dose": "100 mg", **GOOD}], adequate_trials_failed=3)
    finding = next(item for item in result["findings"] if item["rule"] == "BAS-16")
    assert finding["level"] == "warn"
    assert finding["input"]["adequate_trials_failed"] == 3
    assert result["antidepressant_trials"]["disagreement"] == "by hand 3; 1 of 1 listed trials adequate and failed"
    agreed = _case([{"drug": "sertraline", "dose": "100 mg", **GOOD}], adequate_trials_failed=1)
    assert agreed["antidepressant_trials"]["disagreement"] is None


def test_no_list_is_no_answer() -> None:
    result = _case(None)
    assert result["antidepressant_trials"] is None
    assert "BAS-16" in {item["rule"] for item in result["missing"]}


def test_the_rule_and_the_table_ask_for_the_same_number() -> None:
    limits = {
        part.limit for tier in rules()["BAS-16"].tiers for part in parts(tier.when) if isinstance(part, Threshold)
    }
    assert limits == {trial_rules().needed.number}


@pytest.mark.parametrize(
    ("trial", "message"),
    [
        ({}, "antidepressant_trials[0].drug: a trial without a drug"),
        ({"drug": "sertraline", "weeks": -1}, "antidepressant_trials[0].weeks: -1 is impossible"),
        ({"drug": "sertraline", "dose": "some"}, "antidepressant_trials[0].dose: cannot read 'some'"),
        ({"drug": "sertraline", "dose": 0}, "antidepressant_trials[0].dose: 0 is impossible"),
        ({"drug": "sertraline", "adherence": "maybe"}, "antidepressant_trials[0].adherence: unknown adherence 'maybe'"),
        ({"drug": "sertraline", "response": "blue"}, "antidepressant_trials[0].response: unknown response 'blue'"),
        ({"drug": "sertraline", "from": "2027-01-01"}, "antidepressant_trials[0].from: 2027-01-01 is in the future"),
        ({"drug": "sertraline", "from": "2026-02-01", "to": "2026-01-01"}, "before it began"),
    ],
)
def test_refused(trial: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        case_from_json({"on": "2026-11-21", "antidepressant_trials": [trial]})
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("words", "dose_mg_per_day"),
    [("50 mg", 50), ("37,5 mg bd", 75), ("60 mg three times a day", 180), ("90 mg weekly", 90 / 7), (150, 150)],
)
def test_a_day_s_dose(words: Any, dose_mg_per_day: float) -> None:
    assert daily_dose(words, "dose") == pytest.approx(dose_mg_per_day)


def test_a_bundle_lists_what_is_on_record_and_leaves_the_response_open() -> None:
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"resource": {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1986-01-01"}},
            {
                "resource": {
                    "resourceType": "MedicationStatement",
                    "id": "m1",
                    "status": "completed",
                    "subject": {"reference": "Patient/p"},
                    "medicationCodeableConcept": {"text": "Sertraline 50 MG Oral Tablet"},
                    "effectivePeriod": {"start": "2026-01-01", "end": "2026-03-26"},
                    "dosage": [
                        {
                            "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}},
                            "doseAndRate": [
                                {"doseQuantity": {"value": 50, "unit": "mg", "code": "mg"}}
                            ],
                        }
                    ],
                }
            },
        ],
    }  # fmt: skip
    case, _ = case_from_bundle(bundle, ON, "trd", "racemic", "iv", "clinic")
    (trial,) = case.trials
    assert (trial.dose_mg_per_day, trial.weeks, trial.response) == (100, 12, None)
    result = screen(case)
    (gap,) = [item for item in result.missing if item.rule == "BAS-16"]
    assert gap.why == "0 of 1 listed trials adequate and failed; 1 more for the prescriber to judge"
    assert result.trials is not None
    assert result.trials.trials[0].verdict == "unknown"
