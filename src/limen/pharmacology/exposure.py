"""Peaks, areas and percentiles of curves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

PERCENTILES = (5.0, 50.0, 95.0)


@dataclass(frozen=True, slots=True)
class Percentiles:
    """5th, 50th and 95th percentile, each of the same shape."""

    p05: Array
    p50: Array
    p95: Array

    @classmethod
    def over(cls, values: Array, axis: int = 0) -> Percentiles:
        """Percentiles along ``axis``, linear between order statistics.

        Examples
        --------
        >>> Percentiles.over(np.arange(101.0)).p95
        array(95.)
        """
        low, middle, high = np.percentile(values, PERCENTILES, axis=axis)
        return cls(np.asarray(low), np.asarray(middle), np.asarray(high))

    def to_json(self) -> dict[str, Any]:
        """``{"p05", "p50", "p95"}``, lists of curves and numbers of single values; NaN becomes null."""
        return {
            name: numbers(found) if (found := getattr(self, name)).ndim else number(found.item())
            for name in ("p05", "p50", "p95")
        }


@dataclass(frozen=True, slots=True)
class Curve:
    """One output over time.

    Attributes
    ----------
    typical : array (times,)
        NaN where the model must not be believed.
    between_patients : Percentiles or None
        When a population was asked for; for an ensemble over the patients of all members together, so that it holds
        what is between models too.
    between_models : (low, high) or None
        Least and greatest of the members' typical curves, for an ensemble.
    patients_alone : Percentiles or None
        For an ensemble: the weighted mean of the members' own percentiles. Nothing of it is between models.
    """

    typical: Array
    between_patients: Percentiles | None = None
    between_models: tuple[Array, Array] | None = None
    patients_alone: Percentiles | None = None

    def to_json(self) -> dict[str, Any]:
        """``{"typical": [...], "p05", ...}``; NaN becomes null."""
        entry: dict[str, Any] = {"typical": numbers(self.typical)}
        if self.between_patients is not None:
            entry |= self.between_patients.to_json()
        if self.between_models is not None:
            low, high = self.between_models
            entry["between_models"] = {"low": numbers(low), "high": numbers(high)}
        if self.patients_alone is not None:
            entry["patients_alone"] = self.patients_alone.to_json()
        return entry


@dataclass(frozen=True, slots=True)
class Measures:
    """Peak, time of the peak and areas of each row (patient); ``auc_0_24`` is ``None`` where the horizon is shorter."""

    peak: Array
    tmax_h: Array
    auc_0_24_ng_h_per_mL: Array | None
    auc_0_end_ng_h_per_mL: Array | None

    def rows(self, part: slice) -> Measures:
        """The same measures of some of the rows."""
        return Measures(
            self.peak[part],
            self.tmax_h[part],
            None if self.auc_0_24_ng_h_per_mL is None else self.auc_0_24_ng_h_per_mL[part],
            None if self.auc_0_end_ng_h_per_mL is None else self.auc_0_end_ng_h_per_mL[part],
        )


MEASURES = {
    "cmax": "peak",
    "tmax_h": "tmax_h",
    "auc_0_24_ng_h_per_mL": "auc_0_24_ng_h_per_mL",
    "auc_0_end_ng_h_per_mL": "auc_0_end_ng_h_per_mL",
}


def peaks(
    values: Array, time_min: Array, corner: npt.NDArray[np.bool_], ceiling: Array | None = None
) -> tuple[Array, Array]:
    """Height and time (min) of the highest point of each row.

    Between corners (where input changes) a curve is smooth, and the parabola through the highest point and its
    neighbours is closer to the true peak than the point; at a corner the point itself is the peak.

    Parameters
    ----------
    values : array (rows, times)
        NaN is passed over; a row of nothing else has no peak (NaN).
    time_min : array (times,)
    corner : array of bool (times,)
        Where input starts, stops or changes.
    ceiling : array (rows,), optional
        What each row cannot pass, such as 100 for a probability in per cent: where the parabola through a curve that
        bends sharply into its ceiling would pass it, the point itself stands.

    Examples
    --------
    >>> time = np.array([0.0, 1.0, 3.0, 4.0])
    >>> peaks((4 - (time - 2) ** 2)[None, :], time, time == 0)
    (array([4.]), array([2.]))
    """
    rows = np.arange(len(values))
    filled, best = values, np.argmax(values, axis=1)
    height = filled[rows, best]
    # A row that holds a NaN has it for its highest: only then is it worth looking at every point.
    if np.isnan(height).any():
        filled = np.where(np.isnan(values), -np.inf, values)
        best = np.argmax(filled, axis=1)
        height = filled[rows, best]
        height[np.isneginf(height)] = np.nan
    when = np.where(np.isnan(height), np.nan, time_min[best])
    last = len(time_min) - 1
    inner = (best > 0) & (best < last) & ~corner[best]
    if not inner.any():
        return height, when
    middle = np.minimum(np.maximum(best, 1), last - 1)
    t0, t1, t2 = time_min[middle - 1], time_min[middle], time_min[middle + 1]
    y0, y1, y2 = filled[rows, middle - 1], filled[rows, middle], filled[rows, middle + 1]
    with np.errstate(all="ignore"):
        left = (y1 - y0) / (t1 - t0)
        bend = ((y2 - y1) / (t2 - t1) - left) / (t2 - t0)
        # Newton's form through the three points; its slope is zero at the vertex. Next to a gap (minus infinity), and
        # where the three are a line, there is none.
        vertex = 0.5 * (t0 + t1 - left / bend)
        top = y0 + left * (vertex - t0) + bend * (vertex - t0) * (vertex - t1)
        higher = inner & (bend < 0) & np.isfinite(top) & (top > height)
        if ceiling is not None:
            higher &= top <= ceiling
    height[higher] = top[higher]
    when[higher] = vertex[higher]
    return height, when


def numbers(values: Array) -> list[float | None]:
    """A list for JSON: NaN is null."""
    listed: list[float | None] = values.tolist()
    return [None if item != item else item for item in listed]


def number(item: Any) -> float | None:
    """One number for JSON: NaN is null."""
    return None if item is None or math.isnan(item) else float(item)


def unit_of(name: str) -> str:
    """The unit that an output's NAME ends in.

    Examples
    --------
    >>> unit_of("ketamine_plasma_ng_per_mL"), unit_of("sbp_change_mmHg")
    ('ng/mL', 'mmHg')
    """
    return next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), "")


# Longest ending first. The one table of units in print; what a person reads takes its unit from here.
_UNITS = {
    "_ng_h_per_mL": "ng h/mL",
    "_ng_per_mL": "ng/mL",
    "_nmol_per_mL": "nmol/mL",
    "_from_placebo": "points",
    "_L_per_min": "L/min",
    "_per_min": "/min",
    "_score": "points",
    "_ratio": "times",
    "_mmHg": "mmHg",
    "_pct": "%",
    "_h": "h",
}
# Endings of the NAME of a concentration and of an area under one.
CONCENTRATIONS = ("_ng_h_per_mL", "_ng_per_mL", "_nmol_per_mL")
