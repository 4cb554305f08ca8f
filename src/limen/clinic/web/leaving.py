"""When patients are forecast to be ready to leave, in the words of the plan's page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from limen.pharmacology.wording import parts
from limen.reports.figures.axes import clock_span, plain


@dataclass(frozen=True)
class Asked:
    """One criterion of being ready, with how far it may be trusted."""

    words: str
    because: str
    verification: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class LeavingSaid:
    """The distribution of the time until leaving.

    Attributes
    ----------
    half, nine : str
        By when half, and nine of ten, may leave: effects and minimum stay together.
    not_before : str
        End of the minimum stay; empty where none is on file.
    effects : str
        The same by the forecast effects alone, where the minimum stay changes it.
    late_pct : str
        How many of 100 are not ready by the end of the forecast; empty for none.
    """

    half: str
    nine: str
    not_before: str
    rule: str
    verification: str
    sources: tuple[str, ...]
    effects: str
    late_pct: str
    until: str
    asked: tuple[Asked, ...]


def leaving_said(forecast: Mapping[str, Any] | None) -> LeavingSaid | None:
    """What a forecast says of leaving; None where it says nothing, or had no population.

    Examples
    --------
    >>> cell = {"p50": 1.5, "p90": None}
    >>> said = leaving_said({"ready_to_leave_h": {
    ...     "criteria": [], "minimum_stay": None, "forecast": cell, "used": cell,
    ...     "not_ready_by_end_fraction": 0.2, "horizon_h": 4.0}})
    >>> said.half, said.nine, said.late_pct
    ('half by 1:30', 'nine of ten not by 4:00', '20')
    """
    ready = (forecast or {}).get("ready_to_leave_h")
    if not ready or "p90" not in ready["used"]:
        return None
    until = clock_span(float(ready["horizon_h"]) * 60)
    stay: Mapping[str, Any] = ready.get("minimum_stay") or {}
    used, alone = _both(ready["used"], until), _both(ready["forecast"], until)
    late = float(ready["not_ready_by_end_fraction"])
    return LeavingSaid(
        *used,
        clock_span(float(stay["earliest_h"]) * 60) if stay else "",
        str(stay.get("rule", "")),
        str(stay.get("verification", "")),
        tuple(stay.get("sources", ())),
        "" if used == alone else ", ".join(alone),
        plain(round(100 * late, 1)) if late > 0 else "",
        until,
        tuple(
            Asked(
                f"{parts(item['output'])[0]} at most {item['limit']:g} {item['unit']}",
                str(item["because"]),
                str(item["verification"]),
                tuple(item["sources"]),
            )
            for item in ready["criteria"]
        ),
    )


def _both(cell: Mapping[str, Any], until: str) -> tuple[str, str]:
    def by(hours: float | None) -> str:
        return f"not by {until}" if hours is None else f"by {clock_span(hours * 60)}"

    return f"half {by(cell.get('p50'))}", f"nine of ten {by(cell.get('p90'))}"
