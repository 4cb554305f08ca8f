"""A change of limits, tried on past sessions before it goes live: alarms gained, alarms lost, events missed.

An event is *missed* when something happened to the patient (a rescue, an adverse event, a halt of the pump, an
emergency), the alarms that were in force warned of it in time, and under the other limits none would have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from limen.care.alarm_state import Alarm
from limen.session.events import Event, LimitPair
from limen.session.export import Recorded
from limen.session.replay import alarm_differences, run_alarms, under_limits
from limen.session.state import corrected

HAPPENED = ("rescue.given", "adverse-event.recorded", "infusion.paused", "infusion.stopped", "emergency.started")


@dataclass(frozen=True, slots=True)
class MissedEvent:
    """Something that happened, and the alarms that warned of it and would not have."""

    t_s: float
    kind: str
    text: str
    warned: tuple[Alarm, ...]


@dataclass(frozen=True, slots=True)
class SessionTrial:
    """One session under the other limits."""

    alarms: int
    gained: tuple[Alarm, ...]
    lost: tuple[Alarm, ...]
    missed: tuple[MissedEvent, ...]
    watched_h: float

    def to_json(self) -> dict[str, Any]:
        """The trial as JSON."""
        return {
            "alarms": self.alarms,
            "watched_h": round(self.watched_h, 3),
            "gained": [alarm.to_json() for alarm in self.gained],
            "lost": [alarm.to_json() for alarm in self.lost],
            "missed": [
                {
                    "t_s": event.t_s,
                    "kind": event.kind,
                    "text": event.text,
                    "warned": [a.condition for a in event.warned],
                }
                for event in self.missed
            ],
        }


def try_limits(recorded: Recorded, pairs: Mapping[str, LimitPair], *, warned_within_s: float) -> SessionTrial:
    """One past session with other limits.

    Parameters
    ----------
    recorded : Recorded
        The session.
    pairs : mapping
        Signal to its limits; they hold from beginning to end, and replace the rules' on that signal.
    warned_within_s : float
        An alarm that began at most so long before an event warned of it.
    """
    now = run_alarms(recorded)
    then = run_alarms(under_limits(recorded, dict(pairs)))
    gained, lost = alarm_differences(now.alarms, then.alarms)
    return SessionTrial(
        alarms=len(now.alarms),
        gained=gained,
        lost=lost,
        missed=missed_events(corrected(recorded.events), now.alarms, then.alarms, warned_within_s=warned_within_s),
        watched_h=now.ticks / 3600.0,
    )


def missed_events(
    events: Iterable[Event], now: Sequence[Alarm], then: Sequence[Alarm], *, warned_within_s: float
) -> tuple[MissedEvent, ...]:
    """Events that were warned of by ``now`` and by none of ``then``.

    Examples
    --------
    >>> from limen.session.events import parse_event
    >>> alarm = Alarm("k", 60.0, "SpO2 low", "physiological", "high", "SPO2", 84.0, 90.0, "%", "MON-4", "stop", "",
    ...     60.0, (), "V")
    >>> oxygen = parse_event({"t_s": 75, "kind": "rescue.given", "what": "oxygen 4 L/min"})
    >>> [event.text for event in missed_events([oxygen], [alarm], [], warned_within_s=300)]
    ['oxygen 4 L/min']
    >>> missed_events([oxygen], [alarm], [alarm], warned_within_s=300)
    ()
    """
    found = []
    for event in events:
        if event.kind not in HAPPENED:
            continue
        warned = _before(now, event.t_s, warned_within_s)
        if warned and not _before(then, event.t_s, warned_within_s):
            found.append(MissedEvent(event.t_s, event.kind, _words(event), warned))
    return tuple(found)


def _before(alarms: Sequence[Alarm], t_s: float, within_s: float) -> tuple[Alarm, ...]:
    """Alarms about the patient that stood when it happened, or began shortly before."""
    return tuple(
        alarm
        for alarm in alarms
        if alarm.kind == "physiological"
        and alarm.t_s <= t_s
        and (t_s - alarm.t_s <= within_s or alarm.ended_t_s is None or alarm.ended_t_s >= t_s)
    )


def _words(event: Event) -> str:
    for name in ("what", "text", "reason"):
        value = getattr(event, name, None)
        if value:
            return str(value)
    return event.kind
