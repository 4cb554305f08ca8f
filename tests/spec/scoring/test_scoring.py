"""Bands, missing answers, safety items and change, against the published scoring rules."""

from __future__ import annotations

from typing import Any

import pytest

from limen.care.scoring import score
from limen.errors import InputError
from limen.knowledge.instruments import instruments

SCREENER = "cssrs-screener-and-clinician-review-before-dosing"
URGENT = "urgent-clinician-alert-cssrs-screener-and-clinician-review-before-dosing"
ASK = "safety-item-missing-ask-before-dosing"


def answers_summing(total: int, count: int, high: int) -> list[int]:
    """Answers with this sum, the last item as low as it can be."""
    items = []
    for _ in range(count):
        step = min(high, total)
        items.append(step)
        total -= step
    assert total == 0
    return items


def scored(name: str, items: Any, **more: Any) -> dict[str, Any]:
    return score(name, {"items": items, **more}).to_json()


# Band edges as printed: Kroenke 2001 (PHQ-9), Spitzer 2006 (GAD-7), Snaith 1986 (MADRS).
@pytest.mark.parametrize(
    ("name", "count", "high", "total", "band"),
    [
        ("PHQ-9", 9, 3, 0, "minimal"),
        ("PHQ-9", 9, 3, 4, "minimal"),
        ("PHQ-9", 9, 3, 5, "mild"),
        ("PHQ-9", 9, 3, 9, "mild"),
        ("PHQ-9", 9, 3, 10, "moderate"),
        ("PHQ-9", 9, 3, 14, "moderate"),
        ("PHQ-9", 9, 3, 15, "moderately severe"),
        ("PHQ-9", 9, 3, 19, "moderately severe"),
        ("PHQ-9", 9, 3, 20, "severe"),
        ("PHQ-9", 9, 3, 27, "severe"),
        ("GAD-7", 7, 3, 0, "none"),
        ("GAD-7", 7, 3, 4, "none"),
        ("GAD-7", 7, 3, 5, "mild"),
        ("GAD-7", 7, 3, 9, "mild"),
        ("GAD-7", 7, 3, 10, "moderate"),
        ("GAD-7", 7, 3, 14, "moderate"),
        ("GAD-7", 7, 3, 15, "severe"),
        ("GAD-7", 7, 3, 21, "severe"),
        ("MADRS", 10, 6, 0, "none"),
        ("MADRS", 10, 6, 6, "none"),
        ("MADRS", 10, 6, 7, "mild"),
        ("MADRS", 10, 6, 19, "mild"),
        ("MADRS", 10, 6, 20, "moderate"),
        ("MADRS", 10, 6, 34, "moderate"),
        ("MADRS", 10, 6, 35, "severe"),
        ("MADRS", 10, 6, 60, "severe"),
    ],
)
def test_bands_at_their_edges(name: str, count: int, high: int, total: int, band: str) -> None:
    result = scored(name, answers_summing(total, count, high))
    assert (result["total"], result["band"], result["status"]) == (total, band, "complete")


# By hand: 14 over 7 answered, 14 / 7 * 9 = 18; 13 over 8, 14.625; 4 over 8, exactly 4.5, halves up; 1 over 8, 1.125.
@pytest.mark.parametrize(
    ("items", "total", "band"),
    [
        ([2, 2, 2, 2, 2, None, None, 2, 2], 18, "moderately severe"),
        ([2, 2, 2, 2, 2, 2, 1, None, 0], 15, "moderate"),
        ([1, 1, 1, 1, 0, 0, 0, None, 0], 5, "minimal"),
        ([1, 0, 0, 0, 0, 0, 0, None, 0], 1, "minimal"),
        ([3, 3, 3, 3, 3, 3, None, 3, 3], 27, "severe"),
    ],
)
def test_phq9_makes_up_at_most_two_answers_and_bands_before_rounding(
    items: list[int | None], total: int, band: str
) -> None:
    result = scored("PHQ-9", items)
    assert (result["total"], result["band"], result["status"], result["prorated"]) == (total, band, "prorated", True)
    assert result["answered"] == sum(item is not None for item in items)


def test_rounding_across_a_band_is_said() -> None:
    assert any("14.62" in note for note in scored("PHQ-9", [2, 2, 2, 2, 2, 2, 1, None, 0])["notes"])


def test_three_missing_answers_give_no_total() -> None:
    result = scored("PHQ-9", [3, 3, 3, 3, 3, None, None, None, 0])
    assert (result["total"], result["band"], result["status"], result["prorated"]) == (None, None, "incomplete", False)
    assert result["answered"] == 6
    assert (result["change"]["pct"], result["change"]["response"]) == (None, None)
    assert result["change"]["remission"] == {"lt5": None}


def test_item_9_is_never_made_up() -> None:
    result = scored("PHQ-9", [1, 1, 1, 1, 1, 1, 1, 1, None])
    assert result["safety"] == {"item": 9, "value": None, "action": ASK}
    assert (result["total"], result["status"]) == (None, "incomplete")


@pytest.mark.parametrize("name", ["GAD-7", "MADRS", "PHQ-2", "AUDIT-C"])
def test_others_allow_no_missing_answer(name: str) -> None:
    count = instruments()[name].items.count
    result = scored(name, [None] + [1] * (count - 1))
    assert (result["total"], result["status"]) == (None, "incomplete")


@pytest.mark.parametrize(
    ("name", "count", "value", "action"),
    [
        ("PHQ-9", 9, 0, "none"),
        ("PHQ-9", 9, 1, SCREENER),
        ("PHQ-9", 9, 2, SCREENER),
        ("PHQ-9", 9, 3, URGENT),
        ("PHQ-9", 9, None, ASK),
        ("MADRS", 10, 0, "none"),
        ("MADRS", 10, 1, "none"),
        ("MADRS", 10, 2, SCREENER),
        ("MADRS", 10, 3, SCREENER),
        ("MADRS", 10, 4, URGENT),
        ("MADRS", 10, 6, URGENT),
        ("MADRS", 10, None, ASK),
    ],
)
def test_safety_item_whatever_the_total(name: str, count: int, value: int | None, action: str) -> None:
    for other in (0, 3):
        result = scored(name, [other] * (count - 1) + [value])
        assert result["safety"] == {"item": count, "value": value, "action": action}


@pytest.mark.parametrize(
    ("items", "action"), [([1, 1], "none"), ([1, 2], "administer-phq9"), ([3, 3], "administer-phq9")]
)
def test_phq2_hands_over_to_the_phq9(items: list[int], action: str) -> None:
    result = scored("PHQ-2", items)
    assert result["safety"]["action"] == action
    assert result["flags"] == {"screen_positive": action != "none"}


@pytest.mark.parametrize(
    ("sex", "items", "positive", "within"),
    [
        ("male", [1, 1, 1], False, False),
        ("male", [2, 1, 1], True, False),
        ("female", [1, 1, 0], False, False),
        ("female", [1, 1, 1], True, False),
        (None, [1, 1, 1], True, False),
        ("female", [3, 0, 0], True, True),
        ("male", [3, 0, 0], False, False),
    ],
)
def test_auditc_cut_by_sex(sex: str | None, items: list[int], positive: bool, within: bool) -> None:
    result = scored("AUDIT-C", items, sex=sex)
    assert result["flags"] == {"screen_positive": positive}
    assert any("within limits" in note for note in result["notes"]) is within


@pytest.mark.parametrize(
    ("baseline", "total", "pct", "response", "remission"),
    [
        (20, 10, -50.0, True, False),
        (20, 11, -45.0, False, False),
        (20, 4, -80.0, True, True),
        (20, 5, -75.0, True, False),
        (7, 4, -300 / 7, False, True),
        (10, 15, 50.0, False, False),
    ],
)
def test_phq9_change_against_baseline(baseline: int, total: int, pct: float, response: bool, remission: bool) -> None:
    result = scored("PHQ-9", answers_summing(total, 9, 3), baseline={"total": baseline})
    assert result["change"]["pct"] == pytest.approx(pct)
    assert result["change"]["response"] is response
    assert result["change"]["remission"] == {"lt5": remission}


def test_baseline_from_items_and_a_baseline_of_zero() -> None:
    assert scored("PHQ-9", [1] * 9, baseline={"items": [2] * 9})["change"]["pct"] == -50.0
    zero = scored("PHQ-9", [1] * 9, baseline={"total": 0})["change"]
    assert (zero["pct"], zero["response"]) == (None, None)


@pytest.mark.parametrize(
    ("total", "flags"),
    [
        (9, {"le9": True, "le10": True, "le12": True}),
        (10, {"le9": False, "le10": True, "le12": True}),
        (12, {"le9": False, "le10": False, "le12": True}),
        (13, {"le9": False, "le10": False, "le12": False}),
    ],
)
def test_madrs_reports_each_disputed_remission(total: int, flags: dict[str, bool]) -> None:
    assert scored("MADRS", answers_summing(total, 10, 6))["change"]["remission"] == flags


@pytest.mark.parametrize(
    ("name", "items", "where"),
    [
        ("PHQ-9", [0, 0, 4, 0, 0, 0, 0, 0, 0], "items.q3"),
        ("PHQ-9", [0, 0, -1, 0, 0, 0, 0, 0, 0], "items.q3"),
        ("PHQ-9", [0, 0, 1.5, 0, 0, 0, 0, 0, 0], "items.q3"),
        ("PHQ-9", [0, 0, "2", 0, 0, 0, 0, 0, 0], "items.q3"),
        ("PHQ-9", [0, 0, True, 0, 0, 0, 0, 0, 0], "items.q3"),
        ("PHQ-9", [0, 0, 0], "items"),
        ("PHQ-9", None, "items"),
        ("PHQ-9", "000000000", "items"),
        ("C-SSRS", {"q1": 1}, "items.q1"),
    ],
)
def test_answers_out_of_range_are_refused_not_clamped(name: str, items: Any, where: str) -> None:
    with pytest.raises(InputError) as refusal:
        scored(name, items)
    assert refusal.value.where == where
    assert refusal.value.allowed


@pytest.mark.parametrize("baseline", [{"total": 28}, {"total": -1}, {"total": 3.5}, {"totl": 20}, 20])
def test_impossible_baseline_is_refused(baseline: Any) -> None:
    with pytest.raises(InputError, match="baseline"):
        scored("PHQ-9", [0] * 9, baseline=baseline)


def test_unknown_instrument_lists_those_there_are() -> None:
    with pytest.raises(InputError, match=r"PHQ-9.*") as refusal:
        score("PHQ9", {"items": [0] * 9})
    assert "MADRS" in refusal.value.allowed


def test_unknown_keys_are_listed() -> None:
    result = score("PHQ-9", {"items": {"q1": 1, "q10": 2}, "mood": "low"}).to_json()
    assert result["unknown_inputs"] == ["mood", "items.q10"]
