"""The weight that doses follow: actual, ideal or adjusted, by the protocol's rule and with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from limen.errors import InputError
from limen.knowledge.protocols import Protocol, WeightBasis
from limen.knowledge.weights import weights

_INCH_CM = 2.54


@dataclass(frozen=True, slots=True)
class Person:
    """What walls look at. ``None`` is not known; a wall that cannot be judged stands."""

    weight_kg: float
    height_cm: float | None = None
    sex: str | None = None
    session_number: int | None = None

    @property
    def bmi_kg_per_m2(self) -> float | None:
        return None if self.height_cm is None else self.weight_kg / (self.height_cm / 100.0) ** 2

    @property
    def ideal_kg(self) -> float | None:
        """Ideal weight by Devine 1974, never over the actual weight; ``None`` without height or sex."""
        rule = weights().ideal
        if self.height_cm is None or self.sex not in rule.at_60_in_kg:
            return None
        over_in = max(0.0, self.height_cm / _INCH_CM - 60.0)
        return min(self.weight_kg, rule.at_60_in_kg[self.sex] + rule.per_inch_kg * over_in)

    @property
    def adjusted_kg(self) -> float | None:
        """Ideal weight and a part of the excess over it; ``None`` without height or sex."""
        ideal_kg = self.ideal_kg
        if ideal_kg is None:
            return None
        return ideal_kg + weights().adjusted.of_excess_fraction * (self.weight_kg - ideal_kg)


def dosing_weight_kg(protocol: Protocol, person: Person, basis: WeightBasis | None = None) -> float:
    """The weight doses follow.

    Parameters
    ----------
    basis : {"actual", "ideal", "adjusted"}, optional
        The protocol's own where not given.

    Returns
    -------
    float
        kg. Ideal and adjusted weight are never over the actual one.

    Raises
    ------
    InputError
        If the protocol does not allow the basis for this patient, or height or sex is missing.

    Examples
    --------
    >>> from limen.knowledge.protocols import get_protocol
    >>> round(dosing_weight_kg(get_protocol("TRD-IV"), Person(104, 178, "male"), "ideal"), 1)
    73.2
    """
    rule = protocol.weight
    chosen = basis or rule.basis
    where = "weight_basis"
    if chosen != rule.basis:
        least = rule.alternative_from_bmi_kg_per_m2
        if chosen != rule.alternative:
            raise InputError(f"{protocol.id} is not dosed by {chosen} weight", where=where, allowed=rule.basis)
        bmi = person.bmi_kg_per_m2
        if least is not None and (bmi is None or bmi < least):
            shown = "not known" if bmi is None else f"{bmi:.1f}"
            raise InputError(
                f"body mass index {shown}", where=where, allowed=f"{chosen} weight from a body mass index of {least:g}"
            )
    found = {"actual": person.weight_kg, "ideal": person.ideal_kg, "adjusted": person.adjusted_kg}[chosen]
    if found is None:
        what = f"{chosen} weight needs height and sex"
        raise InputError(what, where=where, allowed="height_cm, and sex female or male")
    return found


def weights_json(protocol: Protocol, person: Person | None, basis: WeightBasis | None) -> dict[str, Any]:
    """Every weight side by side, which one doses follow, and why; ``null`` where height, sex or weight is missing."""
    rule = protocol.weight
    chosen = basis or rule.basis
    if chosen == rule.basis:
        because = rule.why or f"{protocol.id} is dosed by {chosen} weight"
    else:
        because = f"Chosen by the prescriber; {protocol.id} allows it"
        if rule.alternative_from_bmi_kg_per_m2 is not None:
            because += f" from a body mass index of {rule.alternative_from_bmi_kg_per_m2:g}"
    allowed = [rule.basis, *([rule.alternative] if rule.alternative else [])]
    return {
        "actual_kg": None if person is None else person.weight_kg,
        "ideal_kg": None if person is None else _tidy_kg(person.ideal_kg),
        "adjusted_kg": None if person is None else _tidy_kg(person.adjusted_kg),
        "bmi_kg_per_m2": None if person is None else _tidy_kg(person.bmi_kg_per_m2),
        "basis": chosen,
        "allowed": allowed,
        "because": because,
        "sources": list(rule.sources),
        "verification": rule.verification.value,
    }


def _tidy_kg(value_kg: float | None) -> float | None:
    return None if value_kg is None else round(value_kg, 3)
