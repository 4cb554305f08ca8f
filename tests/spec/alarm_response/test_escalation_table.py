"""Whom an unanswered alarm calls, as a table; and what holds for every course of events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from limen.care.alarm_state import Alarm
from limen.care.escalation import Call, Person, escalate
from limen.knowledge.alarm_response import alarm_response

CASES: list[dict[str, Any]] = YAML(typ="safe").load(
    Path(__file__).with_name("escalation.yaml").read_text(encoding="utf-8")
)
ROLES = {"dk": ("nurse",), "mo": ("nurse",), "pr": ("prescriber",), "md": ("medical-director",)}


def alarm(priority: str = "high", acknowledged_t_s: float | None = None) -> Alarm:
    return Alarm(
        "MON-4/SPO2/low", 0.0, "SpO2 low", "physiological", priority, "SPO2", 84.0, 90.0, "%", "MON-4", "stop",
        "", 0.0, (), "P", acknowledged_t_s=acknowledged_t_s,
    )  # fmt: skip


def team(here: list[str]) -> list[Person]:
    return [Person(name, roles, answers=True, present=name in here) for name, roles in ROLES.items()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_calls(case: dict[str, Any]) -> None:
    stands = alarm(case.get("priority", "high"), case.get("acknowledged"))
    made = [Call(stands.id, who, 0, at, shown, going) for who, at, shown, going in case.get("made", [])]
    found = escalate(
        [stands],
        made,
        team(case["here"]),
        owner=case.get("owner", "dk"),
        rules=alarm_response(),
        now_t_s=float(case["now"]),
    )
    assert [call.person for entry in found for call in entry.calls] == case["calls"]
    assert (found == ()) == case.get("none", False)
    for key in ("exhausted", "reached"):
        if key in case:
            assert [getattr(entry, key) for entry in found] == [case[key]]


people_here = st.lists(st.sampled_from(sorted(ROLES)), unique=True)


@settings(max_examples=200, deadline=None)
@given(st.lists(people_here, min_size=150, max_size=150), st.sets(st.sampled_from(sorted(ROLES))), st.data())
def test_everybody_is_called_at_most_once_and_at_the_latest_by_the_time_of_their_step(
    here: list[list[str]], shows: set[str], data: st.DataObject
) -> None:
    """Screens come and go, some show what they are told and some never do; nobody ever goes."""
    stands, rules = alarm(), alarm_response()
    made: list[Call] = []
    for now in range(150):
        for entry in escalate([stands], made, team(here[now]), owner="dk", rules=rules, now_t_s=float(now)):
            made += [
                Call(call.alarm, call.person, call.step, call.called_t_s, now + 1.0 if call.person in shows else None)
                for call in entry.calls
            ]
    called = [call.person for call in made]
    assert len(called) == len(set(called))
    at = {call.person: call.called_t_s for call in made}
    # Whoever is there or not, whoever looks or not: these are called without fail, and no later than this.
    assert at["dk"] == 0.0
    assert at["pr"] <= 45.0
    assert at["md"] <= 90.0
