"""The bibliography: one entry per paper, label or guideline, cited by key from every knowledge and model file."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Literal

from pydantic import RootModel

from limen.errors import KnowledgeError
from limen.evidence.yaml import Record, read_yaml

Grade = Literal[
    "guideline",
    "label",
    "systematic-review",
    "randomised-trial",
    "observational",
    "model",
    "instrument",
    "regulation",
    "standard",
    "textbook",
    "commercial",
    "clinic-rule",
    "unverified",
]


class Source(Record):
    """One paper, label or guideline.

    Attributes
    ----------
    citation : str
        Authors, journal or issuer, year, in the form a reader can find.
    grade : str
        What kind of evidence it is.
    doi, pmid, url : str or None
        Where the paper itself is.
    note : str or None
        What was read of it (an abstract, a digest), when it was not the whole.
    """

    citation: str
    grade: Grade
    doi: str | None = None
    pmid: str | None = None
    url: str | None = None
    note: str | None = None


class _SourceFile(RootModel[dict[str, Source]]):
    pass


@functools.cache
def sources() -> dict[str, Source]:
    """Every source by key, merged from ``evidence/data/sources/*.yaml``; a key may stand in one file only."""
    merged: dict[str, Source] = {}
    folder = resources.files("limen.evidence") / "data" / "sources"
    for path in sorted(folder.iterdir(), key=lambda item: item.name):
        if not path.name.endswith(".yaml"):
            continue
        for key, source in read_yaml(path, _SourceFile).root.items():
            if key in merged:
                raise KnowledgeError(f"source {key!r} stands in two files", where=path.name)
            merged[key] = source
    return merged


def cite(key: str, *, where: str = "") -> Source:
    """The source with this key.

    Raises
    ------
    KnowledgeError
        If no file of sources holds the key.
    """
    try:
        return sources()[key]
    except KeyError:
        raise KnowledgeError(f"unknown source {key!r}", where=where, hint="Add it to evidence/data/sources") from None
