"""Two plans on the same virtual patients: what differs, for whom, and how surely."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from limen.errors import InputError
from limen.pharmacology.effects.beyond import reaches, withheld_flags
from limen.pharmacology.exposure import Percentiles, number, unit_of
from limen.pharmacology.forecast import flags_of, recovery_of, summary_of
from limen.pharmacology.members import Solved, solve
from limen.pharmacology.outcome import Flag
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.pooling import pooled_percentiles
from limen.pharmacology.recovery import Leaving
from limen.pharmacology.regimen import Dose

Array = npt.NDArray[np.float64]

AREA = "auc_0_end_ng_h_per_mL"


@dataclass(frozen=True, slots=True)
class Difference:
    """One number under plan A and under plan B, each virtual patient compared with himself.

    Attributes
    ----------
    a, b : mapping of ``typical``, ``p05``, ``p50``, ``p95`` to number or None
        Under each plan.
    difference, ratio : likewise
        A less B, and A over B, patient by patient.
    greater_probability : float or None
        Share of the virtual patients for whom A is greater; half of a tie counts.
    """

    unit: str
    a: Mapping[str, float | None]
    b: Mapping[str, float | None]
    difference: Mapping[str, float | None]
    ratio: Mapping[str, float | None]
    greater_probability: float | None

    def to_json(self) -> dict[str, Any]:
        """The two plans, what is between them, and P(A > B)."""
        return {
            "unit": self.unit,
            "a": dict(self.a),
            "b": dict(self.b),
            "difference": dict(self.difference),
            "ratio": dict(self.ratio),
            "p_a_greater": self.greater_probability,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two plans side by side.

    Attributes
    ----------
    measures : mapping of NAME to mapping of measure to Difference
        ``peak``, ``auc`` (of concentrations) and ``over`` (minutes over a threshold, where one was given).
    recovery : Difference or None
        Hours until ready to leave; patients who are not by the end of both are left out of the difference, and counted.
    """

    product: str
    patients: int
    horizon_min: float
    measures: Mapping[str, Mapping[str, Difference]]
    recovery: Difference | None
    not_ready_fraction: tuple[float, float] | None
    flags: tuple[Flag, ...]

    def to_json(self) -> dict[str, Any]:
        """Every difference with its interval."""
        return {
            "product": self.product,
            "patients": self.patients,
            "horizon_h": self.horizon_min / 60.0,
            "outputs": {
                name: {measure: found.to_json() for measure, found in of_name.items()}
                for name, of_name in self.measures.items()
            },
            "ready_to_leave_h": None if self.recovery is None else self.recovery.to_json(),
            "not_ready_by_end_fraction": None
            if self.not_ready_fraction is None
            else {"a": self.not_ready_fraction[0], "b": self.not_ready_fraction[1]},
            "flags": [{"code": flag.code, "message": flag.message} for flag in self.flags],
        }


def compare(
    a: Sequence[Dose],
    b: Sequence[Dose],
    patient: PatientProfile,
    product: str = "racemic",
    *,
    until_min: float,
    every_min: float = 1.0,
    n: int = 0,
    seed: int = 1,
    over: Mapping[str, Any] | None = None,
    leaving: tuple[Leaving, Leaving] | None = None,
    **options: Any,
) -> Comparison:
    """What changes if plan A is given in place of plan B, to the same patient.

    Parameters
    ----------
    a, b : sequence of Dose
        Two plans of one product: products are never compared as if they were one.
    n : int
        Virtual patients of each model; patient i is the same person under both plans.
    seed : int
        Of the virtual patients.
    over : mapping of NAME to number, optional
        Thresholds, in the unit of the NAME, for the minutes spent over them.
    leaving : (Leaving, Leaving), optional
        Criteria and minimum stay of each plan, for the time until ready to leave.
    options
        ``setting``, ``member_weight``, ``perpetrators`` and ``wanted_effects`` of the ensemble.

    Raises
    ------
    InputError
        As ``forecast.forecast``; a threshold on what is not forecast; plans of two panels of models.

    Examples
    --------
    Twice the dose has twice the peak, whoever the patient is:

    >>> found = compare([Dose(70, "iv", 0, 40)], [Dose(35, "iv", 0, 40)],
    ...     PatientProfile(age_years=42, weight_kg=70), until_min=120, n=20)
    >>> peak = found.measures["ketamine_plasma_ng_per_mL"]["peak"]
    >>> [round(peak.ratio[level], 6) for level in ("p05", "p95")], peak.greater_probability
    ([2.0, 2.0], 1.0)
    """

    def solved(doses: Sequence[Dose]) -> Solved:
        rng = np.random.default_rng(seed) if n else None
        return solve(doses, patient, product, until_min, every_min, n, rng, **options)

    first, second = solved(a), solved(b)
    if first.panel.id != second.panel.id:
        raise InputError("the two plans need different models", where="dose", allowed="plans of one panel of models")
    shared = [name for name in first.shared() if name in second.shared()]
    thresholds = dict(over or {})
    for name in thresholds:
        if name not in shared:
            raise InputError(f"{name} is not forecast", where="over", allowed=", ".join(shared))
    measures: dict[str, dict[str, Difference]] = {}
    for name in shared:
        unit = unit_of(name)
        found = {"peak": _believed(name, _of_measure(first, second, name, "cmax", unit))}
        if name.endswith("_ng_per_mL"):
            found["auc"] = _of_measure(first, second, name, AREA, "ng h/mL")
        if name in thresholds:
            limit = float(thresholds[name])
            found["over"] = _between(
                _minutes_over(first, name, limit), _minutes_over(second, name, limit), first.weights, "min"
            )
        measures[name] = found
    recovery, not_ready = None, None
    if leaving is not None:
        ready = [recovery_of(plan, asked) for plan, asked in zip((first, second), leaving, strict=True)]
        hours = [
            (
                _known(one.used_min(one.typical_min), one.horizon_min)[0] / 60.0,
                []
                if one.patients_min is None
                else np.split(
                    _known(one.used_min(one.patients_min), one.horizon_min) / 60.0, len(one.patients_min) // n
                ),
            )
            for one in ready
        ]
        weights = first.weights[first.weights > 0]
        recovery = _between(hours[0], hours[1], weights, "h")
        not_ready = (ready[0].not_ready_fraction, ready[1].not_ready_fraction)
    told = {flag: None for plan in (first, second) for flag in flags_of(plan)}
    withheld = [name for name in shared if name in reaches() and measures[name]["peak"].difference["typical"] is None]
    return Comparison(product, n, first.grid.end_min, measures, recovery, not_ready, (*told, *withheld_flags(withheld)))


Rows = tuple[Any, list[Array]]


def _of_measure(first: Solved, second: Solved, name: str, measure: str, unit: str) -> Difference:
    return _between(rows_of(first, name, measure), rows_of(second, name, measure), first.weights, unit)


def _believed(name: str, found: Difference) -> Difference:
    """Without the peaks past what their line was studied at; what differs by an unknown is unknown."""
    reach = reaches().get(name)
    if reach is None or all(
        peak is None or peak <= reach.at(level) for cell in (found.a, found.b) for level, peak in cell.items()
    ):
        return found

    def kept(cell: Mapping[str, float | None]) -> dict[str, float | None]:
        return {level: None if peak is not None and peak > reach.at(level) else peak for level, peak in cell.items()}

    nothing: dict[str, float | None] = dict.fromkeys(found.difference)
    return replace(found, a=kept(found.a), b=kept(found.b), difference=nothing, ratio=nothing)


def rows_of(solved: Solved, name: str, measure: str) -> Rows:
    """One number of the typical patient, and of each member's patients."""
    attribute = "peak" if measure == "cmax" else measure
    typical = getattr(summary_of(solved, name).typical, attribute)[0]
    if not solved.n:
        return typical, []
    return typical, [getattr(response.measures[mine], attribute)[1:] for mine, response in solved.named(name)]


def _minutes_over(solved: Solved, name: str, limit: float) -> Rows:
    """Minutes over a threshold, each stretch between two times counted by the straight line between them."""
    time_min = solved.grid.asked_min

    def of(values: Array) -> Array:
        with np.errstate(invalid="ignore", divide="ignore"):
            above = np.nan_to_num(values - limit, nan=-np.inf)
            start, end = above[:, :-1], above[:, 1:]
            part = np.where(
                (start > 0) & (end > 0),
                1.0,
                np.where(start > 0, start / (start - end), np.where(end > 0, end / (end - start), 0.0)),
            )
        found: Array = np.nan_to_num(part) @ np.diff(time_min)
        return found

    typical = of(solved.grid.shown(solved.typical(name).mean)[None, :])[0]
    return typical, [of(values) for values in solved.patients(name)] if solved.n else []


def _between(a: Rows, b: Rows, weights: Array, unit: str) -> Difference:
    def cell(typical: Any, rows: Sequence[Array]) -> dict[str, float | None]:
        found: dict[str, float | None] = {"typical": number(typical)}
        if rows:
            found |= spread(rows, weights)
        return found

    of_a, of_b = a[1], b[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = [np.where(two > 0, one / two, np.nan) for one, two in zip(of_a, of_b, strict=True)]
        typical_ratio = a[0] / b[0] if b[0] > 0 else np.nan
    return Difference(
        unit,
        cell(*a),
        cell(*b),
        cell(a[0] - b[0], [one - two for one, two in zip(of_a, of_b, strict=True)]),
        cell(typical_ratio, ratios),
        _greater(of_a, of_b, weights) if of_a else None,
    )


def spread(rows: Sequence[Array], weights: Array) -> dict[str, float | None]:
    """Percentiles over those who have the number."""
    kept = [(values[~np.isnan(values)], weight) for values, weight in zip(rows, weights, strict=True)]
    kept = [(values, weight) for values, weight in kept if len(values) and weight > 0]
    if not kept:
        return dict.fromkeys(("p05", "p50", "p95"))
    found: Percentiles = pooled_percentiles([values for values, _ in kept], np.array([weight for _, weight in kept]))
    return found.to_json()


def _greater(of_a: Sequence[Array], of_b: Sequence[Array], weights: Array) -> float | None:
    total = share = 0.0
    for one, two, weight in zip(of_a, of_b, weights, strict=True):
        known = ~np.isnan(one) & ~np.isnan(two)
        if known.any():
            total += weight
            share += weight * float(((one > two) + 0.5 * (one == two))[known].mean())
    return float(share / total) if total > 0 else None


def _known(times_min: Array, horizon_min: float) -> Array:
    """NaN for who is not ready by the end."""
    return np.where(times_min > horizon_min, np.nan, times_min)
