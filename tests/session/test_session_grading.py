"""Impossible, critical and unusual are three things. Bounds are the rules of monitoring: MON-1 to MON-6."""

from __future__ import annotations

from typing import Any

import pytest

from limen.errors import InputError
from limen.knowledge.monitoring import monitoring
from limen.session.events import parse_event
from limen.session.grading import grades

BASE = {"sbp_mmHg": 128.0, "dbp_mmHg": 78.0}


@pytest.mark.parametrize(
    ("values", "level"),
    [
        ({"sbp_mmHg": 153}, None),  # a rise of 20 % begins at 153.6
        ({"sbp_mmHg": 154}, "unusual"),
        ({"sbp_mmHg": 179}, "unusual"),
        ({"sbp_mmHg": 180}, "critical"),
        ({"sbp_mmHg": 101}, None),
        ({"sbp_mmHg": 100}, "unusual"),
        ({"sbp_mmHg": 90}, "critical"),
        ({"dbp_mmHg": 109}, "unusual"),
        ({"dbp_mmHg": 110}, "critical"),
        ({"hr_per_min": 110}, None),
        ({"hr_per_min": 111}, "unusual"),
        ({"hr_per_min": 130}, "unusual"),
        ({"hr_per_min": 131}, "critical"),
        ({"hr_per_min": 50}, "unusual"),
        ({"hr_per_min": 49}, "critical"),
        ({"spo2_pct": 95}, None),
        ({"spo2_pct": 94}, "unusual"),
        ({"spo2_pct": 92}, "unusual"),
        ({"spo2_pct": 91}, "critical"),
        ({"rr_per_min": 12}, None),
        ({"rr_per_min": 10}, "unusual"),
        ({"rr_per_min": 9}, "critical"),
        ({"rr_per_min": 25}, "critical"),
        ({"moaas": 5}, None),
        ({"moaas": 4}, "unusual"),
        ({"moaas": 3}, "critical"),
        ({"moaas": 0}, "critical"),
        ({"sbp_mmHg": None, "dissociation": 4}, None),
    ],
)
def test_one_value_just_inside_and_just_outside(values: dict[str, Any], level: str | None) -> None:
    found = grades(values, monitoring(), BASE)
    assert [grade.level for grade in found] == ([level] if level else [])


@pytest.mark.parametrize(
    ("values", "do"),
    [
        ({"spo2_pct": 91}, "Pause"),
        ({"spo2_pct": 89}, "Stop"),
        ({"rr_per_min": 9}, "Pause"),
        ({"rr_per_min": 8}, "Stop"),
        ({"moaas": 3}, "Pause"),
        ({"moaas": 2}, "Stop"),
        ({"hr_per_min": 150}, "Pause"),
        ({"hr_per_min": 151}, "Stop"),
        ({"dbp_mmHg": 119}, "Pause"),
        ({"dbp_mmHg": 120}, "Stop"),
    ],
)
def test_what_is_shown_back_says_what_the_gravest_limit_asks_for(values: dict[str, Any], do: str) -> None:
    """MON-1 and MON-3 to MON-6: under 90, at 8, at 2, over 150 and at 120 the answer is stop, not pause."""
    (grade,) = grades(values, monitoring(), BASE)
    assert grade.step.do.startswith(do)


def test_without_a_baseline_a_rise_grades_nothing() -> None:
    assert grades({"sbp_mmHg": 155}, monitoring()) == ()
    assert grades({"sbp_mmHg": 155}, monitoring(), {"sbp_mmHg": None}) == ()


@pytest.mark.parametrize(
    ("values", "refused"),
    [
        ({"spo2_pct": 101}, True),
        ({"sbp_mmHg": 80, "dbp_mmHg": 90}, True),
        ({"moaas": 6}, True),
        ({"sbp_mmHg": 220}, False),  # critical, and possible
        ({"spo2_pct": 70}, False),
        ({"hr_per_min": 115}, False),
    ],
)
def test_only_the_impossible_is_refused(values: dict[str, Any], refused: bool) -> None:
    event = {"t_s": 0, "kind": "observation.recorded", **values}
    if refused:
        with pytest.raises(InputError):
            parse_event(event)
    else:
        assert parse_event(event).kind == "observation.recorded"
