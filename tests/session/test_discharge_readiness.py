"""DIS-1 to DIS-6, one at a time, from a patient who may leave."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from limen.care.alarm_state import Sample
from limen.care.alarms import Watch
from limen.care.discharge import DischargeFacts, Pressure, Seen, readiness
from limen.evidence import Verification
from limen.knowledge.monitoring import monitoring
from limen.session.events import parse_events
from limen.session.header import SessionHeader
from limen.session.readiness import ready_at

NOW = 7200.0
GOOD: dict[str, Any] = {
    "aldrete": 10,
    "moaas": 5,
    "oriented": True,
    "walks_unaided": True,
    "distress": 0,
    "spo2_pct": 98.0,
    "escort": True,
    "instructions_given": True,
}


def facts(*, without: str = "", at_t_s: float = NOW, **changed: Any) -> DischargeFacts:
    values = {**GOOD, **changed}
    return DischargeFacts(
        at_t_s=at_t_s,
        product="racemic",
        route="iv",
        dose_end_t_s=2460,
        seen={key: Seen(at_t_s - 300, value) for key, value in values.items() if key != without},
        pressures=(Pressure(at_t_s - 300, 126, 78),),
        baseline_sbp_mmHg=128,
        baseline_dbp_mmHg=78,
        baseline_spo2_pct=98,
        session_number=4,
    )


def rules(given: DischargeFacts) -> list[str]:
    return [entry.rule for entry in readiness(given).unmet]


def test_ready() -> None:
    answer = readiness(facts())
    assert answer.ready
    assert answer.unmet == ()
    assert answer.met == ("DIS-1", "DIS-2", "DIS-3", "DIS-4", "DIS-5", "DIS-6")
    assert answer.earliest_t_s == 2460 + 3600
    assert answer.verification is Verification.UNVERIFIED  # several criteria await a sign-off
    assert [entry["rule"] for entry in answer.afterwards] == ["DIS-4"]


@pytest.mark.parametrize(
    ("key", "rule"),
    [
        ("aldrete", "DIS-1"),
        ("moaas", "DIS-2"),
        ("oriented", "DIS-2"),
        ("walks_unaided", "DIS-2"),
        ("distress", "DIS-2"),
        ("spo2_pct", "DIS-3"),
        ("instructions_given", "DIS-6"),
    ],
)
def test_missing_is_unmet_and_named(key: str, rule: str) -> None:
    (unmet,) = readiness(facts(without=key)).unmet
    assert unmet.rule == rule
    assert "not recorded" in unmet.because


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("aldrete", 8, "DIS-1"),
        ("moaas", 4, "DIS-2"),
        ("oriented", False, "DIS-2"),
        ("walks_unaided", False, "DIS-2"),
        ("distress", 1, "DIS-2"),
        ("spo2_pct", 95.0, "DIS-3"),
        ("instructions_given", False, "DIS-6"),
        ("safety_plan_given", False, "DIS-6"),
    ],
)
def test_each_criterion_can_fail(key: str, value: object, rule: str) -> None:
    assert rules(facts(**{key: value})) == [rule]


def test_nine_of_ten_is_enough() -> None:
    assert rules(facts(aldrete=9)) == []


@pytest.mark.parametrize(
    ("start", "now", "unmet"),
    [
        ((128, 78), (160, 100), False),
        ((128, 78), (161, 90), True),
        ((128, 78), (150, 101), True),
        ((145, 90), (174, 108), False),  # 145 and 90 plus 20 %
        ((145, 90), (175, 108), True),
    ],
)
def test_pressure_back(start: tuple[float, float], now: tuple[float, float], unmet: bool) -> None:
    given = replace(
        facts(), baseline_sbp_mmHg=start[0], baseline_dbp_mmHg=start[1], pressures=(Pressure(NOW - 60, *now),)
    )
    assert rules(given) == (["DIS-3"] if unmet else [])


@pytest.mark.parametrize(
    ("escort", "minutes", "unmet"),
    [
        (True, 59.9, ["DIS-5"]),
        (True, 60, []),
        (False, 60, ["DIS-4", "DIS-5"]),
        (False, 119.9, ["DIS-4", "DIS-5"]),
        (False, 120, []),
        (None, 60, ["DIS-4", "DIS-5"]),
        (None, 120, ["DIS-4"]),
    ],
)
def test_time_with_and_without_an_escort(escort: bool | None, minutes: float, unmet: list[str]) -> None:
    at = 2460 + minutes * 60
    given = facts(at_t_s=at, escort=escort, without="escort" if escort is None else "")
    assert rules(given) == unmet


def test_esketamine_counts_from_the_first_device_and_wants_an_escort_and_a_falling_pressure() -> None:
    nasal = replace(facts(), product="esketamine-nasal", route="in", dose_end_t_s=600, first_device_t_s=300)
    two = (Pressure(NOW - 900, 140, 84), Pressure(NOW - 300, 132, 80))
    at_7500 = replace(nasal, pressures=two)
    assert rules(at_7500) == ["DIS-5"]  # 115 min since the first device
    late = replace(at_7500, at_t_s=300 + 120 * 60)
    assert rules(late) == []
    assert rules(replace(late, pressures=(two[0], Pressure(NOW - 200, 150, 80)))) == ["DIS-3"]
    assert rules(replace(late, pressures=two[1:])) == ["DIS-3"]
    alone = replace(late, seen={**late.seen, "escort": Seen(NOW - 300, False)})
    assert rules(alone) == ["DIS-4"]


def test_what_was_seen_too_long_ago_or_before_the_end_does_not_count() -> None:
    given = facts()
    old = replace(given, seen={**given.seen, "aldrete": Seen(NOW - 1801, 10)})
    assert rules(old) == ["DIS-1"]
    early = replace(facts(at_t_s=6060), dose_end_t_s=2460)
    early = replace(early, seen={**early.seen, "aldrete": Seen(2400, 10)})
    assert "before the end of the dose" in readiness(early).unmet[0].because


def test_nobody_leaves_while_the_pump_runs() -> None:
    running = replace(facts(), running=True, dose_end_t_s=None)
    assert rules(running) == ["DIS-5"]
    assert readiness(running).earliest_t_s is None


def test_a_first_session_is_called() -> None:
    for number in (1, None):
        due = readiness(replace(facts(), session_number=number)).afterwards
        assert [entry["rule"] for entry in due] == ["DIS-4", "DIS-7"]


PUMP = [
    {"t_s": 0, "kind": "session.started"},
    {"t_s": 60, "kind": "infusion.started", "dose_mg": 35, "duration_min": 40},
]


def leaving(*more: dict[str, Any], minutes: float, samples: tuple[Sample, ...] = ()) -> list[str]:
    """What stands against leaving so long after the end of the pump, which is at 2460 s, when all else is well."""
    now = 2460 + 60 * minutes
    seen = {**GOOD, "sbp_mmHg": 126, "dbp_mmHg": 78, "t_s": now - 300, "kind": "observation.recorded"}
    header = SessionHeader(
        protocol="TRD-IV", product="racemic", route="iv", baseline={"sbp_mmHg": 128, "dbp_mmHg": 78, "spo2_pct": 98}
    )
    events = parse_events([*PUMP, *more, seen])
    answer = ready_at(header, events, samples, Watch(monitoring()), now)
    return [entry.because for entry in answer.unmet]


@pytest.mark.parametrize("dose_t_s", [30, 2460])
def test_of_two_routes_the_longer_stay_holds(dose_t_s: float) -> None:
    """60 min after a dose into a vein, 120 after one into a muscle, and the order in which they came is no matter."""
    injection = {"t_s": dose_t_s, "kind": "dose.given", "dose_mg": 20, "route": "im"}
    assert leaving(minutes=60) == []
    assert leaving(injection, minutes=119.9) != []
    assert leaving(injection, minutes=120) == []


def test_a_dose_by_a_route_that_no_rule_knows_holds_the_patient() -> None:
    other = {"t_s": 2400, "kind": "dose.given", "dose_mg": 20, "route": "intrathecal"}
    assert leaving(other, minutes=600) == ["route of the dose not recorded"]


def test_a_cuff_that_lost_its_diastolic_still_counts() -> None:
    high = Sample(2460 + 3590, 2460 + 3590, "NIBP_SYS", 178.0, "cuff")
    assert leaving(minutes=60, samples=(high,)) == ["systolic 178 mmHg, 160 or under is needed"]
