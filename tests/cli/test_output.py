"""Reading JSON from users: one clear line for what cannot be read."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from limen.cli.output import print_json, read_json
from limen.errors import InputError


def test_reads_a_file_and_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "case.json"
    path.write_text('{"a": 1}', encoding="utf-8")
    monkeypatch.setattr("sys.stdin", io.StringIO('{"b": 2}'))
    assert read_json(str(path)) == {"a": 1}
    assert read_json("-") == {"b": 2}


@pytest.mark.parametrize(
    ("text", "what", "where"),
    [
        ('{"a": 1,}', "not JSON", ":1:"),
        ('{"a": 1, "a": 2}', "stands twice", "case.json"),
        ('{"a": NaN}', "NaN is not a number", "case.json"),
        ("[1]", "holds a list", "case.json"),
        ("", "not JSON", ":1:1"),
    ],
)
def test_says_what_and_where(tmp_path: Path, text: str, what: str, where: str) -> None:
    path = tmp_path / "case.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as problem:
        read_json(str(path))
    assert what in str(problem.value)
    assert where in str(problem.value)


def test_an_absent_file_and_a_binary_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read the file"):
        read_json(str(tmp_path / "none.json"))
    (tmp_path / "blob").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8"):
        read_json(str(tmp_path / "blob"))


def test_a_number_that_is_none_never_leaves() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        print_json({"dose_mg": float("nan")})
