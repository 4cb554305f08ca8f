"""The limits of a protocol: on one dose, on its rate and time, and on what is given over days, a course and a life."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from limen.knowledge.claim import Claim

WallUnit = Literal["mg/kg", "mg", "mg/kg/h", "mg/h", "min", "sessions", "days"]
Measure = Literal["dose", "rate", "duration", "day", "week", "year", "course", "lifetime", "apart"]

# Measures that count what was given before, each with its length in days; None where no length bounds it.
WINDOWS: dict[str, int | None] = {"day": 1, "week": 7, "year": 365, "course": None, "lifetime": None}
_UNITS: dict[str, set[str]] = {
    "dose": {"mg/kg", "mg"},
    "rate": {"mg/kg/h", "mg/h"},
    "duration": {"min"},
    "apart": {"days"},
    **{window: {"mg/kg", "mg", "sessions"} for window in WINDOWS},
}


class Wall(Claim):
    """A limit with a name and a rule.

    Attributes
    ----------
    kind : {"soft", "cap", "hard"}
        A soft wall holds a dose down to it until a prescriber passes it with a reason. A cap holds and is never
        passed: the stated maximum of a regimen by weight. Beyond a hard wall the dose is refused. A count of sessions
        holds nothing down: beyond it, soft holds the plan and hard refuses it.
    measure : {"dose", "rate", "duration", "day", "week", "year", "course", "lifetime", "apart"}
        What it bounds. ``dose``, ``rate`` and ``duration`` look at this session; the others count what was given
        before, by any route and protocol: milligrams of the same product, sessions of any ketamine. ``week`` is the
        seven days that end with this one, ``year`` the 365. ``apart`` is the days since the last session.
    bound : {"most", "least"}
    over_weight_kg, from_bmi_kg_per_m2 : float or None
        Stands only over this weight or from this body mass index; either is enough. Both ``None``: always.
    first_sessions : int or None
        Stands only in the first so many sessions.
    until_given_mg : float or None
        With ``first_sessions``: where the history is known, it stands until a session of this much, by the same
        product and route, is in it.
    step : int or None
        Bounds this step alone (from 1); ``None``: the session, or each rate and duration in it.
    why : str
        Where the number comes from and why it is used as a wall.
    """

    rule: str
    name: str
    kind: Literal["soft", "cap", "hard"]
    measure: Measure = "dose"
    bound: Literal["most", "least"] = "most"
    limit: float
    unit: WallUnit
    over_weight_kg: float | None = None
    from_bmi_kg_per_m2: float | None = None
    first_sessions: int | None = None
    until_given_mg: float | None = None
    step: int | None = None
    why: str

    @property
    def is_conditional(self) -> bool:
        """Whether it stands for some patients or sessions only."""
        return (self.over_weight_kg, self.from_bmi_kg_per_m2, self.first_sessions) != (None, None, None)

    @property
    def counts_sessions(self) -> bool:
        """Whether it bounds how often, and not how much."""
        return self.unit in {"sessions", "days"}

    @property
    def looks_back(self) -> bool:
        """Whether what was given before counts."""
        return self.measure in WINDOWS or self.measure == "apart"

    @model_validator(mode="after")
    def _meaningful(self) -> Self:
        allowed = _UNITS[self.measure]
        if self.unit not in allowed:
            raise ValueError(f"{self.name}: a wall on the {self.measure} is in {' or '.join(sorted(allowed))}")
        if self.limit <= 0:
            raise ValueError(f"{self.name}: a wall stands over 0")
        if self.kind == "cap" and (self.bound == "least" or self.measure == "duration" or self.counts_sessions):
            raise ValueError(f"{self.name}: a cap bounds a dose or a rate from above")
        if (self.measure == "apart") != (self.bound == "least" and self.measure != "duration"):
            raise ValueError(f"{self.name}: days apart are bounded from below, and nothing else but a duration is")
        if self.until_given_mg is not None and self.first_sessions is None:
            raise ValueError(f"{self.name}: until what is given needs first_sessions, for where that is not known")
        if self.looks_back and self.step is not None:
            raise ValueError(f"{self.name}: what was given before has no step")
        return self
