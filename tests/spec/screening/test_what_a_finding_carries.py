"""What a finding and a to-do carry: the day of an older fact, the last value that is too old, the drug meant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from limen.care.case_json import case_from_json
from limen.care.screening import screen

CLEAN = json.loads((Path(__file__).parent / "clean_trd.json").read_text(encoding="utf-8"))


def screened(**changes: Any) -> dict[str, Any]:
    return screen(case_from_json(CLEAN | changes)).to_json()


def finding(result: dict[str, Any], rule: str) -> dict[str, Any]:
    (found,) = [item for item in result["findings"] if item["rule"] == rule]
    return dict(found)


def to_do(result: dict[str, Any], rule: str) -> list[tuple[str, str]]:
    return [(item["input"], item["why"]) for item in result["missing"] if item["rule"] == rule]


RAISED = {"alt_xULN": 4.0, "ast_xULN": 0.5, "bilirubin_xULN": 0.5, "ggt_xULN": 0.4, "alp_xULN": 0.5}


def test_a_finding_names_the_day_of_a_fact_that_is_not_of_today() -> None:
    # The case is of 2026-11-21.
    older = finding(screened(labs=RAISED, labs_on="2026-11-10"), "SEL-15")
    assert older["input_taken_on"]["alt_xULN"] == "2026-11-10"
    assert finding(screened(labs=RAISED), "SEL-15")["input_taken_on"] == {}


def test_a_to_do_shows_the_last_value_that_is_too_old_and_asks_once() -> None:
    # Of ALT and AST one is enough; AST was measured two years ago, ALT never.
    result = screened(labs={"ast_xULN": 0.5}, labs_on="2024-11-21")
    asked = [item for item in to_do(result, "BAS-02") if item[0] in {"labs.alt_xULN", "labs.ast_xULN"}]
    assert len(asked) == 1
    assert asked[0][0] == "labs.ast_xULN"
    assert asked[0][1].startswith("last 0.5 x ULN on 2024-11-21")


def test_a_to_do_without_any_value_asks_for_the_first() -> None:
    asked = [item for item in to_do(screened(labs={}), "BAS-02") if item[0] in {"labs.alt_xULN", "labs.ast_xULN"}]
    assert asked == [("labs.alt_xULN", "ALT not known")]


def test_an_interaction_names_the_drug_as_written_and_as_meant() -> None:
    found = finding(screened(medications=[{"name": "theophyline"}]), "INT-06")
    assert found["drugs"] == [{"drug": "theophyline", "resolved": "theophylline"}]


@pytest.mark.parametrize(("fact", "rule"), [("pregnancy_test", "SEL-13"), ("urine_drug_screen", "SEL-19")])
def test_an_answer_that_settles_nothing_is_the_reason_it_is_asked_again(fact: str, rule: str) -> None:
    result = screened(facts=CLEAN["facts"] | {fact: "not-done"})
    assert (f"facts.{fact}", "not done") in to_do(result, rule)
