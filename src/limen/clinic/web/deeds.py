"""What the scripts of our pages send: one JSON object, checked at the door, and the one form of a refusal."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from django.http import JsonResponse

from limen.clinic.web.refusals import status_of
from limen.errors import InputError, LimenError

ENVELOPE = '{"kind": .., "key": .., "data": {..}}'


def read_body(body: bytes, *, most: int, allowed: str = "one JSON object") -> dict[str, Any]:
    """The JSON object of a message, of text that can be stored.

    Raises
    ------
    InputError
        If it is too long, no JSON, no object, or holds what no database stores.
    """
    if len(body) > most:
        raise InputError("too long", where="body", allowed=f"up to {most} bytes")
    try:
        value = json.loads(body)
    except (ValueError, UnicodeDecodeError):
        raise InputError("not JSON", where="body", allowed=allowed) from None
    if not isinstance(value, dict):
        raise InputError(f"holds a {type(value).__name__}", where="body", allowed=allowed)
    try:
        stored = json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InputError("holds half a character", where="body", allowed="text that can be stored") from None
    if b"\\u0000" in stored:
        raise InputError("holds a NUL character", where="body", allowed="text that can be stored")
    return value


def read_deed(body: bytes, known: Collection[str], *, most: int) -> tuple[str, str, dict[str, Any], float]:
    """One deed: its kind, its key, its data, and the seconds since it was tapped.

    Raises
    ------
    InputError
        If the message is malformed or its kind is not in ``known``.
    """
    value = read_body(body, most=most, allowed=ENVELOPE)
    kind, key, data, late_s = value.get("kind"), value.get("key"), value.get("data", {}), value.get("late_s", 0.0)
    if not isinstance(kind, str) or kind not in known:
        raise InputError(f"unknown deed {kind!r}", where="kind", allowed=", ".join(known))
    if not isinstance(key, str) or not 1 <= len(key) <= 80:
        raise InputError("no key", where="key", allowed="1 to 80 characters, new for each deed")
    if not isinstance(data, dict):
        raise InputError(f"holds a {type(data).__name__}", where="data", allowed="an object")
    if isinstance(late_s, bool) or not isinstance(late_s, int | float):
        raise InputError(f"{late_s!r} is not a number", where="late_s", allowed="seconds since the tap")
    return kind, key, data, float(late_s)


def refused(problem: LimenError) -> JsonResponse:
    """A refusal as our scripts read it."""
    error = {"what": problem.what, "where": problem.where, "allowed": problem.allowed, "hint": problem.hint}
    return JsonResponse({"error": error}, status=status_of(problem))
