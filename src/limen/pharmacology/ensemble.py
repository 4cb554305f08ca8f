"""Which published models forecast together for a product, a route and a patient, and what each of them counts."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Literal, get_args

from pydantic import Field, model_validator

from limen.errors import InputError
from limen.evidence import read_yaml
from limen.evidence.yaml import Record
from limen.pharmacology import models
from limen.pharmacology.models.schema import Effect, Model, Omega, Product, Route, Sourced

Setting = Literal["clinic", "palliative", "emergency", "anaesthesia", "intensive-care", "home"]


class Ages(Sourced):
    """From ``low_years`` to under ``high_years``; ``None`` is without bound."""

    low_years: float | None = None
    high_years: float | None = None

    def hold(self, age_years: float | None) -> bool:
        """Whether this age belongs here; an age not given is taken for an adult's."""
        if age_years is None:
            return self.high_years is None
        low = -1.0 if self.low_years is None else self.low_years
        return low <= age_years and (self.high_years is None or age_years < self.high_years)


class MemberRule(Sourced):
    """One model of a panel: why it is in, what it counts, and where alone it sits if not everywhere.

    Attributes
    ----------
    weight : float
        Relative to the others; 0 shows the model and leaves it out of the forecast.
    settings : tuple of str
        Empty: every setting.
    """

    model: str
    why: str
    weight: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    settings: tuple[Setting, ...] = ()


class LeftOut(Sourced):
    """A model on file that could have been a member and is not."""

    model: str
    why: str


class AssumedVariability(Sourced):
    """Whose between-patient spread the members without their own are given."""

    of: str
    effects: tuple[Effect, ...]

    def blocks(self) -> tuple[Omega, ...]:
        """The blocks of covariance that are lent."""
        wanted = set(self.effects)
        return tuple(block for block in models.get(self.of).variability if set(block.effects) <= wanted)


class Panel(Record):
    """The models that forecast one product by some routes for some ages.

    Attributes
    ----------
    settings : tuple of str
        Where alone the panel may be asked; empty: everywhere.
    assumed_variability : AssumedVariability or None
        Whose spread members without their own borrow; ``None``: as for every panel.
    """

    id: str
    product: Product
    routes: tuple[Route, ...]
    ages: Ages | None = None
    settings: tuple[Setting, ...] = ()
    assumed_variability: AssumedVariability | None = None
    members: tuple[MemberRule, ...] = Field(min_length=1)
    left_out: tuple[LeftOut, ...] = ()

    @model_validator(mode="after")
    def _once(self) -> Panel:
        names = [rule.model for rule in self.members] + [absent.model for absent in self.left_out]
        if len(names) != len(set(names)):
            raise ValueError("a model stands twice")
        if all(rule.settings or rule.weight == 0 for rule in self.members):
            raise ValueError("no member counts in every setting")
        return self

    def seats(self, setting: str | None = None, member_weight: Mapping[str, float] | None = None) -> tuple[Seat, ...]:
        """The members for a setting, their weights summing to 1.

        Parameters
        ----------
        setting : str, optional
            Where the patient is treated; a member for another setting only is not seated.
        member_weight : mapping of model id to weight, optional
            Replaces a member's own weight; 0 shows it without counting it. A member kept for another setting is
            seated when it is given a weight here.

        Raises
        ------
        InputError
            A setting that is none, a model that is no member, a weight below 0, or nothing left that counts.

        Examples
        --------
        >>> panel = ensemble().panel("racemic", ["iv"])
        >>> [seat.weight for seat in panel.seats(member_weight={"domino": 0})][:3]
        [0.2, 0.2, 0.0]
        """
        if setting is not None and setting not in get_args(Setting):
            raise InputError(f"unknown setting {setting!r}", where="setting", allowed=", ".join(get_args(Setting)))
        given = dict(member_weight or {})
        known = ", ".join(rule.model for rule in self.members)
        for name, weight in given.items():
            if name not in {rule.model for rule in self.members}:
                raise InputError(f"{name!r} is no member of {self.id}", where="weight", allowed=known)
            if not 0 <= weight < float("inf"):
                raise InputError(f"{name}: weight {weight!r}", where="weight", allowed="0 or more")
        chosen = [
            (rule, given.get(rule.model, rule.weight))
            for rule in self.members
            if not rule.settings or setting in rule.settings or rule.model in given
        ]
        total = sum(weight for _, weight in chosen)
        if total <= 0:
            raise InputError("every weight is 0", where="weight", allowed=f"over 0 for one or more of {known}")
        return tuple(Seat(models.get(rule.model), rule, weight / total) for rule, weight in chosen)


@dataclass(frozen=True, slots=True)
class Seat:
    """A member as it counts in one forecast; the weights of a forecast sum to 1."""

    model: Model
    rule: MemberRule
    weight: float


class Weighting(Sourced):
    """How much each member counts where nobody says otherwise."""

    rule: Literal["equal"]


class Ensembles(Record):
    """``ensemble.yaml``."""

    weighting: Weighting
    assumed_variability: AssumedVariability
    panels: tuple[Panel, ...] = Field(min_length=1)

    def panel(
        self, product: str, routes: Sequence[str], age_years: float | None = None, setting: str | None = None
    ) -> Panel:
        """The panel for this product, these routes, this age and setting; an age not given is taken for an adult's.

        Raises
        ------
        InputError
            If no models on file forecast the product, or not by one of the routes.

        Examples
        --------
        >>> ensemble().panel("racemic", ["iv"]).id
        'racemic'
        >>> ensemble().panel("racemic", ["iv"], age_years=6).id
        'racemic-children'
        """
        of_product = [panel for panel in self.panels if panel.product == product]
        if not of_product:
            raise InputError(
                f"the ensemble does not cover {product!r}",
                where="product",
                allowed=", ".join(self.products),
                hint="Racemic ketamine, IV S-ketamine and nasal esketamine are never converted into each other",
            )
        of_age = [panel for panel in of_product if panel.ages is None or panel.ages.hold(age_years)]
        if not of_age:
            raise InputError(
                f"no model of {product} for {age_years:g} y",
                where="patient.age_years",
                allowed="an age that was studied",
            )
        for panel in of_age:
            if panel.settings and setting not in panel.settings:
                raise InputError(
                    f"the models of {product} for this age were made elsewhere ({panel.id})",
                    where="setting",
                    allowed=", ".join(panel.settings),
                )
            if set(routes) <= set(panel.routes):
                return panel
        covered = [route for panel in of_age for route in panel.routes]
        wrong = next((route for route in routes if route not in covered), "/".join(routes))
        raise InputError(
            f"the ensemble does not cover the route {wrong!r} for {product}",
            where="dose",
            allowed=", ".join(dict.fromkeys(covered)),
            hint="" if age_years is None else f"What was read for {age_years:g} years knows no other route",
        )

    @property
    def products(self) -> tuple[str, ...]:
        """Every product that some panel forecasts."""
        return tuple(dict.fromkeys(panel.product for panel in self.panels))

    def lent(self, panel: Panel) -> AssumedVariability:
        """Whose spread the members of this panel without their own are given."""
        return panel.assumed_variability or self.assumed_variability

    def assumed_blocks(self) -> tuple[Omega, ...]:
        """The blocks of covariance that are lent where no panel says otherwise."""
        return self.assumed_variability.blocks()


@functools.cache
def ensemble() -> Ensembles:
    """The panels of the product.

    Examples
    --------
    >>> [rule.model for rule in ensemble().panel("racemic", ["iv"]).members][:4]
    ['fanta-otto-2021', 'clements-250', 'domino', 'kamp-2020']
    """
    return read_yaml(resources.files("limen.pharmacology") / "data" / "ensemble.yaml", Ensembles)
