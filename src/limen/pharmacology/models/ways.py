"""How a model lets a dose in by each route, and how a patient's age and ancestry change its numbers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from limen.evidence.yaml import Record
from limen.pharmacology.models.values import RATES, TIMES, Parameters, Product, Route, Sourced


class Way(Record):
    """One way of a dose into one state; several of a route run side by side, each fed the whole dose.

    Attributes
    ----------
    into : str
        ``central``, ``liver`` (where the model has one) or ``metabolism`` (the step that forms the first metabolite,
        which none of the parent drug comes back from).
    fraction : tuple of str
        Parameters of ``absorption`` whose product survives.
    remainder_of : str or None
        Times one minus this fraction: what another way of the route left over.
    zero_order, lag : str or None
        Durations.
    steps : tuple of str
        First-order steps in order: a rate, or a mean time (its rate is one over it).
    speed : str or None
        ``assumed`` where the paper's rate was not read: the stated range of the route stands in for it.
    """

    into: Literal["central", "liver", "metabolism"]
    fraction: tuple[str, ...] = ()
    remainder_of: str | None = None
    zero_order: str | None = None
    lag: str | None = None
    steps: tuple[str, ...] = ()
    speed: Literal["assumed"] | None = None

    @model_validator(mode="after")
    def _one_speed(self) -> Way:
        if self.speed is not None and (self.steps or self.zero_order or self.into != "central"):
            raise ValueError("an assumed speed leads into central and takes no steps and no zero_order")
        return self


class Absorption(Record):
    """The ways of one route, for some products.

    Attributes
    ----------
    device_mg : float or None
        A dose is a whole number of devices of this size.
    later_devices : dict
        Fraction to the ratio by which it changes from the second device of a session on.
    """

    route: Route
    products: tuple[Product, ...] = ()
    ways: tuple[Way, ...] = Field(min_length=1)
    device_mg: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    later_devices: dict[str, str] = {}

    def used(self) -> set[str]:
        """Every parameter named."""
        names: set[str] = {*self.later_devices, *self.later_devices.values()}
        for way in self.ways:
            names.update(way.fraction, way.steps)
            names.update(name for name in (way.remainder_of, way.zero_order, way.lag) if name)
        return names


class Covariate(Sourced):
    """A factor on one parameter for an ancestry, or a change with each year over an age.

    Attributes
    ----------
    parameter : str
        As effects are named: ``QH``, ``NK_CL``, ``F_NASAL``.
    ancestry : str or None
        Japanese people are Asian too.
    ratio : float or None
        For that ancestry.
    above_age_years, change_L_per_h_per_y : float or None
        Added to the typical value for each year over the age.
    """

    parameter: str
    ancestry: Literal["asian", "japanese"] | None = None
    ratio: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    above_age_years: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    change_L_per_h_per_y: float | None = Field(default=None, allow_inf_nan=False)

    @model_validator(mode="after")
    def _one_kind(self) -> Covariate:
        by_ancestry = self.ancestry is not None and self.ratio is not None
        by_age = self.above_age_years is not None and self.change_L_per_h_per_y is not None
        others = sum(
            value is not None for value in (self.ancestry, self.ratio, self.above_age_years, self.change_L_per_h_per_y)
        )
        if by_ancestry == by_age or others != 2:
            raise ValueError("a covariate is ancestry with ratio, or above_age_years with change_L_per_h_per_y")
        return self


def check_way(route: Absorption, parameters: Parameters, states: set[str]) -> None:
    """Refuse a route that names what is not there or has the wrong unit."""
    missing = route.used() - set(parameters)
    if missing:
        raise ValueError(f"{route.route}: absorption has no {', '.join(sorted(missing))}")
    for way in route.ways:
        if way.into not in states:
            raise ValueError(f"{route.route}: the model has no {way.into}; it has {', '.join(sorted(states))}")
        for name in (*way.fraction, way.remainder_of):
            if name is not None and parameters[name].unit != "fraction":
                raise ValueError(f"{route.route}: {name} is in {parameters[name].unit}; allowed: fraction")
        for name in (way.zero_order, way.lag):
            if name is not None and parameters[name].unit not in TIMES:
                raise ValueError(f"{route.route}: {name} is in {parameters[name].unit}; allowed: min or h")
        for name in way.steps:
            if parameters[name].unit not in (*TIMES, *RATES):
                raise ValueError(f"{route.route}: {name} is in {parameters[name].unit}; allowed: a rate or a time")
    for fraction, ratio in route.later_devices.items():
        if parameters[fraction].unit != "fraction" or parameters[ratio].unit != "ratio":
            raise ValueError(f"{route.route}: later_devices takes a fraction to a ratio")
    if route.later_devices and route.device_mg is None:
        raise ValueError(f"{route.route}: later_devices needs device_mg")
