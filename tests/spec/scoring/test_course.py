"""The course: baseline frozen at the first dose, gaps stay gaps, and the stop signal MNT-2."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from limen.care.course import Reading, trajectory


def at(day: int, hour: int = 9) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def test_baseline_is_the_last_complete_total_before_the_first_dose() -> None:
    readings = [
        Reading(at(1), 24),
        Reading(at(2), 20),
        Reading(at(3, 7), 18, "prorated"),
        Reading(at(3, 8), None, "incomplete"),
        Reading(at(4), 10),
        Reading(at(9), 4),
    ]
    course = trajectory("PHQ-9", list(reversed(readings)), [at(5), at(3)])
    assert course.baseline is not None
    assert course.baseline.total == 20
    flags = {point.reading.at.day: (point.pct, point.response, point.sessions_before) for point in course.points}
    assert flags[4] == (-50.0, True, 1)
    assert flags[9] == (-80.0, True, 2)
    assert flags[1] == (None, None, 0)
    assert [point.remission["lt5"] for point in course.points] == [False, False, False, None, False, True]


def test_a_missing_total_stays_a_gap() -> None:
    course = trajectory("PHQ-9", [Reading(at(1), 20), Reading(at(6), None, "incomplete")], [at(2)])
    assert (course.points[1].pct, course.points[1].response) == (None, None)
    assert course.latest is course.points[0]


def test_without_a_dose_nothing_is_frozen() -> None:
    course = trajectory("PHQ-9", [Reading(at(1), 20), Reading(at(6), 10)], [])
    assert course.baseline is None
    assert course.points[1].pct is None


@pytest.mark.parametrize(
    ("totals", "doses", "stop"),
    [
        ({1: 30, 3: 29, 5: 28, 7: 27}, [2, 4, 6], True),
        ({1: 30, 3: 29, 5: 24, 7: 27}, [2, 4, 6], False),
        ({1: 30, 3: 29, 7: 27}, [2, 4, 6], None),
        ({1: 30, 3: 29}, [2, 4], False),
        ({1: 30, 3: 20, 9: 25}, [2, 4, 6, 8], True),
        ({1: 30, 3: 29, 5: 29, 7: 29, 9: 24}, [2, 4, 6, 8], False),
    ],
)
def test_stop_signal(totals: dict[int, int], doses: list[int], stop: bool | None) -> None:
    course = trajectory("MADRS", [Reading(at(day), total) for day, total in totals.items()], [at(day) for day in doses])
    assert course.stop_signal is not None
    assert course.stop_signal.stop is stop


def test_stop_signal_is_for_madrs_only() -> None:
    assert trajectory("PHQ-9", [Reading(at(1), 20)], [at(2)]).stop_signal is None
