"""The weights a dose may follow: ideal and adjusted, each by its formula."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Literal

from limen.evidence import read_yaml
from limen.evidence.yaml import Record
from limen.knowledge.claim import Claim


class Ideal(Claim):
    """Ideal weight by height and sex: kg at 60 inches, and kg for each inch above."""

    at_60_in_kg: dict[Literal["male", "female"], float]
    per_inch_kg: float


class Adjusted(Claim):
    """Ideal weight and a part of what lies over it."""

    of_excess_fraction: float
    why: str


class Weights(Record):
    """The installed formulas."""

    rule: str
    ideal: Ideal
    adjusted: Adjusted


@functools.cache
def weights() -> Weights:
    """The installed formulas.

    Raises
    ------
    KnowledgeError
        If the file is malformed or cites an unknown source.
    """
    return read_yaml(resources.files("limen.knowledge") / "data" / "preparation" / "weights.yaml", Weights)
