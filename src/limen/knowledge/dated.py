"""What stops being true on a day, and what is still to be read: told before it ends, not after."""

from __future__ import annotations

import functools
from datetime import date
from importlib import resources

from limen.evidence import read_yaml
from limen.evidence.yaml import Record
from limen.knowledge.claim import Claim


class DatedFact(Claim):
    """Something that holds through a day.

    Attributes
    ----------
    ends_on : date
        The last day it holds.
    then : str
        What holds afterwards.
    successor : str or None
        What replaces it, where that is on file already: then nothing must be done when it ends.
    bears_on : tuple of str
        Rules and protocols it concerns.
    """

    id: str
    title: str
    ends_on: date
    then: str
    successor: str | None = None
    bears_on: tuple[str, ...] = ()

    def days_left(self, on: date) -> int:
        """Days from ``on`` to its last; negative when it has ended."""
        return (self.ends_on - on).days


class OpenCheck(Record):
    """Something to read or settle before clinical use."""

    id: str
    text: str
    bears_on: tuple[str, ...] = ()


class Dated(Record):
    """The file."""

    facts: tuple[DatedFact, ...]
    open_checks: tuple[OpenCheck, ...]


@functools.cache
def dated() -> Dated:
    """What is on file.

    Examples
    --------
    >>> fact = dated().facts[0]
    >>> fact.id, fact.days_left(date(2026, 11, 22))
    ('TELEHEALTH-FLEX', 39)
    """
    return read_yaml(resources.files("limen.knowledge") / "data" / "dated" / "dated.yaml", Dated)
