"""What stands around a chair now: a hand-over that waits for an answer, a patient who waits for a person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from limen.session.events import Event, OwnerChanged, SessionEnded
from limen.session.floor_events import CallAnswered, OwnerDeclined, OwnerOffered, PatientCalled
from limen.session.state import corrected, in_order


@dataclass(frozen=True, slots=True)
class Offer:
    """A hand-over that nobody has answered: the owner is still the owner."""

    to: str
    by: str
    t_s: float


@dataclass(frozen=True, slots=True)
class Call:
    """The patient asked for a person, and nobody has gone. ``times``: how often it was pressed."""

    t_s: float
    times: int


def standing_offer(events: Iterable[Event]) -> Offer | None:
    """The hand-over that waits for an answer.

    Examples
    --------
    >>> from limen.session.events import parse_events
    >>> asked = {"t_s": 60, "kind": "owner.offered", "to": "N. Berg", "by": "D. Kessel"}
    >>> standing_offer(parse_events([asked])).to
    'N. Berg'
    >>> standing_offer(parse_events([asked, {"t_s": 70, "kind": "owner.changed", "to": "N. Berg"}]))
    """
    found: Offer | None = None
    for event in in_order(corrected(events)):
        if isinstance(event, OwnerOffered):
            found = Offer(event.to, event.by or "", event.t_s)
        elif isinstance(event, OwnerDeclined | OwnerChanged | SessionEnded):
            found = None
    return found


def standing_call(events: Iterable[Event]) -> Call | None:
    """The patient's call that nobody has answered, timed from when it was first pressed.

    Examples
    --------
    >>> from limen.session.events import parse_events
    >>> calls = [{"t_s": t_s, "kind": "patient.called", "signal": "come"} for t_s in (60, 75)]
    >>> standing_call(parse_events(calls))
    Call(t_s=60.0, times=2)
    >>> standing_call(parse_events([*calls, {"t_s": 80, "kind": "call.answered"}]))
    """
    found: Call | None = None
    for event in in_order(corrected(events)):
        if isinstance(event, PatientCalled) and event.signal == "come":
            found = Call(event.t_s, 1) if found is None else Call(found.t_s, found.times + 1)
        elif isinstance(event, PatientCalled | CallAnswered | SessionEnded):
            found = None
    return found


def last_signal(events: Iterable[Event]) -> PatientCalled | None:
    """What the patient said last on the own device."""
    said = [event for event in in_order(corrected(events)) if isinstance(event, PatientCalled)]
    return said[-1] if said else None
