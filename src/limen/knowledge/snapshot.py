"""The knowledge as it stands, in one document, and what has changed since another: for the director who signs it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from limen.errors import InputError
from limen.knowledge.index import tree_of
from limen.knowledge.release import knowledge_release, yaml_files

SCHEMA = 1
# What names an entry of a list, so that an entry put in between changes one place and not all after it.
_NAMES = ("id", "key", "name", "rule", "flag", "phase", "drug", "title", "text")


@dataclass(frozen=True, slots=True)
class Difference:
    """One place that differs; ``None`` where it was not there, or is not any more."""

    file: str
    where: str
    was: Any
    now: Any

    def to_json(self) -> dict[str, Any]:
        """As the command prints it."""
        return {"file": self.file, "where": self.where, "was": self.was, "now": self.now}


def snapshot() -> dict[str, Any]:
    """Every knowledge file and source as plain values, with the release they make.

    Examples
    --------
    >>> snapshot()["files"]["protocols/trd-iv.yaml"]["id"]
    'TRD-IV'
    """
    roots = (resources.files("limen.knowledge") / "data", resources.files("limen.evidence") / "data")
    files = {name: _plain(tree_of(path)) for root in roots for name, path in yaml_files(root)}
    return {"schema": SCHEMA, "release": knowledge_release(), "files": files}


def differences(was: Any, now: Mapping[str, Any]) -> tuple[Difference, ...]:
    """What differs between two snapshots, file by file.

    Raises
    ------
    InputError
        If the older one is no snapshot.

    Examples
    --------
    >>> one = {"schema": 1, "release": "a", "files": {"x.yaml": {"walls": [{"name": "cap", "limit": 60}]}}}
    >>> two = {"schema": 1, "release": "b", "files": {"x.yaml": {"walls": [{"name": "cap", "limit": 50}]}}}
    >>> [(item.where, item.was, item.now) for item in differences(one, two)]
    [('walls.cap.limit', 60, 50)]
    """
    if not isinstance(was, Mapping) or was.get("schema") != SCHEMA or not isinstance(was.get("files"), Mapping):
        raise InputError("not a knowledge snapshot", where="FILE", allowed="what `limen knowledge freeze` wrote")
    before, after = was["files"], now["files"]
    found = []
    for file in sorted({*before, *after}):
        for where, old, new in _between(before.get(file), after.get(file), ""):
            found.append(Difference(file, where, old, new))
    return tuple(found)


def _between(was: Any, now: Any, where: str) -> Iterator[tuple[str, Any, Any]]:
    if was == now:
        return
    old, new = _by_name(was), _by_name(now)
    if old is None or new is None:
        yield where or "all of it", was, now
        return
    for key in dict.fromkeys([*old, *new]):
        yield from _between(old.get(key), new.get(key), f"{where}.{key}" if where else str(key))


def _by_name(node: Any) -> dict[str, Any] | None:
    """A mapping as it is; a list of named things by their names; anything else is compared whole."""
    if isinstance(node, Mapping):
        return dict(node)
    if not isinstance(node, list) or not node or not all(isinstance(item, Mapping) for item in node):
        return None
    named: dict[str, Any] = {}
    for item in node:
        name = next((str(item[key]) for key in _NAMES if key in item), None)
        if name is None or name in named:
            return None
        named[name] = item
    return named


def _plain(node: Any) -> Any:
    """Plain JSON: dates as text."""
    if isinstance(node, Mapping):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_plain(value) for value in node]
    return node if isinstance(node, str | int | float | bool) or node is None else str(node)
