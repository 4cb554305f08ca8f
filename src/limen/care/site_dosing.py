"""What a site declares for dosing: limits where no source gives one, and what its syringes and pumps can do."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import ValidationError, model_validator

from limen.errors import InputError
from limen.evidence import Verification
from limen.evidence.yaml import Record
from limen.knowledge.walls import Measure, Wall, WallUnit

RULE = "SITE-LIMIT"
KIND_WORDS = {
    "cap": "held down to it, never passed",
    "hard": "refused past it",
    "soft": "held down to it, passed with a reason",
}
MEASURE_WORDS = {
    "dose": "one session",
    "rate": "the rate",
    "duration": "the time it runs, at most",
    "day": "one day",
    "week": "seven days",
    "year": "365 days",
    "course": "one course",
    "lifetime": "a lifetime",
    "apart": "days since the last session, at least",
}


class SiteLimit(Record):
    """A limit of the site's own, over every protocol of a product; ``product`` ``None`` is every product."""

    name: str
    product: Literal["racemic", "s-ketamine", "esketamine-nasal"] | None = None
    kind: Literal["soft", "cap", "hard"]
    measure: Measure
    limit: float
    unit: WallUnit
    why: str

    def wall(self) -> Wall:
        """The limit as every wall is."""
        return Wall(
            rule=RULE,
            name=self.name,
            kind=self.kind,
            measure=self.measure,
            bound="least" if self.measure == "apart" else "most",
            limit=self.limit,
            unit=self.unit,
            why=self.why,
            sources=("site-declared",),
            verification=Verification.CLINIC_RULE,
        )


class Equipment(Record):
    """What the site gives with; ``None`` is not declared, and then not judged."""

    syringe_mL: float | None = None
    pump_least_mL_per_h: float | None = None
    pump_most_mL_per_h: float | None = None
    dead_space_mL: float | None = None

    @model_validator(mode="after")
    def _possible(self) -> Self:
        for name, value in self.model_dump().items():
            if value is not None and (value < 0 or (value == 0 and name != "dead_space_mL")):
                raise ValueError(f"{name} {value:g} is impossible")
        least, most = self.pump_least_mL_per_h, self.pump_most_mL_per_h
        if least is not None and most is not None and least > most:
            raise ValueError("the pump's least rate lies over its most")
        return self


class SiteDosing(Record):
    """Everything a site declares for dosing."""

    limits: tuple[SiteLimit, ...] = ()
    equipment: Equipment = Equipment()

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        names = [item.name for item in self.limits]
        if len(set(names)) != len(names):
            raise ValueError("two limits of one name")
        for item in self.limits:
            item.wall()
        return self

    @property
    def digest(self) -> str:
        """What names this very declaration, whatever the order of its keys."""
        return hashlib.sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()

    def walls_for(self, product: str) -> tuple[Wall, ...]:
        """The limits that bear on a product.

        Examples
        --------
        >>> week = {"name": "a week", "kind": "hard", "measure": "week", "limit": 3, "unit": "sessions", "why": "ours"}
        >>> [wall.limit for wall in site_dosing({"limits": [week]}).walls_for("racemic")]
        [3.0]
        """
        return tuple(item.wall() for item in self.limits if item.product in (None, product))


def site_dosing(entry: Any, *, where: str = "site") -> SiteDosing:
    """A site's declaration from JSON.

    Raises
    ------
    InputError
        If it is no object, or a limit or a number is impossible. Names the key.
    """
    if not isinstance(entry, Mapping):
        raise InputError("no object", where=where, allowed='{"limits": [...], "equipment": {...}}')
    try:
        return SiteDosing.model_validate(dict(entry))
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        keys = ".".join(str(part) for part in first["loc"])
        what = f"{first['msg']} (got {first['input']!r:.80})"
        raise InputError(what, where=f"{where}.{keys}" if keys else where, allowed=", ".join(_allowed(keys))) from None


def _allowed(keys: str) -> tuple[str, ...]:
    return tuple(Equipment.model_fields) if keys.startswith("equipment") else tuple(SiteLimit.model_fields)
