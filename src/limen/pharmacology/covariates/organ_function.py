"""Kidney, liver, age and weight as published, for the route and product they were measured with and no further."""

from __future__ import annotations

import functools
from collections.abc import Collection
from importlib import resources
from typing import Any, Literal

from pydantic import Field, RootModel, model_validator

from limen.evidence import Verification, read_yaml
from limen.evidence.yaml import Record
from limen.pharmacology.covariates.modifiers import Modifiers
from limen.pharmacology.models.schema import Product, Route, Sourced
from limen.pharmacology.outcome import Flag
from limen.pharmacology.patient import PatientProfile

_SIZES = {
    "auc": "area",
    "cmax": "peak",
    "half_life": "half-life",
    "norketamine_auc": "area of norketamine",
}


class Ratio(Record):
    """A ratio against normal organs, from ``low`` to ``high``."""

    low: float = Field(gt=0)
    high: float = Field(gt=0)
    unit: Literal["ratio"] = "ratio"

    @model_validator(mode="after")
    def _ordered(self) -> Ratio:
        if self.low > self.high:
            raise ValueError("low is over high")
        return self

    @property
    def middle_ratio(self) -> float:
        """What is applied."""
        return 0.5 * (self.low + self.high)

    @property
    def words(self) -> str:
        return f"{self.low:g}" if self.low == self.high else f"{self.low:g} to {self.high:g}"


class OrganEffect(Sourced):
    """One published effect.

    Attributes
    ----------
    measure : str
        The patient's value it goes by: ``from`` (or ``above``) to under ``below``, or being ``is``.
    apply : bool
        Whether it is put into the forecast of its route and product; if not it is told beside it.
    not_recommended : bool
        Whether the label advises against the drug.
    """

    id: str
    title: str
    measure: Literal["egfr_mL_per_min", "child_pugh", "age_years", "weight_kg"]
    lower: float | None = Field(default=None, alias="from")
    upper: float | None = Field(default=None, alias="below")
    threshold: float | None = Field(default=None, alias="above")
    is_value: str | None = Field(default=None, alias="is")
    unit: Literal["of measure"] = "of measure"
    route: Route
    product: Product
    auc: Ratio | None = None
    cmax: Ratio | None = None
    half_life: Ratio | None = None
    norketamine_auc: Ratio | None = None
    apply: bool
    not_recommended: bool = False

    @model_validator(mode="after")
    def _whole(self) -> OrganEffect:
        if (self.is_value is None) == (self.lower is self.upper is self.threshold is None):
            raise ValueError("give is, or from, above and below")
        if self.apply and self.auc is None:
            raise ValueError("what is applied needs auc")
        if self.apply and self.verification is Verification.UNVERIFIED:
            raise ValueError("an unverified size is not applied by default")
        return self

    def concerns(self, patient: PatientProfile) -> bool:
        """Whether this patient is one of them; a missing value is not."""
        value: Any = getattr(patient, self.measure)
        if value is None:
            return False
        if self.is_value is not None:
            return bool(value == self.is_value)
        if self.threshold is not None and value <= self.threshold:
            return False
        return (self.lower is None or value >= self.lower) and (self.upper is None or value < self.upper)

    @property
    def sizes(self) -> str:
        """Every ratio in words, or that none was read."""
        found = {name: getattr(self, name) for name in _SIZES}
        words = ", ".join(f"{_SIZES[name]} times {size.words}" for name, size in found.items() if size is not None)
        return words or "no size was read"


class _File(RootModel[tuple[OrganEffect, ...]]):
    pass


@functools.cache
def organ_effects() -> tuple[OrganEffect, ...]:
    """Every published effect of kidney, liver, age and weight on file."""
    return read_yaml(resources.files("limen.pharmacology") / "data" / "organ_function.yaml", _File).root


def organ_function(
    patient: PatientProfile, routes: Collection[str], product: str, *, unverified: bool = False
) -> Modifiers:
    """What is known of this patient's organs, applied where it was measured and told where it was not.

    Parameters
    ----------
    patient : PatientProfile
        ``egfr_mL_per_min``, ``child_pugh``, ``age_years`` and ``weight_kg`` are looked at; what is missing is passed
        over.
    routes : collection of str
    product : str
    unverified : bool
        Apply the sizes marked M too, which were not read.

    Returns
    -------
    Modifiers
        Exposure is changed through the share of the dose that arrives: peak and area change alike, a half-life does
        not change.

    Examples
    --------
    >>> found = organ_function(PatientProfile(egfr_mL_per_min=40), ["in"], "esketamine-nasal")
    >>> {route: round(ratio, 3) for route, ratio in found.absorbed_ratio.items()}
    {'in': 1.245}
    >>> [flag.code for flag in organ_function(PatientProfile(egfr_mL_per_min=40), ["iv"], "racemic").flags]
    ['renal-not-measured']
    """
    if patient.egfr_mL_per_min is None and patient.child_pugh is None and "in" not in routes:
        # Sizes by age and weight are all nasal: nothing to say, and no file to read for it.
        return Modifiers()
    absorbed: dict[str, float] = {}
    flags: list[Flag] = []
    sources: list[str] = []
    for effect in organ_effects():
        if not effect.concerns(patient):
            continue
        here = effect.product == product and effect.route in routes
        told = f"{effect.title}: {effect.sizes} [{effect.verification}]"
        note = f"; {' '.join(effect.note.split())}" if effect.note else ""
        if effect.not_recommended:
            flags.append(Flag(f"{effect.id}-not-studied", f"{told}{note}. The forecast does not hold it"))
            continue
        if not here:
            # Weight and age stand in models of their own; kidney and liver stand in none.
            if effect.measure in {"egfr_mL_per_min", "child_pugh"}:
                flags.append(
                    Flag(
                        f"{effect.id}-not-measured",
                        f"{told}, measured with {effect.product} by the route {effect.route} alone; not applied to"
                        f" {product} by {', '.join(routes)}, which does not mean no effect",
                    )
                )
            continue
        asked = unverified and effect.verification is Verification.UNVERIFIED and effect.auc is not None
        if effect.auc is not None and (effect.apply or asked):
            ratio = effect.auc.middle_ratio
            absorbed[effect.route] = absorbed.get(effect.route, 1.0) * ratio
            sources.append(effect.source)
            flags.append(
                Flag(
                    f"{effect.id}-applied",
                    f"{told}; applied as {ratio:g} times the share that arrives, peak and area alike{note}",
                )
            )
        else:
            sources.append(effect.source)
            flags.append(Flag(f"{effect.id}-told", f"{told}; not applied{note}"))
    return Modifiers(absorbed_ratio=absorbed, flags=tuple(flags), sources=tuple(dict.fromkeys(sources)))
