"""The alarm budget: how many alarms a chair gives in an hour, and how many of them led to anything.

An alarm that nobody needs teaches people not to listen. So the service counts: for each condition how often it came,
whether what followed changed the treatment (*acted*), only looked again (*checked*), or nothing (*neither*).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

from limen.care.alarm_state import Alarm
from limen.knowledge.alarm_response import Budget
from limen.session.events import Event

Answer = Literal["acted", "checked", "neither"]


@dataclass(frozen=True, slots=True)
class Watched:
    """One session's part: its alarms, its events with corrections applied, and how long it was watched."""

    alarms: Sequence[Alarm]
    events: Sequence[Event]
    watched_h: float


@dataclass(frozen=True, slots=True)
class Row:
    """One condition over all sessions.

    Attributes
    ----------
    per_chair_h : float or None
        ``None`` where nothing was watched.
    seen_s : float or None
        Median time until somebody acknowledged it, of those acknowledged.
    """

    condition: str
    rule: str
    priority: str
    kind: str
    count: int
    acted: int
    checked: int
    acknowledged: int
    per_chair_h: float | None
    seen_s: float | None

    @property
    def neither(self) -> int:
        """Alarms that led to nothing that was written down."""
        return self.count - self.acted - self.checked


@dataclass(frozen=True, slots=True)
class AlarmBudget:
    """Rows, most frequent first, and the whole against the budget."""

    sessions: int
    chair_h: float
    rows: tuple[Row, ...]
    per_chair_h: float | None
    acted_pct: float | None
    most_per_chair_h: float
    within: bool | None

    def to_json(self) -> dict[str, Any]:
        """The budget as JSON."""
        return {
            "sessions": self.sessions,
            "chair_h": round(self.chair_h, 3),
            "per_chair_h": self.per_chair_h,
            "acted_pct": self.acted_pct,
            "most_per_chair_h": self.most_per_chair_h,
            "within": self.within,
            "rows": [
                {
                    "condition": row.condition,
                    "rule": row.rule,
                    "priority": row.priority,
                    "kind": row.kind,
                    "count": row.count,
                    "acted": row.acted,
                    "checked": row.checked,
                    "neither": row.neither,
                    "acknowledged": row.acknowledged,
                    "per_chair_h": row.per_chair_h,
                    "seen_s": row.seen_s,
                }
                for row in self.rows
            ],
        }


def answer_to(alarm: Alarm, events: Iterable[Event], rules: Budget) -> Answer:
    """What followed an alarm within its time.

    Examples
    --------
    >>> from limen.knowledge.alarm_response import alarm_response
    >>> from limen.session.events import parse_event
    >>> alarm = Alarm("k", 60.0, "Systolic high", "physiological", "medium", "NIBP_SYS", 182.0, 180.0, "mmHg", "MON-1",
    ...     "pause", "", 60.0, (), "V")
    >>> paused = parse_event({"t_s": 75, "kind": "infusion.paused"})
    >>> answer_to(alarm, [paused], alarm_response().budget)
    'acted'
    >>> answer_to(alarm, [], alarm_response().budget)
    'neither'
    """
    soon = [event.kind for event in events if 0.0 <= event.t_s - alarm.t_s <= rules.action_within_s]
    if any(kind in rules.acted for kind in soon):
        return "acted"
    return "checked" if any(kind in rules.checked for kind in soon) else "neither"


def alarm_budget(sessions: Iterable[Watched], rules: Budget) -> AlarmBudget:
    """Count the alarms of sessions against the budget.

    Parameters
    ----------
    sessions : iterable of Watched
        Each with its own alarms and events.
    rules : Budget
        What counts as an answer, and how many are too many.

    Returns
    -------
    AlarmBudget
        Alarms of every priority count; rates are ``None`` where nothing was watched.
    """
    groups: dict[tuple[str, str, str, str], list[tuple[Alarm, Answer]]] = defaultdict(list)
    chair_h = 0.0
    count = 0
    for session in sessions:
        count += 1
        chair_h += session.watched_h
        for alarm in session.alarms:
            key = (alarm.condition, alarm.rule, alarm.priority, alarm.kind)
            groups[key].append((alarm, answer_to(alarm, session.events, rules)))
    rows = tuple(
        sorted(
            (_row(key, found, chair_h) for key, found in groups.items()),
            key=lambda row: (-row.count, row.condition, row.priority),
        )
    )
    total = sum(row.count for row in rows)
    rate = round(total / chair_h, 3) if chair_h > 0.0 else None
    return AlarmBudget(
        sessions=count,
        chair_h=chair_h,
        rows=rows,
        per_chair_h=rate,
        acted_pct=round(100.0 * sum(row.acted for row in rows) / total, 1) if total else None,
        most_per_chair_h=rules.most_per_chair_h,
        within=rate <= rules.most_per_chair_h if rate is not None else None,
    )


def _row(key: tuple[str, str, str, str], found: Sequence[tuple[Alarm, Answer]], chair_h: float) -> Row:
    waits = [alarm.acknowledged_t_s - alarm.t_s for alarm, _ in found if alarm.acknowledged_t_s is not None]
    condition, rule, priority, kind = key
    return Row(
        condition=condition,
        rule=rule,
        priority=priority,
        kind=kind,
        count=len(found),
        acted=sum(answer == "acted" for _, answer in found),
        checked=sum(answer == "checked" for _, answer in found),
        acknowledged=len(waits),
        per_chair_h=round(len(found) / chair_h, 3) if chair_h > 0.0 else None,
        seen_s=median(waits) if waits else None,
    )
