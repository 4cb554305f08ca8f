"""Reading inputs and printing results: one JSON contract, one readable form, one line per error."""

from __future__ import annotations

import json
import math
import os
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from limen.cli.locating import Document, repeated
from limen.errors import InputError, KnowledgeError

# No whole number that a command reads is longer; every one of this length is also a finite float.
_DIGITS = 300
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")

Json = Annotated[bool, typer.Option("--json", help="Print the JSON contract and nothing else.")]


def read_json(path: str) -> dict[str, Any]:
    """The JSON object in a file, or on standard input where the path is ``-``.

    Raises
    ------
    InputError
        If the file is absent, is not JSON, repeats a key, or is not an object. Names the file, line and column.
    """
    where = "standard input" if path == "-" else path
    value, text = _read(path)
    if not isinstance(value, dict):
        raise InputError(f"holds a {type(value).__name__}", where=where, allowed="one JSON object")
    return Document(value, where, text)


def read_json_value(path: str) -> Any:
    """The same for any JSON value, such as a list. A file whose name ends in .yaml is read as YAML."""
    return _read(path)[0]


def _read(path: str) -> tuple[Any, str]:
    where = "standard input" if path == "-" else path
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "not UTF-8 text"
        raise InputError(f"cannot read the file: {reason}", where=where, allowed="a JSON file") from None
    if path.endswith((".yaml", ".yml")):
        return _yaml(text, where), text
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_int=_finite_int,
            parse_float=_finite_float,
        )
        # Half of a surrogate pair is text in JSON's grammar, but no text that can be written down again.
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as problem:
        half = f"\\u{ord(problem.object[problem.start]):04x}"
        raise InputError(f"{half} is half of a character", where=where, allowed="whole Unicode characters") from None
    except RecursionError:
        raise InputError("nested too deep", where=where, allowed="one JSON value of some hundred levels") from None
    except json.JSONDecodeError as problem:
        raise InputError(
            f"not JSON: {problem.msg}", where=f"{where}:{problem.lineno}:{problem.colno}", allowed="one JSON value"
        ) from None
    except InputError as problem:
        line = repeated(text) if "stands twice" in problem.what else None
        place = f"{where}:{line}" if line else where
        raise InputError(problem.what, where=place, allowed=problem.allowed) from None
    return value, text


def _yaml(text: str, where: str) -> Any:
    from limen.evidence.yaml import plain_yaml

    try:
        return plain_yaml(text, where)
    except KnowledgeError as problem:
        raise InputError(problem.what, where=problem.where, allowed="YAML 1.2, each key once") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise InputError(f"the key {twice!r} stands twice", allowed="each key once")
    return table


def _refuse_constant(name: str) -> float:
    raise InputError(f"{name} is not a number", allowed="finite numbers, or null for missing")


def _finite_int(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise InputError(f"a number of {len(digits)} digits", allowed=f"whole numbers of up to {_DIGITS} digits")
    return int(digits)


def _finite_float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise InputError(f"{digits:.40} is too large for a number", allowed="finite numbers, or null for missing")
    return value


def print_json(value: Any) -> None:
    """Print one JSON document; NaN can never leave the program."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2) + "\n")


def check_ending(path: str | None, endings: tuple[str, ...], where: str) -> None:
    """Refuse a file name that no writer is for."""
    if path is not None and Path(path).suffix not in endings:
        raise InputError(f"cannot write {path!r}", where=where, allowed=f"a name ending in {' or '.join(endings)}")


def write_whole(path: str, fill: Callable[[Path], Any]) -> None:
    """Write a file whole or not at all."""
    target = Path(path)
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        os.close(handle)
    except OSError as problem:
        raise InputError(
            f"cannot write the file: {problem.strerror}", where=path, allowed="a writable folder"
        ) from None
    part = Path(name)
    try:
        fill(part)
        part.chmod(0o644)
        part.replace(target)
    except OSError as problem:
        raise InputError(f"cannot write the file: {problem.strerror}", where=path, allowed="a writable file") from None
    finally:
        part.unlink(missing_ok=True)


def name_and_number(text: str, where: str) -> tuple[str, float]:
    """``NAME=NUMBER``, as an option gives it.

    Examples
    --------
    >>> name_and_number("domino=0.5", "--weight")
    ('domino', 0.5)
    """
    name, found, amount = text.rpartition("=")
    try:
        number = float(amount)
    except ValueError:
        number = math.nan
    if not found or not name or math.isnan(number):
        raise InputError(f"cannot read {text!r:.60}", where=where, allowed="NAME=NUMBER")
    return name, number
