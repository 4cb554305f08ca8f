"""What was done, on the page of a note: doses, calls, emergencies, devices, leaving, each with its person and clock."""

from __future__ import annotations

from typing import Any

import pytest

from limen.reports.document import Document, Table
from limen.reports.note import note_document
from limen.reports.words import said
from limen.session.replay import replay

EVENTS: list[dict[str, Any]] = [
    {"t_s": 0, "kind": "session.started", "by": "D. Kessel"},
    {"t_s": 60, "kind": "infusion.started", "dose_mg": 35, "duration_min": 40, "site": "left arm", "by": "D. Kessel"},
    {"t_s": 300, "kind": "owner.offered", "to": "P. Rao", "by": "D. Kessel"},
    {"t_s": 320, "kind": "owner.changed", "to": "P. Rao", "by": "P. Rao"},
    {"t_s": 600, "kind": "infusion.paused", "reason": "nausea", "by": "P. Rao"},
    {"t_s": 700, "kind": "infusion.stopped", "reason": "nausea", "by": "P. Rao"},
    {"t_s": 720, "kind": "patient.called", "signal": "come", "by": "the patient"},
    {"t_s": 1000, "kind": "symptom.reported", "text": "warm", "received_t_s": 1900, "by": "P. Rao"},
    {"t_s": 2000, "kind": "discharged", "reason": "insists on leaving", "by": "P. Rao"},
]
SAMPLES = [{"t_s": t, "signal": "SPO2", "value": 91 if t > 100 else 97} for t in range(120)]
EMERGENCY = {
    "started_at": "2026-11-19T08:10:00+00:00",
    "started_by": "P. Rao",
    "ended_at": "2026-11-19T08:15:00+00:00",
    "outcome": "woke up",
    "people": [
        {"name": "Dr Lindqvist", "called": "2026-11-19T08:10:01+00:00", "going": "2026-11-19T08:10:20+00:00"}
        | {"shown": "2026-11-19T08:10:02+00:00"},
        {"name": "N. Two", "called": "2026-11-19T08:10:01+00:00"},
    ],
    "roles": {"airway": "P. Rao"},
    "steps": {"Airway opened": {"at": "2026-11-19T08:10:30+00:00", "by": "P. Rao"}},
    "chairs_taken": {"chair 2": "N. Two"},
}


def page(**more: Any) -> Document:
    note = replay({"session": {"protocol": "TRD-IV"}, "events": EVENTS, "samples": SAMPLES}).note
    content = {
        "issuer": "Harbour Clinic",
        "title": "Session note",
        "identity": [["Patient", "M. I."], ["Record", "7"]],
        "started_at": "2026-11-19T08:00:00+00:00",
        "zone": "Europe/Berlin",
        "note": note,
        "product_version": "1",
        "knowledge_release": "k",
    }
    return note_document(content | more)


def lines(document: Document, title: str) -> list[tuple[str, str]]:
    return [line for part in document.parts if part.title == title for line in part.lines]


@pytest.mark.parametrize(
    ("title", "line"),
    [
        # 540 s of 52.5 mg/h are 7.875 mg
        ("Ordered and given", ("09:01:00", "52.5 mg/h to 09:10:00, 7.875 mg")),
        ("Ordered and given", ("09:10:00", "paused to 09:11:40")),
        ("Events", ("09:05", "Hand-over offered: P. Rao (D. Kessel)")),
        ("Events", ("09:05", "In charge from here: P. Rao (P. Rao)")),
        ("Events", ("09:12", "The patient called: please come (the patient)")),
        ("Events", ("09:16", "Symptom reported: text warm (P. Rao, written down 09:31)")),
        ("Emergency", ("09:10:02", "Dr Lindqvist shown")),
        ("Emergency", ("09:10:01", "N. Two: no screen showed the call")),
        ("Emergency", ("09:10:30", "Airway opened (P. Rao)")),
        ("Emergency", ("09:15:00", "Ended: woke up")),
    ],
)
def test_the_page_tells_who_did_what_when(title: str, line: tuple[str, str]) -> None:
    assert line in lines(page(emergencies=[EMERGENCY]), title)


def test_leaving_though_not_ready_says_so_with_person_and_reason() -> None:
    (line,) = [words for at, words in lines(page(), "Leaving") if at == "09:33"]
    assert line.startswith("LEFT THOUGH NOT READY, let go by P. Rao. Not met: DIS-1")
    assert line.endswith("Reason: insists on leaving.")


def test_a_call_stands_beside_its_alarm() -> None:
    (alarm,) = [
        row
        for row in replay({"session": {"protocol": "TRD-IV"}, "events": EVENTS, "samples": SAMPLES}).note["alarms"]
        if row["because"].startswith("SpO2 91")
    ]
    calls = [
        {"alarm": alarm["id"], "who": "D. Kessel", "step": 0, "kind": "called", "t_s": 131.0},
        {"alarm": alarm["id"], "who": "D. Kessel", "step": 0, "kind": "delivered", "t_s": 132.0},
        {"alarm": "another", "who": "N. Two", "step": 0, "kind": "called", "t_s": 133.0},
    ]
    (words,) = [words for _, words in lines(page(calls=calls), "Alarms") if "SpO2 91" in words]
    assert "called D. Kessel 09:02:11; shown to D. Kessel 09:02:12" in words
    assert "N. Two" not in words


def test_the_clock_of_every_time_is_named_and_a_turn_of_it_told() -> None:
    written = next(part for part in page(clock_turned_s=3600.0).parts if part.title == "Written")
    assert ("Clock", "time of day, Europe/Berlin (UTC+01:00), the server's") in written.rows
    assert ("Clock set", "back by 3600 s in the session: times here count on from the start") in written.rows


def test_an_unread_clock_and_values_kept_aside_are_said() -> None:
    words = "its clock was 4.2 s ahead of the server's at 09:20; 12 values kept aside and not charted"
    part = next(part for part in page(devices={"monitor-1": words}).parts if part.title == "Devices")
    assert part.paragraphs == (f"monitor-1: {words}.",)


def test_a_pump_that_differs_stands_under_the_drug() -> None:
    pump = {"pump": {"notes": ["P1: the counter was cleared at 2:00"]}, "rows": [{"said": "ordered 35 mL, pump 28 mL"}]}
    part = next(part for part in page(pump=pump).parts if part.title == "Drug")
    assert part.paragraphs == ("Pump: ordered 35 mL, pump 28 mL.", "Pump: P1: the counter was cleared at 2:00.")


def test_no_alarm_is_good_news_only_where_somebody_watched() -> None:
    def told(until_t_s: float) -> tuple[str, ...]:
        note = replay({"session": {}, "events": EVENTS, "samples": [], "until_t_s": until_t_s}).note
        return next(part for part in page(note=note).parts if part.title == "Alarms").paragraphs

    assert told(-1.0) == ("No alarm was judged: the monitor did not watch this session.",)
    assert told(900.0) == ("Watched only up to 09:15:00: no alarm was judged after that.",)
    assert told(2000.0) == ("None.",)


def test_a_row_that_ends_early_goes_across_the_table() -> None:
    table = Table(("Time", "HR", "By"), (("09:00", "No heart rate"), ("09:05", "72", "device")))
    assert table.laid == ((("09:00", 1), ("No heart rate", 2)), (("09:05", 1), ("72", 1), ("device", 1)))


def test_signals_that_were_gone_together_are_one_line() -> None:
    both = [
        {"t_s": t, "signal": signal, "value": 97} for t in range(900) if not 300 <= t < 360 for signal in ("SPO2", "HR")
    ]
    note = replay({"session": {}, "events": EVENTS[:2], "samples": both}).note
    seen = next(part for part in page(note=note).parts if part.title == "Seen")
    rows = [row for table in seen.tables for row in table.rows]
    assert rows == [("09:04", "No heart rate, SpO2 from the monitor, 09:04:59 to 09:06:00")]


def test_abbreviations_stay_as_they_are_inside_a_sentence() -> None:
    assert said("was", {"moaas": 4, "spo2_pct": 91}) == "MOAA/S 4, SpO2 91 %"
