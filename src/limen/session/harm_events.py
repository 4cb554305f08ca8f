"""What is written down when something goes wrong: the rescue that was given, and the adverse event."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from limen.knowledge.adverse_events import adverse_events
from limen.session.event_base import Dose, Recorded, Texts, TimeInSession, Whole


class RescueGiven(Recorded):
    """A rescue: oxygen, a manoeuvre, a drug with its dose, by a standing order where one was used.

    Attributes
    ----------
    what, dose : str or None
        In words.
    order, order_version : str or None
        The standing order, and the digest of the version that was signed.
    volume_mL : float or None
        What was drawn, of ``concentration_mg_per_mL``.
    route : str or None
        ``iv im in odt po inhaled``.
    read_back_by : str or None
        Who heard the dose read back.
    asked_and_denied : tuple of str or None
        What speaks against the drug, and was asked and denied before it was given.
    """

    kind: Literal["rescue.given"] = "rescue.given"
    what: str | None = None
    dose: str | None = None
    reason: str | None = None
    order: str | None = None
    order_version: str | None = None
    drug: str | None = None
    dose_mg: Dose | None = None
    volume_mL: Annotated[float, Field(gt=0, le=5000)] | None = None
    concentration_mg_per_mL: Annotated[float, Field(gt=0, le=1000)] | None = None
    route: str | None = None
    read_back_by: str | None = None
    asked_and_denied: Texts | None = None

    @model_validator(mode="after")
    def _adds_up(self) -> RescueGiven:
        dose_mg, volume_mL, strength = self.dose_mg, self.volume_mL, self.concentration_mg_per_mL
        if dose_mg is None or volume_mL is None or strength is None:
            return self
        if not math.isclose(dose_mg, volume_mL * strength, rel_tol=0.01):
            raise PydanticCustomError(
                "rescue",
                "{volume} mL of {strength} mg/mL are not {dose} mg|volume_mL|mg = mL x mg/mL",
                {"dose": f"{dose_mg:g}", "volume": f"{volume_mL:g}", "strength": f"{strength:g}"},
            )
        return self


class AdverseEventRecorded(Recorded):
    """An adverse event, open until ``resolved_t_s``.

    Attributes
    ----------
    code : str or None
        Its name in the dictionary of adverse events.
    serious : tuple of str or None
        Criteria of the dictionary that it meets; an empty list says that it meets none, ``None`` that nobody asked.
    action, outcome : str or None
        Of the dictionary's lists, or in words.
    """

    kind: Literal["adverse-event.recorded"] = "adverse-event.recorded"
    text: str | None = None
    code: str | None = None
    severity: Annotated[Whole, Field(ge=1, le=5)] | None = None
    serious: Texts | None = None
    onset_t_s: TimeInSession | None = None
    resolved_t_s: TimeInSession | None = None
    action: str | None = None
    outcome: str | None = None
    reported_to: str | None = None

    @model_validator(mode="after")
    def _listed(self) -> AdverseEventRecorded:
        book = adverse_events()
        _one_of("code", [self.code] if self.code is not None else [], [entry.id for entry in book.events])
        _one_of("serious", self.serious or (), [entry.id for entry in book.serious])
        if self.onset_t_s is not None and self.resolved_t_s is not None and self.resolved_t_s < self.onset_t_s:
            raise PydanticCustomError("order", "it ended before it began|resolved_t_s|from its onset on")
        return self


def _one_of(key: str, values: tuple[str, ...] | list[str], allowed: list[str]) -> None:
    for value in values:
        if value not in allowed:
            raise PydanticCustomError(
                "listed",
                "{value} is not in the dictionary of adverse events|{key}|{allowed}",
                {"value": value, "key": key, "allowed": ", ".join(allowed)},
            )
