"""Dose strings, milligrams, and what runs into the patient when."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import get_args

import numpy as np
import numpy.typing as npt

from limen.errors import InputError
from limen.pharmacology.models.schema import Route
from limen.units import parse_duration_min

Array = npt.NDArray[np.float64]

GRAMMAR = "AMOUNT UNIT ROUTE [over DURATION] [at TIME] [on LINE], such as '0.5 mg/kg iv over 40 min at 2 h'"
ROUTES = get_args(Route)
# Unit -> (mg in one unit, per kg of body weight, per minute of infusion).
_UNITS = {
    "mg": (1.0, False, False),
    "mg/kg": (1.0, True, False),
    "mg/h": (1.0 / 60.0, False, True),
    "mg/kg/h": (1.0 / 60.0, True, True),
    "mcg/kg/min": (1e-3, True, True),
}
_DOSE = re.compile(
    r"^\s*(?P<value>\S+)\s+(?P<unit>\S+)\s+(?P<route>\S+)"
    r"(?:\s+over\s+(?P<over>(?:(?!\s+(?:at|on)\s).)+?))?(?:\s+at\s+(?P<at>(?:(?!\s+on\s).)+?))?"
    r"(?:\s+on\s+(?P<line>\S.*?))?\s*$"
)
_LONGEST = 200
# The line that a dose runs on where none is named.
ONLY_LINE = "1"
_LINE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]{0,19}$")
# Past these a number is a slip, not a treatment (project rule): 100 g, ten years.
MOST_MG = 100_000.0
MOST_MIN = 3653 * 1440.0
_NUMBER = re.compile(r"^\d+(?:\.\d+)?$")


@dataclass(frozen=True, slots=True)
class DoseOrder:
    """A dose as it was asked for.

    Attributes
    ----------
    value : float
        The amount in ``unit``: mg, mg/kg, mg/h, mg/kg/h or mcg/kg/min.
    duration_min : float
        0 for a bolus.
    at_min : float
        Start, from the start of the forecast.
    line : str
        What it runs on; two infusions at once need two lines.
    """

    value: float
    unit: str
    route: str
    duration_min: float = 0.0
    at_min: float = 0.0
    line: str = ONLY_LINE

    @property
    def amount(self) -> float:
        """The number that stood before the unit."""
        return self.value

    @property
    def is_rate(self) -> bool:
        return _UNITS[self.unit][2]

    @property
    def is_per_kg(self) -> bool:
        return _UNITS[self.unit][1]


@dataclass(frozen=True, slots=True)
class Dose:
    """A dose in milligrams of base.

    Raises
    ------
    InputError
        If the amount or a time is not finite, is negative, or is more than can be meant.
    """

    amount_mg: float
    route: str
    start_min: float = 0.0
    duration_min: float = 0.0
    line: str = ONLY_LINE

    def __post_init__(self) -> None:
        for name, most in (("amount_mg", MOST_MG), ("start_min", MOST_MIN), ("duration_min", MOST_MIN)):
            value = getattr(self, name)
            if not 0 <= value <= most:
                raise InputError(f"{name} {value:g}", where="dose", allowed=f"0 to {most:g}")
        if self.route not in ROUTES:
            raise InputError(f"unknown route {self.route!r}", where="dose", allowed=", ".join(ROUTES))
        _check_line(self.line, "dose")

    @property
    def end_min(self) -> float:
        return self.start_min + self.duration_min


def parse_dose(text: str, *, where: str = "dose") -> DoseOrder:
    """Read a dose string.

    Parameters
    ----------
    text : str
        ``AMOUNT UNIT ROUTE [over DURATION] [at TIME] [on LINE]``.

    Raises
    ------
    InputError
        If it cannot be read: names the part that is wrong and what is allowed.

    Examples
    --------
    >>> parse_dose("0.5 mg/kg iv over 40 min")
    DoseOrder(value=0.5, unit='mg/kg', route='iv', duration_min=40.0, at_min=0.0, line='1')
    >>> parse_dose("5 mcg/kg/min iv")
    Traceback (most recent call last):
    ...
    limen.errors.InputError: dose: '5 mcg/kg/min iv': a rate needs a duration; allowed: ... over 40 min
    """
    match = _DOSE.match(text) if len(text) <= _LONGEST else None
    if not match:
        raise InputError(f"cannot read {text!r:.60}", where=where, allowed=GRAMMAR)
    number, unit, route = match["value"], match["unit"], match["route"]
    if number.startswith("-") and _NUMBER.match(number[1:]):
        raise InputError(f"{text!r}: the amount is negative", where=where, allowed="over 0")
    if not _NUMBER.match(number):
        raise InputError(f"{text!r}: {number!r} is not an amount", where=where, allowed="a number such as 35 or 0.5")
    value = float(number)
    if value == 0:
        raise InputError(f"{text!r}: the amount is {number}", where=where, allowed="over 0")
    if unit not in _UNITS:
        raise InputError(f"{text!r}: unknown unit {unit!r}", where=where, allowed=", ".join(_UNITS))
    if route not in ROUTES:
        raise InputError(f"{text!r}: unknown route {route!r}", where=where, allowed=", ".join(ROUTES))
    duration_min = 0.0
    if match["over"] is not None:
        duration_min = parse_duration_min(match["over"], where=where)
        if duration_min == 0:
            raise InputError(f"{text!r}: the duration is 0", where=where, allowed="over 0; leave it out for a bolus")
    elif _UNITS[unit][2]:
        raise InputError(f"{text!r}: a rate needs a duration", where=where, allowed="... over 40 min")
    at_min = parse_duration_min(match["at"], where=where) if match["at"] is not None else 0.0
    line = match["line"] or ONLY_LINE
    _check_line(line, where)
    return DoseOrder(value, unit, route, duration_min, at_min, line)


def _check_line(line: str, where: str) -> None:
    if not _LINE.match(line):
        raise InputError(f"the line {line!r:.40}", where=where, allowed="a name of letters, digits, - and _, such as A")


def resolve(order: DoseOrder, weight_kg: float | None) -> Dose:
    """The order in milligrams for a patient of this weight.

    Raises
    ------
    InputError
        If the dose is by weight and the weight is missing.

    Examples
    --------
    >>> resolve(parse_dose("0.5 mg/kg iv over 40 min"), 70)
    Dose(amount_mg=35.0, route='iv', start_min=0.0, duration_min=40.0, line='1')
    """
    factor_mg, per_kg, per_min = _UNITS[order.unit]
    amount_mg = order.value * factor_mg
    if per_kg:
        if weight_kg is None:
            raise InputError(
                f"{order.value:g} {order.unit} needs a weight", where="patient.weight_kg", allowed="a weight in kg"
            )
        amount_mg *= weight_kg
    if per_min:
        amount_mg *= order.duration_min
    return Dose(amount_mg, order.route, order.at_min, order.duration_min, order.line)


@dataclass(frozen=True, slots=True)
class RateChange:
    """From ``at_min`` on the pump runs at this rate; 0 is a pause."""

    at_min: float
    rate_mg_per_h: float


def doses_of_pump(changes: Sequence[RateChange], until_min: float, *, route: str = "iv") -> tuple[Dose, ...]:
    """What a pump gave: its rate changes and pauses, as one dose a step.

    Parameters
    ----------
    changes : sequence of RateChange
        In order of time; the last rate runs to ``until_min``.

    Raises
    ------
    InputError
        If times go back or a rate is negative.

    Examples
    --------
    >>> steps = [RateChange(0, 60), RateChange(10, 0), RateChange(15, 30)]
    >>> [dose.amount_mg for dose in doses_of_pump(steps, until_min=25)]
    [10.0, 5.0]
    """
    doses = []
    for step, following in pairwise([*changes, RateChange(until_min, 0.0)]):
        if not following.at_min >= step.at_min:
            raise InputError(
                f"the pump's times go back at {following.at_min:g} min", where="infusion", allowed="rising times"
            )
        if not math.isfinite(step.rate_mg_per_h) or step.rate_mg_per_h < 0:
            raise InputError(f"rate {step.rate_mg_per_h!r} mg/h", where="infusion", allowed="0 or more mg/h")
        duration_min = following.at_min - step.at_min
        if step.rate_mg_per_h > 0 and duration_min > 0:
            doses.append(Dose(step.rate_mg_per_h * duration_min / 60.0, route, step.at_min, duration_min))
    return tuple(doses)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Piecewise-constant input: on segment i, from ``start_min[i]`` to the next, ``rate_mg_per_min[i]`` runs in.

    ``bolus_mg[i]`` enters at the segment's start. The last segment has no end and no input.
    """

    start_min: Array
    rate_mg_per_min: Array
    bolus_mg: Array

    @classmethod
    def of(cls, doses: Iterable[Dose]) -> Schedule:
        """Lay doses on one line of time; overlapping infusions add.

        Examples
        --------
        >>> Schedule.of([Dose(60, "iv", 0, 60), Dose(30, "iv", 30, 60)]).rate_mg_per_min
        array([1. , 1.5, 0.5, 0. ])
        """
        given = [(dose.amount_mg, dose.start_min, dose.end_min) for dose in doses if dose.amount_mg > 0]
        edges = sorted({0.0}.union(*(spell[1:] for spell in given)))
        rates = np.zeros(len(edges))
        boluses = np.zeros(len(edges))
        place = {edge: index for index, edge in enumerate(edges)}
        for amount_mg, start_min, end_min in given:
            first = place[start_min]
            if end_min == start_min:
                boluses[first] += amount_mg
            else:
                rates[first : place[end_min]] += amount_mg / (end_min - start_min)
        return cls(np.array(edges), rates, boluses)

    def given_mg(self, until_min: float) -> float:
        """Everything that has run in by this time."""
        starts = self.start_min.tolist()
        ends = [*starts[1:], math.inf]
        total = 0.0
        for start, end, rate, bolus in zip(
            starts, ends, self.rate_mg_per_min.tolist(), self.bolus_mg.tolist(), strict=True
        ):
            if start <= until_min:
                total += bolus
                if rate > 0:
                    total += rate * (min(end, until_min) - start)
        return total
