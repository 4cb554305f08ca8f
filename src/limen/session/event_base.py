"""What every event of a session is made of: the envelope, and the door that refuses the impossible."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict, model_validator
from pydantic_core import PydanticCustomError

from limen.knowledge.inputs import inputs

Texts = Annotated[tuple[str, ...], Strict(False)]
Dose = Annotated[float, Field(gt=0, le=5000)]
# A hundredth of a minute is less than a pump can time; under it a rate stops being a number.
Duration = Annotated[float, Field(ge=0.01, le=14400)]
# A session lasts hours; one that nobody ended must still be ended when it is found, be it a year later. A time beyond
# that is a slip of the clock.
TimeInSession = Annotated[float, Field(ge=-604800, le=366 * 86400)]
# JSON may write a whole number as 10.0.
Whole = Annotated[
    int, BeforeValidator(lambda value: int(value) if isinstance(value, float) and value.is_integer() else value)
]

# Observed values that a case may also hold are checked against the same possible range.
_OBSERVED = {
    "sbp_mmHg": "vitals.sbp_mmHg",
    "dbp_mmHg": "vitals.dbp_mmHg",
    "hr_per_min": "vitals.hr_per_min",
    "rr_per_min": "vitals.rr_per_min",
    "spo2_pct": "vitals.spo2_pct",
}


class Checked(BaseModel):
    """A record that keeps unknown keys and refuses what no living person has."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True, allow_inf_nan=False)

    @model_validator(mode="after")
    def _possible(self) -> Checked:
        for name, key in _OBSERVED.items():
            value = getattr(self, name, None)
            spec = inputs()[key]
            if value is None or spec.low is None or spec.high is None or spec.low <= value <= spec.high:
                continue
            hint = " (none at all: report it as a symptom)" if value == 0 else ""
            raise PydanticCustomError(
                "impossible",
                "{title} {value} is impossible{hint}|{name}|{allowed}",
                {"title": spec.title, "value": f"{value:g}", "hint": hint, "name": name, "allowed": spec.allowed},
            )
        systolic, diastolic = getattr(self, "sbp_mmHg", None), getattr(self, "dbp_mmHg", None)
        if systolic is not None and diastolic is not None and diastolic >= systolic:
            raise PydanticCustomError(
                "impossible",
                "diastolic {low} is not under systolic {high}|dbp_mmHg|under the systolic pressure",
                {"low": f"{diastolic:g}", "high": f"{systolic:g}"},
            )
        return self


class Recorded(Checked):
    """What every event carries.

    Attributes
    ----------
    id : str or None
        Names the event, so that a correction can point at it.
    by : str or None
        Who did it or wrote it down.
    """

    t_s: TimeInSession
    received_t_s: TimeInSession | None = None
    id: str | None = None
    by: str | None = None
    note: str | None = None

    @property
    def known_t_s(self) -> float:
        """When the event was known: a tick takes every event known by then."""
        return self.t_s if self.received_t_s is None else self.received_t_s
