"""The alarm budget counted by hand, and limits tried on a session with a known course."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from contracts.door import limen
from limen.care.alarm_state import Alarm
from limen.knowledge.alarm_response import alarm_response
from limen.session.alarm_budget import Watched, alarm_budget, answer_to
from limen.session.events import parse_event
from limen.session.export import read_export
from limen.session.limits_trial import try_limits
from limen.session.replay import read_limits

RULES = alarm_response().budget


def alarm(t_s: float, condition: str = "SpO2 low", seen_s: float | None = None) -> Alarm:
    return Alarm(
        condition, t_s, condition, "physiological", "medium", "SPO2", 91.0, 92.0, "%", "MON-4", "pause",
        "", t_s, (), "P", acknowledged_t_s=None if seen_s is None else t_s + seen_s,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "after_s", "answer"),
    [
        ("infusion.paused", 0, "acted"),
        ("infusion.paused", 300, "acted"),
        ("infusion.paused", 301, "neither"),
        ("infusion.paused", -1, "neither"),
        ("rescue.given", 10, "acted"),
        ("discharge.asked", 10, "neither"),
    ],
)
def test_an_answer_comes_in_its_time(kind: str, after_s: float, answer: str) -> None:
    event = parse_event({"t_s": 1000 + after_s, "kind": kind})
    assert answer_to(alarm(1000), [event], RULES) == answer


def test_acting_counts_before_looking_again() -> None:
    events = [
        parse_event({"t_s": 1010, "kind": "observation.recorded", "moaas": 5}),
        parse_event({"t_s": 1020, "kind": "infusion.stopped"}),
    ]
    assert answer_to(alarm(1000), events[:1], RULES) == "checked"
    assert answer_to(alarm(1000), events, RULES) == "acted"


def test_the_count_by_hand() -> None:
    paused = parse_event({"t_s": 130, "kind": "infusion.paused"})
    first = Watched([alarm(100, seen_s=4), alarm(1000, seen_s=20), alarm(2000, "Heart rate high")], [paused], 2.0)
    second = Watched([], [], 1.0)
    found = alarm_budget([first, second], RULES)
    assert (found.sessions, found.chair_h, found.per_chair_h) == (2, 3.0, 1.0)
    assert found.acted_pct == 33.3
    assert [(row.condition, row.count, row.acted, row.checked, row.neither) for row in found.rows] == [
        ("SpO2 low", 2, 1, 0, 1),
        ("Heart rate high", 1, 0, 0, 1),
    ]
    assert [row.seen_s for row in found.rows] == [12.0, None]  # the middle of 4 and 20; nobody saw the other
    assert found.within is True  # six an hour for one person with four chairs: 1.5 a chair-hour


def test_over_the_budget_is_said() -> None:
    over = Watched([alarm(60.0 * index) for index in range(4)], [], 2.0)
    assert alarm_budget([over], RULES).within is False


def test_nothing_watched_is_no_rate() -> None:
    found = alarm_budget([], RULES)
    assert (found.per_chair_h, found.acted_pct, found.within) == (None, None, None)


def recorded(oxygen: bool = True) -> dict:
    """Saturation falls to 88 for a minute, and oxygen is given 20 s into it."""
    events = [{"t_s": 0, "kind": "session.started"}]
    if oxygen:
        events.append({"t_s": 120, "kind": "rescue.given", "what": "oxygen 4 L/min"})
    samples = [
        {"t_s": t, "seq": t, "signal": "SPO2", "value": 88.0 if 100 <= t < 160 else 97.0, "device": "a"}
        for t in range(300)
    ]
    return {"schema": 1, "session": {"protocol": "TRD-IV"}, "events": events, "samples": samples}


@pytest.mark.parametrize(("low", "missed"), [(88.0, True), (88.1, False)])
def test_limits_under_what_was_seen_miss_the_event(low: float, missed: bool) -> None:
    record = read_export(recorded())
    pairs = read_limits({"SPO2": {"low": low}}, record.rules.monitoring)
    trial = try_limits(record, pairs, warned_within_s=300)
    assert [event.text for event in trial.missed] == (["oxygen 4 L/min"] if missed else [])
    assert any(entry.signal == "SPO2" for entry in trial.lost) == missed


def test_an_alarm_lost_without_an_event_is_lost_and_nothing_is_missed() -> None:
    record = read_export(recorded(oxygen=False))
    trial = try_limits(record, read_limits({"SPO2": {"low": 80}}, record.rules.monitoring), warned_within_s=300)
    assert trial.lost
    assert trial.missed == ()


def test_the_command_reads_limits_in_yaml(tmp_path: Path) -> None:
    session, limits = tmp_path / "s.json", tmp_path / "limits.yaml"
    session.write_text(json.dumps(recorded()))
    limits.write_text("SPO2: {low: 85}\n")
    value = limen("session", "alarms", str(session), "--limits", str(limits), "--json").json()
    assert [event["text"] for event in value["trial"][0]["missed"]] == ["oxygen 4 L/min"]
    assert value["budget"]["rows"][0]["acted"] == 1
    readable = limen("session", "alarms", str(session), "--limits", str(limits)).out
    assert "no longer warned of" in readable
    what_if = limen("session", "replay", str(session), "--what-if", str(limits), "--json").json()
    assert what_if["what_if"]["lost"]


def test_a_key_that_stands_twice_in_the_limits_is_refused(tmp_path: Path) -> None:
    session, limits = tmp_path / "s.json", tmp_path / "limits.yaml"
    session.write_text(json.dumps(recorded()))
    limits.write_text("SPO2: {low: 85}\nSPO2: {low: 80}\n")
    done = limen("session", "alarms", str(session), "--limits", str(limits))
    assert (done.code, done.out) == (2, "")
    assert "limits.yaml:2" in done.err
