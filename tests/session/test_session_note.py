"""The note says what was recorded, what was not, and what explains each difference."""

from __future__ import annotations

from typing import Any

import pytest

from limen.session.note import NOT_RECORDED
from limen.session.replay import replay

PARTS = ["header", "who", "pre_check", "order", "given", "waste", "therapy", "discharge", "after", "audit"]


def note(*events: dict[str, Any], recorded: dict[str, Any] | None = None, **header: Any) -> dict[str, Any]:
    start = [
        {"t_s": 0, "kind": "session.started"},
        {"t_s": 60, "kind": "infusion.started", "dose_mg": 35, "duration_min": 40, "concentration_mg_per_mL": 1},
    ]
    export = {"session": {"protocol": "TRD-IV", **header}, "events": [*start, *events], "recorded": recorded}
    return replay(export).note


def field(value: dict[str, Any], part: str, name: str) -> dict[str, Any]:
    fields = next(entry["fields"] for entry in value["parts"] if entry["part"] == part)
    return next(entry for entry in fields if entry["field"] == name)


def test_every_part_is_there_and_what_is_missing_is_said() -> None:
    value = note({"t_s": 3000, "kind": "session.ended"})
    assert [part["part"] for part in value["parts"]] == PARTS
    for part in value["parts"]:
        for entry in part["fields"]:
            assert (entry["value"] is None) == (entry["said"] == NOT_RECORDED)
    assert "Waste: waste_mg" in value["missing"]
    assert "Who: prescriber" in value["missing"]


def test_what_the_clinic_knows_stands_in_its_place() -> None:
    value = note(recorded={"who": {"prescriber": "Dr A. Lindqvist"}, "order": {"dose_mg": 35.0, "vial": "HK2-0931"}})
    assert field(value, "who", "prescriber")["said"] == "Dr A. Lindqvist"
    assert field(value, "order", "dose_mg")["said"] == "35.0 mg"
    assert field(value, "order", "vial")["value"] == "HK2-0931"


def test_given_and_stopped_by_the_pump_as_set() -> None:
    value = note({"t_s": 2500, "kind": "infusion.stopped", "pump_volume_mL": 35})
    assert field(value, "given", "given_mg")["said"] == "35.0 mg"
    assert value["differences"] == []


def test_a_dose_stopped_early_is_explained_by_the_stop() -> None:
    stop = {"t_s": 1260, "kind": "infusion.stopped", "reason": "pressure", "pump_volume_mL": 17.5}
    (line,) = note(stop)["differences"]
    # 20 of 40 minutes: half of 35 mg.
    assert (line["first_mg"], line["second_mg"]) == (35, pytest.approx(17.5))
    assert line["explained_by"] == "stopped at 21:00: pressure"


def test_what_no_event_explains_is_not_explained() -> None:
    lines = note({"t_s": 1260, "kind": "infusion.stopped", "pump_volume_mL": 19})["differences"]
    assert [(line["what"], line["explained_by"]) for line in lines] == [
        ("pump setting and given", "not explained"),
        ("given and pump volume", "not explained"),
    ]
    assert lines[1]["difference_mg"] == pytest.approx(1.5)


def test_order_and_pump_are_compared_and_a_missing_volume_is_said() -> None:
    lines = note({"t_s": 2500, "kind": "infusion.stopped"}, recorded={"order": {"dose_mg": 40}})["differences"]
    assert [(line["what"], line.get("cannot_compare")) for line in lines] == [
        ("order and pump setting", None),
        ("given and pump volume", "pump volume not recorded"),
    ]


def test_the_table_has_a_row_for_each_observation_and_cuff_and_no_stale_value() -> None:
    export = {
        "session": {"protocol": "TRD-IV"},
        "events": [
            {"t_s": 0, "kind": "session.started"},
            {"t_s": 100, "kind": "observation.recorded", "moaas": 5, "dissociation": 1, "by": "D. Kessel"},
            {"t_s": 300, "kind": "observation.recorded", "moaas": 4},
        ],
        "samples": [
            {"t_s": 95, "signal": "SPO2", "value": 97},
            {"t_s": 99, "signal": "SPO2", "value": 0},
            {"t_s": 200, "signal": "NIBP_SYS", "value": 131},
            {"t_s": 200, "signal": "NIBP_DIA", "value": 80},
        ],
    }
    rows = replay(export).note["vitals"]
    assert [(row["t_s"], row["spo2_pct"], row["sbp_mmHg"], row["dbp_mmHg"], row["moaas"]) for row in rows] == [
        (100, 97, None, None, 5),
        (200, None, 131, 80, None),
        (300, None, None, None, 4),
    ]


def test_a_forecast_is_no_line_of_the_story() -> None:
    # Thousands of numbers, written every few minutes: the note tells what happened, not what was foreseen.
    band = {"t_s": [60, 3600], "low": [100, 100], "high": [150, 150]}
    seen = {"t_s": 600, "kind": "symptom.reported", "text": "warm"}
    value = note({"t_s": 300, "kind": "forecast.updated", "bands": {"NIBP_SYS": band}}, seen)
    assert [row["kind"] for row in value["events"]] == ["session.started", "infusion.started", "symptom.reported"]
