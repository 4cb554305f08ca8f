"""Where a change comes out: the commands, screens and texts that rest on each folder of knowledge."""

from __future__ import annotations

import functools
from importlib import resources

from limen.evidence import read_yaml
from limen.evidence.yaml import Record


class Surface(Record):
    """What one folder feeds. ``texts`` that end in ``.md`` are pages of the reference."""

    folder: str
    kind: str
    commands: tuple[str, ...]
    screens: tuple[str, ...]
    texts: tuple[str, ...]


class _SurfaceFile(Record):
    surfaces: tuple[Surface, ...]


@functools.cache
def surfaces() -> dict[str, Surface]:
    """Every folder with what it feeds.

    Examples
    --------
    >>> surfaces()["discharge"].screens
    ('leaving',)
    """
    file = read_yaml(resources.files("limen.knowledge") / "data" / "surfaces.yaml", _SurfaceFile)
    return {item.folder: item for item in file.surfaces}


def surface_of(file: str) -> Surface | None:
    """What a knowledge file feeds; a file without a folder belongs to the folder it lies in, given by its root.

    Examples
    --------
    >>> surface_of("protocols/trd-iv.yaml").kind
    'protocol'
    """
    return surfaces().get(file.partition("/")[0])
