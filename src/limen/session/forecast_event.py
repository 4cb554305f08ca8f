"""The event by which a forecast enters a session's record, so that a replay judges by the band the patient had."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, Strict, model_validator
from pydantic_core import PydanticCustomError

from limen.session.event_base import Checked, Recorded, TimeInSession, Whole

Numbers = Annotated[tuple[float, ...], Strict(False), Field(max_length=600)]


class Band(Checked):
    """Where a signal is expected, in its unit: straight lines between times of the session."""

    t_s: Annotated[tuple[TimeInSession, ...], Strict(False), Field(min_length=2, max_length=600)]
    low: Numbers
    high: Numbers

    @model_validator(mode="after")
    def _a_band(self) -> Band:
        if not len(self.t_s) == len(self.low) == len(self.high):
            raise PydanticCustomError("band", "lists of different length|low|one number for each time")
        if any(later <= earlier for earlier, later in zip(self.t_s, self.t_s[1:], strict=False)):
            raise PydanticCustomError("band", "times do not rise|t_s|rising times")
        if any(low > high for low, high in zip(self.low, self.high, strict=True)):
            raise PydanticCustomError("band", "low is over high|low|low at or under high")
        return self


class ForecastUpdated(Recorded):
    """What the models expect of this patient from now on, after what was seen.

    Attributes
    ----------
    bands : mapping of signal to Band
        A valid value outside is a deviation.
    readings : int
        How many readings it rests on.
    learned : bool
        Whether they told anything that was not believed before.
    said : str
        What was learned or not, in words.
    outlook, peak, returns, ready : JSON
        What pages draw and say; no rule reads them.
    """

    kind: Literal["forecast.updated"] = "forecast.updated"
    bands: dict[str, Band]
    readings: Annotated[Whole, Field(ge=0)] = 0
    learned: bool = False
    said: str = ""
    outlook: dict[str, Any] | None = None
    peak: dict[str, Any] | None = None
    returns: Annotated[tuple[dict[str, Any], ...], Strict(False)] = ()
    ready: dict[str, Any] | None = None
