"""Which checks are due: just before, on, and after each date; by sessions; by signs; and what never changes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limen.care.surveillance import Due, Given, Signs, Someone, due, missing_signs
from limen.knowledge.surveillance import surveillance

FIRST = date(2026, 1, 5)
WOMAN_30, MAN_30, WOMAN_60 = Someone(30, "female"), Someone(30, "male"), Someone(60, "female")


def sessions(*days: int) -> list[Given]:
    return [Given(FIRST + timedelta(days=day)) for day in days]


def on(day: int) -> date:
    return FIRST + timedelta(days=day)


def found(given_on: Sequence[int], done: dict[str, int], day: int, **more: Any) -> dict[str, Due]:
    known = {name: on(when) for name, when in done.items()}
    return {item.rule: item for item in due(sessions(*given_on), known, on(day), **more)}


TWICE_A_WEEK = [0, 3, 7, 10, 14, 17, 21, 24]
MONTHLY = [0, 3, 7, 30, 60, 91, 121, 151, 181]


@pytest.mark.parametrize(
    ("rule", "given_on", "done", "day", "level", "when"),
    [
        # Repeated treatment begins with the second session; never recorded is due from that day.
        ("BAS-02", [0], {}, 0, None, None),
        ("BAS-02", [0, 3], {}, 3, "due", 3),
        ("BAS-02", [0, 3], {}, 4, "overdue", 3),
        # 91 days after the last: coming within 28 days, due on the day, overdue after it.
        ("BAS-02", [0, 3], {"BAS-02": 3}, 65, None, None),
        ("BAS-02", [0, 3], {"BAS-02": 3}, 66, "coming", 94),
        ("BAS-02", [0, 3], {"BAS-02": 3}, 94, "due", 94),
        ("BAS-02", [0, 3], {"BAS-02": 3}, 95, "overdue", 94),
        # The tenth session after the last test, if that is sooner.
        ("BAS-02", [*range(0, 30, 3)], {"BAS-02": 0}, 27, None, None),
        ("BAS-02", [*range(0, 33, 3)], {"BAS-02": 0}, 30, "due", 30),
        # The bladder every 28 days in the first 56, then every 91.
        ("BAS-12", TWICE_A_WEEK, {"BAS-12": 3}, 31, "due", 31),
        ("BAS-12", TWICE_A_WEEK, {"BAS-12": 3}, 32, "overdue", 31),
        ("BAS-12", MONTHLY, {"BAS-12": 60}, 100, None, None),
        ("BAS-12", MONTHLY, {"BAS-12": 60}, 151, "due", 151),
        ("BAS-12", MONTHLY, {"BAS-12": 60}, 152, "overdue", 151),
        # Maintenance only, and only while treatment goes on past 90 days.
        ("BAS-13", TWICE_A_WEEK, {}, 120, None, None),
        ("BAS-13", MONTHLY, {}, 89, None, None),
        ("BAS-13", MONTHLY, {}, 91, "overdue", 90),
        ("BAS-13", MONTHLY, {"BAS-13": 91}, 273, "due", 273),
        ("BAS-08", MONTHLY, {"BAS-08": 121}, 152, "due", 152),
        ("BAS-03", [0, 3], {"BAS-03": 3}, 185, "due", 185),
        ("BAS-07", [0, 3], {"BAS-07": 3}, 94, "due", 94),
        # The review at 12 sessions, at 24, and every 182 days.
        ("MNT-5", [*range(11)], {}, 10, None, None),
        ("MNT-5", [*range(12)], {}, 11, "due", 11),
        ("MNT-5", [*range(13)], {}, 12, "overdue", 11),
        ("MNT-5", [*range(13)], {"MNT-5": 12}, 12, None, None),
        ("MNT-5", MONTHLY, {}, 182, "due", 182),
        ("MNT-5", MONTHLY, {"MNT-5": 121}, 276, "coming", 303),
        # Every day for over 21 days.
        ("MNT-3", [*range(21)], {}, 20, None, None),
        ("MNT-3", [*range(22)], {}, 21, "watch", None),
        ("MNT-3", [*range(11), *range(12, 23)], {}, 22, None, None),
        # One to two weeks after the last session.
        ("MNT-4", [0, 3], {}, 9, None, None),
        ("MNT-4", [0, 3], {}, 10, "watch", None),
        ("MNT-4", [0, 3], {}, 17, "watch", None),
        ("MNT-4", [0, 3], {}, 18, None, None),
        ("MNT-4", [0], {}, 10, None, None),
    ],
)
def test_when_a_check_is_due(
    rule: str, given_on: list[int], done: dict[str, int], day: int, level: str | None, when: int | None
) -> None:
    item = found(given_on, done, day, someone=WOMAN_30).get(rule)
    assert (None if item is None else item.level) == level
    if item is not None:
        assert item.on == (None if when is None else on(when))


@pytest.mark.parametrize(
    ("rule", "someone", "concerned"),
    [
        ("BAS-06", WOMAN_30, True),
        ("BAS-06", MAN_30, False),
        ("BAS-06", WOMAN_60, False),
        ("BAS-06", Someone(30, None), True),
        ("BAS-06", Someone(None, "female"), True),
        ("BAS-04", WOMAN_30, False),
        ("BAS-04", Someone(50, "male"), True),
        ("BAS-04", Someone(), True),
    ],
)
def test_whom_a_check_concerns(rule: str, someone: Someone, concerned: bool) -> None:
    assert (rule in found([0, 3], {}, 3, someone=someone)) == concerned


@pytest.mark.parametrize(
    ("signs", "rules"),
    [
        # 3 times with bilirubin 2 times; over 5 times alone; 3 times with rash, fever, jaundice or pain.
        (Signs(alt_xULN=2.9, bilirubin_xULN=2, liver_symptoms=True), []),
        (Signs(alt_xULN=3, bilirubin_xULN=1.9, liver_symptoms=False), []),
        (Signs(alt_xULN=3, bilirubin_xULN=2, liver_symptoms=False), ["AE-LIV stop"]),
        (Signs(ast_xULN=3, bilirubin_xULN=2, liver_symptoms=False), ["AE-LIV stop"]),
        (Signs(alt_xULN=3, bilirubin_xULN=None, liver_symptoms=False), ["AE-LIV hold"]),
        (Signs(alt_xULN=3, bilirubin_xULN=1, liver_symptoms=True), ["AE-LIV stop"]),
        (Signs(alt_xULN=3, bilirubin_xULN=1, liver_symptoms=None), ["AE-LIV hold"]),
        (Signs(alt_xULN=5, bilirubin_xULN=1, liver_symptoms=False), []),
        (Signs(alt_xULN=5.1, bilirubin_xULN=1, liver_symptoms=False), ["AE-LIV stop"]),
        (Signs(alt_xULN=6, bilirubin_xULN=3, liver_symptoms=False), ["AE-LIV stop", "AE-LIV stop"]),
        # Two of three signs.
        (Signs(urinary_symptoms=False, ggt_xULN=1.1), []),
        (Signs(urinary_symptoms=True, ggt_xULN=1.0), ["AE-URO stop"]),
        (Signs(urinary_symptoms=True, ggt_xULN=1.1), ["AE-URO stop", "AE-PAIR hold"]),
        (Signs(urinary_symptoms=True, urine_drug_screen_missed=True), ["AE-URO stop", "AE-PAIR hold"]),
        (Signs(ggt_xULN=1.1, urine_drug_screen_missed=True), ["AE-PAIR hold"]),
        (Signs(ggt_xULN=1.1, urine_drug_screen_missed=None), []),
        (Signs(moca_fall_score=3), []),
        (Signs(moca_fall_score=4), ["AE-COG hold"]),
        (Signs(ymrs_score=11), []),
        (Signs(ymrs_score=12), ["AE-PSY hold"]),
        (Signs(psychotic_symptoms=True), ["AE-PSY hold"]),
        (Signs(psychotic_symptoms=False), []),
        (Signs(cravings=True), ["AE-DEP hold"]),
        (Signs(cravings=False), []),
        (Signs(withdrawal_symptoms=True), ["AE-WD watch"]),
        (Signs(withdrawal_symptoms=False), []),
        (Signs(), []),
    ],
)
def test_signs_that_stop_or_hold(signs: Signs, rules: list[str]) -> None:
    assert [f"{item.rule} {item.level}" for item in due([], {}, FIRST, signs=signs)] == rules


def test_every_rule_on_signs_is_judged_or_listed_missing() -> None:
    known = surveillance()
    rules = {line.id for line in known.liver} | {line.id for line in known.signs} | {known.pair.id}
    assert {item["rule"] for item in missing_signs(Signs())} == rules
    asked = Signs(1, 1, 1, 1, False, False, False, 0, 0, False, False, False)
    assert missing_signs(asked) == []


def test_without_a_session_nothing_is_due() -> None:
    assert due([], {}, FIRST) == ()
    assert due(sessions(5), {}, FIRST) == ()


def test_a_check_done_in_the_future_does_not_count() -> None:
    assert found([0, 3], {"BAS-02": 40}, 10)["BAS-02"].level == "overdue"


days_given = st.lists(st.integers(0, 400), min_size=1, max_size=40, unique=True)


@settings(max_examples=100, deadline=None)
@given(given_on=days_given, day=st.integers(0, 500), seed=st.randoms())
def test_the_order_in_which_sessions_are_told_changes_nothing(given_on: list[int], day: int, seed: Any) -> None:
    shuffled = [*given_on]
    seed.shuffle(shuffled)
    assert due(sessions(*given_on), {}, on(day)) == due(sessions(*shuffled), {}, on(day))


@settings(max_examples=100, deadline=None)
@given(
    given_on=days_given, later=st.integers(0, 120), day=st.integers(0, 400), rule=st.sampled_from(["BAS-02", "BAS-12"])
)
def test_an_overdue_check_stays_overdue_until_it_is_done(given_on: list[int], later: int, day: int, rule: str) -> None:
    item = found(given_on, {}, day).get(rule)
    if item is None or item.level != "overdue":
        return
    assert found(given_on, {}, day + later)[rule].level == "overdue"
    assert rule not in found(given_on, {rule: day}, day) or found(given_on, {rule: day}, day)[rule].level == "coming"
