"""What a standing order is asked for, and what it comes to: person, stock, doses given; the offer with its reasons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from limen.care.case import Condition
from limen.care.standing import State
from limen.errors import InputError
from limen.evidence.marks import Verification
from limen.knowledge.inputs import inputs
from limen.knowledge.standing_orders import ROUTE_WORDS

Status = Literal["usable", "not-signed", "refused", "maximum", "wait", "ask", "no-stock"]


@dataclass(frozen=True, slots=True)
class Found:
    """One reason, with the rule and the support it has."""

    text: str
    rule: str | None = None
    sources: tuple[str, ...] = ()
    verification: Verification = Verification.CLINIC_RULE

    def to_json(self) -> dict[str, Any]:
        """For screens and the contract."""
        return {
            "text": self.text,
            "rule": self.rule,
            "sources": list(self.sources),
            "verification": self.verification.value,
        }


@dataclass(frozen=True, slots=True)
class Person:
    """Who would receive it. ``None`` is not known; an empty list says that there are none.

    Attributes
    ----------
    allergies, medications : sequence of str or None
        As the chart has them.
    allergies_asked : bool
        False where some are on record and nobody asked for all of them: those named refuse, the rest is asked.
    hr_per_min : float or None
        The newest heart rate that is not stale.
    reported : sequence of str or None
        Ids of the listed reports that stand now (``limen.knowledge.monitoring.Reported``).
    denied : tuple of str
        Questions of an offer's ``ask`` that somebody has asked at the chair, and the answer was no.
    """

    weight_kg: float | None = None
    age_years: float | None = None
    allergies: tuple[str, ...] | None = None
    medications: tuple[str, ...] | None = None
    conditions: tuple[Condition, ...] | None = None
    hr_per_min: float | None = None
    reported: tuple[str, ...] | None = None
    denied: tuple[str, ...] = ()
    allergies_asked: bool = True

    def __post_init__(self) -> None:
        for key, value in (("patient.weight_kg", self.weight_kg), ("patient.age_years", self.age_years)):
            spec = inputs()[key]
            if value is not None and not (spec.low or 0) <= value <= (spec.high or 0):
                raise InputError(f"{spec.title} {value:g}", where=key, allowed=spec.allowed)


@dataclass(frozen=True, slots=True)
class Stock:
    """One presentation that the site holds: a strength in mg/mL, or mg in one tablet or device."""

    drug: str
    routes: tuple[str, ...]
    concentration_mg_per_mL: float | None = None
    unit_mg: float | None = None
    label: str = ""

    def __post_init__(self) -> None:
        if (self.concentration_mg_per_mL is None) == (self.unit_mg is None):
            raise InputError(
                f"stock of {self.drug}", where="stock", allowed="concentration_mg_per_mL or unit_mg, one of them"
            )
        size = self.concentration_mg_per_mL if self.unit_mg is None else self.unit_mg
        if size is None or not 0 < size <= 1000:
            raise InputError(f"stock of {self.drug} of {size}", where="stock", allowed="over 0 and up to 1000")

    @property
    def words(self) -> str:
        """As a label says it."""
        held = f"{self.unit_mg:g} mg each" if self.unit_mg is not None else f"{self.concentration_mg_per_mL:g} mg/mL"
        return f"{self.label or self.drug} {held}"


@dataclass(frozen=True, slots=True)
class Given:
    """A rescue dose that went in. ``order`` is ``None`` where none was named: it counts for every order of the drug."""

    drug: str
    at_min: float
    dose_mg: float | None = None
    order: str | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """One order by one route from one presentation, for one person at one minute.

    Attributes
    ----------
    dose_mg, volume_mL : float or None
        The smaller end of the dose, as it can be drawn up; ``None`` where it cannot be told.
    dose_max_mg, volume_max_mL : float or None
        The larger end.
    dose_asked_mg : float or None
        The smaller end before it was brought down to a mark of the syringe.
    units : int or None
        Tablets, where it is no fluid.
    next_at_min : float or None
        When the interval is over, where it is not.
    against : tuple of Found
        Why it may not be given now.
    ask : tuple of str
        What nobody has asked.
    caution : tuple of Found
        What to mind when giving it.
    """

    order: str
    drug: str
    title: str
    indication: str
    emergency: bool
    route: str
    state: State
    status: Status
    stock: str | None
    concentration_mg_per_mL: float | None
    given_as: str | None
    dose_mg: float | None
    dose_max_mg: float | None
    dose_asked_mg: float | None
    volume_mL: float | None
    volume_max_mL: float | None
    units: int | None
    over_min: float | None
    doses_given: int
    max_doses: int | None
    given_mg: float | None
    total_max_mg: float | None
    interval_min: float | None
    next_at_min: float | None
    against: tuple[Found, ...]
    ask: tuple[str, ...]
    caution: tuple[Found, ...]
    sources: tuple[str, ...]
    verification: Verification
    signed_by: str | None
    expires_on: date | None

    @property
    def usable(self) -> bool:
        """Whether it may be given now."""
        return self.status == "usable"

    @property
    def words(self) -> str:
        """The dose as it is read back."""
        route = ROUTE_WORDS[self.route]
        if self.given_as is not None:
            return f"{self.drug} {self.given_as}"
        if self.dose_mg is None:
            return f"{self.drug}: dose not known, {route}"
        said = f"{self.drug} {self.dose_mg:g} mg"
        if self.volume_mL is not None:
            said += f", {self.volume_mL:g} mL of {self.concentration_mg_per_mL:g} mg/mL"
        elif self.units is not None:
            said += f", {self.units} of {self.stock}"
        return f"{said}, {route}" + (f", over {self.over_min:g} min" if self.over_min is not None else "")

    def to_json(self) -> dict[str, Any]:
        """Every part, with its reasons."""
        return {
            "order": self.order,
            "drug": self.drug,
            "title": self.title,
            "indication": self.indication,
            "emergency": self.emergency,
            "route": self.route,
            "state": self.state,
            "status": self.status,
            "usable": self.usable,
            "words": self.words,
            "stock": self.stock,
            "concentration_mg_per_mL": self.concentration_mg_per_mL,
            "given_as": self.given_as,
            "dose_mg": self.dose_mg,
            "dose_max_mg": self.dose_max_mg,
            "dose_asked_mg": self.dose_asked_mg,
            "volume_mL": self.volume_mL,
            "volume_max_mL": self.volume_max_mL,
            "units": self.units,
            "over_min": self.over_min,
            "doses_given": self.doses_given,
            "max_doses": self.max_doses,
            "given_mg": self.given_mg,
            "total_max_mg": self.total_max_mg,
            "interval_min": self.interval_min,
            "next_at_min": self.next_at_min,
            "against": [entry.to_json() for entry in self.against],
            "ask": list(self.ask),
            "caution": [entry.to_json() for entry in self.caution],
            "sources": list(self.sources),
            "verification": self.verification.value,
            "signed_by": self.signed_by,
            "expires_on": None if self.expires_on is None else self.expires_on.isoformat(),
        }
