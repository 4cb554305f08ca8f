"""What a note says of harm: each adverse event with all it amounts to, each rescue with its order, what is owed."""

from __future__ import annotations

from typing import Any

from limen.reports.note import note_document
from limen.session.replay import replay


def document(*events: dict[str, Any], product: str = "racemic", protocol: str = "TRD-IV") -> dict[str, Any]:
    recorded = {
        "schema": 1,
        "session": {"protocol": protocol, "product": product},
        "events": [
            {"id": "s", "t_s": 0, "kind": "session.started"},
            {"id": "i", "t_s": 60, "kind": "infusion.started", "dose_mg": 35, "duration_min": 40},
            *events,
            {"id": "e", "t_s": 7200, "kind": "session.ended"},
        ],
        "samples": [],
    }
    note = replay(recorded).note
    content = {"issuer": "Harbour", "title": "Note", "identity": [["Patient", "A"], ["Record", "1"]], "note": note}
    return {part.title: part for part in note_document(content).parts}


def test_a_serious_event_says_all_it_amounts_to_and_whom_to_tell() -> None:
    event = {
        "id": "a",
        "t_s": 1300,
        "kind": "adverse-event.recorded",
        "code": "seizure",
        "text": "jerking of both arms",
        "severity": 3,
        "serious": ["hospitalisation"],
        "onset_t_s": 1260,
        "resolved_t_s": 1380,
        "action": "stopped",
        "outcome": "resolved",
        "by": "N. Nurse",
    }
    parts = document(event)
    ((_, words),) = parts["Adverse events and rescues"].lines
    for expected in (
        "Seizure",
        "“jerking of both arms”",
        "grade 3, severe",
        "serious: hospitalisation",
        "unexpected",
        "began 21:00, ended 23:00",
        "action stopped",
        "outcome resolved",
        "(N. Nurse)",
    ):
        assert expected in words, expected
    assert "not recorded" not in words
    told = " ".join(parts["To report"].paragraphs)
    assert "Report to the regulator" in told
    assert "medical director" in told


def test_what_was_not_asked_is_said_and_the_duty_stays_open() -> None:
    parts = document({"id": "a", "t_s": 1300, "kind": "adverse-event.recorded", "text": "seizure"})
    ((_, words),) = parts["Adverse events and rescues"].lines
    assert "grade not recorded" in words
    assert "seriousness not asked" in words
    assert "not recorded: severity, seriousness, action taken, outcome, onset" in words
    assert all(line.startswith("Perhaps") for line in parts["To report"].paragraphs)


def test_a_rescue_names_its_order_its_volume_and_who_heard_it() -> None:
    rescue = {
        "id": "r",
        "t_s": 1320,
        "kind": "rescue.given",
        "order": "midazolam-seizure-im",
        "drug": "midazolam",
        "dose_mg": 10,
        "volume_mL": 2,
        "concentration_mg_per_mL": 5,
        "route": "im",
        "read_back_by": "P. Prescriber",
        "by": "N. Nurse",
    }
    ((_, words),) = document(rescue)["Adverse events and rescues"].lines
    for expected in ("midazolam, 10 mg, 2 mL of 5 mg/mL", "standing order midazolam-seizure-im", "read back to P."):
        assert expected in words
    plain = {"id": "r", "t_s": 1320, "kind": "rescue.given", "what": "oxygen 4 L/min"}
    ((_, words),) = document(plain)["Adverse events and rescues"].lines
    assert "no standing order named" in words


def test_a_quiet_session_has_no_such_part_and_owes_nothing() -> None:
    parts = document()
    assert "Adverse events and rescues" not in parts
    assert "To report" not in parts


def test_nasal_esketamine_owes_its_form_and_says_what_it_lacks() -> None:
    parts = document(product="esketamine-nasal", protocol="ESK-TRD")
    assert "within 7 days" in " ".join(parts["To report"].paragraphs)
    form = parts["Patient monitoring form, nasal esketamine"]
    assert "first device" in " ".join(form.paragraphs)


def test_late_observations_count_as_done_and_as_late() -> None:
    # Due at 11 min (the dose starts at 1 min, every 10 min); done 3 min late, over the minute of grace.
    seen = {"id": "o", "t_s": 840, "kind": "observation.recorded", "moaas": 5}
    words = " ".join(document(seen)["Seen"].paragraphs)
    assert "done 1, 1 of them late" in words
