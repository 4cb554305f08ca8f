"""The walls of a protocol as they stand for one patient, and what they hold a dose to."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from math import isclose
from typing import Any, Literal

from limen.care.measured import Rounding, measure
from limen.errors import InputError
from limen.knowledge.protocols import Protocol, Wall, WeightBasis
from limen.pharmacology.regimen import Dose
from limen.units import Concentration, Mass, MassRate

# Devine 1974: kg at 60 inches, and kg for each inch above.
_IDEAL_AT_60_IN_KG = {"male": 50.0, "female": 45.5}
_IDEAL_PER_INCH_KG = 2.3
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


def dosing_weight_kg(protocol: Protocol, person: Person, basis: WeightBasis | None = None) -> float:
    """The weight doses follow.

    Parameters
    ----------
    basis : {"actual", "ideal"}, optional
        The protocol's own where not given.

    Returns
    -------
    float
        kg. Ideal weight by Devine 1974, never over the actual weight.

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
    if chosen == "actual":
        return person.weight_kg
    if person.height_cm is None or person.sex not in _IDEAL_AT_60_IN_KG:
        raise InputError("ideal weight needs height and sex", where=where, allowed="height_cm, and sex female or male")
    over_in = max(0.0, person.height_cm / _INCH_CM - 60.0)
    return min(person.weight_kg, _IDEAL_AT_60_IN_KG[person.sex] + _IDEAL_PER_INCH_KG * over_in)


@dataclass(frozen=True, slots=True)
class Standing:
    """A wall that stands for this patient, its limit in ``unit`` (mg, mg/h or min), and why it stands."""

    wall: Wall
    limit: float
    unit: Literal["mg", "mg/h", "min"]
    because: str

    def to_json(self) -> dict[str, Any]:
        """As a screen draws it."""
        return {
            "rule": self.wall.rule,
            "name": self.wall.name,
            "kind": self.wall.kind,
            "measure": self.wall.measure,
            "bound": self.wall.bound,
            "limit": self.limit,
            "unit": self.unit,
            "because": self.because,
            "why": self.wall.why,
            "sources": list(self.wall.sources),
            "verification": self.wall.verification.value,
        }


def standing_walls(protocol: Protocol, person: Person, weight_kg: float) -> tuple[Standing, ...]:
    """The walls that stand for this patient. A wall whose condition cannot be judged stands.

    Parameters
    ----------
    weight_kg : float
        The weight doses follow; conditions on weight look at the actual one.

    Examples
    --------
    >>> from limen.knowledge.protocols import get_protocol
    >>> [(s.wall.name, s.limit) for s in standing_walls(get_protocol("TRD-IV"), Person(104, 178), 104)][:3]
    [('soft maximum', 78.0), ('hard maximum', 104.0), ('first-infusion cap', 60.0)]
    """
    found = []
    for wall in protocol.walls:
        because = _stands(wall, person)
        if because is None:
            continue
        per_kg = wall.unit.startswith("mg/kg")
        limit = wall.limit * weight_kg if per_kg else wall.limit
        unit: Literal["mg", "mg/h", "min"] = (
            "min" if wall.unit == "min" else "mg/h" if wall.unit.endswith("/h") else "mg"
        )
        found.append(Standing(wall, limit, unit, because))
    return tuple(found)


def _stands(wall: Wall, person: Person) -> str | None:
    """Why the wall stands, or ``None`` where it does not."""
    reasons = []
    if wall.first_sessions is not None:
        if person.session_number is None:
            reasons.append("the number of the session is not known")
        elif person.session_number > wall.first_sessions:
            return None
        else:
            reasons.append(f"session {person.session_number}")
    if wall.over_weight_kg is None and wall.from_bmi_kg_per_m2 is None:
        return "; ".join(reasons) or "always"
    if wall.over_weight_kg is not None and person.weight_kg > wall.over_weight_kg:
        reasons.append(f"weight {person.weight_kg:g} kg is over {wall.over_weight_kg:g} kg")
        return "; ".join(reasons)
    if wall.from_bmi_kg_per_m2 is not None:
        bmi = person.bmi_kg_per_m2
        if bmi is None:
            reasons.append("height is not known, so the body mass index cannot be judged")
            return "; ".join(reasons)
        if bmi >= wall.from_bmi_kg_per_m2:
            reasons.append(f"body mass index {bmi:.1f} is {wall.from_bmi_kg_per_m2:g} or over")
            return "; ".join(reasons)
    return None


@dataclass(frozen=True, slots=True)
class Binding:
    """The wall that decided: what was asked, what is used, side by side. Beyond a hard wall nothing is given."""

    standing: Standing
    asked: Mass | MassRate
    used: Mass | MassRate

    def to_json(self) -> dict[str, Any]:
        return {
            "limit": self.standing.limit,
            "asked": self.asked.value,
            "used": self.used.value,
            "unit": self.asked.unit,
            "rule": self.standing.wall.rule,
            "name": self.standing.wall.name,
            "kind": self.standing.wall.kind,
            "because": self.standing.because,
            "verification": self.standing.wall.verification.value,
        }


@dataclass(frozen=True, slots=True)
class Held:
    """Doses after the walls.

    Attributes
    ----------
    doses : tuple of Dose
        What may be used. Where a wall holds, every step is reduced by the same proportion; where a syringe cannot
        measure that, each is brought down to its mark.
    binding : Binding or None
        The wall that decided: of hard ones crossed the furthest, for they refuse the dose; else the lowest.
    crossed : tuple of Standing
        Every wall the asked doses cross: doses and rates over a most, durations outside their walls.
    passed : tuple of Standing
        Soft walls crossed and passed on purpose.
    rounding : Rounding or None
        What the syringe made of it.
    """

    doses: tuple[Dose, ...]
    binding: Binding | None
    crossed: tuple[Standing, ...]
    passed: tuple[Standing, ...]
    rounding: Rounding | None = None

    @property
    def refused(self) -> tuple[Standing, ...]:
        """The hard walls crossed."""
        return tuple(standing for standing in self.crossed if standing.wall.kind == "hard")

    def measured(self, strength: Concentration) -> Held:
        """The same, brought down to what a syringe of this strength can measure."""
        doses, rounding = measure(self.doses, strength)
        return replace(self, doses=doses, binding=_used(self.binding, doses), rounding=rounding)


def hold(doses: Sequence[Dose], walls: Sequence[Standing], pass_walls: Collection[str] = ()) -> Held:
    """Hold doses to their walls; nothing is ever made larger, and no hard wall is passed.

    Parameters
    ----------
    doses : sequence of Dose
        The session's steps as asked.
    pass_walls : collection of str
        Names of soft walls that a prescriber passes with a reason.

    Raises
    ------
    InputError
        If a wall to pass does not stand, or is not soft.

    Examples
    --------
    >>> from limen.knowledge.protocols import get_protocol
    >>> walls = standing_walls(get_protocol("TRD-IV"), Person(104, 178, session_number=1), 104)
    >>> held = hold([Dose(78.0, "iv", 0.0, 40.0)], walls)
    >>> held.doses[0].amount_mg, str(held.binding.asked), held.binding.standing.wall.name
    (60.0, '78 mg', 'first-infusion cap')
    """
    passable = {standing.wall.name for standing in walls if standing.wall.kind == "soft"}
    for name in pass_walls:
        if name not in passable:
            raise InputError(
                f"no soft wall {name!r} to pass",
                where="pass_walls",
                allowed=", ".join(sorted(passable)) or "none stands",
            )
    crossed: list[Standing] = []
    passed: list[Standing] = []
    holding: list[tuple[float, Standing]] = []
    for standing in walls:
        if standing.wall.measure == "duration":
            if any(_outside(standing, dose) for dose in bounded(standing, doses) if dose.duration_min > 0):
                crossed.append(standing)
            continue
        asked = _asked(standing, doses)
        if standing.wall.bound == "least" or asked <= standing.limit:
            continue
        crossed.append(standing)
        if standing.wall.name in pass_walls:
            passed.append(standing)
            continue
        holding.append((standing.limit / asked, standing))
    if not holding:
        return Held(tuple(doses), None, tuple(crossed), tuple(passed))
    share, lowest = min(holding, key=lambda item: item[0])
    held = _reduced(doses, share, lowest)
    hard = [item for item in holding if item[1].wall.kind == "hard"]
    decided = min(hard, key=lambda item: item[0])[1] if hard else lowest
    ordered = _quantity(decided, _asked(decided, doses))
    return Held(held, _used(Binding(decided, ordered, ordered), held), tuple(crossed), tuple(passed))


def _used(binding: Binding | None, doses: Sequence[Dose]) -> Binding | None:
    """The binding wall with what is used of it now."""
    if binding is None:
        return None
    limit = binding.standing.limit
    used = _asked(binding.standing, doses)
    # A dose reduced to the limit stands a rounding error under it.
    return replace(binding, used=_quantity(binding.standing, limit if isclose(used, limit, rel_tol=1e-9) else used))


def _quantity(standing: Standing, amount: float) -> Mass | MassRate:
    return MassRate(amount) if standing.unit == "mg/h" else Mass(amount)


def bounded(standing: Standing, doses: Sequence[Dose]) -> Sequence[Dose]:
    """The doses of a session that a wall looks at: one step's, or all."""
    return doses if standing.wall.step is None else doses[standing.wall.step - 1 : standing.wall.step]


def _asked(standing: Standing, doses: Sequence[Dose]) -> float:
    seen = bounded(standing, doses)
    if standing.wall.measure == "rate":
        rates = [60.0 * dose.amount_mg / dose.duration_min for dose in seen if dose.duration_min > 0]
        return max(rates, default=0.0)
    return sum(dose.amount_mg for dose in seen)


def _outside(standing: Standing, dose: Dose) -> bool:
    if standing.wall.bound == "least":
        return dose.duration_min < standing.limit
    return dose.duration_min > standing.limit


def _reduced(doses: Sequence[Dose], share_fraction: float, lowest: Standing) -> tuple[Dose, ...]:
    if len(doses) == 1 and lowest.unit == "mg":
        # The limit itself, not a product that rounding could carry over it.
        only = doses[0]
        return (Dose(lowest.limit, only.route, only.start_min, only.duration_min),)
    # A trillionth under, so that rounding cannot carry the sum or a rate over the limit.
    shrink = share_fraction * (1.0 - 1e-12)
    return tuple(Dose(dose.amount_mg * shrink, dose.route, dose.start_min, dose.duration_min) for dose in doses)
