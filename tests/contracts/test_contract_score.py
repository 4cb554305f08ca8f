"""``limen score`` for every instrument that ships, against the contract and the scoring rules of the reference."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contracts.door import given, keys_present, limen, refused

SCREENER = "cssrs-screener-and-clinician-review-before-dosing"
URGENT = f"urgent-clinician-alert-{SCREENER}"
ASK = "safety-item-missing-ask-before-dosing"
# Instrument: (items, highest answer).
SUMS = {"PHQ-9": (9, 3), "PHQ-2": (2, 3), "GAD-7": (7, 3), "MADRS": (10, 6), "AUDIT-C": (3, 4)}


def score(name: str, items: Any, **rest: Any) -> Any:
    return given("score", name, "-", stdin={"items": items, "sex": None, "baseline": None} | rest)


@pytest.mark.parametrize("name", [*SUMS, "C-SSRS"])
def test_every_key(name: str) -> None:
    items: Any = {"q1": False, "q2": False, "q6": False} if name == "C-SSRS" else [0] * SUMS[name][0]
    found = score(name, items)
    keys_present(
        found,
        *("instrument", "total", "band", "prorated", "answered", "status", "subscales", "flags", "safety"),
        *("change", "notes"),
    )
    keys_present(found["safety"], "item", "value", "action")
    keys_present(found["change"], "pct", "response", "remission")
    assert found["instrument"] == name
    assert found["safety"]["action"] == "none"
    if name == "C-SSRS":
        keys_present(found, "tier", "ideation_level", "treat_as_at_least")


@pytest.mark.parametrize("name", SUMS)
def test_a_list_and_an_object_are_the_same(name: str) -> None:
    count, highest = SUMS[name]
    items = [(3 * place + 1) % (highest + 1) for place in range(count)]
    found = score(name, items)
    assert found == score(name, {f"q{place}": answer for place, answer in enumerate(items, start=1)})
    assert (found["total"], found["answered"], found["status"]) == (sum(items), count, "complete")
    assert found["prorated"] is False
    assert score(name, [highest] * count)["total"] == count * highest


def spread(name: str, total: int) -> list[int]:
    """Answers with this total, the safety item last to be raised."""
    count, highest = SUMS[name]
    items = [0] * count
    for place in range(count):
        items[place] = min(highest, total - sum(items))
    return items


@pytest.mark.parametrize(
    ("name", "bands"),
    [
        ("PHQ-9", {0: "minimal", 4: "minimal", 5: "mild", 9: "mild", 10: "moderate", 14: "moderate"}),
        ("PHQ-9", {15: "moderately severe", 19: "moderately severe", 20: "severe", 27: "severe"}),
        ("GAD-7", {0: "none", 4: "none", 5: "mild", 9: "mild", 10: "moderate", 14: "moderate", 15: "severe"}),
        ("MADRS", {6: "none", 7: "mild", 19: "mild", 20: "moderate", 34: "moderate", 35: "severe", 60: "severe"}),
        ("PHQ-2", {0: None, 6: None}),
        ("AUDIT-C", {0: None, 12: None}),
    ],
)
def test_bands_at_their_edges(name: str, bands: dict[int, str | None]) -> None:
    for total, band in bands.items():
        found = score(name, spread(name, total))
        assert (found["total"], found["band"]) == (total, band)


@pytest.mark.parametrize(
    ("items", "total", "band", "status"),
    [
        # 8 answered, sum 13: 13 / 8 x 9 = 14.625, shown as 15; the band is judged before rounding.
        ([2, 2, 2, 2, 2, 2, 1, None, 0], 15, "moderate", "prorated"),
        # 4 / 8 x 9 = 4.5: halves go up, the band does not.
        ([1, 1, 1, 1, 0, 0, 0, None, 0], 5, "minimal", "prorated"),
        # 7 answered, sum 7: 9.
        ([1, 1, 1, 1, 1, 1, None, None, 1], 9, "mild", "prorated"),
        ([1, 1, 1, 1, 1, None, None, None, 1], None, None, "incomplete"),
        # The safety item is never made up.
        ([1, 1, 1, 1, 1, 1, 1, 1, None], None, None, "incomplete"),
        ([None] * 9, None, None, "incomplete"),
    ],
)
def test_phq_9_is_prorated_up_to_two_gaps(items: list[Any], total: int | None, band: str | None, status: str) -> None:
    found = score("PHQ-9", items)
    assert (found["total"], found["band"], found["status"]) == (total, band, status)
    assert found["prorated"] is (status == "prorated")
    assert found["answered"] == sum(item is not None for item in items)


@pytest.mark.parametrize("name", ["PHQ-2", "GAD-7", "MADRS", "AUDIT-C"])
def test_the_others_are_not_prorated(name: str) -> None:
    found = score(name, [None] + [1] * (SUMS[name][0] - 1))
    assert (found["total"], found["band"], found["status"], found["prorated"]) == (None, None, "incomplete", False)


def test_a_key_that_is_not_there_is_a_missing_answer_not_a_zero() -> None:
    assert score("GAD-7", {"q1": 1})["total"] is None
    assert score("GAD-7", {"q1": 1})["answered"] == 1


@pytest.mark.parametrize(
    ("name", "item", "answers"),
    [
        ("PHQ-9", 9, {0: "none", 1: SCREENER, 2: SCREENER, 3: URGENT, None: ASK}),
        ("MADRS", 10, {0: "none", 1: "none", 2: SCREENER, 3: SCREENER, 4: URGENT, 6: URGENT, None: ASK}),
    ],
)
def test_the_safety_item_reaches_a_person_whatever_the_total(
    name: str, item: int, answers: dict[int | None, str]
) -> None:
    for answer, action in answers.items():
        for rest in (0, None, 3):
            items: list[Any] = [rest] * SUMS[name][0]
            items[item - 1] = answer
            assert score(name, items)["safety"] == {"item": item, "value": answer, "action": action}


def test_phq_2_calls_for_the_phq_9_from_three() -> None:
    assert score("PHQ-2", [1, 1])["safety"]["action"] == "none"
    assert score("PHQ-2", [1, 1])["flags"]["screen_positive"] is False
    assert score("PHQ-2", [2, 1])["safety"]["action"] == "administer-phq9"
    assert score("PHQ-2", [2, 1])["flags"]["screen_positive"] is True


@pytest.mark.parametrize(
    ("sex", "positive"), [("male", {3: False, 4: True}), ("female", {2: False, 3: True}), (None, {2: False, 3: True})]
)
def test_audit_c_by_sex(sex: str | None, positive: dict[int, bool]) -> None:
    for total, flag in positive.items():
        assert score("AUDIT-C", [total - 1, 1, 0], sex=sex)["flags"]["screen_positive"] is flag
    only_first = score("AUDIT-C", [4, 0, 0], sex=sex)
    assert any("first question" in note for note in only_first["notes"])
    assert not any("first question" in note for note in score("AUDIT-C", [3, 1, 0], sex=sex)["notes"])


@pytest.mark.parametrize(("name", "cut"), [("PHQ-9", 10), ("GAD-7", 10)])
def test_a_positive_screen(name: str, cut: int) -> None:
    assert score(name, spread(name, cut - 1))["flags"]["screen_positive"] is False
    assert score(name, spread(name, cut))["flags"]["screen_positive"] is True
    assert score(name, [None] * SUMS[name][0])["flags"]["screen_positive"] is None


@pytest.mark.parametrize(
    ("baseline", "total", "pct", "response"),
    [
        ({"total": 20}, 10, -50, True),
        ({"total": 20}, 11, -45, False),
        ({"total": 20}, 20, 0, False),
        ({"total": 20}, 22, 10, False),
        ({"items": [3, 3, 3, 3, 3, 3, 2, 0, 0]}, 10, -50, True),
        ({"total": 27}, 0, -100, True),
        ({"total": 0}, 10, None, None),
        ({"items": [None] * 9}, 10, None, None),
        ({"total": None}, 10, None, None),
        (None, 10, None, None),
    ],
)
def test_change_is_negative_for_a_fall_and_half_is_a_response(
    baseline: Any, total: int, pct: float | None, response: bool | None
) -> None:
    change = score("PHQ-9", spread("PHQ-9", total), baseline=baseline)["change"]
    assert change["pct"] == (None if pct is None else pytest.approx(pct))
    assert change["response"] is response
    assert change["remission"] == {"lt5": total < 5}


def test_no_change_without_a_total() -> None:
    change = score("PHQ-9", [None] * 9, baseline={"total": 20})["change"]
    assert change == {"pct": None, "response": None, "remission": {"lt5": None}}


def test_madrs_remission_by_every_threshold() -> None:
    for total, flags in {
        9: {"le9": True, "le10": True, "le12": True},
        10: {"le9": False, "le10": True, "le12": True},
        12: {"le9": False, "le10": False, "le12": True},
        13: {"le9": False, "le10": False, "le12": False},
    }.items():
        assert score("MADRS", spread("MADRS", total), baseline={"total": 32})["change"]["remission"] == flags


NO = {"q1": False, "q2": False, "q3": None, "q4": None, "q5": None, "q6": False, "q6_recent": None}
ASKED = {"q1": True, "q2": True, "q3": False, "q4": False, "q5": False, "q6": False}
AWARE = "clinician-aware-before-dosing-safety-plan-on-file"
EVALUATE = "clinician-evaluation-before-dosing"
STAY = "do-not-leave-alone-same-day-evaluation-no-dose-without-documented-decision"


@pytest.mark.parametrize(
    ("answers", "tier", "level", "at_least", "action"),
    [
        (NO, "none", 0, None, "none"),
        (NO | {"q1": True}, "low", 1, None, AWARE),
        (ASKED, "low", 2, None, AWARE),
        (ASKED | {"q3": True}, "moderate", 3, None, EVALUATE),
        (ASKED | {"q4": True}, "high", 4, None, STAY),
        (ASKED | {"q5": True}, "high", 5, None, STAY),
        (NO | {"q6": True, "q6_recent": False}, "moderate", 0, None, EVALUATE),
        (NO | {"q6": True, "q6_recent": True}, "high", 0, None, STAY),
        # Behaviour is a floor: an old one does not lower an intent.
        (ASKED | {"q4": True, "q6": True, "q6_recent": False}, "high", 4, None, STAY),
        # An answer missing where it is asked leaves the tier open, at least moderate.
        (NO | {"q1": None}, "indeterminate", 0, "moderate", EVALUATE),
        (NO | {"q2": None}, "indeterminate", 0, "moderate", EVALUATE),
        (NO | {"q6": None}, "indeterminate", 0, "moderate", EVALUATE),
        (ASKED | {"q4": None}, "indeterminate", 2, "moderate", EVALUATE),
        ({}, "indeterminate", 0, "moderate", EVALUATE),
    ],
)
def test_c_ssrs_tiers(answers: dict[str, Any], tier: str, level: int, at_least: str | None, action: str) -> None:
    found = score("C-SSRS", answers)
    assert (found["tier"], found["ideation_level"], found["treat_as_at_least"]) == (tier, level, at_least)
    assert found["safety"]["action"] == action
    assert found["total"] is None


def test_c_ssrs_behaviour_of_unknown_date_counts_as_recent() -> None:
    found = score("C-SSRS", NO | {"q6": True})
    assert found["safety"]["action"] == STAY
    assert "high" in {found["tier"], found["treat_as_at_least"]}


def test_c_ssrs_answers_that_contradict_each_other_keep_the_worst() -> None:
    found = score("C-SSRS", NO | {"q4": True})
    assert found["safety"]["action"] == STAY
    assert found["flags"]["inconsistent"] is True
    assert found["notes"]


@pytest.mark.parametrize(
    ("name", "answers", "says"),
    [
        ("PHQ-9", {"items": [4] + [0] * 8}, ("q1", "0 to 3")),
        ("PHQ-9", {"items": [-1] + [0] * 8}, ("q1",)),
        ("PHQ-9", {"items": [1.5] + [0] * 8}, ("q1", "1.5")),
        ("PHQ-9", {"items": ["1"] + [0] * 8}, ("q1",)),
        ("PHQ-9", {"items": [True] + [0] * 8}, ("q1",)),
        ("PHQ-9", {"items": [[1]] + [0] * 8}, ("q1",)),
        ("PHQ-9", {"items": [0] * 8}, ("8 answers", "9 answers")),
        ("PHQ-9", {"items": [0] * 10}, ("10 answers",)),
        ("PHQ-9", {"items": []}, ("0 answers",)),
        ("PHQ-9", {"items": None}, ("no answers",)),
        ("PHQ-9", {"items": "000000000"}, ("no answers",)),
        ("PHQ-9", {"items": 9}, ("no answers",)),
        ("PHQ-9", {}, ("no answers",)),
        ("PHQ-9", {"items": [0] * 9, "sex": 1}, ("sex",)),
        ("PHQ-9", {"items": [0] * 9, "baseline": 20}, ("baseline",)),
        ("PHQ-9", {"items": [0] * 9, "baseline": {}}, ("baseline",)),
        ("PHQ-9", {"items": [0] * 9, "baseline": {"total": 28}}, ("baseline.total", "27")),
        ("PHQ-9", {"items": [0] * 9, "baseline": {"total": "20"}}, ("baseline.total",)),
        ("PHQ-9", {"items": [0] * 9, "baseline": {"items": [0] * 8}}, ("baseline.items",)),
        ("C-SSRS", {"items": {"q1": "yes"}}, ("q1", "true")),
        ("C-SSRS", {"items": {"q1": 1}}, ("q1",)),
        ("MADRS", {"items": [7] + [0] * 9}, ("q1", "0 to 6")),
        ("AUDIT-C", {"items": [5, 0, 0]}, ("q1", "0 to 4")),
        ("PHQ-10", {"items": [0] * 10}, ("PHQ-10", "PHQ-9")),
        ("phq", {"items": [0] * 9}, ("phq", "PHQ-9")),
    ],
)
def test_refuses_in_one_line(name: str, answers: Any, says: tuple[str, ...]) -> None:
    line = refused("score", name, "-", "--json", stdin=answers)
    for word in says:
        assert word in line


def test_keys_not_read_are_listed() -> None:
    found = given("score", "PHQ-9", "-", stdin={"items": {"q1": 0, "q12": 3}, "mood": "grey"})
    assert set(found["unknown_inputs"]) == {"mood", "items.q12"}


@pytest.mark.parametrize("name", [*SUMS, "C-SSRS"])
def test_in_words(name: str) -> None:
    items: Any = {"q1": True, "q2": False, "q6": False} if name == "C-SSRS" else [1] * SUMS[name][0]
    done = limen("score", name, "-", stdin=json.dumps({"items": items}))
    assert (done.code, done.err) == (0, "")
    assert name in done.out
