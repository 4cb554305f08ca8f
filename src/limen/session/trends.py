"""What a session's figure is drawn from: each signal in time with its gaps, the limits, the band expected, the dose.

Everything here is kept in the note, so that a signed note draws the same figure for ever. A curve is thinned to steps
of equal length, each with its lowest, its middle and its highest valid reading: a short fall is never thinned away.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Any

from limen.care.alarm_limits import Watch
from limen.care.alarm_state import Sample
from limen.knowledge.monitoring import MonitoringRules
from limen.session.events import Event, LimitPair, LimitsChanged
from limen.session.forecast_event import Band, ForecastUpdated
from limen.session.grading import steps
from limen.session.header import SessionHeader
from limen.session.state import SessionState, corrected, in_order

# What a figure shows of a signal; a pulse stands for the heart rate where no heart rate was measured.
COLUMNS = {
    "NIBP_SYS": "sbp_mmHg",
    "NIBP_DIA": "dbp_mmHg",
    "HR": "hr_per_min",
    "SPO2": "spo2_pct",
    "RR": "rr_per_min",
}
SCORES = ("moaas", "dissociation")
_CUFF = ("NIBP_SYS", "NIBP_DIA")
# More readings than this are drawn as a curve of so many steps at most.
_MOST_POINTS = 200
_STEPS_S = (5, 10, 15, 20, 30, 60, 120, 300, 600, 1800, 3600)


def trends(
    header: SessionHeader,
    state: SessionState,
    events: Sequence[Event],
    samples: Sequence[Sample],
    rules: MonitoringRules,
    *,
    until_t_s: float,
) -> dict[str, Any]:
    """The session as curves, points and gaps, all in seconds of the session.

    Parameters
    ----------
    state : SessionState
        As it stands when the note is written.
    samples : sequence of Sample
        As received; what cannot be a reading of a living person is passed over.
    until_t_s : float
        The last second that was watched.

    Returns
    -------
    dict
        ``from_t_s``, ``until_t_s``, ``signals`` (from monitors), ``written`` (by persons), ``limits``, ``expected``
        and ``given``.
    """
    true = in_order(corrected(events, state.at_t_s))
    left = [moment for moment in (state.discharged_t_s, state.ended_t_s) if moment is not None]
    watch = Watch(rules)
    readings: dict[str, list[tuple[float, float]]] = {}
    for sample in samples:
        if sample.value is not None and watch.readable(sample.signal, sample.value):
            readings.setdefault(sample.signal, []).append((sample.t_s, float(sample.value)))
    for listed in readings.values():
        listed.sort()
    if "HR" not in readings and "PULSE" in readings:
        readings["HR"] = readings["PULSE"]
    times = [t_s for signal in COLUMNS for t_s, _ in readings.get(signal, [])]
    times += [entry.t_s for entry in state.observations]
    times += [moment for moment in (state.dose_start_t_s, state.end_t_s) if moment is not None]
    last = min(left) if left else max([until_t_s, *times])
    first = min([0.0, *times])
    step_s = next((step for step in _STEPS_S if (last - first) / step <= _MOST_POINTS), _STEPS_S[-1])
    grid = [first + step_s * (index + 0.5) for index in range(max(1, int((last - first) // step_s) + 1))]
    return {
        "from_t_s": first,
        "until_t_s": last,
        "step_s": step_s,
        "signals": {
            signal: _seen(found, grid, step_s, last, _stale_s(found, rules), cuff=signal in _CUFF)
            for signal in COLUMNS
            if (found := [pair for pair in readings.get(signal, []) if first <= pair[0] <= last])
        },
        "pulse_for_heart_rate": "PULSE" in readings and readings.get("HR") is readings["PULSE"],
        "written": [
            {"t_s": entry.t_s, "by": entry.by}
            | {name: value for name in (*COLUMNS.values(), *SCORES) if (value := getattr(entry, name)) is not None}
            for entry in state.observations
        ],
        "limits": _limits(header, true, rules, first, last),
        "expected": _expected([event for event in true if isinstance(event, ForecastUpdated)], grid),
        "given": _given(state, last),
    }


def _stale_s(found: Sequence[tuple[float, float]], rules: MonitoringRules) -> float:
    """How far apart two readings may be before the time between them was blind."""
    apart = [later - earlier for (earlier, _), (later, _) in pairwise(found)]
    stale = rules.technical.stale
    return max(stale.floor_s, stale.periods * median(apart)) if apart else stale.floor_s


def _seen(
    found: Sequence[tuple[float, float]],
    grid: Sequence[float],
    step_s: float,
    last_t_s: float,
    stale_s: float,
    *,
    cuff: bool,
) -> dict[str, Any]:
    if cuff or len(found) <= _MOST_POINTS:
        return {"points": [[t_s, value] for t_s, value in found]}
    times = [t_s for t_s, _ in found]
    middle: list[float | None] = []
    low: list[float | None] = []
    high: list[float | None] = []
    for centre in grid:
        inside = [
            value
            for _, value in found[bisect_left(times, centre - step_s / 2) : bisect_left(times, centre + step_s / 2)]
        ]
        middle.append(median(inside) if inside else None)
        low.append(min(inside) if inside else None)
        high.append(max(inside) if inside else None)
    ends = [0.0, *times, last_t_s]
    gaps = [[earlier, later] for earlier, later in pairwise(ends) if later - earlier > stale_s]
    return {"t_s": list(grid), "middle": middle, "low": low, "high": high, "gaps": gaps}


def _limits(
    header: SessionHeader, true: Sequence[Event], rules: MonitoringRules, first_t_s: float, last_t_s: float
) -> list[dict[str, Any]]:
    """The nearest limit of each side that asks for a pause or a stop; the patient's own limits while they held."""
    sets: list[tuple[float, Mapping[str, LimitPair]]] = [(first_t_s, header.limits or {})]
    sets += [(event.t_s, event.limits or {}) for event in true if isinstance(event, LimitsChanged)]
    found: list[dict[str, Any]] = []
    for place, (begin, own) in enumerate(sets):
        end = sets[place + 1][0] if place + 1 < len(sets) else last_t_s
        if end <= begin and len(sets) > 1:
            continue
        for signal, column in COLUMNS.items():
            pair = own.get(signal)
            if pair is not None:
                sides = {"low": (pair.low, "own limit"), "high": (pair.high, "own limit")}
            else:
                sides = _of_rules(column, rules, header)
            for side, (limit, rule) in sides.items():
                if limit is None:
                    continue
                line = {"column": column, "side": side, "limit": float(limit), "rule": rule}
                before = next((row for row in found if {**row, "spans": None} == {**line, "spans": None}), None)
                if before is not None:
                    before["spans"].append([begin, end])
                else:
                    found.append({**line, "spans": [[begin, end]]})
    return found


def _of_rules(column: str, rules: MonitoringRules, header: SessionHeader) -> dict[str, tuple[float | None, str]]:
    grave = [step for step in steps(rules, header.baseline_values()) if step.key == column and step.level == "critical"]
    low = max((step for step in grave if step.side == "low"), key=lambda step: step.limit, default=None)
    high = min((step for step in grave if step.side == "high"), key=lambda step: step.limit, default=None)
    return {
        side: (None, "") if step is None else (step.limit, step.rule) for side, step in (("low", low), ("high", high))
    }


def _expected(updates: Sequence[ForecastUpdated], grid: Sequence[float]) -> dict[str, Any]:
    """The band that stood at each time: that of the newest forecast known then, where it reached so far."""
    if not updates:
        return {}
    known = sorted(updates, key=lambda event: event.known_t_s)
    since = [event.known_t_s for event in known]
    found: dict[str, Any] = {}
    for signal in COLUMNS:
        low: list[float | None] = []
        high: list[float | None] = []
        for t_s in grid:
            place = bisect_right(since, t_s)
            band = known[place - 1].bands.get(signal) if place else None
            low.append(None if band is None else _at(band, band.low, t_s))
            high.append(None if band is None else _at(band, band.high, t_s))
        if any(value is not None for value in low):
            found[signal] = {"t_s": list(grid), "low": low, "high": high}
    return found


def _at(band: Band, values: Sequence[float], t_s: float) -> float | None:
    """A line of the band at one second, straight between its times; nothing outside them."""
    if not band.t_s[0] <= t_s <= band.t_s[-1]:
        return None
    place = min(bisect_right(band.t_s, t_s), len(band.t_s) - 1)
    begin, end = band.t_s[place - 1], band.t_s[place]
    share = (t_s - begin) / (end - begin)
    return round(values[place - 1] + share * (values[place] - values[place - 1]), 2)


def _given(state: SessionState, last_t_s: float) -> list[list[float]]:
    """Milligrams given so far, at every second at which the rate changes or a dose is given at once."""
    if state.dose_start_t_s is None:
        return []
    turns = {state.dose_start_t_s, last_t_s}
    for run in state.infusions:
        for part in run.segments:
            turns |= {part.start_t_s, part.end_t_s if part.end_t_s is not None else last_t_s}
    turns |= {dose.t_s for dose in state.doses}
    found: list[list[float]] = []
    for t_s in sorted(turn for turn in turns if turn <= last_t_s):
        pumped = sum(run.given_mg(t_s) for run in state.infusions)
        before = pumped + sum(dose.dose_mg for dose in state.doses if dose.t_s < t_s)
        after = pumped + sum(dose.dose_mg for dose in state.doses if dose.t_s <= t_s)
        found.append([t_s, round(before, 6)])
        if after != before:
            found.append([t_s, round(after, 6)])
    return found
