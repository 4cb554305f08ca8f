"""Whatever a person wrote into an observation stands in the note's words, field by field of the vocabulary."""

from __future__ import annotations

from typing import Any

import pytest

from limen.reports.document import Document
from limen.reports.figures.clock import Clock
from limen.reports.note import note_document
from limen.reports.note_course import event_line
from limen.session.event_base import Recorded
from limen.session.events import ObservationRecorded
from limen.session.replay import replay

ENVELOPE = {*Recorded.model_fields, "kind"} - {"note"}
# Who confirmed what; the monitor's own values, which the note has from its samples.
BESIDE = {"confirmed", "unconfirmed", "device_values"}
FIELDS = sorted(set(ObservationRecorded.model_fields) - ENVELOPE - BESIDE)
CLOCK = Clock(None, "UTC")


def sample(name: str) -> tuple[Any, str]:
    """A value that the field takes, and the words in which a page must have it, from the field's own type."""
    kind = str(ObservationRecorded.model_fields[name].annotation)
    if name.endswith("_t_s"):
        return 754.0, "12:34"  # seconds of the session as minutes and seconds
    if "bool" in kind:
        return False, " no"
    if "tuple[str, ...]" in kind:
        return ["zebra crossing"], "zebra crossing"
    if "str" in kind:
        return "zebra crossing", "zebra crossing"
    if "int" in kind:
        return 3, "3"
    assert "float" in kind, f"{name}: {kind}: give it a value here"
    return 77.5 if name != "dbp_mmHg" else 77.0, "77.5" if name != "dbp_mmHg" else "77"


def written(detail: dict[str, Any]) -> Document:
    events = [
        {"t_s": 0, "kind": "session.started"},
        {"t_s": 600, "kind": "observation.recorded", "by": "D. Kessel", **detail},
    ]
    note = replay({"session": {"protocol": "TRD-IV"}, "events": events}).note
    # Only what is told of the observation itself: the newest of some fields stands under Leaving too.
    return note_document({"issuer": "x", "title": "x", "identity": [], "note": note})


def words(document: Document) -> str:
    told = [part for part in document.parts if part.title in {"Seen", "Also observed"}]
    cells = [cell for part in told for table in part.tables for row in table.rows for cell in row]
    return "\n".join([*cells, *(line for part in told for pair in part.lines for line in pair)])


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_written_down_alone_stands_in_the_note(name: str) -> None:
    value, expected = sample(name)
    told = words(written({name: value}))
    assert expected in told.replace("10:00", "")
    assert "D. Kessel" in told


def test_an_empty_list_of_symptoms_says_that_none_is_left() -> None:
    assert "symptoms none" in words(written({"symptoms": []}))


def test_a_note_signed_before_this_still_prints() -> None:
    old = replay({"session": {"protocol": "TRD-IV"}, "events": [{"t_s": 0, "kind": "session.started"}]}).note
    row = {"t_s": 5.0, "by": None, "unconfirmed": [], "written": [], "sbp_mmHg": 120.0, "dbp_mmHg": 70.0}
    document = note_document({"issuer": "x", "title": "x", "identity": [], "note": {**old, "vitals": [row]}})
    assert "120/70" in words(document)


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ({"kind": "limits.changed", "detail": {}}, "Own limits taken off, the rules' limits hold (D. Kessel)"),
        (
            {"kind": "limits.changed", "detail": {"limits": {}, "reason": "settled"}},
            "Own limits taken off, the rules' limits hold: settled (D. Kessel)",
        ),
        (
            {"kind": "limits.changed", "detail": {"limits": {"SPO2": {"low": 92.0}}}},
            "Own limits set: limits SPO2 low 92 (D. Kessel)",
        ),
        (
            {"kind": "audio.paused", "detail": {"duration_s": 300.0, "held_s": 120.0}},
            "Sound of the alarms held back: for 120 s, asked for 300 s (D. Kessel)",
        ),
        ({"kind": "audio.paused", "detail": {"held_s": 120.0}}, "Sound of the alarms held back: for 120 s (D. Kessel)"),
        (
            {"kind": "alarm.acknowledged", "detail": {"alarm": "MON-4/SPO2/SPO2 low/stop@300", "note": "arm moved"}},
            "Alarm answered: SPO2 low of 5:00, arm moved (D. Kessel)",
        ),
        (
            {"kind": "alarm.acknowledged", "detail": {"alarm": "MON-8//Nausea or vomiting/hold@900.5"}},
            "Alarm answered: Nausea or vomiting of 15:00 (D. Kessel)",
        ),
        ({"kind": "alarm.acknowledged", "detail": {"signal": "SPO2"}}, "Alarm answered: SPO2 (D. Kessel)"),
        ({"kind": "monitor.stopped", "detail": {}}, "The monitor stopped watching (D. Kessel)"),
    ],
)
def test_a_line_says_what_was_done(row: dict[str, Any], line: str) -> None:
    assert event_line({"t_s": 60.0, "by": "D. Kessel", **row}, CLOCK)[1] == line


def test_what_is_seen_again_unchanged_is_one_line() -> None:
    begin = {"t_s": 0, "kind": "session.started"}
    seen = [
        {"t_s": 60.0 * minute, "kind": "observation.recorded", "by": "D. Kessel", "distress": grade}
        for minute, grade in ((10, 0), (20, 0), (30, 0), (40, 2), (50, 0))
    ]
    note = replay({"session": {"protocol": "TRD-IV"}, "events": [begin, *seen]}).note
    document = note_document({"issuer": "x", "title": "x", "identity": [], "note": note})
    [part] = [part for part in document.parts if part.title == "Also observed"]
    assert part.lines == (
        ("10:00", "distress none (0) (D. Kessel); the same at each of 3 until 30:00"),
        ("40:00", "distress moderate (2) (D. Kessel)"),
        ("50:00", "distress none (0) (D. Kessel)"),
    )
