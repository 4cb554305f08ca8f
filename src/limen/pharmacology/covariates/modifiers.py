"""What other drugs, organs and genes do to a model, as factors on its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from limen.pharmacology.outcome import Flag


@dataclass(frozen=True, slots=True)
class Modifiers:
    """What other drugs do to a model.

    Attributes
    ----------
    clearance_ratio : float
        On CL, in a model without a liver.
    absorbed_ratio : mapping of route to ratio
        On the share of a dose by that route that arrives, in a model without a liver.
    gut_ratio, hepatic_ratio : float
        On what survives the gut wall and on KEL and KMET, in a model with a liver.
    flags : tuple of Flag
    sources : tuple of str
    """

    clearance_ratio: float = 1.0
    absorbed_ratio: Mapping[str, float] = field(default_factory=dict)
    gut_ratio: float = 1.0
    hepatic_ratio: float = 1.0
    flags: tuple[Flag, ...] = ()
    sources: tuple[str, ...] = ()

    @property
    def parameter_ratios(self) -> dict[str, float]:
        """Parameter to ratio, of those that change: CL in a model without a liver; KEL, KMET and FGUT in one with."""
        found = {
            "CL": self.clearance_ratio,
            "KEL": self.hepatic_ratio,
            "KMET": self.hepatic_ratio,
            "FGUT": self.gut_ratio,
        }
        return {name: ratio for name, ratio in found.items() if ratio != 1.0}

    def then(self, other: Modifiers) -> Modifiers:
        """Both together: their factors multiply, which is an assumption where both act on one enzyme."""
        routes = {**self.absorbed_ratio, **other.absorbed_ratio}
        return Modifiers(
            self.clearance_ratio * other.clearance_ratio,
            {r: self.absorbed_ratio.get(r, 1.0) * other.absorbed_ratio.get(r, 1.0) for r in routes},
            self.gut_ratio * other.gut_ratio,
            self.hepatic_ratio * other.hepatic_ratio,
            (*self.flags, *other.flags),
            tuple(dict.fromkeys((*self.sources, *other.sources))),
        )
