"""What a simulation or a forecast hands back, in Python and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from limen.pharmacology.domain import Domain
from limen.pharmacology.exposure import MEASURES, Curve, Measures, Percentiles, number, numbers
from limen.pharmacology.pooling import weighted_percentiles

if TYPE_CHECKING:
    from limen.pharmacology.recovery import Recovery

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Flag:
    """Something the reader of a result must know."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Summary:
    """Peak, time and area of one output: the typical patient, the population, and the members.

    Attributes
    ----------
    patient_weights : array or None
        What each row of ``patients`` counts; ``None`` where all count the same.
    believed_to : callable or None
        Of ``typical`` or a percentile: a peak over it is withheld (null), for the line behind it was not studied there.
    """

    typical: Measures
    patients: Measures | None = None
    members: Measures | None = None
    patient_weights: Array | None = None
    believed_to: Callable[[str], float] | None = None

    def to_json(self) -> dict[str, Any]:
        """``{"cmax": {"typical", "p05", "p50", "p95"}, "tmax_h": {...}, ...}``; effects have no area (null)."""
        cells = {name: self._cell(attribute) for name, attribute in MEASURES.items()}
        peak = cells["cmax"]
        if self.believed_to is None or peak is None:
            return cells
        gone = peak["typical"] is not None and peak["typical"] > self.believed_to("typical")
        return cells | {"cmax": {level: _withheld(level, item, self.believed_to, gone) for level, item in peak.items()}}

    @property
    def over_reach(self) -> bool:
        """Whether a peak of it is withheld."""
        rows = [self.typical, *(item for item in (self.patients, self.members) if item is not None)]
        if self.believed_to is None or not any((item.peak > self.believed_to("typical")).any() for item in rows):
            return False
        return bool(self.to_json()["cmax"] != self._cell(MEASURES["cmax"]))

    def _cell(self, attribute: str) -> dict[str, Any] | None:
        typical = getattr(self.typical, attribute)
        if typical is None:
            return None
        cell: dict[str, Any] = {"typical": number(typical[0])}
        if self.patients is not None:
            cell |= self._spread(getattr(self.patients, attribute)).to_json()
        if self.members is not None:
            of_members = getattr(self.members, attribute)
            of_members = of_members[~np.isnan(of_members)]
            low, high = (of_members.min(), of_members.max()) if len(of_members) else (None, None)
            cell["between_models"] = {"low": number(low), "high": number(high)}
        return cell

    def _spread(self, rows: Array) -> Percentiles:
        """Over the patients who have the number; NaN where none has."""
        some = ~np.isnan(rows)
        if not some.any():
            return Percentiles(np.array(np.nan), np.array(np.nan), np.array(np.nan))
        if self.patient_weights is None:
            return Percentiles.over(rows[some])
        return Percentiles(
            *(np.asarray(level) for level in weighted_percentiles(rows[some], self.patient_weights[some]))
        )


def _withheld(level: str, item: Any, most: Callable[[str], float], gone: bool) -> Any:
    """One number of a cell of JSON, or a pair of models', without what is over its limit; percentiles go with the
    typical patient."""
    if isinstance(item, dict):
        return {end: _withheld("typical", value, most, False) for end, value in item.items()}
    return None if item is not None and (item > most(level) or (gone and level != "typical")) else item


@dataclass(frozen=True, slots=True)
class Disagreement:
    """How far the members differ on one number of one output.

    Attributes
    ----------
    low, high : float
        Of the members' typical patients, in ``unit``; ``low_id`` and ``high_id`` say whose they are.
    between_models_fraction : float or None
        Share of the whole variance of the virtual patients that is between the members' means, by the law of total
        variance; the rest is between patients. ``None`` without a population, or where nothing varies.
    """

    low: float
    low_id: str
    high: float
    high_id: str
    unit: str
    between_models_fraction: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Highest and lowest with whose they are, their ratio, and the two shares of the variance."""
        share = self.between_models_fraction
        return {
            "low": {"id": self.low_id, "value": self.low},
            "high": {"id": self.high_id, "value": self.high},
            "unit": self.unit,
            "ratio": self.high / self.low if self.low > 0 else None,
            "between_models_fraction": share,
            "between_patients_fraction": None if share is None else 1.0 - share,
        }


@dataclass(frozen=True, slots=True)
class Member:
    """One model of an ensemble, as it stands alone."""

    id: str
    matrix: str
    weight: float
    variability: bool
    typical: Mapping[str, Array]
    why: str = ""
    domain: Domain | None = None

    def to_json(self) -> dict[str, Any]:
        """The contract's ``members`` entry."""
        return {
            "id": self.id,
            "matrix": self.matrix,
            "weight": self.weight,
            "variability": self.variability,
            "why": self.why,
            "domain": None if self.domain is None else self.domain.to_json(),
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
    disagreement : mapping of NAME to mapping of measure to Disagreement
        How far the members differ; empty for one model.
    left_out : mapping of model id to str
        Models on file for this product that are no members, and why.
    recovery : Recovery or None
        When patients are ready to leave, where that was asked for.
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
    panel: str | None = None
    disagreement: Mapping[str, Mapping[str, Disagreement]] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    recovery: Recovery | None = None

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
        if self.recovery is not None:
            entry["ready_to_leave_h"] = self.recovery.to_json()
        if self.members:
            entry["panel"] = self.panel
            entry["members"] = [member.to_json() for member in self.members]
            entry["disagreement"] = {
                name: {measure: found.to_json() for measure, found in of_name.items()}
                for name, of_name in self.disagreement.items()
            }
            entry["left_out"] = [{"id": name, "why": why} for name, why in self.left_out.items()]
        return entry
