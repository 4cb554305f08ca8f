"""``limen session replay`` against its contract: alarms by the reference's limits, discharge, note, and what-if."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from contracts.documents import PATIENT, SESSION
from contracts.door import changed, given, keys_present, limen, refused, without

KINDS = [
    "session.started",
    "session.ended",
    "infusion.started",
    "infusion.paused",
    "infusion.resumed",
    "infusion.rate-changed",
    "infusion.stopped",
    "dose.given",
    "observation.recorded",
    "symptom.reported",
    "alarm.acknowledged",
    "audio.paused",
    "limits.changed",
    "device.associated",
    "device.lost",
    "rescue.given",
    "adverse-event.recorded",
    "owner.changed",
    "emergency.started",
    "emergency.ended",
    "discharge.asked",
    "discharged",
    "entry.corrected",
    "monitor.started",
    "monitor.stopped",
]
# What an event of a kind cannot be without.
NEEDS: dict[str, dict[str, Any]] = {
    "infusion.started": {"dose_mg": 35, "duration_min": 40},
    "infusion.rate-changed": {"rate_mg_per_h": 30},
    "dose.given": {"dose_mg": 35, "route": "im"},
    "symptom.reported": {"text": "a little dizzy"},
    "entry.corrected": {"entry": "#0", "changes": {"note": "seen"}},
    "discharged": {},
}


def session(
    samples: list[dict[str, Any]], *events: dict[str, Any], limits: Any = None, streams: Any = None
) -> dict[str, Any]:
    return {
        "schema": 1,
        "rules_snapshot": None,
        "session": {"protocol": "TRD-IV", "patient": PATIENT, "baseline": None, "limits": limits, "streams": streams},
        "events": [{"t_s": 0, "kind": "session.started"}, *events],
        "samples": samples,
    }


def replay(document: Any, *arguments: str) -> Any:
    return given("session", "replay", "-", *arguments, stdin=document)


def physiological(found: Any) -> list[dict[str, Any]]:
    return [alarm for alarm in found["alarms"] if alarm["kind"] == "physiological"]


def alarm_of(signal: str, value: float | None, **rest: Any) -> tuple[str, str, str] | None:
    """Priority, action and rule of the worst alarm that one sample raises."""
    found = physiological(replay(session([{"t_s": 5, "signal": signal, "value": value}], **rest)))
    order = ("high", "medium", "low")
    worst = min(found, key=lambda alarm: order.index(alarm["priority"]), default=None)
    return None if worst is None else (worst["priority"], worst["action"], worst["rule"])


WARN, HOLD, STOP = ("low", "watch"), ("medium", "pause"), ("high", "stop")


def test_every_key() -> None:
    document = copy.deepcopy(SESSION)
    document["samples"] += [{"t_s": 50, "signal": "SPO2", "value": 91}]
    document["events"] += [{"t_s": 110, "kind": "discharge.asked"}]
    found = replay(document)
    keys_present(found, "state", "alarms", "discharge", "note")
    assert isinstance(found["state"], dict)
    assert isinstance(found["note"], dict)
    assert found["alarms"]
    for alarm in found["alarms"]:
        keys_present(
            alarm,
            *("t_s", "ended_t_s", "condition", "kind", "priority", "signal", "value", "limit", "rule", "action"),
            "because",
        )
        assert alarm["kind"] in {"physiological", "technical"}
        assert alarm["priority"] in {"high", "medium", "low"}
        assert alarm["action"] in {"watch", "pause", "stop"}
    (answer,) = found["discharge"]
    keys_present(answer, "t_s", "ready", "unmet")
    assert (answer["t_s"], answer["ready"]) == (110, False)
    for item in answer["unmet"]:
        keys_present(item, "rule", "because")
    assert {"DIS-1", "DIS-2", "DIS-4", "DIS-5"} <= {item["rule"] for item in answer["unmet"]}


@pytest.mark.parametrize(
    ("signal", "rule", "values"),
    [
        ("NIBP_SYS", "MON-1", {159: None, 160: WARN, 179: WARN, 180: HOLD, 230: HOLD}),
        ("NIBP_DIA", "MON-1", {99: None, 100: WARN, 109: WARN, 110: HOLD, 119: HOLD, 120: STOP}),
        ("NIBP_SYS", "MON-2", {101: None, 100: WARN, 91: WARN, 90: HOLD, 60: HOLD}),
        ("HR", "MON-3", {110: None, 111: WARN, 130: WARN, 131: HOLD, 150: HOLD, 151: STOP}),
        ("HR", "MON-3", {55: None, 54: WARN, 50: WARN, 49: HOLD}),
        ("PULSE", "MON-3", {110: None, 131: HOLD, 151: STOP}),
        ("SPO2", "MON-4", {100: None, 95: None, 94: WARN, 92: WARN, 91: HOLD, 90: HOLD, 89: STOP, 95.7: None}),
        ("RR", "MON-5", {12: None, 11: WARN, 10: WARN, 9: HOLD, 8: STOP, 20: None, 21: WARN, 24: WARN, 25: HOLD}),
    ],
)
def test_one_valid_sample_raises_the_alarm_at_the_line(
    signal: str, rule: str, values: dict[float, tuple[str, str] | None]
) -> None:
    """The limits of 3B: WARN is low, HOLD medium and pauses, STOP high. Without a delay one sample is enough."""
    for value, expected in values.items():
        assert alarm_of(signal, value) == (None if expected is None else (*expected, rule)), value


@pytest.mark.parametrize(("moaas", "expected"), [(5, None), (4, WARN), (3, HOLD), (2, STOP), (1, STOP), (0, STOP)])
def test_sedation_as_a_person_scores_it(moaas: int, expected: tuple[str, str] | None) -> None:
    event = {"t_s": 5, "kind": "observation.recorded", "moaas": moaas}
    found = [(alarm["priority"], alarm["action"]) for alarm in physiological(replay(session([], event)))]
    assert found == ([] if expected is None else [expected])


@pytest.mark.parametrize("signal", ["HR", "PULSE", "SPO2", "RR", "NIBP_SYS", "NIBP_DIA", "NIBP_MEAN", "ETCO2", "TEMP"])
@pytest.mark.parametrize("value", [0, None, -5, 1e6])
def test_a_zero_an_empty_value_and_an_artefact_are_never_physiological(signal: str, value: float | None) -> None:
    found = replay(session([{"t_s": 5, "signal": signal, "value": value}], limits={signal: {"low": 20, "high": 30}}))
    assert physiological(found) == []
    assert found["alarms"], "silence is not an answer"
    assert {alarm["signal"] for alarm in found["alarms"]} == {signal}


def test_an_alarm_is_raised_by_one_sample_and_only_its_end_waits() -> None:
    samples = [{"t_s": t_s, "signal": "SPO2", "value": 89 if t_s == 30 else 97} for t_s in range(60)]
    (alarm,) = physiological(replay(session(samples)))
    assert alarm["t_s"] == 30
    assert alarm["ended_t_s"] > 31
    assert (alarm["value"], alarm["limit"], alarm["signal"]) == (89, 90, "SPO2")


@pytest.mark.parametrize(
    ("limits", "signal", "values"),
    [
        ({"SPO2": {"low": 88}}, "SPO2", {91: None, 89: None, 88: None, 87: STOP}),
        ({"HR": {"low": 50, "high": 120}}, "HR", {115: None, 120: None, 121: HOLD, 160: HOLD, 52: None, 49: HOLD}),
        ({"NIBP_SYS": {"low": 90, "high": 160}}, "NIBP_SYS", {160: None, 161: HOLD, 200: HOLD, 95: None, 89: HOLD}),
        # A signal that is not named keeps its own.
        ({"HR": {"low": 50, "high": 120}}, "SPO2", {91: HOLD, 89: STOP}),
    ],
)
def test_own_limits_replace_the_rules_of_their_signal(
    limits: Any, signal: str, values: dict[float, tuple[str, str] | None]
) -> None:
    """Crossing an own limit is medium, or high for SpO2."""
    for value, expected in values.items():
        found = alarm_of(signal, value, limits=limits)
        assert (None if found is None else found[:2]) == expected, value


def test_limits_changed_in_the_session_hold_from_then_on() -> None:
    change = {"t_s": 10, "kind": "limits.changed", "limits": {"SPO2": {"low": 85}}}
    samples = [{"t_s": t_s, "signal": "SPO2", "value": 88} for t_s in (5, 15)]
    assert [alarm["t_s"] for alarm in physiological(replay(session(samples[:1], change)))] == [5]
    assert physiological(replay(session(samples[1:], change))) == []


def pressures(*readings: tuple[float, float, float]) -> list[dict[str, Any]]:
    return [
        {"t_s": t_s, "signal": signal, "value": value}
        for t_s, sbp, dbp in readings
        for signal, value in (("NIBP_SYS", sbp), ("NIBP_DIA", dbp))
    ]


def test_high_pressure_pauses_at_once_and_is_confirmed_by_the_recheck() -> None:
    """MON-1 at 180/110: pause at the first reading; the second, 5 min later, calls the prescriber; no drug."""
    first = physiological(replay(session(pressures((5, 182, 95)))))
    assert [(alarm["priority"], alarm["action"], alarm["t_s"]) for alarm in first] == [("medium", "pause", 5)]
    both = replay(session(pressures((5, 182, 95), (305, 184, 95))))
    assert "prescriber" in json.dumps([alarm["because"] for alarm in physiological(both)] + both["changes"])
    assert "prescriber" not in first[0]["because"]
    assert {alarm["action"] for alarm in physiological(both)} == {"pause"}


@pytest.mark.parametrize(
    "symptom",
    [
        "chest pain",
        "short of breath",
        "sudden severe headache",
        "visual change",
        "seizure",
        "confusion",
        "focal deficit",
    ],
)
def test_any_pressure_with_a_listed_symptom_stops(symptom: str) -> None:
    """MON-1: the symptom list of the label stops the session at any pressure."""
    event = {"t_s": 60, "kind": "symptom.reported", "text": symptom}
    found = physiological(replay(session(pressures((5, 128, 78)), event)))
    assert [(alarm["priority"], alarm["action"], alarm["rule"]) for alarm in found] == [("high", "stop", "MON-1")]


def test_a_symptom_no_rule_knows_is_kept_in_the_note() -> None:
    found = replay(session([], {"t_s": 60, "kind": "symptom.reported", "text": "purple socks"}))
    assert physiological(found) == []
    assert "purple socks" in json.dumps(found["note"])


def test_a_silent_stream_goes_stale_then_is_lost() -> None:
    """Stale after the larger of 10 s and 2 periods, lost after the larger of 30 s and 3 periods."""
    for period_s, stale_s, lost_s in ((1, 10, 30), (4, 10, 30), (20, 40, 60)):
        document = session(
            [{"t_s": 0, "signal": "SPO2", "value": 97}],
            {"t_s": 150, "kind": "owner.changed", "to": "nurse"},
            streams={"SPO2": {"period_s": period_s}},
        )
        found = replay(document)["alarms"]
        assert {alarm["kind"] for alarm in found} == {"technical"}
        raised = sorted(alarm["t_s"] for alarm in found)
        assert raised[0] == pytest.approx(stale_s, abs=1.01)
        assert any(at_s == pytest.approx(lost_s, abs=1.01) for at_s in raised)


def test_a_stream_that_never_spoke_is_not_silence() -> None:
    found = replay(session([], {"t_s": 60, "kind": "owner.changed"}, streams={"SPO2": {"period_s": 1}}))
    assert {(alarm["kind"], alarm["signal"]) for alarm in found["alarms"]} == {("technical", "SPO2")}


def test_the_dose_given_follows_the_pump() -> None:
    """35 mg over 40 min is 52.5 mg/h: 17.5 mg after 20 min; a pause of 10 min gives nothing."""
    start = {"t_s": 0, "kind": "infusion.started", "dose_mg": 35, "duration_min": 40}
    half = replay(session([], start, {"t_s": 1200, "kind": "infusion.stopped"}))
    assert half["state"]["dose"]["given_mg"] == pytest.approx(17.5)
    paused = replay(
        session(
            [],
            start,
            {"t_s": 600, "kind": "infusion.paused"},
            {"t_s": 1200, "kind": "infusion.resumed"},
            {"t_s": 1800, "kind": "infusion.stopped"},
        )
    )
    assert paused["state"]["dose"]["given_mg"] == pytest.approx(17.5)
    whole = replay(session([], start, {"t_s": 2500, "kind": "owner.changed"}))
    assert whole["state"]["dose"]["given_mg"] == pytest.approx(35)


WELL = {
    "kind": "observation.recorded",
    "moaas": 5,
    "aldrete": 10,
    "oriented": True,
    "walks_unaided": True,
    "distress": False,
    "escort": True,
    "instructions_given": True,
    "sbp_mmHg": 126,
    "dbp_mmHg": 76,
    "spo2_pct": 98,
}


def discharge_at(t_s: int, **worse: Any) -> Any:
    document = session(
        [],
        {"t_s": 60, "kind": "infusion.started", "dose_mg": 35, "duration_min": 40},
        {"t_s": t_s - 60, **WELL, **worse},
        {"t_s": t_s, "kind": "discharge.asked"},
    )
    document["session"]["baseline"] = {"sbp_mmHg": 128, "dbp_mmHg": 78, "hr_per_min": 72, "spo2_pct": 98}
    (answer,) = replay(document)["discharge"]
    return answer


def test_discharge_an_hour_after_the_dose_with_an_escort() -> None:
    """DIS-5: 60 min after the end of the infusion (2,460 s here) with an escort."""
    end_s = 60 + 40 * 60
    ready = discharge_at(end_s + 3600)
    assert (ready["ready"], ready["unmet"]) == (True, [])
    early = discharge_at(end_s + 3599)
    assert (early["ready"], {item["rule"] for item in early["unmet"]}) == (False, {"DIS-5"})


@pytest.mark.parametrize(
    ("worse", "rule"),
    [
        ({"aldrete": 8}, "DIS-1"),
        ({"aldrete": None}, "DIS-1"),
        ({"moaas": 4}, "DIS-2"),
        ({"oriented": False}, "DIS-2"),
        ({"walks_unaided": False}, "DIS-2"),
        ({"distress": True}, "DIS-2"),
        ({"sbp_mmHg": 190}, "DIS-3"),
        ({"escort": None}, "DIS-4"),
        ({"instructions_given": None}, "DIS-6"),
    ],
    ids=str,
)
def test_each_criterion_of_discharge(worse: dict[str, Any], rule: str) -> None:
    answer = discharge_at(2460 + 3600 + 600, **worse)
    assert answer["ready"] is False
    assert rule in {item["rule"] for item in answer["unmet"]}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_the_closed_list_is_read(kind: str) -> None:
    found = replay(session([], {"t_s": 30, "kind": kind, **NEEDS.get(kind, {})}))
    assert found["unknown_inputs"] == []


def test_times_before_the_start_and_received_later() -> None:
    document = session(
        [
            {"t_s": -30, "signal": "SPO2", "value": 97},
            {"t_s": 5, "received_t_s": 5.2, "seq": 12, "signal": "SPO2", "value": 89, "device": "replay"},
        ],
        {"t_s": -120, "kind": "observation.recorded", "moaas": 5},
    )
    (alarm,) = physiological(replay(document))
    assert alarm["t_s"] == pytest.approx(6)


def test_the_same_record_gives_the_same_answer() -> None:
    first, again = (limen("session", "replay", "-", "--json", stdin=json.dumps(SESSION)).out for _ in range(2))
    assert first == again


def test_what_if(tmp_path: Path) -> None:
    limits = tmp_path / "limits.json"
    limits.write_text('{"SPO2": {"low": 85}}', encoding="utf-8")
    document = session([{"t_s": 5, "signal": "SPO2", "value": 88}])
    found = replay(document, "--what-if", str(limits))
    assert [alarm["priority"] for alarm in physiological(found)] == ["high"]
    assert found["what_if"]["gained"] == []
    assert [alarm["signal"] for alarm in found["what_if"]["lost"]] == ["SPO2"]
    limits.write_text('{"SPO2": {"low": 93}}', encoding="utf-8")
    well = session([{"t_s": 5, "signal": "SPO2", "value": 92.5}], limits={"SPO2": {"low": 90}})
    gained = replay(well, "--what-if", str(limits))["what_if"]["gained"]
    assert [(alarm["signal"], alarm["priority"]) for alarm in gained] == [("SPO2", "high")]


def test_keys_not_read_are_listed() -> None:
    document = changed(SESSION, "mood", "calm")
    document["session"]["colour"] = "blue"
    document["events"][0]["weather"] = "rain"
    document["samples"][0]["quality"] = 1
    assert set(replay(document)["unknown_inputs"]) >= {
        "mood",
        "session.colour",
        "events[0].weather",
        "samples[].quality",
    }


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (changed(SESSION, "schema", 2), ("schema",)),
        (changed(SESSION, "schema", "one"), ("schema",)),
        (without(SESSION, "session"), ("session",)),
        (changed(SESSION, "session", []), ("session",)),
        (changed(SESSION, "events", {}), ("events", "list")),
        (changed(SESSION, "samples", "none"), ("samples", "list")),
        (changed(SESSION, "events.0", "started"), ("events[0]",)),
        (changed(SESSION, "events.0.kind", "session.begun"), ("session.begun", "session.started")),
        (changed(SESSION, "events.0.kind", None), ("kind",)),
        (changed(SESSION, "events.0.t_s", "0"), ("t_s",)),
        (changed(SESSION, "events.0.t_s", None), ("t_s",)),
        (changed(SESSION, "events.0.t_s", 1e12), ("t_s",)),
        (without(SESSION, "events.0.t_s"), ("t_s",)),
        (changed(SESSION, "events.1.dose_mg", -35), ("dose_mg",)),
        (changed(SESSION, "events.1.dose_mg", "35"), ("dose_mg",)),
        (changed(SESSION, "events.1.duration_min", 0), ("duration_min",)),
        (changed(SESSION, "events.1.duration_min", 1e-320), ("duration_min",)),
        (without(SESSION, "events.1.dose_mg"), ("dose_mg",)),
        (changed(SESSION, "samples.0.signal", "SPO3"), ("SPO3", "SPO2")),
        (changed(SESSION, "samples.0.signal", ["SPO2"]), ("signal",)),
        (changed(SESSION, "samples.0.value", "97"), ("value",)),
        (changed(SESSION, "samples.0.value", True), ("value",)),
        (changed(SESSION, "samples.0.t_s", None), ("t_s",)),
        (without(SESSION, "samples.0.t_s"), ("t_s",)),
        (changed(SESSION, "session.baseline.sbp_mmHg", 700), ("sbp_mmHg", "700")),
        (changed(SESSION, "session.baseline.spo2_pct", 140), ("spo2_pct", "140")),
        (changed(SESSION, "session.baseline.sbp_mmHg", "128"), ("sbp_mmHg",)),
        (changed(SESSION, "session.patient.weight_kg", 700), ("weight_kg", "700")),
        (changed(SESSION, "session.limits", {"SPO3": {"low": 90}}), ("SPO3",)),
        (changed(SESSION, "session.limits", {"SPO2": {"low": 95, "high": 90}}), ("low",)),
        (changed(SESSION, "session.limits", {"SPO2": {}}), ("limit",)),
        (changed(SESSION, "session.limits", {"SPO2": 90}), ("SPO2",)),
        (changed(SESSION, "session.streams", {"SPO2": {"period_s": 0}}), ("period_s",)),
        (changed(SESSION, "session.streams", {"MOON": {"period_s": 1}}), ("MOON",)),
        (changed(SESSION, "rules_snapshot", []), ("rules_snapshot",)),
        (changed(SESSION, "events.1", {"t_s": 5, "kind": "observation.recorded", "sbp_mmHg": 700}), ("700",)),
        (changed(SESSION, "events.1", {"t_s": 5, "kind": "observation.recorded", "spo2_pct": 140}), ("140",)),
        (changed(SESSION, "events.1", {"t_s": 5, "kind": "observation.recorded", "moaas": 9}), ("moaas",)),
        (changed(SESSION, "events.1", {"t_s": 5, "kind": "entry.corrected", "entry": 5}), ("entry",)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_refuses_in_one_line(document: Any, says: tuple[str, ...]) -> None:
    line = refused("session", "replay", "-", "--json", stdin=document)
    for word in says:
        assert word in line


@pytest.mark.parametrize("limits", ["[]", "{}", '{"SPO3": {"low": 90}}', '{"SPO2": {"low": "90"}}', '{"limits": 5}'])
def test_what_if_refuses_in_one_line(tmp_path: Path, limits: str) -> None:
    path = tmp_path / "limits.json"
    path.write_text(limits, encoding="utf-8")
    refused("session", "replay", "-", "--what-if", str(path), stdin=SESSION)


def test_in_words() -> None:
    done = limen("session", "replay", "-", stdin=json.dumps(SESSION))
    assert (done.code, done.err) == (0, "")
    assert "Alarms" in done.out
