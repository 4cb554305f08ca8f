"""Knowledge files: closed, no duplicate key, and every complaint names file, line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from limen.errors import KnowledgeError
from limen.evidence import Verification, cite, read_yaml, sources
from limen.evidence.marks import weakest
from limen.evidence.yaml import Record


class Limit(Record):
    low: int
    unit: str


class Sheet(Record):
    title: str
    limits: list[Limit]


GOOD = "title: Pressure\nlimits:\n  - low: 90\n    unit: mmHg\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "sheet.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_reads_what_fits(tmp_path: Path) -> None:
    sheet = read_yaml(write(tmp_path, GOOD), Sheet)
    assert sheet.limits[0] == Limit(low=90, unit="mmHg")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (GOOD + "title: Twice\n", "sheet.yaml:5"),
        (GOOD + "    extra: 1\n", "sheet.yaml:5"),
        (GOOD.replace("low: 90", "low: ninety"), "sheet.yaml:3"),
        ("title: Pressure\n", "sheet.yaml"),
        ("title: [\n", "sheet.yaml:2"),
        ("title: yes\nlimits: nothing\n", "sheet.yaml:2"),
    ],
)
def test_names_file_and_line_of_what_does_not_fit(tmp_path: Path, text: str, where: str) -> None:
    with pytest.raises(KnowledgeError) as problem:
        read_yaml(write(tmp_path, text), Sheet)
    assert problem.value.where.startswith(where)


def test_yaml_1_2_keeps_words_as_words(tmp_path: Path) -> None:
    """In YAML 1.1 a bare ``no`` became False; a unit or a country must not."""
    sheet = read_yaml(write(tmp_path, GOOD.replace("mmHg", "no")), Sheet)
    assert sheet.limits[0].unit == "no"


def test_an_unknown_source_is_refused() -> None:
    with pytest.raises(KnowledgeError, match="unknown source"):
        cite("nobody-2099")


def test_every_source_says_what_it_is() -> None:
    for key, source in sources().items():
        assert source.citation.strip(), key


def test_a_statement_is_as_weak_as_its_weakest_value() -> None:
    assert weakest([Verification.READ, Verification.CLINIC_RULE, Verification.SECONDARY]) is Verification.CLINIC_RULE
    assert weakest([]) is Verification.UNVERIFIED
