"""The walls of a protocol as they stand for one patient, and what they hold a dose to."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import floor, nextafter
from typing import Any

from limen.care.measured import Rounding, measure
from limen.care.plan_past import Asking, Past, look_back, share_in_window
from limen.care.weights import Person
from limen.errors import InputError
from limen.knowledge.protocols import Protocol
from limen.knowledge.walls import Wall
from limen.pharmacology.regimen import Dose
from limen.units import Concentration, Mass, MassRate

# What is held down ends on a millionth of a milligram: far finer than anyone measures, and never over the limit.
_FINEST = 10**6


@dataclass(frozen=True, slots=True)
class Standing:
    """A wall that stands for this patient, and why.

    Attributes
    ----------
    limit : float
        What this session may reach, in ``unit`` (mg, mg/h, min, sessions or days): of milligrams over a day or longer
        what previous sessions leave.
    whole : float
        The limit before anything was given.
    past : Past or None
        What was given before, where the wall counts it.
    """

    wall: Wall
    limit: float
    unit: str
    because: str
    whole: float
    past: Past | None = None

    @property
    def reached(self) -> float | None:
        """What a count of sessions comes to with this one, or the days since the last; ``None``: not known, or none."""
        if self.past is None or self.past.given is None or not self.wall.counts_sessions:
            return None
        return self.past.given if self.wall.measure == "apart" else self.past.given + 1

    @property
    def too_often(self) -> bool:
        """Whether one session more is one too many, or comes too soon."""
        reached = self.reached
        if reached is None:
            return False
        return reached < self.limit if self.wall.bound == "least" else reached > self.limit

    def to_json(self) -> dict[str, Any]:
        """As a screen draws it."""
        return {
            "rule": self.wall.rule,
            "name": self.wall.name,
            "kind": self.wall.kind,
            "measure": self.wall.measure,
            "bound": self.wall.bound,
            "limit": self.limit,
            "whole": self.whole,
            "unit": self.unit,
            "past": None if self.past is None else self.past.to_json(),
            "because": self.because,
            "why": self.wall.why,
            "sources": list(self.wall.sources),
            "verification": self.wall.verification.value,
        }


def standing_walls(
    protocol: Protocol,
    person: Person,
    weight_kg: float,
    asking: Asking | None = None,
    more: Sequence[Wall] = (),
) -> tuple[Standing, ...]:
    """The walls that stand for this patient. A wall whose condition cannot be judged stands.

    Parameters
    ----------
    weight_kg : float
        The weight doses follow; conditions on weight look at the actual one.
    asking : Asking, optional
        What was given before; without it every wall bounds this session alone.
    more : sequence of Wall
        The site's own, beside the protocol's.

    Examples
    --------
    >>> from limen.knowledge.protocols import get_protocol
    >>> [(s.wall.name, s.limit) for s in standing_walls(get_protocol("TRD-IV"), Person(104, 178), 104)][:3]
    [('soft maximum', 78.0), ('hard maximum', 104.0), ('first-infusion cap', 60.0)]
    """
    found = []
    for wall in (*protocol.walls, *more):
        because = _stands(wall, person, asking)
        if because is None:
            continue
        per_kg = wall.unit.startswith("mg/kg")
        whole = limit = _by_weight(wall.limit, weight_kg) if per_kg else wall.limit
        unit = wall.unit.replace("mg/kg", "mg")
        past = None
        if wall.looks_back and asking is not None:
            past = look_back(wall, asking)
            if past.given and not wall.counts_sessions:
                limit = float(max(Fraction(0), Fraction(str(whole)) - Fraction(str(past.given))))
                because = f"{because}; {past.given:g} {unit} of {whole:g} {unit} given before"
        found.append(Standing(wall, limit, unit, because, whole, past))
    return tuple(found)


def _by_weight(limit: float, weight_kg: float) -> float:
    """A limit by weight, in the decimals as they are written; never a rounding error over it."""
    exact = Fraction(str(limit)) * Fraction(str(weight_kg))
    nearest = float(exact)
    return nextafter(nearest, 0.0) if Fraction(str(nearest)) > exact else nearest


def _stands(wall: Wall, person: Person, asking: Asking | None) -> str | None:
    """Why the wall stands, or ``None`` where it does not."""
    reasons = []
    if wall.first_sessions is not None:
        reached_mg = None if asking is None else asking.most_given_mg
        if wall.until_given_mg is not None and reached_mg is not None:
            if reached_mg >= wall.until_given_mg:
                return None
            reasons.append(f"no session of {wall.until_given_mg:g} mg on record before")
        elif person.session_number is None:
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
            "measure": self.standing.wall.measure,
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
        Every wall the asked doses cross: doses and rates over a most, durations and counts outside their walls.
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

    @property
    def nothing_left(self) -> bool:
        """Whether previous sessions leave nothing to give."""
        return not any(dose.amount_mg for dose in self.doses)

    def measured(self, strength: Concentration) -> Held:
        """The same, brought down to what a syringe of this strength can measure."""
        if self.nothing_left:
            return self
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
    holding: list[tuple[Fraction, Standing]] = []
    for standing in walls:
        if not _crosses(standing, doses):
            continue
        crossed.append(standing)
        if standing.wall.name in pass_walls:
            passed.append(standing)
        elif standing.wall.measure != "duration" and not standing.wall.counts_sessions:
            holding.append((Fraction(str(standing.limit)) / _asked(standing, doses), standing))
    if not holding:
        return Held(tuple(doses), None, tuple(crossed), tuple(passed))
    share, lowest = min(holding, key=lambda item: item[0])
    held = tuple(replace(dose, amount_mg=_reduced_mg(dose, share)) for dose in doses)
    hard = [item for item in holding if item[1].wall.kind == "hard"]
    decided = min(hard, key=lambda item: item[0])[1] if hard else lowest
    binding = Binding(decided, _quantity(decided, _asked(decided, doses)), _quantity(decided, _asked(decided, held)))
    return Held(held, binding, tuple(crossed), tuple(passed))


def _crosses(standing: Standing, doses: Sequence[Dose]) -> bool:
    wall = standing.wall
    if wall.measure == "duration":
        return any(_outside(standing, dose) for dose in bounded(standing, doses) if dose.duration_min > 0)
    if wall.counts_sessions:
        return standing.too_often
    return _asked(standing, doses) > Fraction(str(standing.limit))


def _used(binding: Binding | None, doses: Sequence[Dose]) -> Binding | None:
    """The binding wall with what is used of it now."""
    if binding is None:
        return None
    return replace(binding, used=_quantity(binding.standing, _asked(binding.standing, doses)))


def _quantity(standing: Standing, amount: Fraction) -> Mass | MassRate:
    return MassRate(float(amount)) if standing.unit == "mg/h" else Mass(float(amount))


def bounded(standing: Standing, doses: Sequence[Dose]) -> Sequence[Dose]:
    """The doses of a session that a wall looks at: one step's, or all."""
    return doses if standing.wall.step is None else doses[standing.wall.step - 1 : standing.wall.step]


def _asked(standing: Standing, doses: Sequence[Dose]) -> Fraction:
    """What doses come to in a wall's own measure, without a rounding error: the decimals as they are written."""
    seen = bounded(standing, doses)
    if standing.wall.measure == "rate":
        rates = [60 * _mg(dose) / Fraction(str(dose.duration_min)) for dose in seen if dose.duration_min > 0]
        return max(rates, default=Fraction(0))
    return sum((_mg(dose) * share_in_window(standing.wall, dose.duration_min) for dose in seen), Fraction(0))


def _mg(dose: Dose) -> Fraction:
    return Fraction(str(dose.amount_mg))


def _outside(standing: Standing, dose: Dose) -> bool:
    if standing.wall.bound == "least":
        return dose.duration_min < standing.limit
    return dose.duration_min > standing.limit


def _reduced_mg(dose: Dose, share: Fraction) -> float:
    return floor(_mg(dose) * share * _FINEST) / _FINEST
