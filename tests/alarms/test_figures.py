"""A number that is shown never seems to stand on the other side of a limit than the value does."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.care.alarm_state import AlarmState
from limen.care.figures import figure
from limen.session.export import read_export, rules_snapshot
from limen.session.replay import replay, run_alarms
from limen.session.signals import signal_views

# value, the limits in force, what is written. The same table holds for the live pages (tests/browser).
TABLE: list[tuple[float, list[float], str]] = [
    (97.0, [90.0, 92.0, 95.0], "97"),
    (72.4, [50.0, 55.0, 110.0], "72"),
    (9.9, [8.0, 10.0, 12.0], "9.9"),
    (9.96, [8.0, 10.0, 12.0], "9.96"),
    (9.9996, [10.0], "9.9996"),
    (10.0, [8.0, 10.0, 12.0], "10"),
    (10.4, [8.0, 10.0, 12.0], "10.4"),
    (8.04, [8.0, 10.0], "8.04"),
    (110.2, [110.0, 130.0], "110.2"),
    (110.6, [110.0, 130.0], "111"),
    (153.4, [153.6, 160.0], "153"),
    (153.6, [153.6, 160.0], "153.6"),
    (179.5, [160.0, 180.0], "179.5"),
    (94.5, [95.0], "94.5"),
    (2.5, [], "3"),
    (36.74, [], "37"),
]


@pytest.mark.parametrize(("value", "edges", "said"), TABLE)
def test_a_value_in_as_few_places_as_keep_it_on_its_side(value: float, edges: list[float], said: str) -> None:
    assert figure(value, "", edges) == said


@given(
    st.floats(0.5, 350, allow_nan=False),
    st.lists(st.one_of(st.integers(1, 350).map(float), st.floats(1, 350, allow_nan=False)), max_size=8),
)
def test_whatever_the_value_and_the_limits(value: float, edges: list[float]) -> None:
    said = float(figure(value, "", edges))
    for edge in edges:
        assert (said < edge, said == edge, said > edge) == (value < edge, value == edge, value > edge)
    assert math.isclose(said, value, abs_tol=0.5)


def told(value: float, signal: str = "RR", **more: Any) -> dict[str, Any]:
    samples = [{"t_s": 5, "signal": signal, "value": value, "device": "chair"}]
    (alarm,) = replay({"session": more.pop("session", {}), "events": [], "samples": samples, **more}).alarms
    return alarm


def test_an_alarm_writes_the_value_as_its_tile_does() -> None:
    alarm = told(9.9)
    assert alarm["value"] == 9.9
    assert alarm["because"].startswith("Breathing rate 9.9 /min; limit under 10 /min")
    assert told(131.6, "HR")["because"].startswith("Heart rate 132 /min; limit over 130 /min")
    assert (
        told(9.7, session={"limits": {"RR": {"low": 10}}})["because"]
        == "Breathing rate 9.7 /min under own limit 10 /min"
    )
    assert (
        told(9.2, session={"limits": {"RR": {"low": 10}}})["because"] == "Breathing rate 9 /min under own limit 10 /min"
    )


def test_the_screen_is_told_the_limits_that_are_in_force() -> None:
    def edges(session: dict[str, Any]) -> list[float]:
        samples = [{"t_s": 5, "signal": "RR", "value": 14, "device": "chair"}]
        run = run_alarms(read_export({"session": session, "events": [], "samples": samples}))
        state: AlarmState = run.state
        found: list[float] = signal_views(state, run.watch)["RR"]["edges"]
        return found

    assert edges({}) == [8.0, 10.0, 12.0, 20.0, 25.0]  # MON-5
    assert edges({"limits": {"RR": {"low": 9}}}) == [9.0]


def test_the_words_of_older_sessions_stay_as_they_were() -> None:
    rules = json.loads(json.dumps(rules_snapshot()))
    del rules["monitoring"]["figures"]
    assert told(131.64, "HR", rules_snapshot=rules)["because"].startswith("Heart rate 131.64 /min; limit over 130 /min")
