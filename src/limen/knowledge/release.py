"""Which knowledge was in force: a date and a hash that travel with every decision and session."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator
from datetime import date
from importlib import resources
from importlib.resources.abc import Traversable

from limen.evidence import read_yaml
from limen.evidence.yaml import Record


class _Release(Record):
    on: date


@functools.cache
def knowledge_release() -> str:
    """The release of the installed knowledge: its date and a short hash over every knowledge file and source.

    Examples
    --------
    >>> import re
    >>> re.fullmatch(r"\\d{4}-\\d{2}-\\d{2}-[0-9a-f]{12}", knowledge_release()) is not None
    True
    """
    data = resources.files("limen.knowledge") / "data"
    digest = hashlib.sha256()
    for root in (data, resources.files("limen.evidence") / "data"):
        for name, path in yaml_files(root):
            digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{read_yaml(data / 'release.yaml', _Release).on.isoformat()}-{digest.hexdigest()[:12]}"


def yaml_files(root: Traversable, prefix: str = "") -> Iterator[tuple[str, Traversable]]:
    """Every YAML file under a folder with its path from there, in one order on every machine."""
    for path in sorted(root.iterdir(), key=lambda item: item.name):
        if path.is_dir():
            yield from yaml_files(path, f"{prefix}{path.name}/")
        elif path.name.endswith(".yaml"):
            yield prefix + path.name, path


def package_text() -> str:
    """Every file of the package that may cite a source, in one text; the bibliography itself is left out."""
    return "\n".join(_texts(resources.files("limen")))


def _texts(folder: Traversable) -> Iterator[str]:
    for path in folder.iterdir():
        if path.is_dir() and path.name not in {"sources", "__pycache__", "static", "vendor"}:
            yield from _texts(path)
        elif path.name.endswith((".py", ".yaml", ".json", ".csv")):
            yield path.read_text(encoding="utf-8")
