"""Small changes together, from the signals as they stand: counted once, with what is missing said."""

from __future__ import annotations

from typing import Any

from limen.session.early import small_changes
from limen.session.export import read_export
from limen.session.replay import run_alarms

KNOWN_FOR_S = {"RR": 30.0, "SPO2": 30.0, "HR": 30.0, "PULSE": 30.0, "NIBP_SYS": 660.0}


def now(values: dict[str, float | None], *, at_s: float = 100, until_s: float = 105, **more: Any) -> dict[str, Any]:
    samples = [
        {"t_s": at_s, "signal": signal, "value": value, "device": "chair", "seq": 1} for signal, value in values.items()
    ]
    export = {
        "session": {"baseline": {"sbp_mmHg": 128, "dbp_mmHg": 78}},
        "events": [{"t_s": 0, "kind": "session.started"}],
        "samples": samples,
        "until_t_s": until_s,
    }
    run = run_alarms(read_export(export))
    return small_changes(run.state, run.watch, known_for_s=KNOWN_FOR_S, **more)


def test_two_small_changes_at_once_call_for_a_look() -> None:
    # NEWS2 bands: a rate of 21 is 2 points, a saturation of 95 is 1, 118 mmHg and 80 /min are none.
    found = now({"RR": 21, "SPO2": 95, "NIBP_SYS": 118, "HR": 80})
    assert found["total_points"] == 3
    assert [(part["said"], part["points"]) for part in found["parts"]] == [
        ("21 /min", 2),
        ("95 %", 1),
        ("118 mmHg", 0),
        ("80 /min", 0),
    ]
    assert [call["do"] for call in found["calls"]] == ["Look at the patient, all values again"]
    assert (found["bands_verification"], found["calls"][0]["verification"]) == ("V2", "P")
    assert now({"RR": 20, "SPO2": 95, "NIBP_SYS": 118, "HR": 80})["calls"] == []


def test_what_is_not_known_is_missing_and_never_no_points() -> None:
    found = now({"RR": 0, "SPO2": 95, "HR": 80})
    assert found["total_points"] == 1
    assert found["missing"] == [
        {"title": "Breathing rate", "why": "no value"},
        {"title": "Systolic", "why": "no value"},
    ]
    silent = now({"RR": 21, "SPO2": 95, "NIBP_SYS": 118, "HR": 80}, until_s=150)
    assert [part["signal"] for part in silent["parts"]] == ["NIBP_SYS"]
    assert {entry["why"] for entry in silent["missing"]} == {"its sensor is silent or gives no value"}


def test_the_pulse_stands_in_for_the_heart() -> None:
    assert [part["signal"] for part in now({"PULSE": 135})["parts"]] == ["PULSE"]
    assert now({"PULSE": 135})["total_points"] == 3


def test_a_pressure_of_the_dose_stands_beside_how_pressures_usually_run() -> None:
    values: dict[str, float | None] = {"NIBP_SYS": 150, "NIBP_DIA": 90}
    assert now(values)["beside"] is None
    assert now(values, dose_start_t_s=101.0)["beside"] is None  # taken before the dose
    beside = now(values, at_s=1900, until_s=1901, dose_start_t_s=100.0)["beside"]
    # 30 min into the dose, from 128/78; MON-9: most peak at 30 to 40 min.
    assert beside["said"].startswith("+22/+12 mmHg; elsewhere mean +16/+11 at 40 min")
    assert (beside["at_peak"], beside["rule"], beside["verification"]) == (True, "MON-9", "V")
