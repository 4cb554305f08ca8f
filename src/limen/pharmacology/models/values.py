"""What every entry of a model file is made of: a number with its unit, its mark and its paper."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from limen.evidence import Verification, sources
from limen.evidence.yaml import Record

Product = Literal["racemic", "s-ketamine", "esketamine-nasal"]
Route = Literal["iv", "im", "sc", "in", "po", "sl", "buccal", "pr"]
Matrix = Literal["arterial", "venous", "plasma"]
Unit = Literal["L", "L/h", "L/min", "L/kg", "1/min", "1/h", "min", "h", "ratio", "fraction"]

VOLUMES = ("L", "L/kg")
FLOWS = ("L/h", "L/min")
RATES = ("1/min", "1/h")
TIMES = ("min", "h")


def must_be_cited(key: str) -> None:
    """Refuse a source that is not on file."""
    if key not in sources():
        raise ValueError(f"unknown source {key!r}; add it to evidence/data/sources")


class Sourced(Record):
    """A value's support: how far it was checked, and where it stands."""

    verification: Verification
    source: str
    note: str | None = None

    @model_validator(mode="after")
    def _cited(self) -> Sourced:
        must_be_cited(self.source)
        return self


class Parameter(Sourced):
    """One number of a paper.

    Attributes
    ----------
    value : float
        In ``unit``, at 70 kg where ``weight_exponent`` is given.
    weight_exponent : float or None
        The value is multiplied by (weight / 70 kg) to this power.
    disputed_weight_exponent : float or None
        What another transcription of the same paper uses instead.
    varies : str
        Scale on which patients differ: ``log`` (log-normal), or ``logit`` for a fraction that stays under 1.
    """

    value: float = Field(gt=0, allow_inf_nan=False)
    unit: Unit
    weight_exponent: float | None = Field(default=None, ge=0, le=1)
    disputed_weight_exponent: float | None = Field(default=None, ge=0, le=1)
    varies: Literal["log", "logit"] = "log"

    @model_validator(mode="after")
    def _scale(self) -> Parameter:
        if self.varies == "logit" and (self.unit != "fraction" or self.value >= 1):
            raise ValueError("only a fraction under 1 varies on the logit scale")
        return self


Parameters = dict[str, Parameter]


class Range(Sourced):
    """The ages or weights a paper studied."""

    low: float | None = Field(default=None, allow_inf_nan=False)
    high: float | None = Field(default=None, allow_inf_nan=False)
    unit: Literal["y", "kg"]

    @model_validator(mode="after")
    def _ordered(self) -> Range:
        if self.low is None and self.high is None:
            raise ValueError("a range needs low or high")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError("low is not below high")
        return self


class Studied(Record):
    """Who the paper studied; ``None`` where that was not read."""

    age: Range | None
    weight: Range | None


class Caveat(Record):
    """Something the user must be told whenever the model is used.

    Attributes
    ----------
    products, routes : tuple of str
        Only with one of these; always, where empty.
    on_metabolite : bool
        Only where metabolites are shown.
    """

    code: str
    verification: Verification
    message: str
    products: tuple[Product, ...] = ()
    routes: tuple[Route, ...] = ()
    on_metabolite: bool = False
