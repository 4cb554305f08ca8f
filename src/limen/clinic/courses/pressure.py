"""The limits on systolic pressure as walls on the forecast rise: how far this patient is from each, from today's value.

Limits and their names come from the monitoring rules, so that the picture shows what the alarm will say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from limen.clinic.courses.cases import value_of_day
from limen.clinic.courses.models import Plan
from limen.knowledge.monitoring import Limit, monitoring
from limen.pharmacology.effects import effects

SYSTOLIC = "NIBP_SYS"


@dataclass(frozen=True, slots=True)
class Ceiling:
    """One limit of one rule, in this patient.

    Attributes
    ----------
    name : str
        Such as ``hold 180, MON-1``.
    rise_mmHg : float
        How far over the baseline it stands; 0 or less: reached before any dose.
    """

    name: str
    limit: Limit
    rise_mmHg: float

    @property
    def reached(self) -> bool:
        """Whether the baseline stands at or over it already."""
        return self.rise_mmHg <= 0


def baseline_mmHg(plan: Plan) -> float | None:
    """The systolic pressure of the plan's own day that it was made on; none where the newest is of another day."""
    found = value_of_day(plan.screening.case, "vitals.sbp_mmHg", plan.on)
    return None if found is None else float(found)


def ceilings(baseline_mmHg: float | None) -> list[Ceiling]:
    """Every limit on a high systolic pressure, the nearest first; none without a baseline.

    Examples
    --------
    >>> [(item.name, item.rise_mmHg) for item in ceilings(150.0)]
    [('warn 160, MON-1', 10.0), ('warn +20 %, MON-1', 30.0), ('hold 180, MON-1', 30.0)]
    """
    if baseline_mmHg is None:
        return []
    found = []
    for limit in monitoring().limits:
        if limit.signal != SYSTOLIC or limit.with_symptom:
            continue
        if limit.when in ("at-or-over", "over"):
            found.append(Ceiling(f"{limit.tier} {limit.limit:g}, {limit.rule}", limit, limit.limit - baseline_mmHg))
        elif limit.when == "rise-at-or-over":
            rise_mmHg = baseline_mmHg * limit.limit / 100
            found.append(Ceiling(f"{limit.tier} +{limit.limit:g} %, {limit.rule}", limit, rise_mmHg))
    return sorted(found, key=lambda item: item.rise_mmHg)


def walls(standing: list[Ceiling]) -> list[dict[str, Any]]:
    """The limits not yet reached, as the forecast draws them: a limit that pauses or stops is hard, a warning soft."""
    return [
        {
            "output": rise_output(),
            "value": item.rise_mmHg,
            "name": item.name,
            "hard": item.limit.tier != "warn",
        }
        for item in standing
        if not item.reached
    ]


def rise_output() -> str:
    """The forecast's own name for the rise."""
    return effects().pressure.output
