"""The tables of a session note: vital signs, what happened, what was corrected."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from limen.care.alarm_limits import Watch
from limen.care.alarm_state import Sample
from limen.knowledge.monitoring import MonitoringRules
from limen.session.events import (
    AlarmAcknowledged,
    AudioPaused,
    EntryCorrected,
    Event,
    MonitorStarted,
    ObservationRecorded,
    SessionStarted,
)
from limen.session.harm_events import AdverseEventRecorded
from limen.session.state import SessionState, corrected, in_order

_COLUMNS = {"SPO2": "spo2_pct", "HR": "hr_per_min", "RR": "rr_per_min"}
_PRESSURE = {"NIBP_SYS": "sbp_mmHg", "NIBP_DIA": "dbp_mmHg"}
_SCORES = ("moaas", "dissociation", "aldrete", "cadss")

# In the table itself; whatever else an observation says stands beside it.
_IN_TABLE = {*_COLUMNS.values(), *_PRESSURE.values(), "moaas", "dissociation"}
# About the entry: who confirmed what, and the monitor's values that the row has from the samples.
_OF_THE_ENTRY = {"confirmed", "unconfirmed", "device_values"}

# Recorded by the thousand or shown elsewhere in the note: not lines of its story.
_NOT_A_LINE = {"observation.recorded", "forecast.updated"}
# What the monitor writes by itself: nobody's word, so nothing that a signature would lack.
BY_ITSELF = {"monitor.started", "monitor.stopped", "forecast.updated"}
# What was written down later than this after it happened says when.
_LATER_S = 60.0
_COMMON = {"t_s", "received_t_s", "id", "by", "note", "kind"}


def vital_rows(state: SessionState, samples: Sequence[Sample], rules: MonitoringRules) -> list[dict[str, Any]]:
    """One row for every observation and every reading of the cuff.

    Heart rate, breathing and saturation of a row are what was written down then, else the newest reading that was not
    yet stale; a missing value is ``None``.
    """
    watch = Watch(rules)
    readings: dict[str, list[tuple[float, float]]] = {}
    for sample in samples:
        if sample.value is not None and watch.readable(sample.signal, sample.value):
            readings.setdefault(sample.signal, []).append((sample.t_s, sample.value))
    for listed in readings.values():
        listed.sort()
    cuffs = {t_s for signal in _PRESSURE for t_s, _ in readings.get(signal, [])}
    alone = cuffs - {entry.t_s for entry in state.observations}
    # Two people may write in the same second: each has a row.
    rows = [_row(entry.t_s, entry, readings, rules) for entry in state.observations]
    rows += [_row(t_s, None, readings, rules) for t_s in alone if t_s <= state.at_t_s]
    return sorted(rows, key=lambda row: row["t_s"])


def _row(
    t_s: float,
    entry: ObservationRecorded | None,
    readings: dict[str, list[tuple[float, float]]],
    rules: MonitoringRules,
) -> dict[str, Any]:
    row: dict[str, Any] = {"t_s": t_s, "by": entry.by if entry is not None else None}
    if entry is not None and entry.known_t_s - entry.t_s > _LATER_S:
        row["written_t_s"] = entry.known_t_s
    for signal, column in _PRESSURE.items():
        value = getattr(entry, column) if entry is not None else None
        row[column] = value if value is not None else _newest(readings.get(signal, []), t_s, 0.0)
    for signal, column in _COLUMNS.items():
        value = getattr(entry, column) if entry is not None else None
        row[column] = (
            value if value is not None else _newest(readings.get(signal, []), t_s, rules.technical.stale.floor_s)
        )
    if row["hr_per_min"] is None:
        row["hr_per_min"] = _newest(readings.get("PULSE", []), t_s, rules.technical.stale.floor_s)
    for column in _SCORES:
        row[column] = getattr(entry, column) if entry is not None else None
    # Which of them a person wrote down; the others are the monitor's at that moment.
    columns = (*_PRESSURE.values(), *_COLUMNS.values(), *_SCORES)
    row["unconfirmed"] = list(entry.unconfirmed or ()) if entry is not None else []
    row["written"] = [column for column in columns if getattr(entry, column, None) is not None]
    row["also"] = {} if entry is None else _also(entry)
    return row


def _also(entry: ObservationRecorded) -> dict[str, Any]:
    """All that a person wrote down beside the columns of the table."""
    detail = entry.model_dump(mode="json", exclude_none=True)
    told = set(ObservationRecorded.model_fields) - _IN_TABLE - _OF_THE_ENTRY - (_COMMON - {"note"})
    return {key: value for key, value in detail.items() if key in told}


def _newest(listed: list[tuple[float, float]], t_s: float, age_s: float) -> float | None:
    spot = bisect_right(listed, (t_s, float("inf")))
    if spot == 0 or listed[spot - 1][0] < t_s - age_s:
        return None
    return listed[spot - 1][1]


def event_rows(state: SessionState, events: Sequence[Event], rules: MonitoringRules) -> list[dict[str, Any]]:
    """What happened, in order of time, corrections applied: kind, who, and the words and numbers recorded."""
    true = in_order(corrected(events, state.at_t_s))
    expected = _monitor_in_time(true)
    rows: list[dict[str, Any]] = []
    for event in true:
        if event.kind in _NOT_A_LINE or isinstance(event, EntryCorrected) or event is expected:
            continue
        if isinstance(event, AlarmAcknowledged) and not event.note:
            continue  # it stands with its alarm
        row = _event_row(event)
        if isinstance(event, AudioPaused):
            most_s = rules.sound.paused_max_s
            row["detail"]["held_s"] = most_s if event.duration_s is None else min(event.duration_s, most_s)
        rows.append(row)
    return rows


def _event_row(event: Event) -> dict[str, Any]:
    detail = event.model_dump(mode="json", exclude_none=True)
    row: dict[str, Any] = {
        "t_s": event.t_s,
        "kind": event.kind,
        "by": event.by,
        "detail": {key: value for key, value in detail.items() if key not in _COMMON},
    }
    if event.known_t_s - event.t_s > _LATER_S:
        row["written_t_s"] = event.known_t_s
    if isinstance(event, AdverseEventRecorded):
        row["open"] = event.resolved_t_s is None
    if event.note:
        row["detail"]["note"] = event.note
    return row


def _monitor_in_time(true: Sequence[Event]) -> Event | None:
    """The first word of the monitor, where it watched from the start: no news. Any later one follows a blind time."""
    first = next((event for event in true if isinstance(event, MonitorStarted)), None)
    started_t_s = next((event.t_s for event in true if isinstance(event, SessionStarted)), 0.0)
    return first if first is not None and first.t_s - started_t_s <= _LATER_S else None


def later_rows(events: Sequence[Event], count: int) -> list[dict[str, Any]]:
    """What people wrote after the first ``count`` events: a line each, as :func:`event_rows` has it, or a correction.

    Parameters
    ----------
    events : sequence of Event
        As recorded, all of them: a correction names an earlier one.
    """
    late = [event for event in events[count:] if event.kind not in BY_ITSELF]
    fixed = {row["id"]: row for row in correction_rows(events)}
    return [fixed[event.id] if isinstance(event, EntryCorrected) else _event_row(event) for event in late]


def correction_rows(events: Sequence[Event]) -> list[dict[str, Any]]:
    """What was corrected, by whom and why: each value as it stood before, so that the first one stays visible."""
    found = {event.id: event.model_dump(mode="json", exclude_none=True) for event in events}
    rows: list[dict[str, Any]] = []
    for event in events:
        if not isinstance(event, EntryCorrected):
            continue
        before = found.get(event.entry, {})
        found[event.entry] = {**before, **(event.changes or {})}
        rows.append(
            {
                "id": event.id,
                "t_s": event.t_s,
                "entry": event.entry,
                "kind": before.get("kind"),
                "entry_t_s": before.get("t_s"),
                "entry_by": before.get("by"),
                "by": event.by,
                "reason": event.reason,
                "was": {key: before.get(key) for key in event.changes}
                if event.changes is not None
                else {key: value for key, value in before.items() if key not in _COMMON - {"note"}},
                "is": event.changes,
                "in_error": event.changes is None,
            }
        )
    return rows
