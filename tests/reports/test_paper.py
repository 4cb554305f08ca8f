"""A printed record: the words on the paper are the words of the record, whatever characters they hold."""

from __future__ import annotations

import dataclasses

import pytest

from limen.reports.document import Document, Part, Signature, Table
from limen.reports.paper import beside, pdf, render
from reports.pdf_text import pdf_pages

RECORD = Document(
    issuer="Harbour Clinic",
    title="Session note: ketamine, intravenous",
    aside=("Thu 19 Nov 2026, chair 1", "Session 4 of 6"),
    identity=(("Patient", "Maren Iversen"), ("Record", "20 417"), ("Born", "4 Feb 1984")),
    parts=(
        Part(
            "Ordered and given", figure="35.0 mg given", rows=(("asked", "35.0 mg"), ("used", "34.5 mg")), narrow=True
        ),
        Part("Events", lines=(("09:22", "Nausea, mild"),), narrow=True),
        Part(
            "Seen", tables=(Table(("Time", "BP mmHg", "Note"), (("09:00", "122/76", "start"), ("09:34", "No values"))),)
        ),
        Part("Unverified values used", marks=("DIS-5: 60 min after infusion end",)),
    ),
    signatures=(Signature("D. Kessel, nurse", "signed 19 Nov 2026 11:02"),),
    origin="Written from 214 session events. Limen 0.1.0, knowledge 2026-11-01.",
    seal="9f3c71a8e05d" + "0" * 52,
)


@pytest.fixture(scope="module")
def pages() -> list[str]:
    return pdf_pages(pdf(render(RECORD)))


def test_the_paper_says_what_the_record_says(pages: list[str]) -> None:
    for words in (
        "35.0 mg given",
        "34.5 mg",
        "Maren Iversen",
        "20 417",
        "122/76",
        "No values",
        "DIS-5: 60 min after infusion end",
        "D. Kessel, nurse",
        "Limen 0.1.0, knowledge 2026-11-01.",
        "page 1 of 1",
        "seal 9f3c 71a8 e05d",
    ):
        assert words in pages[0], words


def test_the_same_record_gives_the_same_bytes() -> None:
    assert pdf(render(RECORD)) == pdf(render(RECORD))


@pytest.mark.parametrize(
    "name",
    [
        '#import "@preview/x:0.1.0": y',
        "#read(sys.inputs.secret)",
        "$x^2$ and *bold* and _under_",
        '"; #panic("out") //',
        r"back\slash \u{41} \"quoted\"",
        "[bracket] {brace} <label> @ref",
    ],
)
def test_a_name_is_never_read_as_markup(name: str) -> None:
    named = dataclasses.replace(RECORD, identity=(("Patient", name), ("Record", "1")), parts=())
    page = pdf_pages(pdf(render(named)))[0]
    plain = "".join(page.split())
    assert "".join(name.split()) in plain


def test_every_page_names_the_patient_twice_over_and_counts() -> None:
    rows = tuple((f"09:{minute:02d}", "122/76", "") for minute in range(60)) * 2
    long = dataclasses.replace(RECORD, parts=(Part("Seen", tables=(Table(("Time", "BP mmHg", "Note"), rows),)),))
    pages = pdf_pages(pdf(render(long)))
    assert len(pages) > 1
    for number, page in enumerate(pages, start=1):
        assert "Maren Iversen, 20 417" in page
        assert f"page {number} of {len(pages)}" in page


def test_a_draft_says_so_and_carries_no_seal() -> None:
    draft = dataclasses.replace(RECORD, seal="", signatures=(), status="Draft, not signed")
    page = pdf_pages(pdf(render(draft)))[0]
    assert "Draft, not signed" in page
    assert "seal" not in page


def test_two_narrow_parts_share_a_row() -> None:
    rows = beside(RECORD.parts)
    assert [[part.title for part in row] for row in rows] == [
        ["Ordered and given", "Events"],
        ["Seen"],
        ["Unverified values used"],
    ]
