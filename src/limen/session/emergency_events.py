"""Events of an emergency beside its beginning and its end."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from limen.session.event_base import Recorded


class EmergencyStep(Recorded):
    """One step of a role card was done; ``what`` in the words of the card."""

    kind: Literal["emergency.step"] = "emergency.step"
    what: Annotated[str, Field(min_length=1, max_length=200)]
