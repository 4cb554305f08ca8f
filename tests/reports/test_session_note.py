"""A session note on paper: written from a recorded session, saying what it has, what it lacks and what differs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from limen.reports.document import Signature
from limen.reports.note import note_document, note_pdf
from limen.reports.words import said
from limen.session.replay import replay
from reports.pdf_text import pdf_pages

RECORD: dict[str, Any] = {
    "schema": 1,
    "session": {
        "protocol": "TRD-IV",
        "patient": {"age_years": 42, "sex": "female", "weight_kg": 70},
        "baseline": {"sbp_mmHg": 128, "dbp_mmHg": 78, "hr_per_min": 72, "spo2_pct": 98},
    },
    "events": [
        {"t_s": 0, "kind": "session.started", "id": "e0", "by": "D. Kessel"},
        {
            "t_s": 60,
            "kind": "infusion.started",
            "id": "e1",
            "by": "D. Kessel",
            "dose_mg": 35,
            "duration_min": 40,
            "concentration_mg_per_mL": 1.0,
        },
        {"t_s": 900, "kind": "observation.recorded", "id": "e2", "sbp_mmHg": 141, "dbp_mmHg": 83, "moaas": 5},
        {"t_s": 1380, "kind": "infusion.stopped", "id": "e3", "reason": "nausea", "pump_volume_mL": 19.25},
        {"t_s": 2700, "kind": "symptom.reported", "id": "e4", "text": "severe headache #1 $x$"},
        {
            "t_s": 2760,
            "kind": "entry.corrected",
            "id": "e5",
            "by": "D. Kessel",
            "entry": "e2",
            "changes": {"sbp_mmHg": 139},
            "reason": "read again",
        },
    ],
    "samples": [{"t_s": 905, "signal": "SPO2", "value": 97, "device": "d", "seq": 1}],
}


def content(**change: Any) -> dict[str, Any]:
    return {
        "issuer": "Harbour Clinic",
        "title": "Session note: ketamine, intravenous",
        "aside": ["Thu 19 Nov 2026, chair 1"],
        "identity": [["Patient", "Maren *Iversen*"], ["Record", "20 417"], ["Born", "4 Feb 1984"]],
        "started_at": "2026-11-19T08:00:00+00:00",
        "zone": "Europe/Berlin",
        "note": replay(RECORD).note,
        "account": {
            "session": "S1",
            "drawn_mg": "35.0",
            "given_mg": "19.25",
            "wasted_mg": "15.75",
            "returned_mg": "0.0",
            "open_mg": "0.0",
            "vials": ["HK2-0931"],
            "differences": [
                {
                    "what": "ordered against given",
                    "expected_mg": "35.0",
                    "actual_mg": "19.25",
                    "difference_mg": "-15.75",
                    "explained_by": ["stopped at 22 min: nausea"],
                    "explained": True,
                }
            ],
            "closes": True,
        },
        "marks": ["DIS-5: 60 min after infusion end"],
        "product_version": "0.1.0",
        "knowledge_release": "2026-11-01 abc",
        **change,
    }


@pytest.fixture(scope="module")
def page() -> str:
    made = note_pdf(
        content(),
        signatures=[Signature("D. Kessel, nurse", "signed 19 Nov 2026 12:02")],
        seal="9f3c71a8e05d" + "0" * 52,
    )
    return " ".join(pdf_pages(made))


@pytest.mark.parametrize(
    "words",
    [
        "19.25 mg given",  # 22 min of 35 mg over 40 min
        "Maren *Iversen*",
        "09:15 139/83",  # 900 s after 09:00 in Berlin, as corrected
        "replaced by systolic pressure 139 mmHg",
        "Observation",
        "Vial HK2-0931 closes to 0.0 mg",
        "35.0 mg drawn = 19.25 given + 15.75 wasted + 0.0 returned.",
        "stopped at 22 min: nausea",
        "severe headache #1 $x$",
        "high, physiological",
        "DIS-5: 60 min after infusion end",
        "Not recorded",
        "Written from 6 session events. Limen 0.1.0, knowledge 2026-11-01 abc.",
        "D. Kessel, nurse",
    ],
)
def test_the_paper_says_what_happened(page: str, words: str) -> None:
    assert words in page


def test_what_is_missing_is_a_dash_never_a_zero() -> None:
    seen = next(part for part in note_document(content()).parts if part.title == "Seen")
    row = seen.tables[0].rows[0]
    # the star: written down by a person
    assert row[:4] == ("09:15", "139/83*", "–", "–")
    assert "0" not in row[2:4]


def test_an_account_that_does_not_close_says_so() -> None:
    account = content()["account"] | {"open_mg": "5.0", "wasted_mg": "10.75"}
    titles = [part.title for part in note_document(content(account=account)).parts]
    assert "Vial HK2-0931: 5.0 mg not accounted for" in titles


def test_without_a_clock_times_count_from_the_start() -> None:
    seen = next(part for part in note_document(content(started_at=None)).parts if part.title == "Seen")
    assert seen.tables[0].rows[0][0] == "15:00"


def test_an_empty_session_makes_a_note_that_says_so() -> None:
    empty = replay({"schema": 1, "session": {"protocol": "TRD-IV"}, "events": [], "samples": []}).note
    document = note_document(content(note=empty, account=None, marks=[]))
    given = next(part for part in document.parts if part.title == "Ordered and given")
    assert given.figure == "Nothing given"
    assert pdf_pages(note_pdf(content(note=empty, account=None, marks=[])))


def test_a_frozen_note_prints_the_same_from_its_json() -> None:
    stored = json.loads(json.dumps(content()))
    assert note_document(stored) == note_document(content())


def test_milligrams_are_never_rounded_in_words() -> None:
    assert said("given_mg", 18.375) == "18.375 mg"
    assert said("dose_mg", 35) == "35.0 mg"
