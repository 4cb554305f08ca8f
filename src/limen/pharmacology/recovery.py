"""Ready to leave: when the forecast effects stay under what is asked, and not before the minimum stay."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from limen.errors import InputError
from limen.evidence import Verification, read_yaml
from limen.evidence.yaml import Record
from limen.pharmacology.models.schema import Product, Sourced
from limen.pharmacology.outcome import Flag
from limen.pharmacology.pooling import weighted_percentiles

Array = npt.NDArray[np.float64]

MINIMUM_STAY = "minimum-stay"
# What a person plans the day by: half, and nine of ten, are ready.
_LEVELS = {"p05": 5.0, "p50": 50.0, "p90": 90.0, "p95": 95.0}
# Times at which the share of patients who are ready is told.
_SHARE_TIMES = 97
# Stands for "not by the end" where percentiles are taken; no forecast is this long.
_NEVER_MIN = 1e15


@dataclass(frozen=True, slots=True)
class Criterion:
    """One forecast output that must stay at or under a limit.

    Attributes
    ----------
    output : str
        NAME of the output.
    limit : float
        In ``unit``.
    """

    output: str
    limit: float
    unit: str
    verification: Verification
    sources: tuple[str, ...]
    because: str

    def to_json(self) -> dict[str, Any]:
        """The criterion with its support."""
        return {
            "output": self.output,
            "limit": self.limit,
            "unit": self.unit,
            "verification": self.verification.value,
            "sources": list(self.sources),
            "because": self.because,
        }


@dataclass(frozen=True, slots=True)
class MinimumStay:
    """How long a patient stays whatever the forecast says.

    Attributes
    ----------
    counts_from : str
        ``end`` of the last dose, or ``start`` of the first.
    """

    stay_min: float
    counts_from: Literal["end", "start"]
    rule: str
    verification: Verification
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Leaving:
    """What is asked before a patient may leave."""

    criteria: tuple[Criterion, ...]
    minimum: MinimumStay | None = None

    def __post_init__(self) -> None:
        if not self.criteria:
            raise InputError("no criterion of recovery", where="leaving", allowed="one or more")


@dataclass(frozen=True, slots=True)
class Recovery:
    """When patients are ready, in minutes from the start; infinite where not by the end of the forecast.

    Attributes
    ----------
    typical_min : array (1,)
        By the forecast effects of the typical patient.
    patients_min : array (patients,) or None
    members_min : mapping of model id to minutes, or empty
        Of the members' typical patients.
    earliest_min : float or None
        End of the minimum stay; ``None`` where none was given.
    binding_fraction : mapping of NAME or ``minimum-stay`` to fraction
        What holds patients longest (the typical patient, without a population); those not ready by the end count for
        the output that is still over its limit.
    """

    leaving: Leaving
    horizon_min: float
    dose_end_min: float
    earliest_min: float | None
    typical_min: Array
    patients_min: Array | None
    patient_weights: Array | None
    binding_fraction: Mapping[str, float]
    members_min: Mapping[str, float] = field(default_factory=dict)

    def used_min(self, times_min: Array) -> Array:
        """Not before the minimum stay is over."""
        return times_min if self.earliest_min is None else np.maximum(times_min, self.earliest_min)

    @property
    def not_ready_fraction(self) -> float:
        """Share of the virtual patients (or the typical one: 0 or 1) who are not ready by the end of the forecast."""
        times = self.typical_min if self.patients_min is None else self.patients_min
        late = self.used_min(times) > self.horizon_min
        weights = np.ones(len(times)) if self.patient_weights is None else self.patient_weights
        return float(weights[late].sum() / weights.sum())

    def to_json(self) -> dict[str, Any]:
        """``forecast`` by effects alone beside ``used``, which the minimum stay holds; null is not by the end.

        ``share_ready`` is the distribution of ``forecast``: the share of patients who are ready at each time.
        """
        minimum = self.leaving.minimum
        return {
            "criteria": [criterion.to_json() for criterion in self.leaving.criteria],
            "minimum_stay": None
            if minimum is None or self.earliest_min is None
            else {
                "stay_h": minimum.stay_min / 60.0,
                "counts_from": minimum.counts_from,
                "earliest_h": self.earliest_min / 60.0,
                "rule": minimum.rule,
                "verification": minimum.verification.value,
                "sources": list(minimum.sources),
            },
            "forecast": self._cell(lambda times: times),
            "used": self._cell(self.used_min),
            "binding": dict(self.binding_fraction),
            "share_ready": self._share(),
            "not_ready_by_end_fraction": self.not_ready_fraction,
            "horizon_h": self.horizon_min / 60.0,
        }

    def _cell(self, held: Any) -> dict[str, Any]:
        cell: dict[str, Any] = {"typical": self._hours(held(self.typical_min)[0])}
        if self.patients_min is not None:
            times = np.minimum(held(self.patients_min), _NEVER_MIN)
            weights = np.ones(len(times)) if self.patient_weights is None else self.patient_weights
            cell |= {
                level: self._hours(found)
                for level, found in zip(
                    _LEVELS, weighted_percentiles(times, weights, tuple(_LEVELS.values())), strict=True
                )
            }
        if self.members_min:
            of_members = held(np.array(list(self.members_min.values())))
            cell["between_models"] = {"low": self._hours(of_members.min()), "high": self._hours(of_members.max())}
        return cell

    def _share(self) -> dict[str, Any] | None:
        """Per cent of the virtual patients who are ready by effects alone at each time; None without a population."""
        if self.patients_min is None:
            return None
        time_min = np.linspace(0.0, self.horizon_min, _SHARE_TIMES)
        weights = np.ones(len(self.patients_min)) if self.patient_weights is None else self.patient_weights
        ready = self.patients_min[:, None] <= time_min
        return {
            "time_h": (time_min / 60.0).tolist(),
            "effects_pct": (100.0 * (weights @ ready) / weights.sum()).tolist(),
        }

    def _hours(self, minutes: Any) -> float | None:
        return float(minutes) / 60.0 if minutes <= self.horizon_min else None

    def flags(self) -> list[Flag]:
        """What the times rest on, and what they leave out."""
        asked = "; ".join(
            f"{item.output} at most {item.limit:g} {item.unit} [{item.verification}]" for item in self.leaving.criteria
        )
        found = [
            Flag(
                "recovery-criteria",
                f"ready_to_leave_h: the first time from which {asked}, after the last dose. A forecast of effects: the"
                " patient is judged at the chair",
            )
        ]
        minimum, late = self.leaving.minimum, self.not_ready_fraction
        if minimum is None:
            found.append(Flag("no-minimum-stay", "ready_to_leave_h: no minimum stay was given; it is not in the times"))
        elif self.binding_fraction.get(MINIMUM_STAY, 0.0) > 0:
            found.append(
                Flag(
                    "minimum-stay-binds",
                    f"ready_to_leave_h: the minimum stay ({minimum.rule}, {minimum.stay_min:g} min from the"
                    f" {minimum.counts_from} of dosing) [{minimum.verification}] holds longer than the forecast effects"
                    f" for {100 * self.binding_fraction[MINIMUM_STAY]:.0f} of 100",
                )
            )
        if late > 0:
            whom = "of 100 virtual patients are" if self.patients_min is not None else "of 100: the typical patient is"
            found.append(
                Flag(
                    "recovery-after-horizon",
                    f"ready_to_leave_h: {100 * late:.3g} {whom} not ready by the end of the forecast"
                    f" ({self.horizon_min / 60.0:g} h); no time is put in their place",
                )
            )
        return found


def settled(values: Array, time_min: Array, limit: Array, after_min: float) -> Array:
    """The first time, not before ``after_min``, from which each row stays at or under its limit to the end.

    Parameters
    ----------
    values : array (rows, times)
        NaN (a model that must not be believed) is not under the limit.
    time_min : array (times,)
        Rising.
    limit : array, one number
        In the unit of ``values``.
    after_min : float

    Returns
    -------
    array (rows,)
        Minutes, the crossing taken as straight between two times; infinite where a row is over at the end, or the end
        is before ``after_min``.

    Examples
    --------
    >>> settled(np.array([[9.0, 4.0, 0.0], [9.0, 9.0, 9.0]]), np.array([0.0, 10.0, 20.0]), np.array(2.0), 0)
    array([15., inf])
    """
    over = ~(values <= limit)
    last = values.shape[1] - 1 - np.argmax(over[:, ::-1], axis=1)
    some = over.any(axis=1)
    ended = some & (last == values.shape[1] - 1)
    row = np.arange(len(values))
    here, there = np.minimum(last, values.shape[1] - 1), np.minimum(last + 1, values.shape[1] - 1)
    high, low = values[row, here], values[row, there]
    with np.errstate(invalid="ignore", divide="ignore"):
        part = np.where(np.isnan(high), 1.0, (high - limit) / (high - low))
    crossed = time_min[here] + np.clip(part, 0.0, 1.0) * (time_min[there] - time_min[here])
    found = np.maximum(np.where(some, crossed, time_min[0]), after_min)
    return np.where(ended | (found > time_min[-1]), np.inf, found)


def ready_to_leave(
    time_min: Array,
    typical: Mapping[str, Array],
    patients: Mapping[str, Array] | None,
    leaving: Leaving,
    *,
    dose_start_min: float,
    dose_end_min: float,
    members: Mapping[str, Mapping[str, Array]] | None = None,
    patient_weights: Array | None = None,
) -> Recovery:
    """When patients are ready to leave, by the forecast of their effects.

    Parameters
    ----------
    time_min : array (times,)
    typical : mapping of NAME to array (times,)
        The typical patient's effects.
    patients : mapping of NAME to array (patients, times), or None
        The virtual patients'.
    leaving : Leaving
        The criteria and the minimum stay.
    dose_start_min, dose_end_min : float
        Start of the first dose and end of the last; nobody is ready before the end.
    members : mapping of model id to mapping of NAME to array (times,), optional
        Typical patients of an ensemble's members.
    patient_weights : array (patients,), optional
        What each virtual patient counts; all the same where not given.

    Raises
    ------
    InputError
        If a criterion names an output that is not forecast.

    Examples
    --------
    A level of 100 ng/mL that halves every hour is at 25 after two:

    >>> time = np.arange(0.0, 241.0)
    >>> asked = Criterion("S", 25.0, "ng/mL", Verification.CLINIC_RULE, ("limen",), "an example")
    >>> stay = MinimumStay(150.0, "end", "an example", Verification.CLINIC_RULE, ("limen",))
    >>> found = ready_to_leave(
    ...     time, {"S": 100 * 0.5 ** (time / 60)}, None, Leaving((asked,), stay), dose_start_min=0, dose_end_min=0)
    >>> found.to_json()["forecast"], found.to_json()["used"]
    ({'typical': 2.0}, {'typical': 2.5})
    """
    minimum = leaving.minimum
    earliest_min = None
    if minimum is not None:
        earliest_min = minimum.stay_min + (dose_end_min if minimum.counts_from == "end" else dose_start_min)

    def each(curves: Mapping[str, Array]) -> Array:
        missing = [item.output for item in leaving.criteria if item.output not in curves]
        if missing:
            raise InputError(f"{missing[0]} is not forecast", where="leaving", allowed=", ".join(curves))
        return np.stack(
            [
                settled(np.atleast_2d(curves[item.output]), time_min, np.array(item.limit), dose_end_min)
                for item in leaving.criteria
            ]
        )

    of_typical = each(typical)
    of_patients = None if patients is None else each(patients)
    decided = of_typical if of_patients is None else of_patients
    of_members = {
        name: float(each({output: curves[output] for output in typical if output in curves}).max())
        for name, curves in (members or {}).items()
    }
    return Recovery(
        leaving,
        float(time_min[-1]),
        dose_end_min,
        earliest_min,
        of_typical.max(axis=0),
        None if of_patients is None else of_patients.max(axis=0),
        patient_weights if of_patients is not None else None,
        _binding(decided, leaving.criteria, earliest_min, patient_weights if of_patients is not None else None),
        of_members,
    )


def _binding(
    each: Array, criteria: Sequence[Criterion], earliest_min: float | None, weights: Array | None
) -> dict[str, float]:
    """The share of rows that each criterion, or the minimum stay, holds longest."""
    counts = np.ones(each.shape[1]) if weights is None else weights
    longest = np.argmax(each, axis=0)
    held = np.zeros(each.shape[1], dtype=bool) if earliest_min is None else each.max(axis=0) < earliest_min
    found = {} if earliest_min is None else {MINIMUM_STAY: float(counts[held].sum() / counts.sum())}
    for place, criterion in enumerate(criteria):
        found[criterion.output] = float(counts[(longest == place) & ~held].sum() / counts.sum())
    return found


class DefaultCriterion(Sourced):
    """One line of ``recovery.yaml``."""

    output: str
    limit: float
    unit: str
    because: str


class _Products(Record):
    products: tuple[Product, ...]
    criteria: tuple[DefaultCriterion, ...]


class _File(Record):
    defaults: tuple[_Products, ...]


@functools.cache
def default_criteria(product: str) -> tuple[Criterion, ...]:
    """The product's own criteria, for a caller that brings none.

    Examples
    --------
    >>> [item.output for item in default_criteria("racemic")]
    ['ketamine_effect_site_ng_per_mL']
    """
    file = read_yaml(resources.files("limen.pharmacology") / "data" / "recovery.yaml", _File)
    for entry in file.defaults:
        if product in entry.products:
            return tuple(
                Criterion(item.output, item.limit, item.unit, item.verification, (item.source,), item.because)
                for item in entry.criteria
            )
    raise InputError(
        f"no criteria of recovery for {product!r}",
        where="product",
        allowed=", ".join(product for entry in file.defaults for product in entry.products),
    )
