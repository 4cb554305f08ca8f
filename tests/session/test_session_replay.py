"""``limen session replay``: the contract, other limits, bad records, and its pace."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from limen.errors import InputError
from limen.session.export import rules_snapshot
from limen.session.replay import replay, what_if

S: dict[str, Any] = {
    "schema": 1,
    "product_version": "0.1.0",
    "knowledge_release": None,
    "rules_snapshot": None,
    "session": {
        "protocol": "TRD-IV",
        "patient": {"age_years": 42, "sex": "female", "weight_kg": 70, "weight_on": None, "height_cm": 168},
        "baseline": {"sbp_mmHg": 128, "dbp_mmHg": 78, "hr_per_min": 72, "spo2_pct": 98},
        "limits": None,
        "streams": {"SPO2": {"period_s": 1}},
    },
    "events": [
        {"t_s": 0, "kind": "session.started"},
        {"t_s": 60, "kind": "infusion.started", "dose_mg": 35, "duration_min": 40},
        {"t_s": 90, "kind": "session.ended"},
    ],
    "samples": [
        {
            "t_s": t,
            "received_t_s": t + 0.2,
            "seq": t,
            "signal": "SPO2",
            "value": 91 if 20 <= t < 25 else 97,
            "device": "r",
        }
        for t in range(90)
    ],
}
CONTRACT = {"t_s", "ended_t_s", "condition", "kind", "priority", "signal", "value", "limit", "rule", "because"}


def test_the_contract() -> None:
    value = replay(S).to_json()
    assert {"state", "alarms", "discharge", "note"} <= set(value)
    (alarm,) = value["alarms"]
    assert {*CONTRACT, "action"} <= set(alarm)
    # Measured at 20.0, received at 20.2: taken by tick 21. Back from 25; ten seconds later, received by tick 36, over.
    assert (alarm["t_s"], alarm["measured_t_s"], alarm["ended_t_s"]) == (21, 20, 36)
    assert (alarm["rule"], alarm["priority"], alarm["action"], alarm["value"]) == ("MON-4", "medium", "pause", 91)
    assert value["unknown_inputs"] == []
    json.dumps(value, allow_nan=False)


def test_a_replay_is_the_same_every_time_and_in_any_order_of_samples() -> None:
    assert replay(S).to_json() == replay({**S, "samples": S["samples"][::-1]}).to_json()


def test_a_snapshot_of_the_rules_travels_with_the_session() -> None:
    rules = rules_snapshot()
    assert replay({**S, "rules_snapshot": rules}).alarms == replay(S).alarms
    for limit in rules["monitoring"]["limits"]:
        if limit["signal"] == "SPO2":
            limit["limit"] -= 10
    assert replay({**S, "rules_snapshot": json.loads(json.dumps(rules))}).alarms == ()


def test_other_limits_gain_and_lose_alarms() -> None:
    lower = what_if(S, {"SPO2": {"low": 88}}).to_json()["what_if"]
    assert lower["gained"] == []
    assert [alarm["rule"] for alarm in lower["lost"]] == ["MON-4"]
    higher = what_if(S, {"limits": {"SPO2": {"low": 98}}}).to_json()["what_if"]
    assert [(alarm["rule"], alarm["priority"], alarm["t_s"]) for alarm in higher["gained"]] == [
        ("own-limit", "high", 1)
    ]


def test_other_limits_of_one_signal_leave_the_patients_own_of_another_as_they_were() -> None:
    # Low at rest: a saturation of 91 is no alarm under this patient's own limit, whatever is tried of the heart.
    own = {"SPO2": {"low": 85}}
    samples = [{"t_s": t_s, "signal": signal, "value": value} for t_s in range(40) for signal, value in REST]
    in_force = {
        "header": {"session": {**S["session"], "limits": own}, "events": []},
        "changed": {
            "session": {**S["session"], "limits": None},
            "events": [{"t_s": 0, "kind": "limits.changed", "limits": own, "reason": "known low saturation"}],
        },
        "corrected": {
            "session": {**S["session"], "limits": None},
            "events": [
                {"t_s": 0, "kind": "limits.changed", "limits": {"SPO2": {"low": 80}}},
                {"t_s": 0, "kind": "entry.corrected", "entry": "#0", "changes": {"limits": own}},
            ],
        },
    }
    for name, part in in_force.items():
        tried = what_if({**S, **part, "samples": samples}, {"HR": {"low": 50, "high": 65}}).to_json()["what_if"]
        assert [(alarm["signal"], alarm["rule"]) for alarm in tried["gained"]] == [("HR", "own-limit")], name
        assert tried["lost"] == [], name


REST = (("SPO2", 91), ("HR", 72))


def test_unknown_keys_are_listed() -> None:
    odd = {**S, "colour": 1, "session": {**S["session"], "chair": 2, "patient": {"weight_kg": 70, "shoe": 41}}}
    odd["samples"] = [{**S["samples"][0], "unit": "%"}]
    assert replay(odd).unknown_inputs == ("colour", "samples[].unit", "session.chair", "session.patient.shoe")


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"schema": 2}, "schema"),
        ({"session": None}, "session"),
        ({"session": {"patient": {"weight_kg": 700}}}, "session.patient.weight_kg"),
        ({"session": {"baseline": {"sbp_mmHg": 700}}}, "session.baseline.sbp_mmHg"),
        ({"session": {"limits": {"BP": {"low": 1}}}}, "session.limits.BP"),
        ({"session": {"streams": {"SPO2": {"period_s": -1}}}}, "session.streams.SPO2.period_s"),
        ({"events": {}}, "events"),
        ({"events": [5]}, "events[0]"),
        ({"samples": [{"t_s": 1, "signal": "SPO2", "value": "97"}]}, "samples[0].value"),
        ({"samples": [{"t_s": 1, "signal": "SpO2", "value": 97}]}, "samples[0].signal"),
        ({"samples": [{"signal": "SPO2", "value": 97}]}, "samples[0].t_s"),
        ({"samples": [{"t_s": 1e300, "signal": "SPO2", "value": 97}]}, "samples[0].t_s"),
        ({"samples": [{"t_s": 1, "signal": "SPO2", "value": 97, "seq": 1.5}]}, "samples[0].seq"),
        ({"rules_snapshot": {"monitoring": {}}}, "rules_snapshot"),
        ({"events": [{"t_s": 1, "kind": "limits.changed", "limits": {"BP": {"low": 1}}}]}, "events[0].limits"),
    ],
)
def test_a_bad_record_is_refused_by_name(change: dict[str, Any], where: str) -> None:
    with pytest.raises(InputError) as refused:
        replay({**S, **change})
    assert refused.value.where.startswith(where)
    assert refused.value.allowed


def command(*words: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "limen.cli.main", "session", "replay", *words],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.slow
def test_the_command(tmp_path: Path) -> None:
    done = command("-", "--json", stdin=json.dumps(S))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["alarms"] == list(replay(S).alarms)
    limits = tmp_path / "limits.json"
    limits.write_text('{"SPO2": {"low": 88}}')
    told = command("-", "--what-if", str(limits), stdin=json.dumps(S))
    assert told.returncode == 0, told.stderr
    assert "Alarms lost with the other limits: 1" in told.stdout
    bad = command("-", stdin='{"session": {"baseline": {"sbp_mmHg": 700}}}')
    assert (bad.returncode, bad.stdout) == (2, "")
    assert bad.stderr.count("\n") == 1
    assert "30 to 300 mmHg" in bad.stderr


@pytest.mark.slow
def test_two_hours_of_five_signals_replay_in_seconds() -> None:
    rest = {"SPO2": 97, "HR": 75, "PULSE": 75, "RR": 14, "ETCO2": 38}
    samples = [
        {"t_s": t_s, "seq": t_s, "signal": signal, "value": value, "device": "r"}
        for t_s in range(7200)
        for signal, value in rest.items()
    ]
    began = time.process_time()
    result = replay({**S, "events": S["events"][:2], "samples": samples})
    assert result.alarms == ()
    assert time.process_time() - began < 10
