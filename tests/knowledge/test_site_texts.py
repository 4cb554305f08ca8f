"""A clinic's own words of a questionnaire: the how-to page to the letter, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from contracts.door import limen
from limen.errors import InputError
from limen.knowledge.instruments import instruments
from limen.knowledge.site_texts import read_site_text, site_texts

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "load-a-text.md").read_text(encoding="utf-8")


def block(kind: str) -> str:
    (found,) = re.findall(rf"```{kind}\n(.*?)```", PAGE, flags=re.DOTALL)
    return str(found)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cadss-6.yaml"
    path.write_text(block("yaml text"), encoding="utf-8")
    return path


def changed(file: Path, old: str, new: str) -> Path:
    whole = file.read_text(encoding="utf-8")
    assert old in whole
    file.write_text(whole.replace(old, new), encoding="utf-8")
    return file


def test_the_page(file: Path, tmp_path: Path) -> None:
    done = limen("instruments", "text", str(file))
    assert (done.code, done.err) == (0, "")
    assert "6. The sixth question (Not at all / Slightly / Moderately / Considerably / Extremely)" in done.out
    folder = tmp_path / "texts"
    assert limen("instruments", "text", str(file), "--install", str(folder)).code == 0
    assert set(site_texts(folder)[0]) == {"CADSS-6"}
    again = limen("instruments", "text", str(file), "--install", str(folder))
    assert (again.code, "a text already" in again.err) == (2, True)


def test_the_error_on_the_page_is_the_error_given(file: Path) -> None:
    changed(file, "  - The sixth question\n", "")
    with pytest.raises(InputError) as refusal:
        read_site_text(file)
    assert str(refusal.value).startswith(block("text").strip())


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (
            'right: "Written permission of the rights holder of 2026-03-01, number 17"',
            'right: " "',
            "no right is named",
        ),
        ("instrument: CADSS-6", "instrument: EQ-5D-5L", "may not be held"),
        ("instrument: CADSS-6", "instrument: MoCA", "may not be held"),
        ("instrument: CADSS-6", "instrument: NOBODY", "unknown instrument"),
        ("Moderately, ", "", "item 1 needs 5 options, has 4"),
        ("language: en", "colour: red", "cadss-6.yaml"),
        ("stem: At this time", "stem: [", "cadss-6.yaml"),
    ],
)
def test_what_is_refused(file: Path, old: str, new: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        read_site_text(changed(file, old, new))


def test_a_text_that_cannot_be_used_takes_no_other_with_it(file: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("instrument: MADRS\n", encoding="utf-8")
    (tmp_path / "second.yaml").write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    found, problems = site_texts(tmp_path)
    assert set(found) == {"CADSS-6"}
    assert len(problems) == 2
    assert problems[0].startswith("bad.yaml")
    assert "second.yaml: a second text of CADSS-6" in problems[1]
    assert site_texts(tmp_path / "nowhere") == ({}, ())


# What the licences of the reference allow: sections 2.1 to 2.10.
SHIPPED = {
    "PHQ-9", "PHQ-2", "GAD-7", "PCL-5", "AUDIT-C", "BPRS", "BPRS+", "CGI-S", "CGI-I", "FIQR", "NRS-PAIN", "NRS-NAUSEA",
    "ALDRETE", "PADSS",
}  # fmt: skip
TOTAL_ONLY = {"CAPS-5", "EQ-5D-5L", "EQ-VAS", "MoCA", "5D-ASC"}


def test_only_words_that_may_travel_do() -> None:
    assert {name for name, one in instruments().items() if one.wording} == SHIPPED
    assert {name for name, one in instruments().items() if one.licence.text == "score"} == TOTAL_ONLY
    for name in SHIPPED:
        one = instruments()[name]
        assert one.licence.text == "ship"
        assert one.licence.statement
    for name in ("MADRS", "QIDS-SR16", "C-SSRS", "DAST-10", "AUDIT", "YMRS", "ISI"):
        assert instruments()[name].licence.text == "load"


def test_each_question_has_its_own_answers_where_they_differ() -> None:
    words = instruments()["AUDIT-C"].wording
    assert words is not None
    assert words.options_of(1)[1] == "Monthly or less"
    assert words.options_of(3)[1] == "Less than monthly"


def test_the_list_and_one_of_it() -> None:
    rows = {row["id"]: row for row in limen("instruments", "list", "--json").json()}
    assert (rows["PHQ-9"]["words"], rows["MADRS"]["words"], rows["MoCA"]["words"]) == (
        "shipped", "the clinic loads them", "may not be held"
    )  # fmt: skip
    assert limen("instruments", "show", "PHQ-9", "--json").json()["safety"]["item"] == 9
    assert "safety item 9" in limen("instruments", "show", "PHQ-9").out
    assert limen("instruments", "show", "NOBODY").code == 2
