"""Ketamine products: presentations, strengths and dilution. Different products are never converted into each other."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Literal, Self

from pydantic import model_validator

from limen.errors import InputError, KnowledgeError
from limen.evidence import read_yaml
from limen.evidence.yaml import Record
from limen.knowledge.claim import Claim, Statement


class Vial(Claim):
    """One presentation for injection, in mg of ketamine base."""

    concentration_mg_per_mL: float
    volume_mL: float
    dilute_before_iv: bool = False

    @property
    def amount_mg(self) -> float:
        return self.concentration_mg_per_mL * self.volume_mL


class Device(Claim):
    """One single-use spray device; given whole, with ``rest_min`` before the next."""

    dose_mg: float
    sprays: int
    rest_min: float


class Dilution(Claim):
    """How a vial that must not be injected as it is gets diluted: at least ``diluent_parts`` parts to one."""

    diluent_parts: int
    diluents: tuple[str, ...]
    use: str


class Product(Record):
    """One product. Doses of one product say nothing about another.

    Attributes
    ----------
    id : {"racemic", "s-ketamine", "esketamine-nasal"}
    vials : tuple of Vial
        Strengths that were read; a product with none recorded cannot be drawn up by a plan.
    """

    id: Literal["racemic", "s-ketamine", "esketamine-nasal"]
    title: str
    routes: tuple[Literal["iv", "im", "sc", "in", "po", "sl", "buccal", "pr"], ...]
    vials: tuple[Vial, ...] = ()
    device: Device | None = None
    dilution: Dilution | None = None
    warnings: tuple[Statement, ...] = ()

    @property
    def strengths_mg_per_mL(self) -> tuple[float, ...]:
        return tuple(vial.concentration_mg_per_mL for vial in self.vials)

    def vial(self, concentration_mg_per_mL: float) -> Vial:
        """The presentation of this strength.

        Raises
        ------
        InputError
            If the product is not made in it; the message lists the strengths it is made in.
        """
        for vial in self.vials:
            if vial.concentration_mg_per_mL == concentration_mg_per_mL:
                return vial
        strengths = ", ".join(f"{strength:g}" for strength in self.strengths_mg_per_mL)
        raise InputError(
            f"no {self.title.lower()} vial holds {concentration_mg_per_mL:g} mg/mL",
            where="concentration_mg_per_mL",
            allowed=f"{strengths} mg/mL" if strengths else "no strength of this product is on record",
        )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        strengths = self.strengths_mg_per_mL
        if len(set(strengths)) != len(strengths) or any(strength <= 0 for strength in strengths):
            raise ValueError(f"{self.id}: strengths must be positive and differ")
        if any(vial.dilute_before_iv for vial in self.vials) and self.dilution is None:
            raise ValueError(f"{self.id}: a vial must be diluted but no dilution is given")
        return self


@functools.cache
def products() -> dict[str, Product]:
    """Every product by id.

    Examples
    --------
    >>> products()["racemic"].strengths_mg_per_mL
    (10.0, 50.0, 100.0)
    """
    folder = resources.files("limen.knowledge") / "data" / "drugs"
    found: dict[str, Product] = {}
    for path in sorted(folder.iterdir(), key=lambda item: item.name):
        if not path.name.endswith(".yaml"):
            continue
        product = read_yaml(path, Product)
        if product.id in found:
            raise KnowledgeError(f"product {product.id!r} stands in two files", where=path.name)
        found[product.id] = product
    return found


def get_product(name: str) -> Product:
    """The product with this id.

    Raises
    ------
    InputError
        If there is none; the message lists those there are.
    """
    try:
        return products()[name]
    except KeyError:
        raise InputError(f"unknown product {name!r}", where="product", allowed=", ".join(products())) from None
