"""Three things that are not one: an impossible value is refused, a critical one is shown back, an unusual one marked.

What is impossible is decided at the door of the events (:mod:`limen.session.event_base`). Critical is what the rules of
monitoring answer with a pause or a stop; unusual is what they watch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from limen.knowledge.monitoring import Limit, MonitoringRules

Level = Literal["unusual", "critical"]

GRADED = {
    "sbp_mmHg": "NIBP_SYS",
    "dbp_mmHg": "NIBP_DIA",
    "hr_per_min": "HR",
    "rr_per_min": "RR",
    "spo2_pct": "SPO2",
    "moaas": "MOAAS",
}

# What is shown back says what to do by the first limit that is crossed: "stop" before "pause".
_GRAVEST = ("stop", "hold", "warn")


@dataclass(frozen=True, slots=True)
class Step:
    """One limit as a form can judge it by itself: in the value's unit, a rise already added to its baseline."""

    key: str
    level: Level
    side: Literal["low", "high"]
    limit: float
    unit: str
    inclusive: bool
    rule: str
    do: str

    def _crossed(self, value: float) -> bool:
        """Whether a value lies beyond."""
        if self.inclusive and value == self.limit:
            return True
        return value > self.limit if self.side == "high" else value < self.limit

    def to_json(self) -> dict[str, Any]:
        """The step as a page reads it."""
        return {
            "key": self.key,
            "level": self.level,
            "side": self.side,
            "limit": self.limit,
            "inclusive": self.inclusive,
            "rule": self.rule,
            "do": self.do,
        }


@dataclass(frozen=True, slots=True)
class Grade:
    """What a value of an observation is, and by which limit."""

    key: str
    level: Level
    value: float
    step: Step

    @property
    def unit(self) -> str:
        """The unit of ``value``."""
        return self.step.unit


def steps(rules: MonitoringRules, before: Mapping[str, float | None] | None = None) -> tuple[Step, ...]:
    """Every limit that grades a value written by hand, gravest first.

    Parameters
    ----------
    before : mapping of str to float or None, optional
        Values before the dose by their keys (``sbp_mmHg``, ...). Without one, rules on a rise grade nothing.

    Examples
    --------
    >>> from limen.knowledge.monitoring import monitoring
    >>> [(step.limit, step.level) for step in steps(monitoring()) if step.key == "spo2_pct"]
    [(90.0, 'critical'), (92.0, 'critical'), (95.0, 'unusual')]
    """
    found: list[tuple[int, Step]] = []
    for key, signal in GRADED.items():
        for limit in rules.limits:
            if limit.signal != signal or limit.with_symptom:
                continue
            bound = _bound(limit, (before or {}).get(key))
            if bound is not None:
                side: Literal["low", "high"] = "low" if limit.when in ("under", "at-or-under") else "high"
                level: Level = "unusual" if limit.tier == "warn" else "critical"
                at = limit.when not in ("over", "under")
                unit = rules.unit_of(signal)
                step = Step(key, level, side, bound, unit, at, limit.rule, limit.do)
                found.append((_GRAVEST.index(limit.tier), step))
    return tuple(step for _, step in sorted(found, key=lambda item: item[0]))


def grades(
    values: Mapping[str, Any], rules: MonitoringRules, before: Mapping[str, float | None] | None = None
) -> tuple[Grade, ...]:
    """The values of an observation that are critical or unusual; each once, by its gravest limit.

    Examples
    --------
    >>> from limen.knowledge.monitoring import monitoring
    >>> found = grades({"sbp_mmHg": 185, "hr_per_min": 52, "spo2_pct": 98}, monitoring())
    >>> [(grade.key, grade.level) for grade in found]
    [('sbp_mmHg', 'critical'), ('hr_per_min', 'unusual')]
    """
    found: dict[str, Grade] = {}
    for step in steps(rules, before):
        value = values.get(step.key)
        if isinstance(value, bool) or not isinstance(value, int | float) or step.key in found:
            continue
        if step._crossed(value):
            found[step.key] = Grade(step.key, step.level, float(value), step)
    return tuple(found.values())


def _bound(limit: Limit, baseline: float | None) -> float | None:
    if limit.when != "rise-at-or-over":
        return limit.limit
    return None if baseline is None else baseline * (1.0 + limit.limit / 100.0)
