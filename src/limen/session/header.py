"""What is fixed before a session starts: protocol, patient, values before the dose, own limits, streams."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, ValidationError

from limen.errors import InputError
from limen.knowledge.inputs import inputs
from limen.knowledge.monitoring import MonitoringRules
from limen.session.event_base import Checked, Whole
from limen.session.events import LimitPair, StreamSpec, refusal


class Baseline(Checked):
    """Values before the dose; a missing one stays missing."""

    sbp_mmHg: float | None = None
    dbp_mmHg: float | None = None
    hr_per_min: float | None = None
    rr_per_min: float | None = None
    spo2_pct: float | None = None


class SessionHeader(Checked):
    """One session, before anything happened in it.

    Attributes
    ----------
    patient : mapping
        The patient as the contract's ``P``.
    limits : mapping of signal to LimitPair, or None
        Own limits; they replace the rules' limits of the signals they name.
    streams : mapping of signal to StreamSpec, or None
        Signals that are expected from the start.
    session_number : int or None
        Number of this session in the course.
    """

    protocol: str | None = None
    product: str | None = None
    route: str | None = None
    patient: dict[str, Any] | None = None
    baseline: Baseline | None = None
    limits: dict[str, LimitPair] | None = None
    streams: dict[str, StreamSpec] | None = None
    session_number: Annotated[Whole, Field(ge=1)] | None = None

    def baseline_values(self) -> dict[str, float | None]:
        """The values before the dose by their keys."""
        start = self.baseline or Baseline()
        return {name: getattr(start, name) for name in Baseline.model_fields}


def parse_header(value: Any, rules: MonitoringRules, *, where: str = "session") -> SessionHeader:
    """A checked header from its JSON.

    Raises
    ------
    InputError
        If a value is malformed or impossible, or a signal is unknown.
    """
    if not isinstance(value, Mapping):
        raise InputError(f"holds a {type(value).__name__}", where=where, allowed="an object")
    try:
        header = SessionHeader.model_validate(dict(value))
    except ValidationError as problem:
        raise refusal(problem.errors(include_url=False)[0], where) from None
    _possible_patient(header.patient or {}, f"{where}.patient")
    known = [signal.id for signal in rules.signals]
    for part, table in (("limits", header.limits), ("streams", header.streams)):
        for signal in table or {}:
            if signal not in known:
                raise InputError(
                    f"unknown signal {signal!r}", where=f"{where}.{part}.{signal}", allowed=", ".join(known)
                )
    return header


def unknown_patient_keys(header: SessionHeader) -> list[str]:
    """Keys of the patient that no rule knows."""
    return sorted(key for key in header.patient or {} if f"patient.{key}" not in inputs() and key not in _NOT_FACTS)


# Keys of the contract's P that are not facts with a range.
_NOT_FACTS = {"weight_on", "sex", "ancestry", "child_pugh"}


def _possible_patient(patient: Mapping[str, Any], where: str) -> None:
    for key, value in patient.items():
        spec = inputs().get(f"patient.{key}")
        if spec is None or spec.low is None or spec.high is None or value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not spec.low <= value <= spec.high:
            raise InputError(f"{spec.title} {value!r:.40}", where=f"{where}.{key}", allowed=spec.allowed)
