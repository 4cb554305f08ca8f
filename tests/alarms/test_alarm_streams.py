"""Random streams: gaps, zeros, repeats, disorder. What must hold whatever the sensors do."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limen.care.alarms import (
    Acknowledge,
    Alarm,
    AlarmState,
    Change,
    Sample,
    Stream,
    Tick,
    Watch,
    begin,
    step,
)
from limen.knowledge.monitoring import monitoring

WATCH = Watch(monitoring(), {"sbp_mmHg": 128.0, "dbp_mmHg": 78.0})
STREAMS = [Stream("SPO2", period_s=1), Stream("HR", period_s=1)]
SECONDS = 40
ICU = Path(__file__).parents[3] / "shared" / "data" / "icu-numerics-s00001.csv"

# Zero, nothing, and what no living person has: never a reading.
nothing = st.sampled_from([None, 0.0, -1.0, 101.0])
saturation = st.one_of(nothing, st.integers(70, 100).map(float))


@st.composite
def sample(draw: st.DrawFn) -> Sample:
    signal = draw(st.sampled_from(["SPO2", "HR", "RR", "NIBP_SYS"]))
    value = draw(saturation if signal == "SPO2" else st.one_of(st.sampled_from([None, 0.0]), st.just(70.0)))
    t_s = draw(st.floats(0, SECONDS, allow_nan=False))
    late = draw(st.sampled_from([0.0, 0.3, 2.0, 15.0, 45.0]))
    return Sample(t_s, t_s + late, signal, value, draw(st.sampled_from(["a", "b"])), draw(st.integers(0, 30)))


def run(samples: Sequence[Sample], *, until: int = SECONDS + 50, chunk: int = 10**9) -> tuple[AlarmState, list[Change]]:
    """Every tick; after each ``chunk`` of them the state goes through JSON as the database's would."""
    state = begin(WATCH, streams=STREAMS)
    changes: list[Change] = []
    for t_s in range(until + 1):
        took = tuple(entry for entry in samples if max(0, math.ceil(entry.received_t_s)) == t_s)
        state, changed = step(state, Tick(t_s, took), WATCH)
        if t_s % chunk == chunk - 1:
            state = AlarmState.from_json(json.loads(json.dumps(state.to_json())))
        changes += changed
    return state, changes


def raised(changes: Sequence[Change]) -> list[Alarm]:
    return [change.alarm for change in changes if change.kind == "raised" and change.alarm is not None]


@settings(max_examples=80, deadline=None)
@given(st.lists(sample(), max_size=60))
def test_nothing_is_never_physiological(samples: list[Sample]) -> None:
    _, changes = run(samples)
    readings = {
        (entry.signal, entry.value)
        for entry in samples
        if entry.value is not None and entry.value > 0 and not (entry.signal == "SPO2" and entry.value > 100)
    }
    for alarm in raised(changes):
        if alarm.kind == "physiological":
            assert (alarm.signal, alarm.value) in readings


@settings(max_examples=60, deadline=None)
@given(st.lists(sample(), max_size=40), st.integers(1, 7), st.randoms(use_true_random=False))
def test_storing_the_state_between_ticks_and_shuffling_within_them_changes_nothing(
    samples: list[Sample], chunk: int, order: object
) -> None:
    shuffled = list(samples)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert run(samples) == run(shuffled, chunk=chunk)


@settings(max_examples=60, deadline=None)
@given(st.lists(sample(), max_size=40))
def test_a_repeat_changes_no_alarm(samples: list[Sample]) -> None:
    assert run(samples)[1] == run([*samples, *samples])[1]


def test_a_sensor_that_sends_only_zeros_is_not_called_silent() -> None:
    beats = [Sample(t_s, t_s, "SPO2", 97.0 if t_s < 10 else 0.0, "a", t_s) for t_s in range(60)]
    _, changes = run(beats)
    alarms = [alarm for alarm in raised(changes) if alarm.signal == "SPO2"]
    assert [(alarm.t_s, alarm.rule, alarm.priority) for alarm in alarms[:2]] == [
        (10, "TEC-INVALID", "low"),
        (40, "TEC-LOST", "medium"),
    ]
    assert alarms[1].condition == "SPO2 no valid value"
    assert alarms[1].because == "SpO2: no valid value for 0:31, was 97 % 0:31 ago. Check the sensor"


def test_a_reading_by_hand_is_shown_with_its_own_age_beside_the_silence() -> None:
    samples = [Sample(t_s, t_s, "SPO2", 97.0, "a", t_s) for t_s in range(10)]
    samples.append(Sample(30, 30, "SPO2", 95.0, manual=True))
    _, changes = run(samples)
    (lost,) = (alarm for alarm in raised(changes) if alarm.signal == "SPO2" and alarm.rule == "TEC-LOST")
    # The stream ends at second 9; its silence is an alarm 30 s later. The value shown is of second 30.
    assert (lost.t_s, lost.value, lost.measured_t_s) == (40, 95.0, 30)
    assert lost.because == "SpO2 silent for 0:31, was 95 % by hand 0:10 ago"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, SECONDS), saturation), max_size=60))
def test_silence_is_said_in_time(values: list[tuple[int, float | None]]) -> None:
    """At every tick, a saturation whose newest reading is over 10 s (30 s) old has an alarm (a medium one)."""
    samples = [Sample(t_s, t_s, "SPO2", value, "a", index) for index, (t_s, value) in enumerate(values)]
    state = begin(WATCH, streams=STREAMS)
    for t_s in range(SECONDS + 60):
        state, _ = step(state, Tick(t_s, tuple(entry for entry in samples if entry.received_t_s == t_s)), WATCH)
        read = [s.t_s for s in samples if s.t_s <= t_s and s.value is not None and 0 < s.value <= 100]
        age = t_s - max(read, default=0)
        technical = [a for a in state.alarms if a.kind == "technical" and a.signal == "SPO2"]
        if age > 30:
            assert [alarm.priority for alarm in technical] == ["medium"]
        elif age > 10:
            assert [alarm.priority for alarm in technical] == ["low"]


@settings(max_examples=60, deadline=None)
@given(st.lists(sample(), min_size=5, max_size=60), st.integers(0, SECONDS), st.integers(0, 5))
def test_one_acknowledgement_answers_one_alarm(samples: list[Sample], when: int, which: int) -> None:
    state = begin(WATCH, streams=STREAMS)
    for t_s in range(when + 1):
        state, _ = step(state, Tick(t_s, tuple(s for s in samples if math.ceil(s.received_t_s) == t_s)), WATCH)
    standing = state.alarms
    if not standing:
        return
    meant = standing[which % len(standing)]
    after, changes = step(state, Tick(when + 1, acts=(Acknowledge(when + 0.5, "D. Kessel", meant.id),)), WATCH)
    assert [c.alarm.id for c in changes if c.kind == "acknowledged" and c.alarm] == [meant.id]
    for alarm in after.alarms:
        if alarm.id != meant.id:
            assert alarm.acknowledged_t_s is None
            assert alarm in after.sounding(when + 1)


@settings(max_examples=60, deadline=None)
@given(st.lists(sample(), max_size=60))
def test_every_alarm_ends_once_and_after_it_began(samples: list[Sample]) -> None:
    state, changes = run(samples)
    open_ids: set[str] = set()
    for change in changes:
        assert change.alarm is not None
        if change.kind == "raised":
            assert change.alarm.id not in open_ids
            open_ids.add(change.alarm.id)
        elif change.kind == "ended":
            open_ids.remove(change.alarm.id)
            assert change.alarm.ended_t_s is not None
            assert change.alarm.ended_t_s > change.alarm.t_s
    assert open_ids == {alarm.id for alarm in state.alarms}


@pytest.mark.skipif(not ICU.exists(), reason="the recorded intensive-care numerics are not beside the project")
def test_recorded_zeros_of_a_real_patient_are_technical() -> None:
    """A real monitor writes 0 where a sensor is off: 363 minutes of saturation, 45 of pulse."""
    columns = {"HR": "HR", "PULSE": "PULSE", "RESP": "RR", "SpO2": "SPO2", "NBPSys": "NIBP_SYS", "NBPDias": "NIBP_DIA"}
    rows = list(csv.DictReader(ICU.open(encoding="utf-8")))
    zeros = [int(row["t_min"]) for row in rows if row["SpO2"] == "0"]
    assert len(zeros) == 363
    state = begin(WATCH, streams=[Stream(signal, period_s=60) for signal in ("HR", "PULSE", "RR", "SPO2")])
    found: list[Alarm] = []
    # Ticks are judged only where a sample or a silence can matter: once a minute is enough for a stream of minutes.
    for row in rows:
        t_s = int(row["t_min"]) * 60
        samples = tuple(
            Sample(t_s, t_s, signal, float(row[column]) if row[column] else None, "icu", int(row["t_min"]))
            for column, signal in columns.items()
        )
        state, changes = step(state, Tick(t_s, samples), WATCH)
        found += raised(changes)
    by_second = {int(row["t_min"]) * 60: row for row in rows}
    back = {signal: column for column, signal in columns.items()}
    physiological = [alarm for alarm in found if alarm.kind == "physiological"]
    assert physiological
    for alarm in physiological:
        assert alarm.signal is not None
        assert alarm.measured_t_s is not None
        recorded = by_second[int(alarm.measured_t_s)][back[alarm.signal]]
        assert recorded
        assert float(recorded) > 0
    assert any(alarm.kind == "technical" and alarm.signal == "SPO2" for alarm in found)


@pytest.mark.parametrize("late_s", [0.0, 3.0], ids=["stamped once", "stamped behind the newest"])
def test_a_device_whose_clock_stands_still_does_not_fill_the_state(late_s: float) -> None:
    # Its values are one second's for ever: the newest was measured then, and by its age it is lost.
    state, size = begin(WATCH, streams=STREAMS), 0
    for t_s in range(1, 601):
        took = [Sample(5.0, t_s, "SPO2", 97.0, "a", 2 * t_s), Sample(5.0 - late_s, t_s, "SPO2", 97.0, "a", 2 * t_s + 1)]
        state, _ = step(state, Tick(t_s, tuple(took)), WATCH)
        if t_s == 300:
            size = len(json.dumps(state.to_json()))
    assert len(json.dumps(state.to_json())) <= 1.1 * size
    assert "SPO2 lost" in {alarm.condition for alarm in state.alarms}
