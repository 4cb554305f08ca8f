"""Every limit of MON-1 to MON-6, just on this side and just on that; the sound; the limits changed under way."""

from __future__ import annotations

import pytest

from limen.care.alarms import (
    Acknowledge,
    AlarmState,
    Associate,
    DeviceGone,
    OwnLimit,
    PauseAudio,
    Sample,
    Score,
    SetLimits,
    Stream,
    Symptoms,
    Tick,
    Watch,
    begin,
    step,
)
from limen.errors import InputError
from limen.knowledge.monitoring import MonitoringRules, monitoring

# The table of the clinical reference: signal, value, and the tier it must reach (None: no alarm).
TABLE = [
    ("NIBP_SYS", 159, None, ""), ("NIBP_SYS", 160, "low", "MON-1"), ("NIBP_SYS", 179, "low", "MON-1"),
    ("NIBP_SYS", 180, "medium", "MON-1"), ("NIBP_SYS", 240, "medium", "MON-1"),
    ("NIBP_DIA", 99, None, ""), ("NIBP_DIA", 100, "low", "MON-1"), ("NIBP_DIA", 109, "low", "MON-1"),
    ("NIBP_DIA", 110, "medium", "MON-1"), ("NIBP_DIA", 119, "medium", "MON-1"), ("NIBP_DIA", 120, "high", "MON-1"),
    ("NIBP_SYS", 101, None, ""), ("NIBP_SYS", 100, "low", "MON-2"), ("NIBP_SYS", 91, "low", "MON-2"),
    ("NIBP_SYS", 90, "medium", "MON-2"),
    ("HR", 110, None, ""), ("HR", 111, "low", "MON-3"), ("HR", 130, "low", "MON-3"), ("HR", 131, "medium", "MON-3"),
    ("HR", 150, "medium", "MON-3"), ("HR", 151, "high", "MON-3"),
    ("HR", 55, None, ""), ("HR", 54, "low", "MON-3"), ("HR", 50, "low", "MON-3"), ("HR", 49, "medium", "MON-3"),
    ("PULSE", 49, "medium", "MON-3"),
    ("SPO2", 95, None, ""), ("SPO2", 94.9, "low", "MON-4"), ("SPO2", 92, "low", "MON-4"),
    ("SPO2", 91.9, "medium", "MON-4"), ("SPO2", 90, "medium", "MON-4"), ("SPO2", 89.9, "high", "MON-4"),
    ("SPO2", 1, "high", "MON-4"),
    ("RR", 12, None, ""), ("RR", 11, "low", "MON-5"), ("RR", 10, "low", "MON-5"), ("RR", 9, "medium", "MON-5"),
    ("RR", 8, "high", "MON-5"), ("RR", 20, None, ""), ("RR", 21, "low", "MON-5"), ("RR", 24, "low", "MON-5"),
    ("RR", 25, "medium", "MON-5"),
]  # fmt: skip
ACTIONS = {"low": "watch", "medium": "pause", "high": "stop"}


def watch(rules: MonitoringRules | None = None, **baseline: float) -> Watch:
    return Watch(rules or monitoring(), baseline)


def after(state: AlarmState, tick: Tick, limits: Watch | None = None) -> AlarmState:
    return step(state, tick, limits or watch())[0]


def one(signal: str, value: float | None, t_s: float = 1, device: str = "a") -> Tick:
    return Tick(t_s, (Sample(t_s, t_s, signal, value, device),))


@pytest.mark.parametrize(("signal", "value", "priority", "rule"), TABLE)
def test_the_table(signal: str, value: float, priority: str | None, rule: str) -> None:
    alarms = after(begin(watch()), one(signal, value)).alarms
    expected = [] if priority is None else [(priority, ACTIONS[priority], rule, signal, "physiological")]
    assert [(a.priority, a.action, a.rule, a.signal, a.kind) for a in alarms] == expected


@pytest.mark.parametrize(("score", "priority"), [(5, None), (4, "low"), (3, "medium"), (2, "high"), (0, "high")])
def test_sedation(score: int, priority: str | None) -> None:
    alarms = after(begin(watch()), Tick(1, acts=(Score(1, "MOAAS", score),))).alarms
    assert [alarm.priority for alarm in alarms] == ([] if priority is None else [priority])


@pytest.mark.parametrize("value", [0, 0.0, None, -3, 101, 700])
def test_what_is_no_reading_is_technical(value: float | None) -> None:
    (alarm,) = after(begin(watch()), one("SPO2", value)).alarms
    assert (alarm.kind, alarm.action) == ("technical", "watch")


@pytest.mark.parametrize(("systolic", "raised"), [(153, False), (154, True)])
def test_a_rise_of_a_fifth_over_the_start_warns(systolic: float, raised: bool) -> None:
    # 128 plus 20 % is 153.6.
    alarms = after(begin(watch()), one("NIBP_SYS", systolic), watch(sbp_mmHg=128)).alarms
    assert [alarm.rule for alarm in alarms] == (["MON-1"] if raised else [])
    if raised:
        assert alarms[0].limit == pytest.approx(153.6)


def test_a_start_that_is_missing_is_said() -> None:
    assert {entry["input"] for entry in watch().unjudged} == {"baseline.sbp_mmHg", "baseline.dbp_mmHg"}
    assert watch(sbp_mmHg=128, dbp_mmHg=78).unjudged == []


def test_hysteresis_delays_only_the_end() -> None:
    state = after(begin(watch()), one("SPO2", 91, 1))
    for t_s in range(2, 12):
        state = after(state, one("SPO2", 96, t_s))
        assert state.alarms, t_s
    assert after(state, one("SPO2", 96, 12)).alarms == ()


def test_a_relapse_begins_the_wait_again() -> None:
    state = after(begin(watch()), one("SPO2", 91, 1))
    for t_s, value in [*((t, 96) for t in range(2, 9)), (9, 91), *((t, 96) for t in range(10, 20))]:
        state = after(state, one("SPO2", value, t_s))
    assert len(state.alarms) == 1
    assert after(state, one("SPO2", 96, 20)).alarms == ()


def test_a_graver_tier_that_passes_leaves_the_milder_one() -> None:
    state = after(begin(watch()), one("SPO2", 89, 1))
    for t_s in range(2, 13):
        state = after(state, one("SPO2", 93, t_s))
    (alarm,) = state.alarms
    assert (alarm.priority, alarm.t_s, alarm.value) == ("low", 12, 93)


def test_silence_does_not_end_an_alarm() -> None:
    state = after(begin(watch(), streams=[Stream("SPO2", period_s=1)]), one("SPO2", 88, 1))
    for t_s in range(2, 120):
        state = after(state, Tick(t_s))
    assert [(alarm.kind, alarm.priority) for alarm in state.alarms] == [
        ("physiological", "high"),
        ("technical", "medium"),
    ]


def test_a_limit_with_a_delay_waits_for_it() -> None:
    rules = monitoring()
    slow = tuple(
        limit.model_copy(update={"delay_s": 15.0}) if limit.signal == "SPO2" and limit.tier == "warn" else limit
        for limit in rules.limits
    )
    limits = watch(rules.model_copy(update={"limits": slow}))
    state = begin(limits)
    for t_s in range(1, 16):
        state = after(state, one("SPO2", 94, t_s), limits)
        assert state.alarms == ()
    assert [alarm.t_s for alarm in after(state, one("SPO2", 94, 16), limits).alarms] == [16]
    assert after(state, one("SPO2", 91, 16), limits).alarms[0].priority == "medium"  # no delay on that one


def test_sound_comes_back_after_its_time() -> None:
    state = after(begin(watch()), one("HR", 140, 1))
    (alarm,) = state.alarms
    state = after(state, Tick(2, acts=(Acknowledge(2, "D. Kessel", alarm.id),)))
    assert state.sounding(2) == ()
    heard: list[float] = []
    for t_s in range(3, 140):
        state, changes = step(state, one("HR", 140, t_s), watch())
        heard += [change.t_s for change in changes if change.kind == "sound-returned"]
    assert heard == [122]
    assert state.sounding(139) == state.alarms
    assert state.alarms[0].acknowledged_by == "D. Kessel"


def test_a_pause_of_the_sound_is_bounded_and_new_alarms_are_heard() -> None:
    state = after(begin(watch()), one("HR", 140, 1))
    state, changes = step(state, Tick(2, acts=(PauseAudio(2, "D. Kessel", 600),)), watch())
    assert [(change.asked_s, change.used_s) for change in changes] == [(600, 120)]
    assert state.sounding(3) == ()
    state = after(state, one("SPO2", 85, 3))
    assert [alarm.signal for alarm in state.sounding(3)] == ["SPO2"]


def test_an_answer_that_fits_nothing_answers_nothing() -> None:
    state = after(begin(watch()), one("HR", 140, 1))
    for act in (Acknowledge(2, "x"), Acknowledge(2, "x", "no-such"), Acknowledge(2, "x", signal="SPO2")):
        answered, changes = step(state, Tick(2, acts=(act,)), watch())
        assert [change.kind for change in changes] == ["not-matched"]
        assert answered.alarms[0].acknowledged_t_s is None


def test_limits_changed_under_way_judge_the_newest_value() -> None:
    state = after(begin(watch()), one("SPO2", 91, 1))
    state, changes = step(state, Tick(2, acts=(SetLimits(2, (OwnLimit("SPO2", low=88),)),)), watch())
    assert state.alarms == ()
    assert [change.kind for change in changes] == ["ended"]
    state = after(state, Tick(3, acts=(SetLimits(3, (OwnLimit("SPO2", low=93),)),)))
    assert [(alarm.rule, alarm.priority, alarm.value) for alarm in state.alarms] == [("own-limit", "high", 91)]
    assert watch().open_sides({"HR": OwnLimit("HR", high=120)}) == [
        {"signal": "HR", "side": "low", "rule": "MON-3"},
        {"signal": "PULSE", "side": "low", "rule": "MON-3"},
    ]


@pytest.mark.parametrize(
    ("said", "rules"),
    [
        ("chest pain", ["MON-1"]),
        ("no chest pain or dyspnoea", []),
        ("denies any chest pain, but short of breath", ["MON-1"]),
        ("mild headache", []),
        ("sudden severe headache", ["MON-1"]),
        ("no relief of the severe headache", ["MON-1"]),
        ("stopped breathing", ["MON-5"]),
        ("nausea", ["MON-8"]),
        ("persistent vomiting", ["MON-8"]),
        ("happy", []),
    ],
)
def test_words(said: str, rules: list[str]) -> None:
    alarms = after(begin(watch()), Tick(1, acts=(Symptoms(1, (said,)),))).alarms
    assert [alarm.rule for alarm in alarms] == rules


def test_a_device_that_is_gone_before_it_spoke() -> None:
    state = after(begin(watch()), Tick(1, acts=(DeviceGone(1, "pump"),)))
    assert [(alarm.kind, alarm.priority) for alarm in state.alarms] == [("technical", "medium")]
    assert after(state, Tick(2, acts=(Associate(2, "pump", (Stream("SPO2"),)),))).alarms == ()


def test_a_clock_that_runs_ahead_cannot_look_fresh() -> None:
    state = begin(watch(), streams=[Stream("SPO2", period_s=1)])
    state = after(state, Tick(1, (Sample(5000, 1, "SPO2", 97, "a"),)))
    for t_s in range(2, 33):
        state = after(state, Tick(t_s))
    assert [alarm.priority for alarm in state.alarms] == ["medium"]


def test_what_cannot_be_is_refused() -> None:
    state = after(begin(watch()), Tick(5))
    with pytest.raises(InputError, match="tick 5 s after 5 s"):
        step(state, Tick(5), watch())
    with pytest.raises(InputError, match="unknown signal 'PULSEOX'"):
        step(state, one("PULSEOX", 97, 6), watch())


def test_two_alarms_of_one_condition_never_share_a_name_however_long_a_session_stood_open() -> None:
    weeks_s = 1_000_000
    names: set[str] = set()
    state = begin(watch(), t_s=weeks_s)
    for t_s in range(weeks_s, weeks_s + 90):
        value = 88.0 if t_s % 30 < 5 else 97.0
        state, changes = step(state, Tick(t_s, (Sample(t_s, t_s, "SPO2", value),)), watch())
        raised = [change.alarm.id for change in changes if change.kind == "raised" and change.alarm]
        assert not names & set(raised)
        names |= set(raised)
    assert len(names) == 3


@pytest.mark.parametrize(
    "answer", [PauseAudio(12.0, "dk"), Acknowledge(12.0, "dk", signal="SPO2"), Acknowledge(12.0, "dk", rule="MON-4")]
)
def test_an_answer_that_comes_late_is_about_what_stood_when_it_was_given(answer: PauseAudio | Acknowledge) -> None:
    # Tapped at 12 s without a network, when only the heart rate was high; the saturation fell at 20 s; it came at 25 s.
    state = begin(watch())
    for t_s in range(1, 25):
        took = (Sample(t_s, t_s, "HR", 140.0), Sample(t_s, t_s, "SPO2", 85.0 if t_s >= 20 else 97.0))
        state, _ = step(state, Tick(t_s, took), watch())
    state, _ = step(state, Tick(25, acts=(answer,)), watch())
    silent = {alarm.signal for alarm in state.alarms if alarm.silent_until_t_s is not None}
    assert silent == ({"HR"} if isinstance(answer, PauseAudio) else set())
    assert "SPO2" in {alarm.signal for alarm in state.sounding(25)}


def test_an_answer_by_its_id_reaches_its_alarm_however_the_clocks_stand() -> None:
    state, changes = step(begin(watch()), Tick(20, (Sample(20, 20, "SPO2", 85.0),)), watch())
    raised = next(change.alarm for change in changes if change.kind == "raised")
    assert raised is not None
    state, _ = step(state, Tick(21, acts=(Acknowledge(19.0, "dk", alarm=raised.id),)), watch())
    assert [alarm.acknowledged_by for alarm in state.alarms] == ["dk"]
