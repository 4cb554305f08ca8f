"""Where in a file a value stands: the line of a path of keys, for whoever must mend it."""

from __future__ import annotations

import functools
from importlib.resources.abc import Traversable
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

Keys = tuple[str | int, ...]


def line_of(path: Traversable, keys: Keys) -> int:
    """The 1-based line of the deepest of the keys that the file holds; 1 where it holds none."""
    node: Node | None = _composed(path.read_text(encoding="utf-8"))
    line = 1
    for key in keys:
        found = _child(node, key)
        if found is None:
            break
        line, node = found
    return line


def _child(node: Node | None, key: str | int) -> tuple[int, Node] | None:
    if isinstance(node, MappingNode):
        for name, value in node.value:
            if name.value == str(key):
                return name.start_mark.line + 1, value
    if isinstance(node, SequenceNode) and isinstance(key, int) and key < len(node.value):
        value = node.value[key]
        return value.start_mark.line + 1, value
    return None


@functools.lru_cache(maxsize=256)
def _composed(text: str) -> Any:
    return YAML(typ="safe").compose(text)
