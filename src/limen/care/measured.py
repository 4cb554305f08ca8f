"""A dose brought down to what a syringe can measure: asked, used and the mark between them, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from limen.knowledge.measuring import Measuring, measuring
from limen.pharmacology.regimen import Dose
from limen.units import Concentration, Mass, Volume

# Doses nearer to a mark than this share of a step are on it: what floats lose in mg/kg times kg.
_ON_THE_MARK = 1e-6


@dataclass(frozen=True, slots=True)
class Rounding:
    """What the syringe made of a dose.

    Attributes
    ----------
    asked, used : Mass
        The session's dose before and after. ``used`` is 0 where the dose is less than one mark.
    strength : Concentration
        Strength of what is measured: the vial, or what the pump runs while no vial is chosen.
    step : Volume
        The mark.
    """

    asked: Mass
    used: Mass
    strength: Concentration
    step: Volume
    rule: Measuring

    @property
    def lost_pct(self) -> float:
        return 100.0 * (1.0 - self.used.value / self.asked.value)

    @property
    def because(self) -> str:
        """In words, with the volume before and after."""
        exact, drawn = self.asked / self.strength, self.used / self.strength
        return f"{exact} of {self.strength} is measured as {drawn}: the syringe is read to {self.step}"

    def to_json(self) -> dict[str, Any]:
        """In the shape of ``limits.binding``, and more."""
        return {
            "limit": self.used.value,
            "asked": self.asked.value,
            "used": self.used.value,
            "unit": self.asked.unit,
            "rule": self.rule.rule,
            "name": self.rule.name,
            "kind": "rounding",
            "because": self.because,
            "verification": self.rule.verification.value,
            "step_mL": self.step.value,
            "of_mg_per_mL": self.strength.value,
        }


def measure(doses: Sequence[Dose], strength: Concentration) -> tuple[tuple[Dose, ...], Rounding | None]:
    """Bring every step down to the mark of a syringe that holds the session's dose.

    Parameters
    ----------
    doses : sequence of Dose
        The session's steps, after the walls.
    strength : Concentration
        Of what is measured.

    Returns
    -------
    tuple of Dose, and Rounding or None
        The doses unchanged, with ``None``, where every step stands on a mark; unchanged also where a step is less
        than one mark, and then the rounding says 0 mg: the caller refuses it.

    Examples
    --------
    >>> doses, rounding = measure([Dose(40.75, "iv", 0.0, 40.0)], Concentration(50))
    >>> doses[0].amount_mg, rounding.because
    (40.5, '0.815 mL of 50 mg/mL is measured as 0.81 mL: the syringe is read to 0.01 mL')
    >>> measure([Dose(35.0, "iv", 0.0, 40.0)], Concentration(50))[1] is None
    True
    """
    rule = measuring()
    asked = Mass(sum(dose.amount_mg for dose in doses))
    step = Volume(rule.step_mL((asked / strength).value))
    mark_mg = Decimal(str(step.value)) * Decimal(str(strength.value))
    used = [_down(dose, mark_mg) for dose in doses]
    if all(before is after for before, after in zip(doses, used, strict=True)):
        return tuple(doses), None
    if any(dose.amount_mg == 0 for dose in used):
        return tuple(doses), Rounding(asked, Mass(0.0), strength, step, rule)
    return tuple(used), Rounding(asked, Mass(sum(dose.amount_mg for dose in used)), strength, step, rule)


def _down(dose: Dose, mark_mg: Decimal) -> Dose:
    """The dose at the mark below, or the dose itself where it stands on one."""
    marks = Decimal(str(dose.amount_mg)) / mark_mg
    if abs(marks - round(marks)) <= Decimal(_ON_THE_MARK) and round(marks) > 0:
        return dose
    return replace(dose, amount_mg=float(int(marks) * mark_mg))
