"""How a session ended, for its note: each time leaving was asked for, who let the patient go, and what was not met."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from limen.session.events import (
    DeviceAssociated,
    DeviceLost,
    DischargeAsked,
    Discharged,
    Event,
    SessionEnded,
)
from limen.session.state import corrected, in_order

Answer = Mapping[str, Any]


def leaving_rows(
    events: Sequence[Event], answers: Sequence[Answer], at_leaving: Answer | None, at_t_s: float
) -> dict[str, Any]:
    """Who asked and what stood against it; who left and what was not met then; how else the session ended.

    Parameters
    ----------
    events : sequence of Event
        As recorded, corrections included.
    answers : sequence of mapping
        The answer to each ``discharge.asked``, in order of time.
    at_leaving : mapping, optional
        The answer at the second the patient left, asked or not.
    at_t_s : float
        The second to look at.
    """
    true = in_order(corrected(events, at_t_s))
    asked = [event for event in true if isinstance(event, DischargeAsked)]
    left = next((event for event in true if isinstance(event, Discharged)), None)
    ended = next((event for event in true if isinstance(event, SessionEnded)), None)
    newest = at_leaving or (answers[-1] if answers else None)
    return {
        "asked": [
            {"t_s": event.t_s, "by": event.by, "ready": answer["ready"], "unmet": _short(answer["unmet"])}
            for event, answer in zip(asked, answers, strict=True)
        ],
        "left": None
        if left is None or at_leaving is None
        else {
            "t_s": left.t_s,
            "by": left.by,
            "condition": left.condition,
            "escort_name": left.escort_name,
            "reason": left.reason,
            "ready": at_leaving["ready"],
            "unmet": _short(at_leaving["unmet"]),
            "not_recorded": _short(at_leaving["not_recorded"]),
        },
        "ended": None
        if ended is None or left is not None
        else {"t_s": ended.t_s, "by": ended.by, "reason": ended.reason},
        "earliest_t_s": None if newest is None else newest["earliest_t_s"],
        "earliest_because": None if newest is None else newest["earliest_because"],
        "afterwards": [] if newest is None else [dict(item) for item in newest["afterwards"]],
    }


def device_rows(events: Sequence[Event], at_t_s: float) -> list[dict[str, Any]]:
    """Every device of the session: what it gave, from when to when, who put it on, and why it was lost."""
    rows: list[dict[str, Any]] = []
    for event in in_order(corrected(events, at_t_s)):
        if isinstance(event, DeviceAssociated):
            signals = sorted({*event.signals, *(event.streams or {})})
            rows.append({"device": event.device, "signals": signals, "from_t_s": event.t_s, "by": event.by})
        elif isinstance(event, DeviceLost):
            on = next((row for row in reversed(rows) if row["device"] == event.device and "until_t_s" not in row), None)
            if on is None:
                on = {"device": event.device, "signals": [], "from_t_s": None, "by": None}
                rows.append(on)
            on |= {"until_t_s": event.t_s, "lost_by": event.by, "lost_because": event.reason}
    return [{"until_t_s": None, "lost_by": None, "lost_because": None, **row} for row in rows]


def _short(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    return [{"rule": entry["rule"], "because": entry["because"]} for entry in entries]
