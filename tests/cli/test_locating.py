"""An error about a CASE names the file, the line and the field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.care.codes import well_formed
from limen.cli.case import read_case
from limen.cli.locating import line_of, positions, repeated
from limen.cli.output import read_json
from limen.errors import InputError
from limen.knowledge.rules import code_sets

CASE = """{
  "on": "2026-11-21",
\t"patient": {"age_years": 42,
    "weight_kg": %s},
  "conditions": [{"text": "a, b: [c]"},
    {"text": "d",
     "onset": "%s"}],
  "scores": {"C-SSRS": {"q1": %s}}
}
"""


def told(path: Path, **named: str | None) -> str:
    with pytest.raises(InputError) as caught:
        read_case(read_json(str(path)), None, named)
    return str(caught.value)


@pytest.mark.parametrize(
    ("values", "line", "field"),
    [
        ((700, "2020", "true"), 4, "patient.weight_kg: 700 is impossible"),
        ((70, "2030-01-01", "true"), 7, "conditions[1].onset: onset 2030-01-01 of d is in the future"),
        ((70, "2020", 1), 8, "scores.C-SSRS.q1: 1 is not a yes or no"),
    ],
)
def test_the_line_of_a_field(tmp_path: Path, values: tuple[Any, ...], line: int, field: str) -> None:
    path = tmp_path / "case.json"
    path.write_text(CASE % values, encoding="utf-8")
    assert told(path).startswith(f"{path}:{line} {field}")


def test_a_field_that_is_not_there_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "case.json"
    path.write_text("{}", encoding="utf-8")
    assert told(path).startswith(f"{path} on: the day of the decision is not given")


def test_a_choice_of_the_command_line_names_no_file(tmp_path: Path) -> None:
    path = tmp_path / "case.json"
    path.write_text(CASE % (70, "2020", "true"), encoding="utf-8")
    assert told(path, route="nose").startswith("route: unknown route 'nose'")


def test_a_yaml_case_names_its_line_too(tmp_path: Path) -> None:
    path = tmp_path / "case.yaml"
    path.write_text("on: 2026-11-21\npatient:\n  age_years: 42\n  weight_kg: 700\n", encoding="utf-8")
    assert told(path).startswith(f"{path}:4 patient.weight_kg: 700 is impossible")


def test_a_key_that_stands_twice_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "case.json"
    path.write_text('{"a": [{"b": 1}, {"b": 1}],\n "c": {"d": 1,\n "d": 2}}', encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_json(str(path))
    assert str(caught.value).startswith(f"{path}:3: the key 'd' stands twice")


LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
KEYS = st.text(alphabet='abc"{}[]:,\\ \n', min_size=1, max_size=4)
TREES = st.dictionaries(
    KEYS,
    st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3)),
    max_size=4,
)


def paths(node: Any, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every key and entry of a tree, the slow and obvious way."""
    if isinstance(node, dict):
        return [path for key, value in node.items() for path in [(*at, key), *paths(value, (*at, key))]]
    if isinstance(node, list):
        return [path for place, value in enumerate(node) for path in [(*at, place), *paths(value, (*at, place))]]
    return []


@given(TREES)
def test_every_key_of_any_document_is_found_on_its_line(tree: dict[str, Any]) -> None:
    text = json.dumps(tree, indent=1)
    found = dict(positions(text))
    lines = text.splitlines()
    for path in paths(tree):
        assert path in found
        if isinstance(path[-1], str):
            assert lines[found[path] - 1].strip().startswith(json.dumps(path[-1]))
    assert repeated(text) is None


def test_what_is_not_there_has_the_line_of_what_holds_it() -> None:
    assert line_of('{"a": {\n "b": 1}}', "a.c.d") == 1
    assert line_of('{"a": 1}', "z") is None


# Published SNOMED CT identifiers, and each with one digit wrong.
@pytest.mark.parametrize("code", ["36474008", "310496002", "370143000", "35489007", "734947007", "203082005"])
def test_the_check_digit_catches_a_slip(code: str) -> None:
    assert well_formed(code, "snomed")
    for place in range(len(code)):
        wrong = code[:place] + str((int(code[place]) + 1) % 10) + code[place + 1 :]
        assert not well_formed(wrong, "snomed")


def test_every_code_of_the_rules_is_well_formed() -> None:
    for item in code_sets().values():
        assert all(well_formed(code, "snomed") for code in item.snomed), item.id
        assert all(well_formed(code, "icd10") for code in item.icd10), item.id
