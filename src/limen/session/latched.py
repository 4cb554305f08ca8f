"""Alarms that came and went before anybody saw them: they stay in view, without a sound, until somebody does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from limen.care.alarm_state import Alarm
from limen.session.events import AlarmAcknowledged, Event


def passed_unseen(alarms: Iterable[Alarm], events: Iterable[Event], priorities: Sequence[str]) -> tuple[Alarm, ...]:
    """The alarms of these priorities that ended by themselves and that nobody has answered, before or since.

    An alarm that gave way to a graver one of the same condition in the same second is not over.

    Parameters
    ----------
    alarms : iterable of Alarm
        Alarms of the session in their last form.
    events : iterable of Event
        The session's events: an answer names its alarm.

    Examples
    --------
    >>> alarm = Alarm("MON-4/SPO2/SPO2 low/stop", 60.0, "SPO2 low", "physiological", "high", "SPO2", 84.0, 90.0, "%",
    ...     "MON-4", "stop", "", 60.0, (), "V", ended_t_s=82.0)
    >>> [found.id for found in passed_unseen([alarm], [], ["high"])]
    ['MON-4/SPO2/SPO2 low/stop@60']
    >>> passed_unseen([alarm], [AlarmAcknowledged(t_s=90.0, alarm=alarm.id)], ["high"])
    ()
    """
    listed = list(alarms)
    answered = {event.alarm for event in events if isinstance(event, AlarmAcknowledged)}
    follows = {(alarm.condition, alarm.t_s) for alarm in listed if alarm.priority in priorities}
    return tuple(
        alarm
        for alarm in listed
        if alarm.priority in priorities
        and alarm.ended_t_s is not None
        and alarm.acknowledged_t_s is None
        and alarm.id not in answered
        and (alarm.condition, alarm.ended_t_s) not in follows
    )
