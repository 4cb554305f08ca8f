"""The seal: each entry's hash covers its content and the hash before it, so a changed past shows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from limen.errors import InputError
from limen.ledger.lines import Entry, Line


def seal(position: int, line: Line, at: datetime, prev_hash: str) -> str:
    """SHA-256 over the canonical JSON of an entry and of the seal before it."""
    content = {
        **line.content(),
        "position": position,
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "prev_hash": prev_hash,
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def verify(entries: Iterable[Entry], *, checkpoint: str | None = None) -> dict[str, Any]:
    """Whether the chain is whole.

    Parameters
    ----------
    entries : iterable of Entry
        The whole book of a site, from its first entry.
    checkpoint : str, optional
        ``POSITION:HASH`` noted earlier; shows that nothing up to there was cut off or written anew.

    Returns
    -------
    dict
        ``entries``, ``ok``, ``first_bad`` (the position of the first entry that does not fit, or None) and
        ``checkpoint`` (``POSITION:HASH`` of the last entry that does, or None for an empty book).
    """
    noted = _read_checkpoint(checkpoint) if checkpoint else None
    count, first_bad, last_hash = 0, None, ""
    for count, entry in enumerate(entries, start=1):
        if first_bad is not None:
            continue
        whole = (
            entry.position == count
            and entry.prev_hash == last_hash
            and entry.hash == seal(entry.position, entry.line, entry.at, entry.prev_hash)
        )
        if not whole or (noted and noted[0] == count and noted[1] != entry.hash):
            first_bad = count
            continue
        last_hash = entry.hash
    if first_bad is None and noted and noted[0] > count:
        first_bad = count + 1
    good = count if first_bad is None else first_bad - 1
    return {
        "entries": count,
        "ok": first_bad is None,
        "first_bad": first_bad,
        "checkpoint": f"{good}:{last_hash}" if good else None,
    }


def _read_checkpoint(text: str) -> tuple[int, str]:
    position, _, digest = text.partition(":")
    if not position.isdecimal() or len(digest) != 64:
        raise InputError(f"cannot read {text!r:.90}", where="checkpoint", allowed="POSITION:HASH as verify prints it")
    return int(position), digest
