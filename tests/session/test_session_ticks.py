"""The contract of a tick: a monitor that dies and catches up raises what one that lived did."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limen.care.alarms import AlarmState, Change, step
from limen.errors import RefusedError
from limen.knowledge.monitoring import monitoring
from limen.session.export import Recorded, read_export
from limen.session.header import parse_header
from limen.session.replay import collect, replay_recorded
from limen.session.ticks import (
    begin_watch,
    monitor_ticks,
    received_stamp,
    refuse_slow_streams,
    tick_at,
    watched,
)


def live(recorded: Recorded, wakes: list[float]) -> list[Change]:
    """A monitor that wakes at these seconds, each time as a new process with only the stored state."""
    rules = recorded.rules.monitoring
    stored = json.dumps(begin_watch(recorded.header, rules)[1].to_json())
    taken = -1e9
    changes: list[Change] = []
    for now in wakes:
        watch, _ = begin_watch(recorded.header, rules)
        state = AlarmState.from_json(json.loads(stored))
        for t_s in monitor_ticks(state.t_s, now):
            known = sorted((e for e in recorded.events if e.known_t_s <= t_s), key=lambda e: e.known_t_s)
            if watched(known, t_s):
                news = [event for event in known if event.known_t_s > taken]
                fresh = [sample for sample in recorded.samples if taken < sample.received_t_s <= t_s]
                tick = tick_at(t_s, header=recorded.header, rules=rules, known=known, news=news, samples=fresh)
                state, changed = step(state, tick, watch)
                changes += changed
                taken = t_s
        stored = json.dumps(state.to_json())
    return changes


EVENTS: list[dict[str, Any]] = [
    {"t_s": -30, "kind": "device.associated", "device": "a", "signals": ["SPO2"], "period_s": 1},
    {"t_s": 0, "kind": "session.started"},
    {"t_s": 10, "kind": "infusion.started", "dose_mg": 35, "duration_min": 40},
    {"t_s": 41.5, "received_t_s": 44.2, "kind": "symptom.reported", "text": "chest pain"},
    {"t_s": 50, "kind": "alarm.acknowledged", "signal": "SPO2"},
    {"t_s": 55, "kind": "audio.paused", "duration_s": 30},
    {"t_s": 60, "kind": "limits.changed", "limits": {"SPO2": {"low": 85}}},
    {"t_s": 100, "kind": "observation.recorded", "symptoms": [], "moaas": 4, "sbp_mmHg": 185, "dbp_mmHg": 90},
]
VALUES = st.sampled_from([97.0, 97.0, 94.0, 91.0, 84.0, 0.0, None])


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-5, 150, allow_nan=False), st.floats(0, 20), VALUES), max_size=60),
    st.lists(st.floats(0, 199, allow_nan=False), max_size=6),
)
def test_replay_is_what_the_monitor_raised_however_often_it_died(
    values: list[tuple[float, float, float | None]], wakes: list[float]
) -> None:
    samples = [
        {"t_s": t_s, "received_t_s": t_s + late, "seq": index, "signal": "SPO2", "value": value, "device": "a"}
        for index, (t_s, late, value) in enumerate(values)
    ]
    recorded = read_export({"session": {"protocol": "TRD-IV"}, "events": EVENTS, "samples": samples, "until_t_s": 200})
    changes = live(recorded, [*sorted(wakes), 200])
    assert tuple(alarm.to_json() for alarm in collect(changes)) == replay_recorded(recorded).alarms


def test_nothing_arrives_in_a_tick_that_was_taken() -> None:
    assert received_stamp(12.0, 12) > 12
    assert list(monitor_ticks(12, 12.9)) == []
    assert list(monitor_ticks(12, 13.0)) == [13]


def test_a_live_session_refuses_slow_streams() -> None:
    rules = monitoring()
    refuse_slow_streams(
        parse_header({"streams": {"SPO2": {"period_s": 5}, "NIBP_SYS": {"period_s": 300}}}, rules), rules
    )
    with pytest.raises(RefusedError, match="too slow for a live session"):
        refuse_slow_streams(parse_header({"streams": {"SPO2": {"period_s": 5.1}}}, rules), rules)


def test_silence_at_the_end_of_an_export_is_replayed() -> None:
    export = {
        "session": {"streams": {"SPO2": {"period_s": 1}}},
        "events": [{"t_s": 0, "kind": "session.started"}],
        "samples": [{"t_s": 5, "signal": "SPO2", "value": 97}],
    }
    assert replay_recorded(read_export(export)).alarms == ()
    ended = replay_recorded(read_export({**export, "until_t_s": 60})).alarms
    assert [alarm["priority"] for alarm in ended] == ["low", "medium"]
