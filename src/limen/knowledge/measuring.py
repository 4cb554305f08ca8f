"""What a syringe can measure: the marks a dose is brought down to before it is signed."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Self

from pydantic import model_validator

from limen.evidence import read_yaml
from limen.evidence.yaml import Record
from limen.knowledge.claim import Claim


class Graduation(Record):
    """The mark that volumes up to ``up_to_mL`` are read to; ``None`` is every larger volume."""

    up_to_mL: float | None
    step_mL: float


class Measuring(Claim):
    """How a dose is brought down to what can be drawn.

    Attributes
    ----------
    graduations : tuple of Graduation
        From the smallest volume to the largest.
    warn_over_pct : float
        A dose that loses more than this is a warning: a weaker strength would measure it.
    """

    rule: str
    name: str
    graduations: tuple[Graduation, ...]
    warn_over_pct: float
    why: str

    @model_validator(mode="after")
    def _whole(self) -> Self:
        bounds = [entry.up_to_mL for entry in self.graduations]
        known = [bound for bound in bounds if bound is not None]
        if bounds[-1:] != [None] or len(known) != len(bounds) - 1 or known != sorted(set(known)):
            raise ValueError("graduations must rise and end with one for every larger volume")
        if any(entry.step_mL <= 0 for entry in self.graduations):
            raise ValueError("a graduation is over 0 mL")
        return self

    def step_mL(self, volume_mL: float) -> float:
        """The mark that a volume is read to.

        Examples
        --------
        >>> measuring().step_mL(0.815), measuring().step_mL(1.05), measuring().step_mL(40.75)
        (0.01, 0.05, 0.1)
        """
        return next(
            entry.step_mL for entry in self.graduations if entry.up_to_mL is None or volume_mL <= entry.up_to_mL
        )


@functools.cache
def measuring() -> Measuring:
    """The installed rule.

    Raises
    ------
    KnowledgeError
        If the file is malformed or cites an unknown source.
    """
    return read_yaml(resources.files("limen.knowledge") / "data" / "preparation" / "measuring.yaml", Measuring)
