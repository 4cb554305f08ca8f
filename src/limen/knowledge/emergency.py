"""Role cards of an emergency: who does what, step by step, each with a time of its own when it is done."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Self

from pydantic import model_validator

from limen.evidence import read_yaml
from limen.evidence.yaml import Record
from limen.knowledge.claim import Claim


class RoleStep(Record):
    """One thing that is tapped when it is done."""

    id: str
    text: str


class RoleCard(Record):
    """One person's part."""

    id: str
    title: str
    does: str
    steps: tuple[RoleStep, ...]


class EmergencyCards(Claim):
    """Every card."""

    roles: tuple[RoleCard, ...]

    @model_validator(mode="after")
    def _once(self) -> Self:
        ids = [role.id for role in self.roles] + [step.id for role in self.roles for step in role.steps]
        if len(set(ids)) != len(ids):
            raise ValueError("each role and step has an id of its own")
        return self

    def step(self, step: str) -> RoleStep | None:
        """The step with this id, or none."""
        return next((entry for role in self.roles for entry in role.steps if entry.id == step), None)


@functools.cache
def emergency_cards() -> EmergencyCards:
    """The cards of the product.

    Examples
    --------
    >>> [role.title for role in emergency_cards().roles]
    ['Lead', 'Airway', 'Drugs and circulation', 'Record and doors']
    """
    folder = resources.files("limen.knowledge") / "data" / "emergency"
    return read_yaml(folder / "emergency.yaml", EmergencyCards)
