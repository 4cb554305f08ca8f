"""One output's curves and measures, counted chunk by chunk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from limen.pharmacology.exposure import MEASURES, Measures, Percentiles
from limen.pharmacology.outcome import Flag
from limen.pharmacology.populations.quantiles import QuantileSketch, pooled_quantiles

Array = npt.NDArray[np.float64]

_LEVELS = (0.05, 0.5, 0.95)
# Percentiles.over reads the 5th, 50th and 95th of these back exactly.
_STEPS = tuple(place / 20 for place in range(21))


@dataclass(frozen=True, slots=True)
class Counted:
    """One output of one model."""

    curve: QuantileSketch
    measures: dict[str, QuantileSketch] = field(default_factory=dict)

    @classmethod
    def of(cls, values: Array, measures: Measures, bits: int) -> Counted:
        """Room for as many times and measures as these have."""
        known = [name for name in MEASURES.values() if getattr(measures, name) is not None]
        return cls(QuantileSketch(values.shape[1], bits=bits), {name: QuantileSketch(1, bits=bits) for name in known})

    def add(self, values: Array, measures: Measures) -> None:
        """Count more patients: values (patients, times)."""
        self.curve.add(values)
        for name, sketch in self.measures.items():
            sketch.add(getattr(measures, name)[:, None])

    def between_patients(self) -> Percentiles:
        """Percentiles of the curves at each time."""
        return Percentiles(*self.curve.quantiles(_LEVELS))

    def typical(self, measures: Measures) -> Measures:
        """The typical patient's measures, of those that were counted."""
        return Measures(*(getattr(measures, name) if name in self.measures else None for name in MEASURES.values()))  # type: ignore[arg-type]

    def patients(self) -> Measures:
        """Rows that have the population's percentiles."""
        return pooled_patients([self], np.ones(1))


def pooled_percentiles(counted: Sequence[Counted], weights: Array) -> Percentiles:
    """Percentiles over the patients of several models together."""
    return Percentiles(*pooled_quantiles([item.curve for item in counted], weights, _LEVELS))


def pooled_patients(counted: Sequence[Counted], weights: Array) -> Measures:
    """Rows that have the percentiles of several models' patients together."""
    rows: Mapping[str, Array] = {
        name: pooled_quantiles([item.measures[name] for item in counted], weights, _STEPS)[:, 0]
        for name in counted[0].measures
    }
    return Measures(*(rows.get(name) for name in MEASURES.values()))  # type: ignore[arg-type]


def counted_flag(n: int, bits: int) -> Flag:
    """How far a counted percentile may be from the exact one."""
    bound = QuantileSketch(1, bits=bits)
    return Flag(
        "counted-percentiles",
        f"Percentiles of {n:,} virtual patients, counted in bins: each within {100 * bound.error_fraction:.2g} % of the"
        f" exact percentile, or within {bound.floor:.1g} of its unit",
    )
