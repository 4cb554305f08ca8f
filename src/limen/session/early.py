"""Small changes that count together, from what is known of the signals now: beside the alarms, never one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from limen.care.alarm_limits import Watch, span
from limen.care.alarm_state import AlarmState, SignalState
from limen.care.early_warning import beside_course, early_warning
from limen.knowledge.bedside import bedside

# Where the score's values come from; the pulse stands in for the heart.
_SIGNALS = {"rr_per_min": ("RR",), "spo2_pct": ("SPO2",), "sbp_mmHg": ("NIBP_SYS",), "hr_per_min": ("HR", "PULSE")}


def small_changes(
    alarms: AlarmState, watch: Watch, *, known_for_s: Mapping[str, float], dose_start_t_s: float | None = None
) -> dict[str, Any]:
    """The points of what is known now, what each value adds, and what is missing and why.

    Parameters
    ----------
    alarms : AlarmState
        The newest second that was watched.
    watch : Watch
        The session's limits and values before the dose.
    known_for_s : mapping of str to float
        How long a value of each signal counts as known.
    dose_start_t_s : float, optional
        The begin of the dose; a pressure after it stands beside how pressures usually run.

    Returns
    -------
    dict
        ``total_points`` (no NEWS2 total), ``parts`` and ``missing`` by signal, ``calls`` of the clinic's own rules,
        ``beside``, each with its sources and mark.
    """
    now = alarms.t_s if alarms.t_s is not None else 0.0
    values: dict[str, float | None] = {}
    told: dict[str, tuple[SignalState, float]] = {}
    missing: list[dict[str, str]] = []
    for key, signals in _SIGNALS.items():
        looked = [_value(alarms, signal, now, known_for_s.get(signal, 0.0)) for signal in signals]
        found = next((state for state, _ in looked if state is not None), None)
        if found is None or found.value is None:
            missing.append({"title": watch.title(signals[0]), "why": next(why for _, why in looked)})
            continue
        values[key] = found.value
        told[key] = (found, found.value)
    warned = early_warning(values)
    parts = [
        {
            "signal": state.signal,
            "title": watch.title(state.signal),
            "said": watch.said(state.signal, value, watch.own(state.signal, alarms.limits)),
            "t_s": state.value_t_s,
            "points": warned.points[key],
        }
        for key, (state, value) in told.items()
    ]
    return {
        **warned.to_json(),
        "title": bedside().early_warning.title,
        "t_s": alarms.t_s,
        "parts": parts,
        "missing": missing,
        "calls": [
            {"id": call.id, "title": call.title, "do": call.do, "verification": call.verification.value}
            for call in warned.calls
        ],
        "bands_verification": bedside().early_warning.verification.value,
        "beside": _beside(alarms, watch, told, dose_start_t_s),
    }


def _value(alarms: AlarmState, signal: str, now: float, known_for_s: float) -> tuple[SignalState | None, str]:
    """A signal that can be counted on now, or why there is none."""
    state = alarms.signals.get(signal)
    if state is None or state.value is None or state.value_t_s is None:
        return None, "no value"
    slot = alarms.slots.get(f"technical/{signal}")
    if slot is not None and slot.alarm is not None:
        return None, "its sensor is silent or gives no value"
    if now - state.value_t_s > known_for_s:
        return None, f"{span(now - state.value_t_s)} old"
    return state, ""


def _beside(
    alarms: AlarmState, watch: Watch, told: dict[str, tuple[SignalState, float]], dose_start_t_s: float | None
) -> dict[str, Any] | None:
    """The pressure beside how pressures usually run, once the dose has begun (MON-9)."""
    upper, lower = told.get("sbp_mmHg"), alarms.signals.get("NIBP_DIA")
    if dose_start_t_s is None or upper is None or lower is None or lower.value is None:
        return None
    state, systolic_mmHg = upper
    if state.value_t_s is None or lower.value_t_s != state.value_t_s or state.value_t_s < dose_start_t_s:
        return None
    start = watch.baseline
    minute_min = (state.value_t_s - dose_start_t_s) / 60.0
    found = beside_course(minute_min, systolic_mmHg, lower.value, start.get("sbp_mmHg"), start.get("dbp_mmHg"))
    return {
        "rule": found.course.rule,
        "said": found.words,
        "at_peak": found.at_peak,
        "peak_min": [found.course.peak_from_min, found.course.peak_to_min],
        "sources": list(found.course.sources),
        "verification": found.course.verification.value,
    }
