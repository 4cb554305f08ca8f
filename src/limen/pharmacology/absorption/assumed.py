"""Absorption by routes that no usable model has: stated ranges, each with its mark, never narrower than what was read.

What studies report is a share that arrives and a time of the peak. The same peak time asks for another rate in another
body, so the rate is computed in the body it is used with: :func:`peak_times.rates_for_peaks`.
"""

from __future__ import annotations

import functools
import math
from importlib import resources
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, RootModel, model_validator

from limen.errors import InputError
from limen.evidence import read_yaml
from limen.evidence.yaml import Record
from limen.pharmacology import population
from limen.pharmacology.absorption.pathways import Pathway
from limen.pharmacology.absorption.peak_times import Body, rates_for_peaks
from limen.pharmacology.models.schema import Product, Route, Sourced
from limen.pharmacology.outcome import Flag

Array = npt.NDArray[np.float64]

# 95th percentile of the standard normal: a stated range runs from the 5th to the 95th percentile of the patients.
_Z90 = 1.6448536269514722
# Past the 0.5th and 99.5th percentile every virtual patient gets the value there: a wide range in three people says
# nothing of one in a thousand.
_FURTHEST = 2.5758293035489004
ADULT_YEARS = 18.0
# A number in the unit of what is stated.
Shown = float
_COLUMN = {"buccal": "SL"}


class Stated(Sourced):
    """A typical value and the range it was stated with; no range where none was.

    Attributes
    ----------
    low, high : float or None
        5th and 95th percentile of the virtual patients.
    """

    typical: float = Field(gt=0)
    low: float | None = Field(default=None, gt=0)
    high: float | None = Field(default=None, gt=0)
    unit: Literal["fraction", "min", "1/h"]

    @model_validator(mode="after")
    def _ordered(self) -> Stated:
        if (self.low is None) != (self.high is None):
            raise ValueError("give low and high, or neither")
        if self.low is not None and self.high is not None and not self.low <= self.typical <= self.high:
            raise ValueError("low <= typical <= high does not hold")
        if self.unit == "fraction" and (self.typical > 1 or (self.high is not None and self.high >= 1)):
            raise ValueError("a fraction is at most 1, and its range stays under 1")
        return self

    def drawn(self, normal: Array) -> Array:
        """Values at these standard normal draws: 0 is typical, the 5th and 95th percentile are ``low`` and ``high``.

        Half a normal on either side of the typical value, on the logit scale for a fraction and on the log scale else;
        held at its 0.5th and 99.5th percentile.

        Examples
        --------
        >>> nose = Stated(typical=0.35, low=0.10, high=0.60, unit="fraction", verification="P", source="limen")
        >>> nose.drawn(np.array([-1.6448536, 0.0, 1.6448536])).round(3)
        array([0.1 , 0.35, 0.6 ])
        """
        if self.low is None or self.high is None:
            return np.full(len(normal), self.typical)
        share = self.unit == "fraction"
        scale = _logit if share else math.log
        low, middle, high = (scale(value) for value in (self.low, self.typical, self.high))
        normal = np.clip(normal, -_FURTHEST, _FURTHEST)
        moved = middle + normal / _Z90 * np.where(normal < 0, middle - low, high - middle)
        found: Array = 1.0 / (1.0 + np.exp(-moved)) if share else np.exp(moved)
        return found

    def place_of(self, value: Shown) -> float:
        """The standard normal draw that gives this value: the inverse of ``drawn``, within the range.

        Examples
        --------
        >>> nose = Stated(typical=0.35, low=0.10, high=0.60, unit="fraction", verification="P", source="limen")
        >>> round(nose.place_of(0.10), 3), nose.place_of(0.35)
        (-1.645, 0.0)
        """
        if self.low is None or self.high is None:
            return 0.0
        scale = _logit if self.unit == "fraction" else math.log
        low, middle, high, at = (scale(number) for number in (self.low, self.typical, self.high, value))
        side = middle - low if at < middle else high - middle
        return 0.0 if at == middle else _Z90 * (at - middle) / side

    @property
    def words(self) -> str:
        """The value with its range, mark and note."""
        unit = "" if self.unit == "fraction" else f" {self.unit}"
        span = "" if self.low is None else f" ({self.low:g} to {self.high:g})"
        note = "" if self.note is None else f" [{self.note}]"
        return f"{self.typical:g}{span}{unit} [{self.verification}]{note}"


class Study(Sourced):
    """What one study found of a bioavailability."""

    value: float = Field(gt=0, lt=1)
    unit: Literal["fraction"] = "fraction"


class Assumption(Record):
    """How one product is taken to be absorbed by one route at one age.

    Attributes
    ----------
    peak_min, rate_per_h : Stated
        One of them: when the plasma peak comes, or the first-order rate.
    disputed : str or None
        How the studies disagree.
    studies : tuple of Study
        What each study found, where several were read; none may lie outside the range.
    also : tuple of str
        Further sources behind the numbers.
    """

    route: Route
    product: Product
    age: Literal["adult", "child"]
    fraction: Stated
    peak_min: Stated | None = None
    rate_per_h: Stated | None = None
    zero_order_min: Stated | None = None
    disputed: str | None = None
    studies: tuple[Study, ...] = ()
    also: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _units(cls, entry: Any) -> Any:
        units = {"fraction": "fraction", "peak_min": "min", "rate_per_h": "1/h", "zero_order_min": "min"}
        if not isinstance(entry, dict):
            return entry
        return {
            key: {"unit": units[key]} | value if key in units and isinstance(value, dict) else value
            for key, value in entry.items()
        }

    @model_validator(mode="after")
    def _one_time(self) -> Assumption:
        if (self.peak_min is None) == (self.rate_per_h is None):
            raise ValueError("give peak_min or rate_per_h, one of them")
        if self.zero_order_min is not None and self.rate_per_h is None:
            raise ValueError("a zero-order step goes with rate_per_h")
        return self

    @model_validator(mode="after")
    def _never_narrower(self) -> Assumption:
        low, high = self.fraction.low, self.fraction.high
        for item in self.studies:
            if low is None or high is None or not low <= item.value <= high:
                raise ValueError(f"a study found {item.value:g}, which is outside the stated range")
        return self

    @property
    def speed(self) -> Stated:
        """``peak_min`` (its unit is min) or ``rate_per_h``."""
        return next(item for item in (self.peak_min, self.rate_per_h) if item is not None)

    @property
    def sources(self) -> tuple[str, ...]:
        """Every source key behind it, once."""
        stated = (self.fraction, self.peak_min, self.rate_per_h, self.zero_order_min)
        return tuple(dict.fromkeys([*(item.source for item in stated if item is not None), *self.also]))


class _File(RootModel[tuple[Assumption, ...]]):
    pass


@functools.cache
def assumptions() -> tuple[Assumption, ...]:
    """Every assumption on file."""
    return read_yaml(resources.files("limen.pharmacology") / "data" / "absorption.yaml", _File).root


def assumption(route: str, product: str, *, age_years: float | None = None) -> Assumption:
    """How this product is taken to be absorbed by this route.

    Parameters
    ----------
    age_years : float, optional
        Under 18 a child's numbers are used; an age not given is taken for an adult's.

    Raises
    ------
    InputError
        If nothing was read to assume it from; lists the routes there are.

    Examples
    --------
    >>> assumption("im", "racemic").fraction.typical
    0.93
    >>> assumption("im", "racemic", age_years=6)
    Traceback (most recent call last):
    ...
    limen.errors.InputError: dose: no stated absorption of racemic by the route 'im' in children; allowed: in, po, pr...
    """
    age = "child" if age_years is not None and age_years < ADULT_YEARS else "adult"
    known = [item for item in assumptions() if item.product == product and item.age == age]
    for item in known:
        if item.route == route:
            return item
    people = "children" if age == "child" else "adults"
    raise InputError(
        f"no stated absorption of {product} by the route {route!r} in {people}",
        where="dose",
        allowed=", ".join(item.route for item in known) or "iv",
        hint="A model that has the route itself can be asked alone",
    )


def covers(route: str, product: str, *, age_years: float | None = None) -> bool:
    """Whether there is an assumption for this route, product and age.

    Examples
    --------
    >>> covers("sc", "racemic"), covers("sc", "s-ketamine")
    (True, False)
    """
    try:
        assumption(route, product, age_years=age_years)
    except InputError:
        return False
    return True


def column_of(route: str, kind: Literal["F", "PEAK"] = "F") -> str:
    """The column of draws of the share absorbed, or of how late.

    Examples
    --------
    >>> column_of("buccal"), column_of("in", "PEAK")
    ('F_SL', 'PEAK_IN')
    """
    return f"{kind}_{_COLUMN.get(route, route.upper())}"


def assumed_pathways(
    route: str, product: str, draws: Array, *, body: Body, age_years: float | None = None
) -> tuple[Pathway, ...]:
    """One pathway into the central volume for each patient, from the stated ranges.

    Parameters
    ----------
    draws : array (rows, population.COLUMNS)
        Standard normal draws; zeros are the typical patient.
    body : Body
        The model's disposition of one milligram given into the vein, typical patient in row 0; its first output is the
        analyte whose peak time was reported.

    Returns
    -------
    tuple of Pathway
        One, with ``entry`` "central".

    Raises
    ------
    InputError
        If nothing was read to assume it from.

    Notes
    -----
    Only the parent drug is absorbed: the norketamine that gut and liver form on the way is not in it (see
    :func:`assumed_flags`).

    Examples
    --------
    >>> from limen.pharmacology.kinetics import LinearSystem
    >>> body = LinearSystem(np.array([[[-0.02]]]), np.ones(1), np.ones((1, 1, 1)))
    >>> (muscle,) = assumed_pathways("im", "racemic", np.zeros((1, len(population.COLUMNS))), body=body)
    >>> muscle.fraction
    array([0.93])
    """
    found = assumption(route, product, age_years=age_years)
    share = found.fraction.drawn(draws[:, population.COLUMNS.index(column_of(route))])
    lateness = draws[:, population.COLUMNS.index(column_of(route, "PEAK"))]
    if found.speed.unit == "min":
        rate_per_min = rates_for_peaks(found.speed.drawn(lateness), body)
    else:
        # A high draw is late: a low rate.
        rate_per_min = found.speed.drawn(-lateness) / 60.0
    filling_min = None if found.zero_order_min is None else found.zero_order_min.drawn(lateness)
    return (Pathway("central", share, filling_min, (rate_per_min,)),)


def assumed_flags(route: str, product: str, *, age_years: float | None = None) -> tuple[Flag, ...]:
    """What must be said of an assumed absorption.

    Examples
    --------
    >>> [flag.code for flag in assumed_flags("in", "racemic")]
    ['assumed-absorption', 'bioavailability-disputed', 'first-pass-metabolite-missing']
    """
    found = assumption(route, product, age_years=age_years)
    people = "children" if found.age == "child" else "adults"
    speed = f"{'plasma peak' if found.speed.unit == 'min' else 'absorbed'} at {found.speed.words}"
    if found.zero_order_min is not None:
        speed = f"released evenly over {found.zero_order_min.words}, then {speed}"
    flags = [
        Flag(
            "assumed-absorption",
            f"{product} by the route {route} in {people}: no usable model; share absorbed {found.fraction.words};"
            f" {speed}. Ranges hold 90 of 100 virtual patients and are not a measured spread",
        )
    ]
    if found.disputed is not None:
        flags.append(
            Flag("bioavailability-disputed", f"{product} by the route {route}: {found.disputed}{_two_parts(found)}")
        )
    if route not in {"im", "sc"}:
        flags.append(
            Flag(
                "first-pass-metabolite-missing",
                f"Route {route}: norketamine formed in gut and liver before ketamine reaches the blood is not in the"
                " forecast; what it shows of norketamine is too low",
            )
        )
    return tuple(flags)


def _two_parts(found: Assumption) -> str:
    """How much of the range is between studies, and how much between people."""
    from limen.pharmacology.absorption.disagreement import disagreement

    parts = disagreement(found)
    if parts is None:
        return ""
    told = parts.to_json()
    studies, people = (told[name] for name in ("between_studies", "between_patients"))
    return (
        f". Of the range, {studies['low']:.2g} to {studies['high']:.2g} is between studies and {people['low']:.2g} to"
        f" {people['high']:.2g} between people of one study; the band holds both [P]"
    )


def _logit(value: float) -> float:
    return math.log(value / (1.0 - value))
