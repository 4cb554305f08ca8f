"""What a patient must be told before a course: schema and loader of ``data/consent``."""

from __future__ import annotations

import functools
from datetime import date
from importlib import resources

from pydantic import model_validator

from limen.errors import KnowledgeError
from limen.evidence import read_yaml
from limen.evidence.yaml import Record
from limen.knowledge.claim import Claim
from limen.knowledge.rules import Scope


class ConsentText(Claim):
    """What is said under one heading, where ``scope`` bears."""

    text: str
    scope: Scope = Scope()


class ConsentItem(Record):
    """One heading of the checklist; of its texts the first that bears is read.

    Attributes
    ----------
    only_settings : tuple of str
        Where it is asked; empty: everywhere.
    """

    id: str
    title: str
    only_settings: tuple[str, ...] = ()
    texts: tuple[ConsentText, ...]

    @model_validator(mode="after")
    def _ends_open(self) -> ConsentItem:
        if not self.texts or self.texts[-1].scope != Scope():
            raise ValueError(f"{self.id}: the last text bears everywhere, so that every course has one")
        return self


class Expiry(Claim):
    """How long a signature stands."""

    after_days: int


class ConsentChecklist(Record):
    """The whole checklist and its version."""

    version: int
    on: date
    expires: Expiry
    items: tuple[ConsentItem, ...]


@functools.cache
def consent_checklist() -> ConsentChecklist:
    """The checklist.

    Raises
    ------
    KnowledgeError
        If a heading stands twice.

    Examples
    --------
    >>> consent_checklist().items[1].title
    'Approved or off label'
    """
    path = resources.files("limen.knowledge") / "data" / "consent" / "checklist.yaml"
    found = read_yaml(path, ConsentChecklist)
    ids = [item.id for item in found.items]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise KnowledgeError(f"{twice[0]} stands twice", where=path.name)
    return found
