"""What a patient leaves with: plain words, what was given and seen, and lines to fill in where nothing is known."""

from __future__ import annotations

from typing import Any

import pytest

from limen.reports.document import Document
from limen.reports.paper import pdf, render
from limen.reports.take_home import take_home_document
from limen.session.replay import replay
from reports.pdf_text import pdf_pages

SEEN = {"kind": "observation.recorded", "sbp_mmHg": 141, "dbp_mmHg": 83}
DRIP: list[dict[str, Any]] = [
    {"t_s": 0, "kind": "session.started"},
    {"t_s": 60, "kind": "infusion.started", "dose_mg": 35, "duration_min": 40},
    {"t_s": 900, **SEEN},
    {"t_s": 1200, "kind": "symptom.reported", "text": "nausea"},
    {"t_s": 1260, "kind": "infusion.stopped", "reason": "nausea"},
    {"t_s": 1300, "kind": "rescue.given", "what": "ondansetron 4 mg", "reason": "nausea"},
    {"t_s": 5000, "kind": "discharged", "escort_name": "E. Iversen", "reason": "insists on leaving"},
]


def paper(events: list[dict[str, Any]], **header: Any) -> Document:
    content = {
        "issuer": "Harbour Clinic",
        "title": "Session note",
        "aside": ["Thu 19 Nov 2026, chair 1", "Protocol TRD-IV"],
        "identity": [
            ["Patient", "Maren Iversen"],
            ["Record", "20 417"],
            ["Born", "4 Feb 1984"],
            ["Prescriber", "Dr L."],
        ],
        "started_at": "2026-11-19T08:00:00+00:00",
        "zone": "Europe/Berlin",
        "note": replay({"session": {"protocol": "TRD-IV", "session_number": 1, **header}, "events": events}).note,
    }
    return take_home_document(content)


def words(document: Document, title: str) -> str:
    return " ".join(next(part for part in document.parts if part.title == title).paragraphs)


def test_what_was_given_is_told_in_plain_words() -> None:
    # 1200 s of 52.5 mg/h are 17.5 mg
    told = words(paper(DRIP, product="racemic"), "What you were given")
    assert told == (
        "17.5 mg of ketamine into a vein, from 09:01 to 09:21. The drip was stopped: nausea. "
        "Also, at 09:21: ondansetron 4 mg, for nausea."
    )


@pytest.mark.parametrize(
    ("route", "product", "said"),
    [
        ("im", "racemic", "28.0 mg of ketamine into a muscle, at 09:01."),
        ("po", "racemic", "28.0 mg of ketamine by mouth, at 09:01."),
        (
            "in",
            "esketamine-nasal",
            "28.0 mg of esketamine nasal spray into the nose, at 09:01. That is 1 spray device.",
        ),
    ],
)
def test_every_route_has_its_words(route: str, product: str, said: str) -> None:
    more = {"devices": 1} if route == "in" else {}
    events = [DRIP[0], {"t_s": 60, "kind": "dose.given", "dose_mg": 28, "route": route, **more}]
    assert words(paper(events, product=product), "What you were given") == said


def test_how_it_went_and_that_leaving_was_early() -> None:
    told = words(paper(DRIP), "How it went")
    assert "first 141 over 83 at 09:15" in told
    assert "You told us of: nausea (09:20)." in told
    assert "You left before everything we ask for was met" in told


def test_until_tomorrow_and_the_call_after_a_first_session() -> None:
    document = paper(DRIP)
    assert (
        words(document, "Until tomorrow")
        == "No driving, machinery or legal decisions for 24 h. E. Iversen went with you."
    )
    assert words(document, "What comes next") == "We call you tonight or tomorrow."


def test_what_nobody_wrote_down_is_said_or_a_line_to_fill_in() -> None:
    document = paper([DRIP[0]])
    assert words(document, "What you were given") == "No ketamine was given to you today."
    assert "No blood pressure was written down." in words(document, "How it went")
    assert "Nobody is written down as having gone with you." in words(document, "Until tomorrow")
    rows = [row for part in document.parts for row in part.rows]
    assert [name for name, value in rows if set(value) == {"_"}] == [
        "The clinic's number",
        "Your emergency number",
        "Your next visit",
    ]


def test_it_prints_on_one_page_under_the_patients_identifiers() -> None:
    pages = pdf_pages(pdf(render(paper(DRIP))))
    assert len(pages) == 1
    assert "Maren Iversen, 20 417" in pages[0]
    assert "Dr L." not in pages[0]
