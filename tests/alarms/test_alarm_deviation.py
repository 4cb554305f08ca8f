"""The alarm of a patient who leaves what was forecast: when it comes, when it stays, and that it travels."""

from __future__ import annotations

import json

import pytest

from limen.care.alarms import (
    Acknowledge,
    AlarmState,
    Expect,
    ExpectedBand,
    Sample,
    Stream,
    Tick,
    Watch,
    begin,
    step,
)
from limen.errors import InputError
from limen.knowledge.monitoring import monitoring
from limen.session.events import parse_event
from limen.session.replay import replay

# Systolic 110 to 150 at the start, rising to 120 to 160 after 1,000 s.
BAND = ExpectedBand("NIBP_SYS", (0.0, 1000.0), (110.0, 120.0), (150.0, 160.0))
HEART = ExpectedBand("HR", (0.0, 1000.0), (60.0, 60.0), (100.0, 100.0))


def watch() -> Watch:
    return Watch(monitoring(), {})


def expecting(*bands: ExpectedBand) -> AlarmState:
    state, _ = step(begin(watch(), streams=[Stream("HR", period_s=1.0)]), Tick(1, acts=(Expect(1, bands),)), watch())
    return state


def standing(state: AlarmState) -> list[str]:
    return [alarm.condition for alarm in state.alarms if alarm.rule == "DEV-1"]


def seen(state: AlarmState, t_s: float, value: float, signal: str = "NIBP_SYS", *acts) -> AlarmState:
    return step(state, Tick(t_s, (Sample(t_s, t_s, signal, value, "a"),), acts), watch())[0]


@pytest.mark.parametrize(
    ("t_s", "value", "outside"),
    [(500, 155.0, False), (500, 155.1, True), (500, 115.0, False), (500, 114.9, True), (1000, 160.0, False)],
)
def test_just_inside_and_just_outside(t_s: float, value: float, outside: bool) -> None:
    state = seen(expecting(BAND), t_s, value)
    assert standing(state) == (["NIBP_SYS outside forecast"] if outside else [])


def test_a_time_that_the_forecast_does_not_reach_is_not_judged() -> None:
    assert standing(seen(expecting(BAND), 1001, 230.0)) == []


def test_no_forecast_no_deviation() -> None:
    assert standing(seen(expecting(), 500, 155.1)) == []


def test_it_is_low_says_both_numbers_and_carries_its_mark() -> None:
    state = seen(expecting(BAND), 500, 156.0)
    [alarm] = [alarm for alarm in state.alarms if alarm.rule == "DEV-1"]
    assert (alarm.priority, alarm.action, alarm.limit, alarm.verification) == ("low", "watch", 155.0, "P")
    assert "156 mmHg over what was forecast, 115 to 155" in alarm.because


def test_a_newer_forecast_that_holds_the_value_does_not_hide_that_it_left_the_old_one() -> None:
    state = seen(expecting(BAND), 500, 170.0)
    wider = ExpectedBand("NIBP_SYS", (0.0, 1000.0), (110.0, 110.0), (200.0, 200.0))
    state = step(state, Tick(501, acts=(Expect(501, (wider,)),)), watch())[0]
    state = seen(state, 800, 168.0)
    assert standing(state) == ["NIBP_SYS outside forecast"]
    [alarm] = [alarm for alarm in state.alarms if alarm.rule == "DEV-1"]
    state = step(state, Tick(801, acts=(Acknowledge(801, "dk", alarm=alarm.id),)), watch())[0]
    assert standing(state) == ["NIBP_SYS outside forecast"]  # seen, and still there until a value is back inside
    assert standing(seen(state, 900, 150.0)) == []


def test_the_heart_must_stay_outside_for_its_time() -> None:
    state = expecting(HEART)
    for t_s in range(100, 160):
        state = seen(state, t_s, 105.0, "HR")
    assert standing(state) == []
    assert standing(seen(state, 160, 105.0, "HR")) == ["HR outside forecast"]


def test_one_beat_back_inside_starts_the_time_anew() -> None:
    state = expecting(HEART)
    for t_s in range(100, 200):
        state = seen(state, t_s, 99.0 if t_s == 150 else 105.0, "HR")
    assert standing(state) == []


def test_zero_is_never_a_deviation() -> None:
    assert standing(seen(expecting(BAND), 500, 0.0)) == []


def test_the_state_with_a_forecast_travels_through_json() -> None:
    state = seen(expecting(BAND, HEART), 500, 170.0)
    assert AlarmState.from_json(json.loads(json.dumps(state.to_json()))) == state


def test_rules_of_an_older_session_know_no_deviation() -> None:
    old = Watch(monitoring().model_copy(update={"deviation": None}), {})
    state = step(begin(old), Tick(1, acts=(Expect(1, (BAND,)),)), old)[0]
    state = step(state, Tick(500, (Sample(500, 500, "NIBP_SYS", 155.1, "a"),)), old)[0]
    assert standing(state) == []


def forecast(**changed) -> dict:
    band = {"t_s": [0, 1000], "low": [110, 120], "high": [150, 160]}
    return {"t_s": 60, "kind": "forecast.updated", "bands": {"NIBP_SYS": band | changed}}


def test_a_replay_judges_by_the_band_in_the_record() -> None:
    record = {
        "schema": 1,
        "session": {"protocol": "TRD-IV"},
        "events": [{"t_s": 0, "kind": "session.started"}, forecast()],
        "samples": [{"t_s": 500, "signal": "NIBP_SYS", "value": 158}, {"t_s": 500, "signal": "NIBP_DIA", "value": 80}],
    }
    assert [a["rule"] for a in replay(record).alarms if a["rule"] == "DEV-1"] == ["DEV-1"]
    without = {**record, "events": record["events"][:1]}
    assert [a for a in replay(without).alarms if a["rule"] == "DEV-1"] == []


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"low": [110]}, "lists of different length"),
        ({"t_s": [1000, 0]}, "times do not rise"),
        ({"low": [151, 120]}, "low is over high"),
    ],
)
def test_a_band_that_is_none_is_refused(changed: dict, what: str) -> None:
    with pytest.raises(InputError, match=what):
        parse_event(forecast(**changed))
