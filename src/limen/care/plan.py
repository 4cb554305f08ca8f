"""A plan as a value: asked, walls, dose, course, monitoring, evidence and reasons, and its JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from limen.care.exposure import History, given_between
from limen.care.plain import plain
from limen.care.plan_course import Position
from limen.care.plan_limits import Held, Standing
from limen.care.plan_monitoring import observations_due
from limen.care.screening import Finding, Screening
from limen.care.syringe import Syringe
from limen.care.titration import Proposal
from limen.care.weights import Person, weights_json
from limen.knowledge.claim import Statement
from limen.knowledge.discharge import discharge
from limen.knowledge.drugs import get_product
from limen.knowledge.protocols import Protocol, WeightBasis
from limen.knowledge.walls import WINDOWS
from limen.pharmacology.regimen import Dose
from limen.units import Concentration, Mass, Minutes


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for, before any wall."""

    text: str | None
    doses: tuple[Dose, ...]
    concentration_mg_per_mL: float | None

    @property
    def by(self) -> str:
        return "protocol" if self.text is None else "prescriber"


@dataclass(frozen=True, slots=True)
class Blocker:
    """One reason the plan is not released."""

    rule: str
    level: str
    because: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan with its whole reasoning.

    Attributes
    ----------
    asked : Asked
        The dose asked for, resolved where the weight is known.
    weight_kg : float or None
        The weight doses follow, by ``weight_basis``.
    held : Held or None
        The doses after the walls; ``None`` where there was nothing to hold.
    blocked_by : tuple of Blocker
        Empty exactly where the plan is released, unless no dose stands.
    forecast : mapping or None
        Of the doses the walls allow, shown also when the plan is refused.
    """

    protocol: Protocol
    asked: Asked
    weight_kg: float | None
    weight_basis: WeightBasis
    walls: tuple[Standing, ...]
    held: Held | None
    syringe: Syringe | None
    session_number: int | None
    screening: Screening
    findings: tuple[Finding, ...]
    overridden: tuple[str, ...]
    blocked_by: tuple[Blocker, ...]
    forecast: Mapping[str, Any] | None
    on: date
    person: Person | None = None
    history: History | None = None
    proposal: Proposal | None = None
    position: Position | None = None

    @property
    def released(self) -> bool:
        """A dose stands and nothing blocks."""
        return self.held is not None and not self.blocked_by

    @property
    def dose_mg(self) -> float | None:
        """The session's dose; ``None`` unless the plan is released."""
        return total_mg(self.held.doses) if self.held is not None and self.released else None

    def to_json(self) -> dict[str, Any]:
        """The ``plan`` contract."""
        evidence = self.protocol.evidence
        return {
            "protocol": self.protocol.id,
            "protocol_version": self.protocol.version,
            "released": self.released,
            "asked": self._asked_json(),
            "dose": self._dose_json() if self.released else None,
            "limits": self._limits_json(),
            "course": [
                {
                    "phase": phase.phase,
                    "sessions": phase.sessions,
                    "spacing": phase.spacing,
                    "days": list(phase.days),
                    "alternatives": list(phase.alternatives),
                    "sources": list(phase.sources),
                    "verification": phase.verification.value,
                }
                for phase in self.protocol.course
            ],
            "taper": [_statement(item) for item in self.protocol.taper],
            "stop_signals": [_statement(item) for item in self.protocol.stop_signals],
            "monitoring": observations_due(self.protocol, self._duration_min(), self.session_number),
            "premedication": [_statement(item) for item in self.protocol.premedication],
            "discharge": [_criterion(rule) for rule in self.protocol.discharge],
            "staffing": [_statement(item) for item in self.protocol.staffing],
            "forecast": None if self.forecast is None else dict(self.forecast),
            "forecast_for": None
            if self.held is None
            else {"dose_mg": total_mg(self.held.doses), "duration_min": span_min(self.held.doses)},
            "evidence": {
                "regulatory_status": evidence.regulatory_status.text,
                "for": [_statement(item) for item in evidence.supports],
                "against": [_statement(item) for item in evidence.opposes],
            },
            "verdict": self.screening.verdict,
            "findings": [finding.to_json() for finding in self.findings],
            "missing": [*(gap.to_json() for gap in self.screening.missing), *self._not_counted()],
            "weights": weights_json(self.protocol, self.person, self.weight_basis),
            "exposure": self._exposure_json(),
            "position": None if self.position is None else self.position.to_json(),
            "titration": None if self.proposal is None else self.proposal.to_json(),
            "overridden": list(self.overridden),
            "blocked_by": [
                {"rule": item.rule, "level": item.level, "because": item.because} for item in self.blocked_by
            ],
            "unknown_inputs": list(self.screening.unknown_inputs),
        }

    def _duration_min(self) -> float | None:
        doses = self.asked.doses if self.held is None else self.held.doses
        if doses:
            return span_min(doses)
        spans = [step.duration.typical_min for step in self.protocol.steps if step.duration is not None]
        return next((span for span in spans if span is not None), None)

    def _asked_json(self) -> dict[str, Any]:
        doses = self.asked.doses
        amount_mg = total_mg(doses) if doses else None
        return {
            "dose": self.asked.text,
            "by": self.asked.by,
            "dose_mg": amount_mg,
            "dose_mg_per_kg": _per_kg(amount_mg, self.weight_kg),
            "duration_min": span_min(doses) if doses else None,
            **self._rates_json(doses),
            "concentration_mg_per_mL": self.asked.concentration_mg_per_mL,
        }

    def _dose_json(self) -> dict[str, Any]:
        assert self.held is not None  # noqa: S101 - released only where a dose stands
        doses = self.held.doses
        amount_mg = total_mg(doses)
        filled = None if self.syringe is None else self.syringe.filled
        return {
            "dose_mg": amount_mg,
            "dose_mg_per_kg": _per_kg(amount_mg, self.weight_kg),
            "weight_basis": self.weight_basis,
            "weight_kg": self.weight_kg,
            "duration_min": span_min(doses),
            **self._rates_json(doses),
            "devices": self._devices(amount_mg),
            "syringe": None if self.syringe is None else self.syringe.to_json(),
            "steps": [
                _step_json(step.kind, part, filled) | self._per_kg_json(part)
                for step, dose in zip(self.protocol.steps, doses, strict=True)
                for part in self._parts(step.kind, dose)
            ],
        }

    def _rates_json(self, doses: Sequence[Dose]) -> dict[str, float | None]:
        """The rate of a session that is one infusion, in every unit it is spoken of; several steps carry their own."""
        if len(doses) != 1:
            return {"rate_mg_per_h": None, "rate_mg_per_kg_per_h": None, "rate_mcg_per_kg_per_min": None}
        rate_mg_per_h = _rate_mg_per_h(doses[0])
        return {"rate_mg_per_h": rate_mg_per_h, **_rates_per_kg(rate_mg_per_h, self.weight_kg)}

    def _per_kg_json(self, dose: Dose) -> dict[str, float | None]:
        by_kg = _per_kg(dose.amount_mg, self.weight_kg)
        return {"dose_mg_per_kg": by_kg, **_rates_per_kg(_rate_mg_per_h(dose), self.weight_kg)}

    def _devices(self, amount_mg: float) -> int | None:
        device = get_product(self.protocol.product).device
        return None if device is None else round(amount_mg / device.dose_mg)

    def _parts(self, kind: str, dose: Dose) -> tuple[Dose, ...]:
        """A step as it is given: devices one after the other, with their rest between."""
        device = get_product(self.protocol.product).device
        if kind != "device" or device is None:
            return (dose,)
        return tuple(
            replace(dose, amount_mg=device.dose_mg, start_min=dose.start_min + number * device.rest_min)
            for number in range(round(dose.amount_mg / device.dose_mg))
        )

    def _limits_json(self) -> dict[str, Any]:
        binding = None if self.held is None else self.held.binding
        rounding = None if self.held is None else self.held.rounding
        decided = binding or rounding
        return {
            "soft_max_mg": self._lowest("dose", "soft"),
            "hard_max_mg": self._lowest("dose", "hard", "cap"),
            "rate_max_mg_per_h": self._lowest("rate", "soft", "hard", "cap"),
            "day_max_mg": self._lowest("day", "soft", "hard", "cap"),
            "binding": None if decided is None else decided.to_json(),
            "rounding": None if rounding is None else rounding.to_json(),
            "walls": [standing.to_json() for standing in self.walls],
            "passed": [] if self.held is None else [standing.wall.name for standing in self.held.passed],
        }

    def _lowest(self, measure: str, *kinds: str) -> float | None:
        """The protocol's own walls; those that bear on this patient only stand in ``walls``."""
        found = [
            standing.whole
            for standing in self.walls
            if standing.wall.measure == measure
            and standing.wall.bound == "most"
            and standing.wall.kind in kinds
            and not standing.wall.is_conditional
            and not standing.wall.counts_sessions
        ]
        return min(found, default=None)

    def _not_counted(self) -> list[dict[str, Any]]:
        """Limits that look back, where nobody said what was given before."""
        return [
            {
                "rule": standing.wall.rule,
                "input": "exposure",
                "why": f"{standing.wall.name}: {standing.past.missing}",
                "level": "info",
                "title": "what was given before",
            }
            for standing in self.walls
            if standing.past is not None and standing.past.given is None and standing.past.missing
        ]

    def _exposure_json(self) -> dict[str, Any]:
        """What was given before, counted; and the spans over which no source gives a limit."""
        bounded = {standing.wall.measure for standing in self.walls}
        out: dict[str, Any] = {
            "known": self.history is not None,
            "sessions": None,
            "given_mg": None,
            "last_on": None,
            "session_number": self.session_number,
            "no_limit_on_record": [measure for measure in WINDOWS if measure not in bounded],
        }
        if self.history is not None:
            before = self.history.until(self.on)
            amounts = given_between(before, self.protocol.product, None, self.on, self.history.zone)
            out |= {
                "sessions": len(before),
                "given_mg": None if amounts.unknown else float(amounts.mg),
                "last_on": before[-1].day(self.history.zone).isoformat() if before else None,
            }
        return out


def _step_json(kind: str, dose: Dose, filled: Concentration | None) -> dict[str, Any]:
    mass = Mass(dose.amount_mg)
    volume = None if filled is None else mass / filled
    duration = Minutes(dose.duration_min) if dose.duration_min else None
    return {
        "kind": kind,
        "at_min": dose.start_min,
        "dose_mg": dose.amount_mg,
        "duration_min": dose.duration_min,
        "rate_mg_per_h": None if duration is None else (mass / duration).value,
        "volume_mL": None if volume is None else volume.value,
        "rate_mL_per_h": None if volume is None or duration is None else (volume / duration).value,
    }


def _statement(item: Statement) -> dict[str, Any]:
    return {"text": item.text, "sources": list(item.sources), "verification": item.verification.value}


def _criterion(rule: str) -> dict[str, Any]:
    criterion = discharge().criterion(rule)
    return {
        "rule": rule,
        "title": criterion.title,
        "sources": list(criterion.sources),
        "verification": criterion.verification.value,
    }


def total_mg(doses: Sequence[Dose]) -> float:
    return sum(dose.amount_mg for dose in doses)


def span_min(doses: Sequence[Dose]) -> float:
    """From the first start to the last end."""
    return max(dose.end_min for dose in doses) - min(dose.start_min for dose in doses)


def _per_kg(amount_mg: float | None, weight_kg: float | None) -> float | None:
    return None if amount_mg is None or weight_kg is None else plain(amount_mg / weight_kg)


def _rate_mg_per_h(dose: Dose) -> float | None:
    return plain((Mass(dose.amount_mg) / Minutes(dose.duration_min)).value) if dose.duration_min else None


def _rates_per_kg(rate_mg_per_h: float | None, weight_kg: float | None) -> dict[str, float | None]:
    """The same rate by weight: 1 mcg/kg/min is 0.06 mg/kg/h."""
    by_kg = _per_kg(rate_mg_per_h, weight_kg)
    return {
        "rate_mg_per_kg_per_h": by_kg,
        "rate_mcg_per_kg_per_min": None if by_kg is None else plain(by_kg / 0.06),
    }
