"""How far a published line goes: past the concentrations that were studied its values are withheld, never clamped."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from limen.evidence import Verification
from limen.pharmacology.effects.catalogue import effects
from limen.pharmacology.exposure import unit_of
from limen.pharmacology.outcome import Flag

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reach:
    """How high an effect may be believed.

    Attributes
    ----------
    value : float
        What the steepest published line gives at ``at_ng_per_mL``, in the unit of the output.
    at_ng_per_mL : float
        S-ketamine at the site of the effect.
    log_sd : float
        Of the factor by which people differ; 0 where no such spread is in the line.
    supported_ng_per_mL : float
        The highest concentration behind the line itself.
    """

    value: float
    unit: str
    at_ng_per_mL: float
    supported_ng_per_mL: float
    verification: Verification
    source: str
    log_sd: float = 0.0

    def at(self, level: str) -> float:
        """How high the typical patient, a model, or a percentile of the patients may be believed, in the output's unit.

        A percentile over people stands where that part of them would be at the concentration itself.
        """
        z = _NORMAL.get(level)
        return self.value if z is None else self.value * max(1.0, math.exp(self.log_sd * z))


# Standard normal at the percentiles that are told; between 5 and 50 of 100 the mean line is the stricter of the two.
_NORMAL = {"p05": -1.6448536269514722, "p50": 0.0, "p90": 1.2815515655446004, "p95": 1.6448536269514722}


@functools.cache
def reaches() -> Mapping[str, Reach]:
    """Of every effect that grows without a ceiling: outputs by NAME.

    Examples
    --------
    >>> {name: round(reach.value, 1) for name, reach in reaches().items()}["cardiac_output_change_pct"]
    49.9
    >>> "dissociation_pct" in reaches()
    False
    """
    models = effects()
    found = {}
    for line in models.lines:
        past = line.withheld_past
        found[line.output] = Reach(
            line.slope.high * past.value,
            unit_of(line.output),
            past.value,
            line.supported_to.value,
            past.verification,
            past.source,
            0.0 if line.people is None else line.people.log_sd,
        )
    shift = models.ventilation
    past = shift.withheld_past
    found[shift.output] = Reach(
        1.0 + past.value / shift.doubling.low,
        unit_of(shift.output),
        past.value,
        shift.supported_to.value,
        past.verification,
        past.source,
    )
    return found


def believed(name: str, values: Array, level: str = "typical") -> Array:
    """The values, with NaN where a line was carried past what was studied.

    Parameters
    ----------
    name : str
        NAME of the output.
    values : array of any shape
        In the unit of the NAME.
    level : str
        Whose: ``typical`` (or a model's), or a percentile of the patients. An effect only grows with concentration, so
        the percentiles over the limit are those of patients over it.

    Returns
    -------
    array of the same shape; the same array where nothing is withheld.

    Examples
    --------
    >>> believed("cardiac_output_change_pct", np.array([10.0, 250.0]))
    array([10., nan])
    >>> believed("ketamine_plasma_ng_per_mL", np.array([10.0, 2500.0]))
    array([  10., 2500.])
    """
    reach = reaches().get(name)
    if reach is None:
        return values
    with np.errstate(invalid="ignore"):
        over = values > reach.at(level)
    return np.where(over, np.nan, values) if over.any() else values


def withheld_flags(names: Iterable[str]) -> list[Flag]:
    """What is said of the outputs of which something was withheld."""
    found = []
    for name in dict.fromkeys(names):
        reach = reaches()[name]
        found.append(
            Flag(
                "effect-withheld",
                f"{name}: withheld where it would pass {reach.value:.3g} {reach.unit}, what the steepest published line"
                f" gives at {reach.at_ng_per_mL:g} ng/mL of S-ketamine, the highest level of the volunteer studies"
                f" [{reach.verification}] and {reach.at_ng_per_mL / reach.supported_ng_per_mL:.2g} times the highest"
                " behind this line; a percentile of patients where that part of them would be there. The effect was not"
                " studied there; nothing is put in its place",
            )
        )
    return found
