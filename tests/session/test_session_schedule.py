"""Observations due: IV depression is every 10 min in the infusion and every 15 min after, to 120 min."""

from __future__ import annotations

from typing import Any

import pytest

from limen.knowledge.monitoring import monitoring
from limen.session.events import parse_events
from limen.session.header import SessionHeader
from limen.session.schedule import DueList, due_list
from limen.session.state import fold

START = [
    {"t_s": 0, "kind": "session.started"},
    {"t_s": 0, "kind": "infusion.started", "dose_mg": 35, "duration_min": 40},
]


def due(t_s: float, *more: dict[str, Any], protocol: str = "TRD-IV") -> DueList:
    state = fold(SessionHeader(protocol=protocol), parse_events([*START, *more]), at_t_s=t_s)
    return due_list(protocol, state, monitoring())


def seen(*times: float) -> list[dict[str, Any]]:
    return [{"t_s": t_s, "kind": "observation.recorded", "moaas": 5} for t_s in times]


def test_the_times_of_a_whole_session() -> None:
    minutes = [entry.due_t_s / 60 for entry in due(60).entries]
    assert minutes == pytest.approx([0, 10, 20, 30, 40, 55, 70, 85, 100, 115, 130, 145, 160])


def test_next_due_and_late_counts_up() -> None:
    assert due(300, *seen(0)).next_due_t_s == 600
    assert due(650, *seen(0)).late_s == 0  # within the minute of grace
    assert due(720, *seen(0)).late_s == 120
    assert due(720, *seen(0, 610)).next_due_t_s == 1200


@pytest.mark.parametrize(
    ("entry", "answers"),
    [
        ({"moaas": 5}, True),
        ({"dissociation": 0}, True),
        ({"sbp_mmHg": 128, "dbp_mmHg": 78}, True),
        ({"escort": True}, False),
        ({"distress": 2}, False),
        ({"symptoms": []}, False),
        ({"instructions_given": True, "next_cssrs_on": "2026-12-01"}, False),
    ],
)
def test_only_a_visit_answers_what_is_due(entry: dict[str, Any], answers: bool) -> None:
    """Somebody writes down the escort at minute 9: the pressure of minute 10 is still owed."""
    listed = due(650, *seen(0), {"t_s": 590, "kind": "observation.recorded", **entry})
    assert listed.next_due_t_s == (1200 if answers else 600)


def test_late_and_missed_count() -> None:
    # Baseline and 10 min on time, 20 min two minutes late, 30 min never.
    listed = due(2150, *seen(0, 600, 1320))
    assert [entry.status for entry in listed.entries][:4] == ["done", "done", "late-done", "missed"]
    assert listed.late_pct == pytest.approx(50)


def test_a_pause_moves_the_times_after() -> None:
    pause = [{"t_s": 1200, "kind": "infusion.paused"}, {"t_s": 1500, "kind": "infusion.resumed"}]
    minutes = [entry.due_t_s / 60 for entry in due(1600, *pause).entries if entry.label == "after"]
    assert minutes[0] == pytest.approx(45 + 15)


def test_nothing_is_due_after_leaving() -> None:
    listed = due(7000, {"t_s": 6100, "kind": "discharged"})
    assert listed.next_due_t_s is None
    assert listed.late_s == 0


def test_an_injection_has_its_own_minutes() -> None:
    events = parse_events(
        [{"t_s": 0, "kind": "session.started"}, {"t_s": 60, "kind": "dose.given", "dose_mg": 35, "route": "im"}]
    )
    state = fold(SessionHeader(protocol="TRD-IM"), events, at_t_s=100)
    minutes = [(entry.due_t_s - 60) / 60 for entry in due_list("TRD-IM", state, monitoring()).entries]
    assert minutes == pytest.approx([0, 15, 30, 45, 60, 90, 120])
