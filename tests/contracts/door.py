"""The front door of the command line, called in this process as a shell calls it; and the judges of what comes out."""

from __future__ import annotations

import copy
import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import typer.main

from limen.cli import main as front

front.load_topics()
# Built once: reading the signatures of every command takes longer than most commands.
_COMMAND = typer.main.get_command(front.app)


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """The JSON document printed: strict, and nothing beside it."""
        assert (self.code, self.err) == (0, ""), (self.code, self.err)
        return strict_json(self.out)


def limen(*arguments: str, stdin: str | bytes = "") -> Done:
    """Run ``limen ARGUMENTS`` by its own ``main``; an exception that escapes it is a traceback on a user's screen."""
    given = stdin.encode("utf-8", "surrogatepass") if isinstance(stdin, str) else stdin
    code: object = 0
    with _streams(given) as (out, err), mock.patch.object(sys, "argv", ["limen", *arguments]):
        with mock.patch.multiple(front, load_topics=lambda: None, app=_COMMAND):
            try:
                front.main()
            except SystemExit as end:
                code = end.code or 0
        sys.stdout.flush()
        sys.stderr.flush()
        printed, said = out.getvalue().decode(), err.getvalue().decode()
    assert isinstance(code, int)
    return Done(code, printed, said)


@contextmanager
def _streams(given: bytes) -> Iterator[tuple[io.BytesIO, io.BytesIO]]:
    out, err = io.BytesIO(), io.BytesIO()
    wrap = {
        "stdin": io.TextIOWrapper(io.BytesIO(given), encoding="utf-8"),
        "stdout": io.TextIOWrapper(out, encoding="utf-8"),
        "stderr": io.TextIOWrapper(err, encoding="utf-8", errors="backslashreplace"),
    }
    with mock.patch.multiple(sys, **wrap):
        yield out, err


def strict_json(text: str) -> Any:
    """One JSON value as RFC 8259 has it: no NaN, no Infinity, no key twice."""

    def refuse(word: str) -> float:
        raise AssertionError(f"{word} in the output")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        table = dict(pairs)
        assert len(table) == len(pairs), "a key stands twice in the output"
        return table

    return json.loads(text, parse_constant=refuse, object_pairs_hook=once)


def given(*arguments: str, stdin: Any = None) -> Any:
    """What a command answers with ``--json``; a document on its standard input."""
    return limen(*arguments, "--json", stdin="" if stdin is None else json.dumps(stdin)).json()


def refused(*arguments: str, stdin: Any = "") -> str:
    """The one line that a command refuses with: exit 2, nothing on standard output, no traceback."""
    text = stdin if isinstance(stdin, str | bytes) else json.dumps(stdin)
    return check_refusal(limen(*arguments, stdin=text))


def check_refusal(done: Done) -> str:
    """The line of a refusal, checked."""
    assert done.code == 2, (done.code, done.out[:300], done.err)
    assert done.out == ""
    assert "Traceback" not in done.err
    assert done.err.startswith("limen: ")
    assert done.err.endswith("\n")
    assert done.err.count("\n") == 1, done.err
    return done.err


def changed(document: Any, path: str, value: Any) -> Any:
    """A copy with the value at a dotted path replaced; a number in the path is a place in a list."""
    fresh = copy.deepcopy(document)
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    here = fresh
    for part in way:
        here = here[part]
    here[last] = value
    return fresh


def without(document: Any, path: str) -> Any:
    """A copy without what stands at a dotted path."""
    fresh = copy.deepcopy(document)
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    here = fresh
    for part in way:
        here = here[part]
    del here[last]
    return fresh


def keys_present(table: Any, *names: str) -> None:
    """Every contract key is there."""
    missing = [name for name in names if name not in table]
    assert not missing, f"missing from {sorted(table)}: {missing}"
