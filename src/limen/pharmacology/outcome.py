"""What a simulation or a forecast hands back, in Python and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from limen.pharmacology.exposure import MEASURES, Curve, Measures, Percentiles, number, numbers

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Flag:
    """Something the reader of a result must know."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Summary:
    """Peak, time and area of one output: the typical patient, the population, and the least and greatest member."""

    typical: Measures
    patients: Measures | None = None
    members: Measures | None = None

    def to_json(self) -> dict[str, Any]:
        """``{"cmax": {"typical", "p05", "p50", "p95"}, "tmax_h": {...}, ...}``; effects have no area (null)."""
        return {name: self._cell(attribute) for name, attribute in MEASURES.items()}

    def _cell(self, attribute: str) -> dict[str, Any] | None:
        typical = getattr(self.typical, attribute)
        if typical is None:
            return None
        cell: dict[str, Any] = {"typical": number(typical[0])}
        if self.patients is not None:
            spread = Percentiles.over(getattr(self.patients, attribute))
            cell |= {level: number(getattr(spread, level).item()) for level in ("p05", "p50", "p95")}
        if self.members is not None:
            of_members = getattr(self.members, attribute)
            cell["between_models"] = {"low": number(of_members.min()), "high": number(of_members.max())}
        return cell


@dataclass(frozen=True, slots=True)
class Member:
    """One model of an ensemble, as it stands alone."""

    id: str
    matrix: str
    weight: float
    variability: bool
    typical: Mapping[str, Array]

    def to_json(self) -> dict[str, Any]:
        """The contract's ``members`` entry."""
        return {
            "id": self.id,
            "matrix": self.matrix,
            "weight": self.weight,
            "variability": self.variability,
            "typical": {name: numbers(values) for name, values in self.typical.items()},
        }


@dataclass(frozen=True, slots=True)
class Forecast:
    """Curves over time with their flags and sources.

    Attributes
    ----------
    model : str
        A model's id, or ``ensemble``.
    time_h : array (times,)
    outputs : mapping of NAME to Curve
    summary : mapping of NAME to Summary
    patients : int
        Virtual patients of each model; 0 when only the typical patient was asked for.
    members : tuple of Member
        The models of an ensemble; empty for one model.
    """

    model: str
    product: str
    time_h: Array
    outputs: Mapping[str, Curve]
    summary: Mapping[str, Summary]
    flags: tuple[Flag, ...]
    sources: tuple[str, ...]
    patients: int = 0
    members: tuple[Member, ...] = ()
    unknown_inputs: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """The ``simulate`` contract."""
        entry: dict[str, Any] = {
            "model": self.model,
            "product": self.product,
            "patients": self.patients,
            "time_h": numbers(self.time_h),
            "outputs": {name: curve.to_json() for name, curve in self.outputs.items()},
            "summary": {name: summary.to_json() for name, summary in self.summary.items()},
            "flags": [{"code": flag.code, "message": flag.message} for flag in self.flags],
            "sources": list(self.sources),
            "unknown_inputs": list(self.unknown_inputs),
        }
        if self.members:
            entry["members"] = [member.to_json() for member in self.members]
        return entry
