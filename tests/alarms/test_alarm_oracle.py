"""A second implementation of when an alarm must be on, simple and slow, held against the step over random streams.

It knows nothing of slots, ladders or silences: it keeps every reading that has come, and asks at each second what the
rules' table says of them. Written from the monitoring rules (MON-1 to MON-5, TEC), not from the step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from limen.care.alarms import Acknowledge, PauseAudio, Sample, Stream, Tick, Watch, begin, step
from limen.knowledge.monitoring import monitoring

SECONDS = 60
# The reference's table: beyond which value an alarm of which priority must stand. (signal, side, limit, strict)
GRAVEST_FIRST = {
    "SPO2": {"low": [("high", lambda v: v < 90), ("medium", lambda v: v < 92), ("low", lambda v: v < 95)], "high": []},
    "HR": {
        "low": [("medium", lambda v: v < 50), ("low", lambda v: v < 55)],
        "high": [("high", lambda v: v > 150), ("medium", lambda v: v > 130), ("low", lambda v: v > 110)],
    },
    "RR": {
        "low": [("high", lambda v: v <= 8), ("medium", lambda v: v < 10), ("low", lambda v: v < 12)],
        "high": [("medium", lambda v: v >= 25), ("low", lambda v: v > 20)],
    },
}
POSSIBLE = {"SPO2": 100.0, "HR": 350.0, "RR": 150.0}
CLEAR_S, STALE_S, LOST_S = 10.0, 10.0, 30.0
SIDES = ("low", "high")
RANK = {"low": 1, "medium": 2, "high": 3}


@dataclass(frozen=True)
class Came:
    """A reading as it came: measured, received, and its value if it is one."""

    t_s: float
    received_t_s: float
    value: float | None


def grade(signal: str, side: str, value: float) -> int:
    """How grave a value is on one side: 0 none, 1 low, 2 medium, 3 high."""
    return next((RANK[name] for name, crossed in GRAVEST_FIRST[signal][side] if crossed(value)), 0)


def must_be_on(signal: str, side: str, came: list[Came]) -> list[int]:
    """The rank of the alarm that must stand at each second, 0 for none.

    A reading raises at once. An alarm falls when readings have been milder for the clear time, to what the newest says.
    One that came late raises if it is not yet stale, and ends nothing.
    """
    on = 0
    milder_since: float | None = None
    raised_at = -1
    newest: Came | None = None
    last_t_s = -math.inf
    told: list[int] = []
    for second in range(SECONDS + 1):
        for one in sorted(
            (c for c in came if max(0, math.ceil(c.received_t_s)) == second), key=lambda c: (c.t_s, c.value or -1.0)
        ):
            late = one.t_s < last_t_s
            if late and last_t_s - one.t_s > STALE_S:
                continue
            last_t_s = max(last_t_s, one.t_s)
            if one.value is None:
                continue
            found = grade(signal, side, one.value)
            if found > on:
                on, milder_since, raised_at = found, None, second
                if not late:
                    newest = one
                continue
            if late:
                continue
            newest = one
            milder_since = None if found >= on else (one.t_s if milder_since is None else milder_since)
        if (
            on
            and newest is not None
            and milder_since is not None
            and raised_at < second
            and newest.t_s - milder_since >= CLEAR_S
        ):
            on = grade(signal, side, newest.value or 0.0)
            milder_since, raised_at = None, second if on else raised_at
        told.append(on)
    return told


VALUES = {
    "SPO2": [88.0, 91.0, 94.0, 97.0, 97.0],
    "HR": [48.0, 53.0, 72.0, 72.0, 112.0, 135.0, 155.0],
    "RR": [7.0, 9.0, 11.0, 14.0, 14.0, 22.0, 26.0],
}
NOTHING = [None, 0.0, 400.0]  # a gap, a zero, a spike that no living person has
LATE_S = st.sampled_from([0.0, 0.0, 0.0, 0.4, 3.0, 8.0, 25.0])  # in order, out of order, too late
Step = tuple[int, float, float | None]


def one_signal(signal: str) -> st.SearchStrategy[list[Step]]:
    """Readings one to four seconds apart, each on its way for a time; a value often holds for a while."""
    value = st.sampled_from([*VALUES[signal], *NOTHING])
    runs = st.lists(
        st.tuples(value, st.lists(st.tuples(st.integers(1, 4), LATE_S), min_size=1, max_size=8)), max_size=6
    )
    return runs.map(lambda found: [(gap, late, value) for value, steps in found for gap, late in steps])


STREAM = st.fixed_dictionaries({signal: one_signal(signal) for signal in VALUES})


def samples_of(stream: dict[str, list[Step]]) -> list[Sample]:
    found = []
    for signal, steps in stream.items():
        t_s = 0
        for index, (gap, late, value) in enumerate(steps):
            t_s += gap
            if t_s <= SECONDS:
                found.append(Sample(float(t_s), t_s + late, signal, value, "chair", index))
    return found


def readings(samples: list[Sample], signal: str) -> list[Came]:
    return [
        Came(one.t_s, one.received_t_s, one.value if one.value and 0 < one.value <= POSSIBLE[signal] else None)
        for one in samples
        if one.signal == signal
    ]


@settings(max_examples=60, deadline=None)
@given(STREAM, st.integers(0, SECONDS), st.booleans(), st.booleans())
def test_at_every_second_those_alarms_stand_that_must(
    stream: dict[str, list[Step]], when: int, repeated: bool, answered: bool
) -> None:
    """No alarm lost, none doubled, each in the second its reading comes, whatever repeats and whoever answers."""
    samples = samples_of(stream)
    sent = [*samples, *samples] if repeated else samples
    watch = Watch(monitoring())
    state = begin(watch, streams=[Stream(signal, period_s=1) for signal in POSSIBLE])
    must = {
        (signal, side): must_be_on(signal, side, readings(samples, signal)) for signal in POSSIBLE for side in SIDES
    }
    for second in range(SECONDS + 1):
        took = tuple(one for one in sent if max(0, math.ceil(one.received_t_s)) == second)
        acts = ()
        if answered and second == when and state.alarms:
            acts = (Acknowledge(float(second), "D. Kessel", state.alarms[0].id), PauseAudio(float(second), "D. Kessel"))
        state, _ = step(state, Tick(float(second), took, acts), watch)
        standing = [alarm for alarm in state.alarms if alarm.kind == "physiological"]
        for (signal, side), ranks in must.items():
            on = [RANK[a.priority] for a in standing if a.signal == signal and a.condition.endswith(side)]
            assert on == ([ranks[second]] if ranks[second] else []), (second, signal, side)


@settings(max_examples=40, deadline=None)
@given(STREAM)
def test_silence_is_an_alarm_from_the_second_it_must_be(stream: dict[str, list[Step]]) -> None:
    """The newest valid reading older than 10 s is low, older than 30 s medium; nothing turns this off."""
    samples = samples_of(stream)
    watch = Watch(monitoring())
    state = begin(watch, streams=[Stream(signal, period_s=1) for signal in POSSIBLE])
    for second in range(SECONDS + 1):
        took = tuple(one for one in samples if max(0, math.ceil(one.received_t_s)) == second)
        state, _ = step(state, Tick(float(second), took, (PauseAudio(float(second)),)), watch)
        for signal in POSSIBLE:
            heard = 0.0
            last_t_s = -math.inf
            for one in sorted(readings(samples, signal), key=lambda c: (math.ceil(c.received_t_s), c.t_s)):
                if max(0, math.ceil(one.received_t_s)) > second or one.t_s < last_t_s:
                    continue
                last_t_s = one.t_s
                if one.value is not None:
                    heard = one.t_s
            age = second - heard
            told = {alarm.priority for alarm in state.alarms if alarm.kind == "technical" and alarm.signal == signal}
            if age > LOST_S:
                assert told == {"medium"}, (second, signal, age)
            elif age > STALE_S:
                assert told == {"low"}, (second, signal, age)
