"""How far a published line goes: past the concentrations that were studied its values are withheld, never clamped."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from limen.evidence import Verification
from limen.pharmacology.effects.catalogue import effects
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
    supported_ng_per_mL : float
        The highest concentration behind the line itself.
    """

    value: float
    at_ng_per_mL: float
    supported_ng_per_mL: float
    verification: Verification
    source: str


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
            line.slope.high * past.value, past.value, line.supported_to.value, past.verification, past.source
        )
    shift = models.ventilation
    past = shift.withheld_past
    found[shift.output] = Reach(
        1.0 + past.value / shift.doubling.low,
        past.value,
        shift.supported_to.value,
        past.verification,
        past.source,
    )
    return found


def believed(name: str, values: Array) -> Array:
    """The values, with NaN where a line was carried past what was studied.

    Parameters
    ----------
    name : str
        NAME of the output.
    values : array of any shape
        In the unit of the NAME. Percentiles may be given: an effect only grows with concentration, so the percentiles
        over the limit are those of patients over it.

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
        over = values > reach.value
    return np.where(over, np.nan, values) if over.any() else values


def withheld_flags(names: Iterable[str]) -> list[Flag]:
    """What is said of the outputs of which something was withheld."""
    found = []
    for name in dict.fromkeys(names):
        reach = reaches()[name]
        found.append(
            Flag(
                "effect-withheld",
                f"{name}: withheld where it would pass {reach.value:.3g}, what the steepest published line gives at"
                f" {reach.at_ng_per_mL:g} ng/mL of S-ketamine, the highest level of the volunteer studies"
                f" [{reach.verification}] and {reach.at_ng_per_mL / reach.supported_ng_per_mL:.2g} times the highest"
                " behind this line. The effect was not studied there; nothing is put in its place",
            )
        )
    return found
