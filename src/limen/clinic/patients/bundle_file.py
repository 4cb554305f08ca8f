"""An uploaded file as JSON: one clear line where it is none."""

from __future__ import annotations

import json
from typing import Any

from limen.errors import InputError

LARGEST_BYTES = 20 * 1024 * 1024


def read_json_file(content: bytes, name: str) -> Any:
    """The JSON in an uploaded file.

    Raises
    ------
    InputError
        If it is too large, is not UTF-8 JSON, repeats a key, or holds a number that is none. Names line and column.
    """
    if len(content) > LARGEST_BYTES:
        raise InputError(f"{len(content) // 1024 // 1024} MB", where=name, allowed="up to 20 MB")
    try:
        return json.loads(content.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_no_number)
    except UnicodeDecodeError:
        raise InputError("not UTF-8 text", where=name, allowed="a JSON file") from None
    except json.JSONDecodeError as problem:
        raise InputError(
            f"not JSON: {problem.msg}", where=f"{name}:{problem.lineno}:{problem.colno}", allowed="one JSON object"
        ) from None
    except RecursionError:
        raise InputError("nested too deeply", where=name, allowed="a FHIR R4 Bundle") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise InputError(f"the key {twice!r} stands twice", where="bundle", allowed="each key once")
    return table


def _no_number(name: str) -> float:
    raise InputError(f"{name} is not a number", where="bundle", allowed="finite numbers, or null for missing")
