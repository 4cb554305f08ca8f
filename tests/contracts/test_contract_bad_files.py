"""Files that cannot be read, for every command that reads one: one line, exit 2, nothing printed, no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.door import check_refusal, limen, refused, strict_json

READERS = {
    "screen": ("screen", "{}"),
    "plan": ("plan", "{}", "--protocol", "TRD-IV"),
    "score": ("score", "PHQ-9", "{}"),
    "simulate": (*("simulate", "--model", "domino", "--patient", "{}"), *("--dose", "35 mg iv", "--until", "1 h")),
    "replay": ("session", "replay", "{}"),
    "ledger": ("ledger", "post", "{}", "--database", "sqlite:////nowhere/limen.sqlite3"),
}

BROKEN = {
    "empty": b"",
    "blank": b" \n ",
    "half": b'{"patient": ',
    "two values": b"{} {}",
    "trailing comma": b'{"a": 1,}',
    "comment": b'{"a": 1} // note',
    "single quotes": b"{'a': 1}",
    "key twice": b'{"a": 1, "a": 2}',
    "key twice inside": b'{"a": [{"b": 1, "b": 2}]}',
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": -Infinity}',
    "overflow": b'{"a": 1e999}',
    "endless integer": b'{"a": ' + b"9" * 5000 + b"}",
    "half a character": b'{"a": "\\ud800"}',
    "nested": b"[" * 100_000,
    "a list": b"[1, 2]",
    "a number": b"7",
    "a text": b'"case"',
    "null": b"null",
    "binary": bytes(range(256)),
    "latin-1": '{"a": "Müller"}'.encode("latin-1"),
    "utf-16": '{"a": 1}'.encode("utf-16"),
    "yaml": b"a: 1\nb: 2\n",
    "xml": b'<Bundle xmlns="http://hl7.org/fhir"/>',
}


def _arguments(reader: str, path: str) -> list[str]:
    return [path if part == "{}" else part for part in READERS[reader]]


# The ledger reads a list of lines.
PAIRS = [(reader, name) for reader in READERS for name in BROKEN if (reader, name) != ("ledger", "a list")]


@pytest.mark.parametrize(("reader", "name"), PAIRS)
def test_a_broken_file(tmp_path: Path, reader: str, name: str) -> None:
    path, content = tmp_path / "input.json", BROKEN[name]
    path.write_bytes(content)
    line = check_refusal(limen(*_arguments(reader, str(path))))
    assert str(path) in line
    from_stdin = check_refusal(limen(*_arguments(reader, "-"), stdin=content))
    assert "standard input" in from_stdin


@pytest.mark.parametrize("reader", READERS)
def test_a_file_that_is_not_one(tmp_path: Path, reader: str) -> None:
    absent = tmp_path / "absent.json"
    assert str(absent) in refused(*_arguments(reader, str(absent)))
    assert str(tmp_path) in refused(*_arguments(reader, str(tmp_path)))
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert str(loop) in refused(*_arguments(reader, str(loop)))
    if os.geteuid() != 0:
        locked = tmp_path / "locked.json"
        locked.write_text("{}")
        locked.chmod(0)
        assert str(locked) in refused(*_arguments(reader, str(locked)))


@pytest.mark.parametrize(
    "arguments",
    [
        ("nosuch",),
        ("models",),
        ("models", "show"),
        ("models", "show", "nosuch"),
        ("protocols", "show", "NO-SUCH"),
        ("score",),
        ("score", "PHQ-9"),
        ("score", "NO-SUCH", "-"),
        ("screen",),
        ("screen", "-", "--nosuch"),
        ("screen", "-", "--on"),
        ("plan", "-"),
        ("plan", "-", "--protocol", "TRD-IV", "--concentration-mg-per-mL", "fifty"),
        ("interactions", "--route", "iv"),
        ("interactions", "ticlopidine"),
        ("interactions", "--route", "nose", "ticlopidine"),
        ("interactions", "--route", "iv", "--product", "heroin", "ticlopidine"),
        ("evidence", "show"),
        ("evidence", "show", "SEL-77"),
        ("session", "replay"),
        ("session", "replay", "-", "--what-if", "/no/such/file.json"),
        ("serve", "--port", "many"),
        ("simulate", "--json", "--json=3"),
    ],
    ids=" ".join,
)
def test_a_command_line_that_cannot_be_is_one_line(arguments: tuple[str, ...]) -> None:
    refused(*arguments, stdin='{"items": [0,0,0,0,0,0,0,0,0], "schema": 1, "session": {}, "events": [], "samples": []}')


def test_words_of_a_user_cannot_break_the_line_or_drive_the_terminal() -> None:
    line = refused("screen", "-", stdin={"resourceType": "\n\u001b[2Jdone\u202e"})
    assert "\u001b" not in line
    assert "\u202e" not in line


@pytest.mark.slow
def test_a_real_shell_in_another_locale() -> None:
    """JSON is UTF-8 in and out, also where the terminal is not; a name that is no text does not end in a traceback."""
    command = [sys.executable, "-m", "limen.cli.main", "interactions", "--route", "iv", "--json"]
    narrow = os.environ | {"PYTHONIOENCODING": "latin-1"}
    done = subprocess.run([*command, "köttsaft", b"\xff"], env=narrow, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert strict_json(done.stdout.decode("utf-8"))["unknown"][0] == "köttsaft"


@pytest.mark.slow
def test_a_real_shell_sees_the_same() -> None:
    """The installed command: one refusal and one answer."""
    command = [sys.executable, "-m", "limen.cli.main"]
    bad = subprocess.run([*command, "screen", "-"], input=b"{", capture_output=True, check=False)
    assert (bad.returncode, bad.stdout) == (2, b"")
    assert bad.stderr.count(b"\n") == 1
    assert b"Traceback" not in bad.stderr
    good = subprocess.run([*command, "models", "list", "--json"], capture_output=True, check=False)
    assert (good.returncode, good.stderr) == (0, b"")
    assert good.stdout.startswith(b"[")
