"""When a patient may leave: the criteria DIS-1 to DIS-7 and their numbers."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Literal

from pydantic import model_validator

from limen.evidence import Verification, cite, read_yaml
from limen.evidence.yaml import Record


class Criterion(Record):
    """One criterion, with its support."""

    id: str
    title: str
    sources: tuple[str, ...]
    verification: Verification


class MinimumTime(Record):
    """How long after a dose a patient stays.

    Attributes
    ----------
    products, routes : tuple of str
        Where it holds; a product names itself before its route.
    counts_from : str
        ``end`` of the dose, or the ``first-device``.
    alone_min : float or None
        Minutes for a patient without an escort; ``None`` where an escort is needed.
    """

    id: str
    products: tuple[str, ...]
    routes: tuple[str, ...]
    counts_from: Literal["end", "first-device"]
    with_escort_min: float
    alone_min: float | None
    sources: tuple[str, ...]
    verification: Verification


class Advice(Record):
    """What the patient is told about driving and decisions."""

    products: tuple[str, ...]
    text: str
    sources: tuple[str, ...]
    verification: Verification


class DischargeRules(Record):
    """All criteria and their numbers."""

    fresh_min: float
    fresh_verification: Verification
    criteria: tuple[Criterion, ...]
    aldrete_min: int
    moaas_min: int
    distress_max: int
    dissociation_max: int = 3
    sbp_max_mmHg: float
    dbp_max_mmHg: float
    rise_max_pct: float
    spo2_below_start_max_pct: float
    spo2_below_start_verification: Verification = Verification.CLINIC_RULE
    falling_products: tuple[str, ...]
    times: tuple[MinimumTime, ...]
    driving: tuple[Advice, ...]

    @model_validator(mode="after")
    def _consistent(self) -> DischargeRules:
        ids = [criterion.id for criterion in self.criteria]
        if ids != [f"DIS-{number}" for number in range(1, 8)]:
            raise ValueError("criteria must be DIS-1 to DIS-7, in order")
        for time in self.times:
            if time.alone_min is not None and time.alone_min < time.with_escort_min:
                raise ValueError(f"{time.id}: alone is shorter than with an escort")
        return self

    def criterion(self, rule: str) -> Criterion:
        """The criterion with this id."""
        return next(entry for entry in self.criteria if entry.id == rule)

    def time_for(self, product: str | None, route: str | None) -> MinimumTime | None:
        """The minimum time of a product or a route, or ``None`` where neither is known."""
        by_product = next((entry for entry in self.times if product in entry.products), None)
        return by_product or next((entry for entry in self.times if route in entry.routes), None)

    def driving_for(self, product: str | None) -> Advice:
        """What to say about driving."""
        named = next((entry for entry in self.driving if product in entry.products), None)
        return named or next(entry for entry in self.driving if not entry.products)


@functools.cache
def discharge() -> DischargeRules:
    """The installed criteria.

    Raises
    ------
    KnowledgeError
        If the file is malformed or cites an unknown source.

    Examples
    --------
    >>> time = discharge().time_for("racemic", "iv")
    >>> time.with_escort_min, time.alone_min
    (60.0, 120.0)
    """
    path = resources.files("limen.knowledge") / "data" / "discharge" / "discharge.yaml"
    rules = read_yaml(path, DischargeRules)
    cited = [*(entry.sources for entry in rules.criteria), *(entry.sources for entry in rules.times)]
    for keys in (*cited, *(entry.sources for entry in rules.driving)):
        for key in keys:
            cite(key, where=path.name)
    return rules
