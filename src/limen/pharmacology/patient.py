"""Who the forecast is for."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from limen.errors import InputError

_RANGES = {
    "age_years": (0.0, 120.0, "years"),
    "weight_kg": (2.0, 350.0, "kg"),
    "height_cm": (40.0, 250.0, "cm"),
    "egfr_mL_per_min": (0.0, 250.0, "mL/min"),
}
_CHOICES = {
    "sex": ("female", "male", "other", "unknown"),
    "ancestry": ("asian", "japanese", "other"),
    "child_pugh": ("A", "B", "C"),
}


@dataclass(frozen=True, slots=True)
class PatientProfile:
    """The covariates a model may use; ``None`` is missing.

    Raises
    ------
    InputError
        If a value is not a number, is impossible, or is not one of the words allowed.

    Examples
    --------
    >>> PatientProfile(age_years=42, weight_kg=700)
    Traceback (most recent call last):
    ...
    limen.errors.InputError: patient.weight_kg: weight_kg 700; allowed: 2 to 350 kg
    """

    age_years: float | None = None
    sex: str | None = None
    weight_kg: float | None = None
    weight_on: str | None = None
    height_cm: float | None = None
    ancestry: str | None = None
    egfr_mL_per_min: float | None = None
    child_pugh: str | None = None

    def __post_init__(self) -> None:
        for name, (low, high, unit) in _RANGES.items():
            value = getattr(self, name)
            if value is None:
                continue
            allowed = f"{low:g} to {high:g} {unit}"
            if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
                raise InputError(f"{name} {value!r:.40} is not a number", where=f"patient.{name}", allowed=allowed)
            if not low <= value <= high:
                raise InputError(f"{name} {value!r:.40}", where=f"patient.{name}", allowed=allowed)
        for name, words in _CHOICES.items():
            value = getattr(self, name)
            if value is not None and value not in words:
                raise InputError(f"{name} {value!r}", where=f"patient.{name}", allowed=", ".join(words) + " or null")
        if self.weight_on is not None:
            try:
                date.fromisoformat(self.weight_on)
            except (TypeError, ValueError):
                raise InputError(
                    f"weight_on {self.weight_on!r} is not a date", where="patient.weight_on", allowed="YYYY-MM-DD"
                ) from None

    @classmethod
    def from_json(cls, entry: dict[str, Any]) -> tuple[PatientProfile, tuple[str, ...]]:
        """The profile in a JSON object, and the keys that no model knows.

        Examples
        --------
        >>> PatientProfile.from_json({"weight_kg": 70, "shoe_size": 42})[1]
        ('shoe_size',)
        """
        known = {field.name for field in fields(cls)}
        unknown = tuple(key for key in entry if key not in known)
        return cls(**{key: value for key, value in entry.items() if key in known}), unknown

    def need_weight_kg(self, why: str) -> float:
        """The weight, or an error that says what needs it."""
        if self.weight_kg is None:
            raise InputError("the weight is missing", where="patient.weight_kg", allowed="2 to 350 kg", hint=why)
        return float(self.weight_kg)
