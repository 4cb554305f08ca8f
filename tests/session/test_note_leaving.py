"""How a session ended stands in its note: every question, every reason against, who let the patient go, from events."""

from __future__ import annotations

from typing import Any

from limen.session.replay import replay

READY = {
    "kind": "observation.recorded",
    "moaas": 5,
    "aldrete": 10,
    "oriented": True,
    "walks_unaided": True,
    "distress": 0,
    "sbp_mmHg": 126,
    "dbp_mmHg": 78,
    "spo2_pct": 98,
    "escort": True,
    "instructions_given": True,
    "symptoms": [],
}
BASELINE = {"sbp_mmHg": 128, "dbp_mmHg": 78, "hr_per_min": 72, "spo2_pct": 98}


def note(*events: dict[str, Any], protocol: str = "TRD-IV", route: str = "iv", **header: Any) -> dict[str, Any]:
    first = (
        {"t_s": 60, "kind": "infusion.started", "dose_mg": 35, "duration_min": 40}
        if route == "iv"
        else {"t_s": 60, "kind": "dose.given", "dose_mg": 28, "route": route, "by": "D. Kessel"}
    )
    start = [{"t_s": 0, "kind": "session.started"}, first]
    export = {"session": {"protocol": protocol, "baseline": BASELINE, **header}, "events": [*start, *events]}
    return replay(export).note


def field(value: dict[str, Any], part: str, name: str) -> Any:
    fields = next(entry["fields"] for entry in value["parts"] if entry["part"] == part)
    return next(entry["value"] for entry in fields if entry["field"] == name)


def test_each_question_keeps_its_answer() -> None:
    # The dose ends at 2460 s; 60 minutes with an escort are over at 6060 s.
    value = note(
        {"t_s": 3000, "kind": "discharge.asked", "by": "D. Kessel"},
        {"t_s": 6000, **READY},
        {"t_s": 6070, "kind": "discharge.asked", "by": "P. Rao"},
    )
    early, late = value["leaving"]["asked"]
    assert (early["by"], early["ready"], late["by"], late["ready"]) == ("D. Kessel", False, "P. Rao", True)
    assert "DIS-5" in {entry["rule"] for entry in early["unmet"]}
    assert value["leaving"]["earliest_t_s"] == 6060
    assert value["leaving"]["left"] is None


def test_who_lets_go_too_early_is_named_with_what_was_not_met_though_nobody_asked() -> None:
    reason = "insists on leaving, told of the risks"
    value = note(
        {"t_s": 4000, **READY},
        {"t_s": 4100, "kind": "discharged", "by": "P. Rao", "reason": reason, "escort_name": "E. Iversen"},
    )
    left = value["leaving"]["left"]
    assert (left["by"], left["ready"], left["reason"], left["escort_name"]) == ("P. Rao", False, reason, "E. Iversen")
    assert [entry["rule"] for entry in left["unmet"]] == ["DIS-5"]
    assert field(value, "discharge", "ready") is False
    assert field(value, "discharge", "left_all_the_same") == reason
    assert field(value, "who", "escort_name") == "E. Iversen"
    assert field(value, "discharge", "let_go_by") == "P. Rao"


def test_two_hours_of_a_nasal_device_win_over_every_forecast_and_over_a_ready_patient() -> None:
    ready = {"ready": {"used_t_s": {"p50": 1800, "p90": 2400}, "effects_t_s": {"p50": 1800, "p90": 2400}}}
    seen = {**READY, "device_first_t_s": 60}
    value = note(
        {"t_s": 100, "kind": "forecast.updated", "bands": {}, **ready},
        {"t_s": 7000, **seen, "sbp_mmHg": 130},
        {"t_s": 7200, **seen},
        {"t_s": 7259, "kind": "discharge.asked"},
        {"t_s": 7260, "kind": "discharge.asked"},
        protocol="ESK-TRD",
        route="in",
        product="esketamine-nasal",
    )
    # 120 minutes from the first device at 60 s: second 7260, and not one before.
    before, at = value["leaving"]["asked"]
    assert [entry["rule"] for entry in before["unmet"]] == ["DIS-5"]
    assert at["ready"] is True
    assert value["leaving"]["earliest_t_s"] == 7260


def test_a_session_that_ends_elsewhere_says_so() -> None:
    value = note({"t_s": 900, "kind": "session.ended", "by": "D. Kessel", "reason": "taken over by the ward"})
    assert value["leaving"]["ended"] == {"t_s": 900, "by": "D. Kessel", "reason": "taken over by the ward"}
    assert field(value, "discharge", "ended_because") == "taken over by the ward"
    assert "Leaving: discharged_t_s" in value["missing"]


def test_every_device_stands_in_the_note_also_one_that_was_lost() -> None:
    value = note(
        {"t_s": 5, "kind": "device.associated", "device": "monitor-1", "signals": ["SPO2", "HR"], "by": "D. Kessel"},
        {"t_s": 700, "kind": "device.lost", "device": "monitor-1", "reason": "unplugged", "by": "monitor-1"},
        {"t_s": 760, "kind": "device.associated", "device": "monitor-2", "signals": ["SPO2"], "by": "D. Kessel"},
    )
    first, second = value["devices"]
    assert (first["device"], first["from_t_s"], first["until_t_s"]) == ("monitor-1", 5, 700)
    assert (first["lost_because"], first["signals"]) == ("unplugged", ["HR", "SPO2"])
    assert (second["device"], second["until_t_s"]) == ("monitor-2", None)
    assert field(value, "audit", "device") == ["monitor-1", "monitor-2"]


def test_every_rate_and_every_pause_has_its_milligrams() -> None:
    value = note(
        {"t_s": 660, "kind": "infusion.paused"},
        {"t_s": 960, "kind": "infusion.resumed"},
        {"t_s": 1560, "kind": "infusion.stopped", "reason": "enough"},
    )
    # 35 mg over 40 min is 52.5 mg/h: ten minutes bring 8.75 mg.
    assert [(row["t_s"], row["until_t_s"], round(row["dose_mg"], 6)) for row in value["doses"]] == [
        (60, 660, 8.75),
        (660, 960, 0.0),
        (960, 1560, 8.75),
    ]


def test_a_dose_at_once_names_its_route_and_who_gave_it() -> None:
    for route, protocol in (("im", "TRD-IV"), ("po", "TRD-IV"), ("in", "ESK-TRD")):
        (row,) = note(route=route, protocol=protocol)["doses"]
        assert (row["t_s"], row["dose_mg"], row["route"], row["by"]) == (60, 28, route, "D. Kessel")
    assert field(note(route="im"), "given", "route") == "im"


def test_an_entry_written_down_later_says_when() -> None:
    value = note(
        {"t_s": 300, "received_t_s": 900, **READY},
        {"t_s": 400, "received_t_s": 410, "kind": "symptom.reported", "text": "warm"},
    )
    assert value["vitals"][0]["written_t_s"] == 900
    assert "written_t_s" not in next(row for row in value["events"] if row["kind"] == "symptom.reported")


def test_a_correction_names_whose_entry_of_when_and_nothing_of_its_envelope() -> None:
    value = note(
        {"t_s": 300, "kind": "observation.recorded", "id": "w", "by": "D. Kessel", "sbp_mmHg": 231, "dbp_mmHg": 80},
        {"t_s": 330, "kind": "entry.corrected", "entry": "w", "changes": None, "reason": "wrong chair", "by": "P. Rao"},
    )
    (row,) = value["corrections"]
    assert (row["entry_t_s"], row["entry_by"], row["by"]) == (300, "D. Kessel", "P. Rao")
    assert row["was"] == {"sbp_mmHg": 231, "dbp_mmHg": 80}


def test_an_entry_corrected_twice_tells_each_time_what_it_replaced() -> None:
    def fixed(t_s: float, systolic: int | None) -> dict[str, Any]:
        changes = None if systolic is None else {"sbp_mmHg": systolic}
        return {"t_s": t_s, "kind": "entry.corrected", "entry": "w", "changes": changes, "reason": "read again"}

    value = note(
        {"t_s": 300, "kind": "observation.recorded", "id": "w", "sbp_mmHg": 140, "dbp_mmHg": 80},
        *(fixed(t_s, systolic) for t_s, systolic in ((330, 130), (360, 140), (390, None))),
    )
    told = [(row["was"]["sbp_mmHg"], (row["is"] or {}).get("sbp_mmHg")) for row in value["corrections"]]
    assert told == [(140, 130), (130, 140), (140, None)]
