"""Parsed files are kept by the digest of their text: never stale, never trusted when broken, never beside a user's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from limen.evidence import compiled
from limen.evidence.compiled import parsed

TEXT = "a: 1\n"


class Counting:
    """A parser that counts how often it is asked."""

    def __init__(self, tree: Any = None) -> None:
        self.asked = 0
        self.tree = {"a": [1, 1.5, "no", None, True]} if tree is None else tree

    def __call__(self, text: str) -> Any:
        self.asked += 1
        return self.tree


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(compiled, "_PACKAGE", tmp_path)
    return tmp_path / "sheet.yaml"


def kept(path: Path) -> list[Path]:
    return sorted((path.parent / "__pycache__").glob("*")) if (path.parent / "__pycache__").exists() else []


def test_the_second_reading_is_the_first(inside: Path) -> None:
    parse = Counting()
    first = parsed(inside, TEXT, parse)
    assert parsed(inside, TEXT, parse) == first == parse.tree
    assert [type(value) for value in parsed(inside, TEXT, parse)["a"]] == [int, float, str, type(None), bool]
    assert parse.asked == 1


def test_another_text_is_read_anew_and_the_older_tree_goes(inside: Path) -> None:
    parse = Counting()
    parsed(inside, TEXT, parse)
    parsed(inside, TEXT + "b: 2\n", parse)
    assert parse.asked == 2
    assert len(kept(inside)) == 1


def test_a_broken_tree_is_read_anew_and_mended(inside: Path) -> None:
    parse = Counting()
    parsed(inside, TEXT, parse)
    kept(inside)[0].write_text('{"a": [1,', encoding="utf-8")
    assert parsed(inside, TEXT, parse) == parse.tree
    assert parsed(inside, TEXT, parse) == parse.tree
    assert parse.asked == 2


def test_what_json_cannot_hold_is_not_kept(inside: Path) -> None:
    parse = Counting({"a": {1, 2}})
    assert parsed(inside, TEXT, parse) == parse.tree
    assert kept(inside) == []


def test_nothing_is_written_beside_a_file_of_the_user(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    parsed(path, TEXT, Counting())
    assert kept(path) == []


def test_a_folder_that_may_not_be_written_keeps_nothing(inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "mkdir", refuse)
    parse = Counting()
    assert parsed(inside, TEXT, parse) == parsed(inside, TEXT, parse) == parse.tree
    assert parse.asked == 2
