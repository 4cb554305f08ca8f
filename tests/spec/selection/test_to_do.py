"""What is still to be asked and by whom, and what is asked again at every visit."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from limen.care.case import Case, build_case
from limen.care.case_json import case_from_json
from limen.care.facts import fact
from limen.care.screening import Screening, screen
from limen.knowledge.rules import rules

CLEAN = json.loads((Path(__file__).parents[1] / "screening" / "clean_trd.json").read_text(encoding="utf-8"))
ON = date(2026, 11, 21)


def screened(**facts: Any) -> Screening:
    return screen(case_from_json(CLEAN | {"facts": CLEAN["facts"] | facts}))


def test_nothing_missing_is_nothing_to_do() -> None:
    assert screened().todo == ()


@pytest.mark.parametrize(
    ("name", "who"),
    [
        ("escort", "patient"),
        ("fasted_food_h", "patient"),
        ("pregnancy_test", "nurse"),
        ("capacity", "prescriber"),
        ("urine_drug_screen", "laboratory"),
    ],
)
def test_a_missing_input_stands_once_with_who_can_answer(name: str, who: str) -> None:
    result = screened(**{name: None})
    (item,) = [item for item in result.todo if item.input == f"facts.{name}"]
    assert item.who == who
    assert set(item.rules) == {row.rule for row in result.missing if row.input == f"facts.{name}"}


def test_every_missing_row_is_in_the_list_and_the_gravest_first() -> None:
    result = screen(case_from_json({"on": "2026-11-21", "indication": "trd"}))
    covered = {(rule, item.input.partition(":")[0]) for item in result.todo for rule in item.rules}
    rows = {
        (row.rule, row.input.partition(":")[0] if row.input[:4] in ("cond", "medi") else row.input)
        for row in result.missing
    }
    assert rows <= covered
    levels = [["block", "hold", "warn", "info"].index(item.level) for item in result.todo]
    assert levels == sorted(levels)


def test_a_history_is_one_line_with_what_to_ask_about() -> None:
    result = screen(case_from_json(CLEAN | {"conditions": None}))
    (item,) = [item for item in result.todo if item.input == "conditions"]
    assert (item.who, item.level) == ("patient", "block")
    assert "intracerebral haemorrhage" in item.about
    assert "epilepsy" in item.about


def test_a_first_visit_asks_nothing_again() -> None:
    assert screened(sessions_done=0).ask_again == ()


def test_a_later_visit_asks_again_what_can_block() -> None:
    result = screened(sessions_done=3)
    asked = {item.input: item for item in result.ask_again}
    assert {"conditions", "medications", "facts.ketamine_allergy", "facts.capacity", "facts.consent_signed"} <= set(
        asked
    )
    assert {"facts.pregnancy_test", "vitals.sbp_mmHg"} <= set(asked)
    # A letter that lifts a block, a blood test with its own interval and a fixed fact are no questions of a visit.
    assert not {"facts.cardiology_clearance", "labs.alt_xULN", "patient.sex", "patient.age_years"} & set(asked)
    assert all(item.asked_today for key, item in asked.items() if key.startswith("vitals"))
    assert "theophylline or aminophylline" in asked["medications"].about


def test_every_rule_with_a_block_on_an_answer_is_asked_again() -> None:
    result = screened(sessions_done=1)
    named = {rule for item in result.ask_again for rule in item.rules}
    by_answer = {rule.id for rule in rules().values() if any(tier.level == "block" for tier in rule.tiers)} - set(
        result.not_applicable
    )
    # These turn on the request, the setting or the age, which no question at a visit answers.
    assert by_answer - named == {"SEL-21", "DOSE-CONC", "INT-19-SYRINGE"}


def test_an_answer_of_another_day_is_asked_again() -> None:
    yesterday = date(2026, 11, 20)
    facts = [fact("facts.sessions_done", 1, taken_at=ON), fact("facts.ketamine_allergy", False, taken_at=yesterday)]
    case: Case = build_case(on=ON, facts=facts, conditions_asked=True, conditions_asked_on=yesterday)
    asked = {item.input: item for item in screen(case).ask_again}
    allergy, history = asked["facts.ketamine_allergy"], asked["conditions"]
    assert (allergy.last, allergy.taken_on, allergy.asked_today) == ("no", yesterday, False)
    assert (history.taken_on, history.asked_today) == (yesterday, False)


def test_the_contract_holds_both_lists() -> None:
    document = json.loads(json.dumps(screened(sessions_done=1, escort=None).to_json(), allow_nan=False))
    assert {"input", "title", "who", "level", "why", "rules", "about"} <= set(document["todo"][0])
    assert {"input", "title", "who", "rules", "last", "taken_on", "asked_today"} <= set(document["ask_again"][0])
