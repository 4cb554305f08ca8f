"""The phases of a session by route: devices with their rests, an injection, tablets, a pump, a bolus before it."""

from __future__ import annotations

from typing import Any

import pytest

from limen.session.events import parse_events
from limen.session.header import SessionHeader
from limen.session.phases import Phases, Stay, phases_of
from limen.session.state import fold

# A rest of 5 min between two nasal devices and two hours from the first (label of nasal esketamine); 120 min after an
# injection or a tablet and 60 min after an infusion with an escort (rules of discharge).
NASAL, SHOT, DRIP = Stay(120, from_first=True), Stay(120), Stay(60)


def steps(*found: tuple[str, float, float]) -> list[dict[str, Any]]:
    return [{"kind": kind, "at_min": at_min, "duration_min": long_min} for kind, at_min, long_min in found]


DEVICES = {number: steps(*[("device", 5.0 * one, 0.0) for one in range(number)]) for number in (1, 2, 3)}
PUMP = steps(("infusion", 0.0, 40.0))


def way(plan: list[dict[str, Any]], route: str, stay: Stay | None, at_min: float, *events: tuple[float, str]) -> Phases:
    started = [{"t_s": 0, "kind": "session.started"}]
    more = {
        "dose": {"kind": "dose.given", "dose_mg": 28, "route": route},
        "pump": {"kind": "infusion.started", "dose_mg": 40, "duration_min": 40},
        "half": {"kind": "infusion.rate-changed", "rate_mg_per_h": 30},
        "stop": {"kind": "infusion.stopped", "reason": "asked to stop"},
        "leave": {"kind": "discharged"},
    }
    given = [{"t_s": 60 * minute, **more[name]} for minute, name in events]
    return phases_of(plan, route, fold(SessionHeader(), parse_events(started + given), at_t_s=60 * at_min), stay)


def stretches(found: Phases) -> list[tuple[str, float | None, str]]:
    return [(phase.kind, phase.planned_min, phase.status) for phase in found.phases]


@pytest.mark.parametrize(
    ("number", "waits"), [(1, []), (2, [("wait", 5, "coming")]), (3, [("wait", 5, "coming"), ("wait", 5, "coming")])]
)
def test_devices_before_the_first(number: int, waits: list[tuple[str, float, str]]) -> None:
    found = way(DEVICES[number], "in", NASAL, 3)
    assert (found.words, found.next_dose, found.now) == ("Before the dose", None, None)
    assert stretches(found) == [*waits, ("recovery", 120 - 5 * len(waits), "coming")]
    assert [mark.label for mark in found.marks] == (
        ["Device"] if number == 1 else [f"Device {one} of {number}" for one in range(1, number + 1)]
    )


def test_a_rest_between_devices_is_no_recovery() -> None:
    found = way(DEVICES[3], "in", NASAL, 13, (4, "dose"), (10, "dose"))
    assert found.words == "Device 2 of 3 given"
    assert stretches(found) == [("wait", 6, "done"), ("wait", 5, "now"), ("recovery", 109, "coming")]
    assert found.next_dose is not None
    assert (found.next_dose.label, found.next_dose.due_t_s) == ("Device 3 of 3", 15 * 60)
    assert (found.to_json()["from_t_s"], found.to_json()["planned_s"]) == (600, 300)


def test_two_hours_count_from_the_first_device() -> None:
    found = way(DEVICES[2], "in", NASAL, 30, (4, "dose"), (10, "dose"))
    assert found.words == "Recovery"
    assert stretches(found) == [("wait", 6, "done"), ("recovery", 114, "now")]
    assert (found.now.from_t_s if found.now else None) == 600


@pytest.mark.parametrize(
    ("at_min", "words", "due"),
    [(9, "Device 1 of 2 given", True), (24, "Device 1 of 2 given", True), (25, "Recovery, 1 of 2 given", False)],
)
def test_a_device_that_is_withheld_is_not_asked_for_for_hours(at_min: float, words: str, due: bool) -> None:
    found = way(DEVICES[2], "in", NASAL, at_min, (4, "dose"))  # due in minute 9, waited for until minute 24
    assert found.words == words
    assert (found.next_dose is not None) is due


@pytest.mark.parametrize(
    ("kind", "route", "label"),
    [
        ("bolus", "im", "Injection"),
        ("bolus", "sc", "Injection"),
        ("oral", "po", "Dose by mouth"),
        ("oral", "sl", "Dose under the tongue"),
        ("device", "in", "Device"),
    ],
)
def test_one_dose_at_once_is_a_mark_and_then_recovery(kind: str, route: str, label: str) -> None:
    found = way(steps((kind, 0.0, 0.0)), route, SHOT, 20, (5, "dose"))
    assert (found.words, [mark.label for mark in found.marks]) == ("Recovery", [label])
    assert stretches(found) == [("recovery", 120, "now")]
    assert found.marks[0].given_t_s == 300
    assert "infusion" not in str(found.to_json()).lower()


def test_a_pump_ends_when_its_rate_says() -> None:
    assert stretches(way(PUMP, "iv", DRIP, 3)) == [("infusion", 40, "coming"), ("recovery", 60, "coming")]
    # 20 of 40 mg are in after 20 min; the rest at 30 mg/h takes 40 min: 60 in all
    found = way(PUMP, "iv", DRIP, 30, (5, "pump"), (25, "half"))
    assert (found.words, stretches(found)) == ("Infusion", [("infusion", 60, "now"), ("recovery", 60, "coming")])
    stopped = way(PUMP, "iv", DRIP, 30, (5, "pump"), (15, "stop"))
    assert (stopped.words, stretches(stopped)) == ("Stopped", [("infusion", 10, "done"), ("recovery", 60, "now")])


def test_a_bolus_before_the_pump_is_no_recovery() -> None:
    plan = steps(("bolus", 0.0, 0.0), ("infusion", 0.0, 40.0))
    found = way(plan, "iv", DRIP, 8, (5, "dose"))
    assert found.words == "Dose given, pump not started"
    assert stretches(found) == [("infusion", 40, "coming"), ("recovery", 60, "coming")]
    assert way(plan, "iv", DRIP, 8, (5, "dose"), (6, "pump")).words == "Infusion"


def test_no_rule_about_the_stay_leaves_its_length_unknown() -> None:
    found = way(DEVICES[1], "in", None, 20, (5, "dose"))
    assert stretches(found) == [("recovery", None, "now")]
    assert found.to_json()["planned_s"] is None


def test_who_has_left_is_reminded_of_nothing() -> None:
    found = way(DEVICES[2], "in", NASAL, 12, (4, "dose"), (10, "leave"))
    assert (found.words, found.next_dose, found.now) == ("Discharged", None, None)
