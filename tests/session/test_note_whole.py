"""Nothing that a person wrote down is lost on the way into the note's tables."""

from __future__ import annotations

from typing import Any

import pytest

from limen.session.events import parse_events
from limen.session.note_events import later_rows
from limen.session.replay import replay

START = {"t_s": 0, "kind": "session.started", "id": "s"}
PUMP = {"t_s": 60, "kind": "infusion.started", "dose_mg": 35, "duration_min": 40, "concentration_mg_per_mL": 1}


def note(*events: dict[str, Any], samples: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    export = {"session": {"protocol": "TRD-IV"}, "events": [START, *events], "samples": samples or []}
    return replay(export).note


def kinds(value: dict[str, Any]) -> list[tuple[float, str]]:
    return [(row["t_s"], row["kind"]) for row in value["events"]]


def test_two_observations_of_one_second_have_a_row_each() -> None:
    first = {"t_s": 900, "kind": "observation.recorded", "sbp_mmHg": 182, "dbp_mmHg": 101, "by": "D. Kessel"}
    second = {"t_s": 900, "kind": "observation.recorded", "moaas": 4, "by": "N. Nurse"}
    rows = note(first, second)["vitals"]
    assert [(row["t_s"], row["by"], row["sbp_mmHg"], row["moaas"]) for row in rows] == [
        (900, "D. Kessel", 182, None),
        (900, "N. Nurse", None, 4),
    ]


def test_a_cuff_of_the_same_second_adds_no_row_of_its_own() -> None:
    cuff = [{"t_s": 900, "signal": signal, "value": value} for signal, value in (("NIBP_SYS", 150), ("NIBP_DIA", 90))]
    (row,) = note({"t_s": 900, "kind": "observation.recorded", "moaas": 5}, samples=cuff)["vitals"]
    assert (row["sbp_mmHg"], row["dbp_mmHg"], row["written"]) == (150, 90, ["moaas"])


LOW = [{"t_s": t_s, "signal": "SPO2", "value": 84 if 20 <= t_s < 50 else 97} for t_s in range(120)]


def test_an_alarm_answered_after_it_had_ended_was_seen_then() -> None:
    (alone,) = [row for row in note(samples=LOW)["alarms"] if row["condition"] == "SPO2 low"][-1:]
    assert alone["ended_t_s"] is not None
    assert alone["acknowledged_t_s"] is None
    answer = {"kind": "alarm.acknowledged", "alarm": alone["id"]}
    seen = [{**answer, "t_s": 100, "by": "D. Kessel"}, {**answer, "t_s": 110, "by": "N. Nurse"}]
    rows = {row["id"]: row for row in note(*seen, samples=LOW)["alarms"]}
    assert (rows[alone["id"]]["acknowledged_t_s"], rows[alone["id"]]["acknowledged_by"]) == (100, "D. Kessel")
    assert rows[alone["id"]]["ended_t_s"] == alone["ended_t_s"]
    assert [row["id"] for row in rows.values() if row["acknowledged_t_s"] is not None] == [alone["id"]]


def test_a_pause_of_the_sound_is_told_with_what_was_asked_and_what_was_held() -> None:
    value = note({"t_s": 100, "kind": "audio.paused", "duration_s": 3600, "by": "D. Kessel"})
    (row,) = [row for row in value["events"] if row["kind"] == "audio.paused"]
    # The rules hold the sound back for 120 s at most.
    assert row["detail"] == {"duration_s": 3600, "held_s": 120}


@pytest.mark.parametrize(
    ("monitor", "told"),
    [
        ([(1, "started")], []),
        ([(1, "started"), (300, "stopped"), (420, "started")], [(300, "monitor.stopped"), (420, "monitor.started")]),
        ([(1, "started"), (420, "started")], [(420, "monitor.started")]),  # it died without a word
        ([(60, "started")], []),
        ([(61, "started")], [(61, "monitor.started")]),  # nobody watched until then
    ],
)
def test_blind_minutes_are_told(monitor: list[tuple[float, str]], told: list[tuple[float, str]]) -> None:
    events = [{"t_s": t_s, "kind": f"monitor.{what}"} for t_s, what in monitor]
    assert [row for row in kinds(note(*events)) if row[1].startswith("monitor")] == told


@pytest.mark.parametrize(("volume_mL", "whole"), [(17.5, 35.0), (None, None), (0, 17.5)])
def test_the_volume_of_a_part_is_not_the_volume_of_the_whole(volume_mL: float | None, whole: float | None) -> None:
    second = {"t_s": 1500, "kind": "infusion.stopped", "pump_volume_mL": volume_mL}
    again = {**PUMP, "t_s": 1400, "dose_mg": 20}
    value = note(PUMP, {"t_s": 1260, "kind": "infusion.stopped", "pump_volume_mL": 17.5}, again, second)
    given = next(part["fields"] for part in value["parts"] if part["part"] == "given")
    assert next(row["value"] for row in given if row["field"] == "pump_volume_mL") == whole


def test_what_came_later_is_what_people_wrote() -> None:
    events = parse_events(
        [
            START,
            {"t_s": 50, "kind": "adverse-event.recorded", "id": "ae", "text": "vomited", "by": "N. Nurse"},
            {"t_s": 60, "kind": "monitor.stopped"},
            {"t_s": 61, "kind": "forecast.updated", "bands": {}},
            {"t_s": 70, "kind": "entry.corrected", "id": "c", "entry": "ae", "changes": {"resolved_t_s": 65}},
            {"t_s": 71, "kind": "observation.recorded", "moaas": 5, "by": "N. Nurse"},
        ]
    )
    rows = later_rows(events, 2)
    assert [(row["t_s"], row["kind"]) for row in rows] == [(70, "adverse-event.recorded"), (71, "observation.recorded")]
    assert (rows[0]["entry"], rows[0]["is"], rows[0]["entry_by"]) == ("ae", {"resolved_t_s": 65}, "N. Nurse")
    assert rows[1]["detail"] == {"moaas": 5}
    assert later_rows(events, len(events)) == []
