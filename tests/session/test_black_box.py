"""The black box: a file that was changed says where, and its replay is held against the alarms that were recorded."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limen.session.black_box import alarm_changes, problems, record_check, sealed
from limen.session.replay import replay

S: dict[str, Any] = {
    "schema": 1,
    "product_version": "0.1.0",
    "session": {"protocol": "TRD-IV", "baseline": {"sbp_mmHg": 128, "dbp_mmHg": 78, "spo2_pct": 98.0}},
    "events": [
        {"t_s": 0, "kind": "session.started", "id": "e0"},
        {"t_s": 60, "kind": "infusion.started", "id": "e1", "dose_mg": 35.0, "duration_min": 40},
        {"t_s": 80, "kind": "observation.recorded", "id": "e2", "moaas": 5, "sbp_mmHg": 131.0, "dbp_mmHg": 80},
    ],
    "samples": [{"t_s": t, "signal": "SPO2", "value": 91.0 if 20 <= t < 25 else 97.0} for t in range(90)],
}


def boxed(value: dict[str, Any] = S) -> dict[str, Any]:
    return json.loads(json.dumps(sealed({**value, "alarms": [dict(alarm) for alarm in replay(value).alarms]})))


def checked(export: dict[str, Any]) -> dict[str, Any]:
    return record_check(export, [dict(alarm) for alarm in replay(export).alarms])


def test_a_file_as_exported_fits_and_replays_to_its_alarms() -> None:
    found = checked(boxed())
    assert (found["seal"], found["alarms_same"]) == ("fits", True)
    assert found["said"][1] == "The replay raises the alarms that were recorded, 1 of 1."


def test_a_tool_that_writes_numbers_its_own_way_breaks_no_seal() -> None:
    text = json.dumps(boxed(), sort_keys=True, indent=3).replace("35.0", "35").replace("97.0", "97")
    assert problems(json.loads(text)) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s["events"][2].update(sbp_mmHg=121), "event e2 (observation.recorded) was changed"),
        (lambda s: s["events"].pop(2), "event e2 is missing"),
        (
            lambda s: s["events"].append({"t_s": 85, "kind": "symptom.reported", "id": "x", "text": "warm"}),
            "event x (symptom.reported) was added",
        ),
        (lambda s: s["events"].reverse(), "the events are in another order"),
        (lambda s: s["samples"][3].update(value=96), "the samples changed"),
        (lambda s: s["session"].update(protocol="ESK-TRD"), "the header changed"),
        (lambda s: s.pop("alarms"), "the recorded alarms missing"),
        (lambda s: s["seal"]["events"].update(e2="0" * 16), "event e2 (observation.recorded) was changed"),
        (lambda s: s["seal"].update(whole="0" * 64), "the seal itself was changed"),
    ],
)
def test_what_was_edited_is_named(change: Any, words: str) -> None:
    edited = boxed()
    change(edited)
    assert words in (problems(edited) or [])


def test_a_sample_edited_after_the_fact_shows_in_the_alarms_too() -> None:
    edited = boxed()
    for sample in edited["samples"]:
        sample["value"] = 97.0
    found = checked(edited)
    assert found["alarms_same"] is False
    assert found["alarm_changes"][0].startswith("at 0:20 recorded, not replayed: SpO2 91 %")
    assert found["said"][1].startswith("The replay differs from the recorded alarms: at 0:20")


def test_a_record_of_an_earlier_version_says_that_nobody_can_tell() -> None:
    found = checked(S)
    assert (found["seal"], found["alarms_same"]) == ("none", None)
    assert found["said"][0].startswith("No seal")


@pytest.mark.parametrize("seal", [None, 7, [], {}, {"method": "sha256"}, {"method": "md5", "parts": {}, "events": {}}])
def test_a_seal_that_cannot_be_read_is_no_seal(seal: Any) -> None:
    assert problems({**S, "seal": seal}) is None


def test_an_alarm_that_only_the_replay_has_is_told() -> None:
    alarm = {"id": "a", "t_s": 5.0, "because": "SpO2 90 %"}
    assert alarm_changes([], [alarm]) == ["at 0:05 replayed, not recorded: SpO2 90 %"]


KINDS = st.sampled_from(
    [
        {"kind": "infusion.started", "dose_mg": 35.0, "duration_min": 40.0},
        {"kind": "infusion.paused", "reason": "nausea"},
        {"kind": "infusion.resumed"},
        {"kind": "infusion.rate-changed", "rate_mg_per_h": 30.5},
        {"kind": "infusion.stopped", "pump_volume_mL": 12.3},
        {"kind": "dose.given", "dose_mg": 5.0, "route": "im"},
        {"kind": "observation.recorded", "sbp_mmHg": 185.0, "dbp_mmHg": 92.5, "moaas": 4, "symptoms": []},
        {"kind": "observation.recorded", "moaas": 1, "distress": "severe"},
        {"kind": "symptom.reported", "text": "headache ✱"},
        {"kind": "alarm.acknowledged", "signal": "SPO2"},
        {"kind": "audio.paused", "duration_s": 60.0},
        {"kind": "limits.changed", "limits": {"SPO2": {"low": 94.0}}},
        {"kind": "device.associated", "device": "m", "signals": ["SPO2", "HR"], "period_s": 1.0},
        {"kind": "device.lost", "device": "m"},
        {"kind": "emergency.started"},
        {"kind": "emergency.ended"},
        {"kind": "discharge.asked"},
        {"kind": "discharged", "reason": "insists"},
        {"kind": "forecast.updated", "bands": {"HR": {"t_s": [0.0, 900.0], "low": [60.0, 60.0], "high": [90.0, 95.5]}}},
    ]
)
TIMES = st.integers(0, 240).map(lambda tenth: tenth / 2)
EVENTS = st.lists(st.tuples(TIMES, st.integers(0, 20), KINDS), max_size=14)
VALUES = st.sampled_from([None, 0.0, 84.0, 91.5, 97.0, 180.0])
SAMPLES = st.lists(st.tuples(TIMES, st.integers(0, 15), st.sampled_from(["SPO2", "HR", "RR"]), VALUES), max_size=60)


def recorded(events: list[Any], samples: list[Any]) -> dict[str, Any]:
    listed = sorted(
        ({**body, "t_s": t, "received_t_s": t + late} for t, late, body in events), key=lambda e: e["received_t_s"]
    )
    return {
        "session": {"protocol": "TRD-IV", "baseline": {"sbp_mmHg": 128.0, "dbp_mmHg": 78.0, "spo2_pct": 98.0}},
        "events": [
            {"t_s": 0, "kind": "session.started", "id": "s"},
            *({**e, "id": f"e{i}"} for i, e in enumerate(listed)),
        ],
        "samples": [
            {"t_s": t, "received_t_s": t + late, "signal": signal, "value": value, "device": "m"}
            for t, late, signal, value in samples
        ],
        "until_t_s": 150.0,
    }


@settings(max_examples=40, deadline=None)
@given(EVENTS, SAMPLES)
def test_any_session_replays_from_its_file_to_the_letter(events: list[Any], samples: list[Any]) -> None:
    value = recorded(events, samples)
    lived = replay(value).to_json()
    box = boxed(value)
    again = replay(box).to_json()
    assert json.dumps(again, sort_keys=True) == json.dumps(json.loads(json.dumps(lived)), sort_keys=True)
    found = record_check(box, again["alarms"])
    assert (found["seal"], found["alarms_same"]) == ("fits", True)


@settings(max_examples=40, deadline=None)
@given(EVENTS, st.data())
def test_no_edit_of_one_event_goes_unnoticed(events: list[Any], data: st.DataObject) -> None:
    box = boxed(recorded(events, []))
    edited = copy.deepcopy(box)
    spot = data.draw(st.integers(0, len(edited["events"]) - 1))
    name = edited["events"][spot]["id"]
    if data.draw(st.booleans()):
        edited["events"].pop(spot)
    else:
        edited["events"][spot]["note"] = "another"
    assert any(f"event {name} " in words for words in problems(edited) or [])
