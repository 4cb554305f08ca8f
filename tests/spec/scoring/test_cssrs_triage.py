"""The Columbia screener: every pattern of answers against the published tiers, written out a second way."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from limen.care.scoring import score

HIGH = "do-not-leave-alone-same-day-evaluation-no-dose-without-documented-decision"
EVALUATE = "clinician-evaluation-before-dosing"
AWARE = "clinician-aware-before-dosing-safety-plan-on-file"


def triaged(**answers: bool | None) -> dict[str, Any]:
    return score("C-SSRS", {"items": answers}).to_json()


def no(**yes: bool | None) -> dict[str, bool | None]:
    return {"q1": False, "q2": False, "q6": False, **yes}


@pytest.mark.parametrize(
    ("answers", "tier", "level", "action"),
    [
        (no(), "none", 0, "none"),
        (no(q1=True), "low", 1, AWARE),
        (no(q2=True, q3=False, q4=False, q5=False), "low", 2, AWARE),
        (no(q1=True, q2=True, q3=True, q4=False, q5=False), "moderate", 3, EVALUATE),
        (no(q6=True, q6_recent=False), "moderate", 0, EVALUATE),
        (no(q2=True, q3=True, q4=True, q5=False), "high", 4, HIGH),
        (no(q2=True, q3=True, q4=True, q5=True), "high", 5, HIGH),
        (no(q2=True, q3=False, q4=False, q5=True), "high", 5, HIGH),
        (no(q6=True, q6_recent=True), "high", 0, HIGH),
        (no(q1=True, q6=True, q6_recent=False), "moderate", 1, EVALUATE),
    ],
)
def test_published_tiers(answers: dict[str, bool | None], tier: str, level: int, action: str) -> None:
    result = triaged(**answers)
    assert (result["tier"], result["ideation_level"], result["safety"]["action"]) == (tier, level, action)
    assert (result["status"], result["treat_as_at_least"], result["total"]) == ("complete", None, None)


def test_old_behaviour_never_lowers_intent_with_plan() -> None:
    result = triaged(**no(q2=True, q3=True, q4=True, q5=True, q6=True, q6_recent=False))
    assert (result["tier"], result["safety"]["item"]) == ("high", "q5")


def test_every_full_pattern_against_the_table_read_as_sentences() -> None:
    keys = ("q1", "q2", "q3", "q4", "q5", "q6", "q6_recent")
    for pattern in itertools.product([False, True], repeat=len(keys)):
        q1, q2, q3, q4, q5, q6, recent = pattern
        if q4 or q5 or recent:
            expected = "high"
        elif q3 or q6:
            expected = "moderate"
        elif q1 or q2:
            expected = "low"
        else:
            expected = "none"
        result = triaged(**dict(zip(keys, pattern, strict=True)))
        assert result["tier"] == expected, pattern
        contradicts = (not q2 and (q3 or q4 or q5)) or (recent and not q6)
        assert result["flags"]["inconsistent"] is contradicts, pattern


@pytest.mark.parametrize("missing", ["q1", "q2", "q6"])
def test_a_missing_answer_is_treated_as_at_least_moderate(missing: str) -> None:
    result = triaged(**no(**{missing: None}))
    assert (result["tier"], result["treat_as_at_least"]) == ("indeterminate", "moderate")
    assert (result["safety"]["action"], result["status"]) == (EVALUATE, "incomplete")


@pytest.mark.parametrize("missing", ["q3", "q4", "q5"])
def test_follow_up_questions_are_asked_once_the_second_is_yes(missing: str) -> None:
    rest = {"q3": False, "q4": False, "q5": False, missing: None}
    assert triaged(**no(q2=True, **rest))["tier"] == "indeterminate"
    assert triaged(**no(q2=False, **rest))["tier"] == "none"


def test_a_known_high_tier_stands_beside_a_missing_answer() -> None:
    result = triaged(q1=None, q2=True, q3=True, q4=True, q5=False, q6=False)
    assert (result["tier"], result["treat_as_at_least"], result["safety"]["action"]) == ("high", "high", HIGH)


def test_unknown_recency_counts_as_recent() -> None:
    result = triaged(**no(q6=True, q6_recent=None))
    assert (result["tier"], result["safety"]["action"]) == ("high", HIGH)
    assert any("past 3 months" in note for note in result["notes"])


def test_contradicting_answers_keep_the_worst_and_say_so() -> None:
    result = triaged(**no(q4=True))
    assert result["tier"] == "high"
    assert result["flags"]["inconsistent"] is True
