"""What a regimen is to reach, inside what, with what pump; and the regimen that is advised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from limen.errors import InputError
from limen.evidence import Verification
from limen.pharmacology.effects.beyond import reaches
from limen.pharmacology.exposure import Percentiles, numbers, unit_of
from limen.pharmacology.outcome import Flag
from limen.pharmacology.regimen import Dose

Array = npt.NDArray[np.float64]

Statistic = Literal["typical", "p05", "p50", "p95"]


@dataclass(frozen=True, slots=True)
class Target:
    """What is wanted: an output held at a level from one time to another.

    Attributes
    ----------
    output : str
        NAME of a concentration (``ketamine_plasma_ng_per_mL``) or an effect (``dissociation_pct``).
    level : float
        In the unit that the NAME ends in.
    statistic : str
        Whose: the typical patient, or a percentile of the virtual patients.
    """

    output: str
    level: float
    from_min: float
    until_min: float
    statistic: Statistic = "typical"

    def __post_init__(self) -> None:
        if not 0 < self.level < float("inf"):
            raise InputError(f"a target of {self.level!r}", where="target", allowed="over 0")
        if not 0 <= self.from_min < self.until_min <= 10080:
            raise InputError(
                f"from {self.from_min:g} to {self.until_min:g} min", where="target", allowed="0 to a week, rising"
            )
        reach = reaches().get(self.output)
        if reach is not None and self.level > reach.at(self.statistic):
            raise InputError(
                f"a target of {self.level:g} for {self.output}",
                where="target",
                allowed=f"up to {reach.at(self.statistic):.3g}: past it the effect was not studied",
            )
        if self.statistic not in get_args(Statistic):
            raise InputError(
                f"unknown statistic {self.statistic!r}", where="target", allowed=", ".join(get_args(Statistic))
            )


@dataclass(frozen=True, slots=True)
class Wall:
    """One safety limit.

    Attributes
    ----------
    kind : str
        ``bolus`` (mg), ``rate`` (mg/h), ``total`` (mg), or ``peak`` (of ``output``, in its unit).
    statistic : str
        Of a peak: the typical patient's, or a percentile of the virtual patients'.
    """

    name: str
    kind: Literal["bolus", "rate", "total", "peak"]
    limit: float
    unit: str
    verification: Verification = Verification.CLINIC_RULE
    sources: tuple[str, ...] = ("limen",)
    output: str | None = None
    statistic: Statistic = "typical"

    def __post_init__(self) -> None:
        if not 0 <= self.limit < float("inf"):
            raise InputError(f"{self.name}: limit {self.limit!r}", where="limit", allowed="0 or more")
        if (self.kind == "peak") != (self.output is not None):
            raise InputError(f"{self.name}: a peak names its output", where="limit", allowed="output with kind peak")


@dataclass(frozen=True, slots=True)
class Pump:
    """What the syringe and the pump can do.

    Attributes
    ----------
    rate_step_mL_per_h, bolus_step_mL : float
        Rates and boluses are whole numbers of these.
    """

    concentration_mg_per_mL: float
    rate_step_mL_per_h: float = 0.1
    bolus_step_mL: float = 0.1

    def __post_init__(self) -> None:
        for name in ("concentration_mg_per_mL", "rate_step_mL_per_h", "bolus_step_mL"):
            if not 0 < getattr(self, name) < float("inf"):
                raise InputError(f"{name} {getattr(self, name)!r}", where="pump", allowed="over 0")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of the pump, or one bolus."""

    kind: Literal["bolus", "infusion"]
    at_min: float
    dose_mg: float
    duration_min: float
    rate_mg_per_h: float | None
    volume_mL: float
    rate_mL_per_h: float | None

    def to_json(self) -> dict[str, Any]:
        """As the ``steps`` of a plan."""
        return {
            "kind": self.kind,
            "at_min": self.at_min,
            "dose_mg": self.dose_mg,
            "duration_min": self.duration_min,
            "rate_mg_per_h": self.rate_mg_per_h,
            "volume_mL": self.volume_mL,
            "rate_mL_per_h": self.rate_mL_per_h,
        }


@dataclass(frozen=True, slots=True)
class Advice:
    """A regimen towards a target, and how near it comes.

    Attributes
    ----------
    achieved : mapping of statistic to number or None
        Mean over the target's window, in the target's unit.
    reached : bool
        Within a tenth of the level asked, over the window.
    binding : tuple of Wall
        The limits that the regimen touches.
    time_h, curve : arrays (times,), and ``band`` over the virtual patients
        The target's output under the regimen as rounded for the pump.
    """

    target: Target
    product: str
    settings: tuple[Setting, ...]
    doses: tuple[Dose, ...]
    walls: tuple[Wall, ...]
    binding: tuple[Wall, ...]
    touched: Mapping[str, float]
    achieved: Mapping[str, float | None]
    reached: bool
    time_h: Array
    curve: Array
    band: Percentiles | None
    patients: int
    flags: tuple[Flag, ...] = field(default=())

    @property
    def total_mg(self) -> float:
        """Everything the regimen gives."""
        return sum(dose.amount_mg for dose in self.doses)

    def to_json(self) -> dict[str, Any]:
        """What was asked and what is achieved, side by side, with the limits and which of them bind."""
        unit = unit_of(self.target.output)
        binding = [wall.name for wall in self.binding]
        return {
            "advises": True,
            "product": self.product,
            "patients": self.patients,
            "asked": {
                "output": self.target.output,
                "level": self.target.level,
                "unit": unit,
                "statistic": self.target.statistic,
                "from_h": self.target.from_min / 60.0,
                "until_h": self.target.until_min / 60.0,
            },
            "achieved": {**self.achieved, "unit": unit},
            "reached": self.reached,
            "steps": [setting.to_json() for setting in self.settings],
            "dose_mg": self.total_mg,
            "limits": [
                {
                    "name": wall.name,
                    "kind": wall.kind,
                    "output": wall.output,
                    "statistic": wall.statistic if wall.kind == "peak" else None,
                    "limit": wall.limit,
                    "used": self.touched[wall.name],
                    "unit": wall.unit,
                    "verification": wall.verification.value,
                    "sources": list(wall.sources),
                    "binding": wall.name in binding,
                }
                for wall in self.walls
            ],
            "binding": binding,
            "time_h": numbers(self.time_h),
            "curve": {"typical": numbers(self.curve)} | ({} if self.band is None else self.band.to_json()),
            "flags": [{"code": flag.code, "message": flag.message} for flag in self.flags],
        }
