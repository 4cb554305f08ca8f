"""Sessions of a course that were missed: just over, just not, nothing known; and what is done in which weeks."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st
from ruamel.yaml import YAML

from limen.care.case_json import case_from_json
from limen.care.exposure import Exposure, History
from limen.care.missed import missed_sessions
from limen.care.planning import plan
from limen.errors import InputError
from limen.knowledge.missed import MissedWeeks, in_order
from limen.knowledge.protocols import get_protocol

TABLE: dict[str, Any] = YAML(typ="safe").load((Path(__file__).parent / "missed.yaml").read_text(encoding="utf-8"))
FIRST = date(2026, 3, 2)


def day(number: int) -> date:
    return FIRST + timedelta(days=number - 1)


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["name"].replace(" ", "-"))
def test_what_was_missed(case: dict[str, Any]) -> None:
    protocol = get_protocol(case.get("protocol", "ESK-TRD"))
    days = [day(number) for number in (TABLE["full"] if case.get("full") else case["given"])]
    found = missed_sessions(protocol, days, day(case["on"]))
    assert [[item.week, item.missed, item.do] for item in found] == case["found"]
    for item in found:
        assert item.advice == TABLE["advice"].get(item.week, item.advice)
        assert item.rule.sources == ("spravato-label", "janssen-missed-dose")


def test_older_patients_follow_the_same_rule() -> None:
    assert get_protocol("ESK-ELD").missed == get_protocol("ESK-TRD").missed


@drawn(st.sets(st.integers(1, 90), min_size=1), st.integers(0, 30))
def test_one_session_more_never_adds_to_what_is_missed(days: set[int], later: int) -> None:
    rule, base = get_protocol("ESK-TRD"), min(days)
    numbers = sorted(number - base + 1 for number in days)
    on = day(numbers[-1] + later)

    def missed(given: list[int]) -> int:
        return sum(item.missed or 0 for item in missed_sessions(rule, [day(number) for number in given], on))

    assert missed(numbers) <= missed(numbers[:-1] or numbers)


def test_a_session_to_come_is_refused() -> None:
    with pytest.raises(InputError, match="sessions"):
        missed_sessions(get_protocol("ESK-TRD"), [day(2)], day(1))


def test_a_plan_says_what_was_missed() -> None:
    given = tuple(Exposure(day(number), 56.0, "esketamine-nasal", "in", "ESK-TRD") for number in (1, 4, 8))
    case = case_from_json({"on": day(15).isoformat(), "patient": {"weight_kg": 70}})
    made = plan(case, "ESK-TRD", history=History(given, course_from=FIRST)).to_json()
    assert [item["missed"] for item in made["position"]["missed"]] == [1]


@pytest.mark.parametrize(
    "weeks",
    [[(2, None)], [(1, 4), (6, None)], [(1, None), (5, None)], [(1, 4)]],
    ids=["late", "gap", "endless", "ends"],
)
def test_weeks_that_do_not_follow_on_each_other_are_refused(weeks: list[tuple[int, int | None]]) -> None:
    parts = tuple(
        MissedWeeks(
            from_week=start,
            to_week=end,
            sessions=1,
            every_weeks=(1,),
            do="keep-schedule",
            text="x",
            sources=("limen",),
            verification="P",  # type: ignore[arg-type]
        )
        for start, end in weeks
    )
    assert not in_order(parts)
