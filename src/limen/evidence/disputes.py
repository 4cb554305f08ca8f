"""Where sources contradict each other: every side stays on file with its own support, and what we hold is said."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Self

from pydantic import model_validator

from limen.errors import KnowledgeError
from limen.evidence.claim import Claim, Statement
from limen.evidence.yaml import Record, read_yaml


class SidedClaim(Claim):
    """One published claim with a name of its own, so that it can be followed when it changes."""

    id: str
    text: str


class Side(Record):
    """One answer to the question.

    Attributes
    ----------
    supports, opposes : tuple of str
        Rules, protocols and instruments that this answer speaks for, and against.
    """

    answer: str
    claims: tuple[SidedClaim, ...]
    supports: tuple[str, ...] = ()
    opposes: tuple[str, ...] = ()


class Dispute(Record):
    """A question that sources answer differently.

    Attributes
    ----------
    held : Statement
        What this product does meanwhile, and why; a project rule.
    rule : str or None
        The name other files know that project rule by, where it has one.
    """

    id: str
    question: str
    rule: str | None = None
    held: Statement
    sides: tuple[Side, ...]

    @model_validator(mode="after")
    def _two_sided(self) -> Self:
        if len(self.sides) < 2 or not all(side.claims for side in self.sides):
            raise ValueError(f"{self.id}: a dispute has two sides at least, each with a claim")
        return self

    @property
    def bears_on(self) -> tuple[str, ...]:
        """Every rule, protocol and instrument that a side speaks for or against, once."""
        return tuple(dict.fromkeys(name for side in self.sides for name in (*side.supports, *side.opposes)))

    @property
    def claims(self) -> tuple[SidedClaim, ...]:
        """The claims of every side."""
        return tuple(claim for side in self.sides for claim in side.claims)


class _DisputeFile(Record):
    disputes: tuple[Dispute, ...]


@functools.cache
def disputes() -> dict[str, Dispute]:
    """Every dispute by its name, merged from ``evidence/data/disputes/*.yaml``.

    Raises
    ------
    KnowledgeError
        If a dispute or a claim stands twice.

    Examples
    --------
    >>> [side.answer for side in disputes()["home-use"].sides]
    ['Only under supervision', 'At home']
    """
    folder = resources.files("limen.evidence") / "data" / "disputes"
    found: dict[str, Dispute] = {}
    claims: set[str] = set()
    for path in sorted(folder.iterdir(), key=lambda item: item.name):
        if not path.name.endswith(".yaml"):
            continue
        for dispute in read_yaml(path, _DisputeFile).disputes:
            names = [claim.id for claim in dispute.claims]
            twice = [name for name in names if name in claims or names.count(name) > 1]
            if dispute.id in found or twice:
                raise KnowledgeError(f"{(twice or [dispute.id])[0]!r} stands twice", where=path.name)
            claims.update(names)
            found[dispute.id] = dispute
    return found
