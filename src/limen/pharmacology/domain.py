"""Whether a patient is one of those a model was made with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from limen.pharmacology.models.schema import Model, Range
from limen.pharmacology.patient import PatientProfile


@dataclass(frozen=True, slots=True)
class Covariate:
    """One covariate of a patient beside the range that was studied.

    Attributes
    ----------
    value : float or None
        The patient's, in ``unit``; ``None`` where it was not given.
    studied : Range or None
        ``None`` where the range was not read.
    """

    name: str
    value: float | None
    unit: str
    studied: Range | None

    @property
    def inside(self) -> bool | None:
        """``None`` where it cannot be told."""
        if self.value is None or self.studied is None:
            return None
        low, high = self.studied.low, self.studied.high
        return (low is None or self.value >= low) and (high is None or self.value <= high)

    def to_json(self) -> dict[str, Any]:
        """What was given and what was studied, side by side."""
        studied = self.studied
        return {
            "given": self.value,
            "low": None if studied is None else studied.low,
            "high": None if studied is None else studied.high,
            "unit": self.unit,
            "verification": None if studied is None else studied.verification.value,
            "inside": self.inside,
        }


@dataclass(frozen=True, slots=True)
class Domain:
    """Who a model was made with, and where this patient stands."""

    population: str
    covariates: tuple[Covariate, ...]

    @property
    def inside(self) -> bool | None:
        """``False`` where any covariate is outside, ``None`` where none is and some cannot be told."""
        answers = [covariate.inside for covariate in self.covariates]
        return False if False in answers else None if None in answers else True

    def to_json(self) -> dict[str, Any]:
        """``{"inside", "population", "age": {...}, "weight": {...}}``."""
        entry: dict[str, Any] = {"inside": self.inside, "population": self.population}
        return entry | {covariate.name: covariate.to_json() for covariate in self.covariates}


def domain_of(model: Model, patient: PatientProfile) -> Domain:
    """Where this patient stands among those a model was made with.

    Examples
    --------
    >>> from limen.pharmacology.models import get
    >>> found = domain_of(get("herd-2007"), PatientProfile(age_years=30, weight_kg=70))
    >>> found.inside, [covariate.inside for covariate in found.covariates]
    (False, [False, True])
    """
    return Domain(
        model.population,
        (
            Covariate("age", patient.age_years, "y", model.studied.age),
            Covariate("weight", patient.weight_kg, "kg", model.studied.weight),
        ),
    )
