"""The strict reader of knowledge files: YAML 1.2, no duplicate key, no unknown key, errors with file and line."""

from __future__ import annotations

from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedBase
from ruamel.yaml.error import MarkedYAMLError

from limen.errors import KnowledgeError
from limen.evidence.compiled import parsed

T = TypeVar("T", bound=BaseModel)


class Record(BaseModel):
    """Base of every knowledge record: closed, immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def read_yaml(path: Path | Traversable, model: type[T]) -> T:
    """Read one knowledge file into ``model``.

    Raises
    ------
    KnowledgeError
        If the text is not YAML 1.2, repeats a key, or does not fit the model. Names the file, the line and the key.
    """
    text = path.read_text(encoding="utf-8")
    tree = parsed(path, text, lambda text: _plain(_tree(text, path.name)))
    try:
        return model.model_validate(tree)
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        keys = [part for part in first["loc"] if isinstance(part, str | int)]
        where = f"{path.name}:{_line(_tree(text, path.name), keys)} {'.'.join(map(str, keys))}"
        raise KnowledgeError(f"{first['msg']} (got {first['input']!r:.80})", where=where) from None


def plain_yaml(text: str, name: str) -> Any:
    """The values of a YAML text that is not ours, such as a user's: same strictness, nothing kept beside it.

    Raises
    ------
    KnowledgeError
        If the text is not YAML 1.2, or repeats a key. Names the file and the line.

    Examples
    --------
    >>> plain_yaml("SPO2: {low: 90}", "limits.yaml")
    {'SPO2': {'low': 90}}
    """
    return _plain(_tree(text, name))


def yaml_line(text: str, name: str, keys: list[str | int]) -> int:
    """The 1-based line of the deepest of the keys that the text holds."""
    return _line(_tree(text, name), keys)


def _tree(text: str, name: str) -> Any:
    """The text as a tree that knows its lines."""
    try:
        return YAML(typ="rt", pure=True).load(text)
    except MarkedYAMLError as problem:
        mark = problem.problem_mark
        where = f"{name}:{mark.line + 1}" if mark else name
        raise KnowledgeError(str(problem.problem or problem.context or "not YAML"), where=where) from None


def _plain(node: Any) -> Any:
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    if isinstance(node, bool) or node is None:
        return node
    for kind in (int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


def _line(tree: Any, keys: list[str | int]) -> int:
    """The 1-based line of the deepest key that exists in the tree."""
    line = 1
    node = tree
    for key in keys:
        if not isinstance(node, CommentedBase):
            break
        try:
            spot = node.lc.item(key) if isinstance(key, int) else node.lc.key(key)
            node = node[key]  # type: ignore[index]
        except (KeyError, IndexError, TypeError, AttributeError):
            continue  # not written in the file: the tag of a kind of condition, or a key that is missing
        line = spot[0] + 1
    return line
