"""Units at the edges, and the quantities that must never be confused at a syringe.

Inside Limen numbers are plain floats whose names end in their unit (``dose_mg``). ``pint`` reads and converts at
the edges. Where a slip kills (vial strength, volume, pump rate) the types below refuse to be mixed.
"""

from __future__ import annotations

import functools
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

from limen.errors import InputError

if TYPE_CHECKING:
    import pint

# Endings that say a float's unit. The suffix test reads this list; ``_x..`` are ratios to a reference limit.
UNIT_SUFFIXES = (
    "_mg",
    "_mg_per_kg",
    "_mg_per_kg_per_h",
    "_mcg_per_kg_per_min",
    "_mg_per_h",
    "_mg_per_day",
    "_mg_per_mL",
    "_ng_per_mL",
    "_ng_h_per_mL",
    "_ng_min_per_mL",
    "_nmol_per_mL",
    "_mg_per_dL",
    "_mL",
    "_mL_per_h",
    "_mL_per_min",
    "_L",
    "_L_per_h",
    "_L_per_h_per_y",
    "_L_per_kg",
    "_kg",
    "_kg_per_m2",
    "_cm",
    "_m",
    "_years",
    "_months",
    "_weeks",
    "_days",
    "_h",
    "_min",
    "_s",
    "_ms",
    "_per_h",
    "_per_min",
    "_per_s",
    "_mmHg",
    "_mmHg_per_ng_per_mL",
    "_degC",
    "_pct",
    "_fraction",
    "_ratio",
    "_xULN",
    "_mIU_per_L",
    "_log_sd",
    "_log_variance",
    "_score",
    "_weight",
    "_exponent",
    "_probability",
    "_px",
    "_samples",
)

# Spellings that clinical systems send (UCUM and common ones) -> pint.
_ALIASES = {
    "mm[hg]": "mmHg",
    "mmhg": "mmHg",
    "cel": "degC",
    "°c": "degC",
    "[degf]": "degF",
    "°f": "degF",
    "[lb_av]": "lb",
    "[in_i]": "inch",
    "mcg": "microgram",
    "ug": "microgram",
    "µg": "microgram",
    "/min": "1/min",
    "{beats}/min": "1/min",
    "bpm": "1/min",
    "%": "percent",
    "kg/m2": "kg/m**2",
    "ml": "mL",
    "mg/ml": "mg/mL",
    "ng/ml": "ng/mL",
    "miu/l": "mIU/L",
    "wk": "week",
    "a": "year",
}


@functools.cache
def registry() -> pint.UnitRegistry[float]:
    """The one pint registry, built on first use because it takes a third of a second."""
    import pint

    units: pint.UnitRegistry[float] = pint.UnitRegistry(autoconvert_offset_to_baseunit=True)
    units.define("mmHg = 133.322387415 * pascal")
    units.define("mIU = 1e-3 * international_unit")
    return units


def convert(value: float, unit: str, to: str, *, where: str = "") -> float:
    """Convert ``value`` from ``unit`` to ``to``.

    Raises
    ------
    InputError
        If the unit is unknown or measures something else, or the value is not finite.

    Examples
    --------
    >>> round(convert(150, "[lb_av]", "kg"), 2)
    68.04
    >>> convert(1, "mcg/kg/min", "mg/kg/h")
    0.06
    """
    if not math.isfinite(value):
        raise InputError(f"value {value!r} is not a number", where=where, allowed=f"a finite number in {to}")
    if unit == to:
        return float(value)
    import pint

    units = registry()
    try:
        source = units.Unit(_spelling(unit))
        target = units.Unit(_spelling(to))
        converted = units.Quantity(value, source).to(target).magnitude
    except pint.DimensionalityError:
        raise InputError(f"unit {unit!r} does not measure the same as {to}", where=where, allowed=to) from None
    except (pint.UndefinedUnitError, pint.errors.DefinitionSyntaxError, AttributeError, ValueError, TypeError):
        raise InputError(f"unknown unit {unit!r}", where=where, allowed=f"a unit of {to}") from None
    return round(float(converted), 12)


def _spelling(unit: str) -> str:
    whole = _ALIASES.get(unit.strip().lower())
    if whole:
        return whole
    parts = re.split(r"([/*])", unit.strip())
    return "".join(_ALIASES.get(part.lower(), part) for part in parts)


_DURATION = re.compile(r"^\s*(?P<value>\d+(?:\.\d+)?)\s*(?P<unit>s|sec|min|h|hr|d|day|days|week|weeks)\s*$")
_MINUTES = {"s": 1 / 60, "sec": 1 / 60, "min": 1.0, "h": 60.0, "hr": 60.0, "d": 1440.0, "day": 1440.0, "days": 1440.0}


def parse_duration_min(text: str, *, where: str = "") -> float:
    """Minutes in a text such as ``"40 min"``, ``"4 h"``, ``"7 d"``.

    Examples
    --------
    >>> parse_duration_min("4 h")
    240.0
    """
    match = _DURATION.match(text)
    if not match:
        raise InputError(f"cannot read the duration {text!r}", where=where, allowed="a number and s, min, h, d or week")
    unit = match["unit"]
    factor = _MINUTES.get(unit, 10080.0)
    return float(match["value"]) * factor


@dataclass(frozen=True, slots=True, order=True)
class _Quantity:
    value: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.value) or self.value < 0:
            raise InputError(
                f"{type(self).__name__.lower()} {self.value!r}", allowed=f"0 or more {self.unit}", where=self.unit
            )

    @property
    def unit(self) -> str:
        return _UNITS[type(self)]

    def __str__(self) -> str:
        return f"{self.value:g} {self.unit}"


@dataclass(frozen=True, slots=True, order=True)
class Mass(_Quantity):
    """Milligrams of ketamine base.

    Examples
    --------
    >>> Mass(35) / Concentration(50)
    Volume(value=0.7)
    >>> Mass(35) / Minutes(40)
    MassRate(value=52.5)
    """

    @overload
    def __truediv__(self, other: Concentration) -> Volume: ...
    @overload
    def __truediv__(self, other: Minutes) -> MassRate: ...
    def __truediv__(self, other: Concentration | Minutes) -> Volume | MassRate:
        if isinstance(other, Concentration):
            if other.value == 0:
                raise InputError("concentration 0 mg/mL", where="concentration", allowed="over 0 mg/mL")
            return Volume(self.value / other.value)
        if isinstance(other, Minutes):
            if other.value == 0:
                raise InputError("duration 0 min", where="duration", allowed="over 0 min for a rate")
            return MassRate(self.value / other.value * 60.0)
        return NotImplemented


@dataclass(frozen=True, slots=True, order=True)
class Concentration(_Quantity):
    """Milligrams of base in a millilitre: a vial's strength, or a syringe's."""

    def __mul__(self, volume: Volume) -> Mass:
        return Mass(self.value * volume.value) if isinstance(volume, Volume) else NotImplemented


@dataclass(frozen=True, slots=True, order=True)
class Volume(_Quantity):
    """Millilitres."""

    def __truediv__(self, duration: Minutes) -> FlowRate:
        if not isinstance(duration, Minutes):
            return NotImplemented
        if duration.value == 0:
            raise InputError("duration 0 min", where="duration", allowed="over 0 min for a rate")
        return FlowRate(self.value / duration.value * 60.0)


@dataclass(frozen=True, slots=True, order=True)
class Minutes(_Quantity):
    """Minutes."""


@dataclass(frozen=True, slots=True, order=True)
class MassRate(_Quantity):
    """Milligrams in an hour."""

    def __truediv__(self, concentration: Concentration) -> FlowRate:
        if not isinstance(concentration, Concentration):
            return NotImplemented
        if concentration.value == 0:
            raise InputError("concentration 0 mg/mL", where="concentration", allowed="over 0 mg/mL")
        return FlowRate(self.value / concentration.value)


@dataclass(frozen=True, slots=True, order=True)
class FlowRate(_Quantity):
    """Millilitres in an hour: what a pump is set to."""


_UNITS: dict[type[_Quantity], str] = {
    Mass: "mg",
    Concentration: "mg/mL",
    Volume: "mL",
    Minutes: "min",
    MassRate: "mg/h",
    FlowRate: "mL/h",
}
