"""Parsed knowledge files kept beside their text, as Python keeps bytecode: reading YAML costs a hundred times more.

The name of a kept file holds the digest of the text it came from, so a changed file is never answered from an old one.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

_FOLDER = "__pycache__"
# Raised when the reader makes something else of the same text.
_READER = b"1"
# The product's own files alone: what a user hands in is read where it lies and nothing is written beside it.
_PACKAGE = Path(__file__).parents[1]


def parsed(path: Path | Traversable, text: str, parse: Callable[[str], Any]) -> Any:
    """What ``parse`` makes of ``text``: kept where it can be, parsed anew where it cannot.

    Parameters
    ----------
    parse : callable
        From the text to plain lists, dictionaries with text keys, numbers, words and ``None``.
    """
    if not isinstance(path, Path) or not path.is_relative_to(_PACKAGE):
        return parse(text)
    digest = hashlib.sha256(_READER + text.encode()).hexdigest()[:24]
    kept = path.parent / _FOLDER / f"{path.name}.{digest}.json"
    # Absent, half-written or unreadable: the text itself is at hand.
    with contextlib.suppress(OSError, ValueError):
        return json.loads(kept.read_bytes())
    tree = parse(text)
    _keep(kept, path.name, tree)
    return tree


def _keep(kept: Path, name: str, tree: Any) -> None:
    """Write the tree whole or not at all; a folder that may not be written to keeps nothing."""
    try:
        body = json.dumps(tree, ensure_ascii=False)
    except TypeError:  # a date: JSON has none
        return
    with contextlib.suppress(OSError):
        kept.parent.mkdir(exist_ok=True)
        handle, part = tempfile.mkstemp(dir=kept.parent, prefix=f".{name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(body)
        for older in kept.parent.glob(f"{name}.*.json"):
            older.unlink(missing_ok=True)
        Path(part).replace(kept)
