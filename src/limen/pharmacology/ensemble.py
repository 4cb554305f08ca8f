"""The published models that forecast together, and the spread lent to those that have none."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Literal

from pydantic import Field

from limen.evidence import read_yaml
from limen.evidence.yaml import Record
from limen.pharmacology import models
from limen.pharmacology.models.schema import Effect, Model, Omega, Product, Route, Sourced


class Weighting(Sourced):
    """How much each member counts."""

    rule: Literal["equal"]


class AssumedVariability(Sourced):
    """Whose between-patient spread the members without their own are given."""

    of: str
    effects: tuple[Effect, ...]


class Ensemble(Record):
    """``ensemble.yaml``."""

    product: Product
    routes: tuple[Route, ...]
    members: tuple[str, ...] = Field(min_length=2)
    weighting: Weighting
    assumed_variability: AssumedVariability

    @property
    def models(self) -> tuple[Model, ...]:
        """The members, in order."""
        return tuple(models.get(member) for member in self.members)

    def assumed_blocks(self) -> tuple[Omega, ...]:
        """The blocks of covariance that are lent."""
        lender = models.get(self.assumed_variability.of)
        wanted = set(self.assumed_variability.effects)
        return tuple(block for block in lender.variability if set(block.effects) <= wanted)


@functools.cache
def ensemble() -> Ensemble:
    """The ensemble of the product.

    Examples
    --------
    >>> ensemble().members
    ('fanta-otto-2021', 'clements-250', 'domino', 'kamp-2020')
    """
    return read_yaml(resources.files("limen.pharmacology") / "data" / "ensemble.yaml", Ensemble)
