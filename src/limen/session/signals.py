"""What a screen shows of each signal: the value with its age, live, stale or lost."""

from __future__ import annotations

from typing import Any

from limen.care.alarm_limits import Watch
from limen.care.alarm_signals import RULES
from limen.care.alarm_state import AlarmState

# What an infusion pump says of itself, with its units. It is read and reconciled with the order and the book, never
# held against a limit, and a pump is never commanded. A 0 is a reading: nothing has run yet.
PUMP_SIGNALS = {"PUMP_VOLUME": "mL", "PUMP_RATE": "mL/h"}

_WORDS = dict(zip(RULES.values(), ("stale", "no valid value", "lost"), strict=True))


def signal_views(state: AlarmState, watch: Watch) -> dict[str, dict[str, Any]]:
    """Each signal at the last tick: newest value, when it was measured, its age, and whether it can be trusted.

    A signal that never gave a value is lost from the first second, before its silence is an alarm: never blank or 0.
    """
    now = state.t_s if state.t_s is not None else 0.0
    found: dict[str, dict[str, Any]] = {}
    for signal, known in sorted(state.signals.items()):
        slot = state.slots.get(f"technical/{signal}")
        if slot is not None and slot.alarm is not None:
            word = _WORDS[slot.alarm.rule]
        elif known.value is None:
            word = "lost"
        else:
            word = "live" if known.expected else "by hand"
        found[signal] = {
            "value": known.value,
            "unit": watch.signals[signal].unit,
            # The limits in force, so that a screen never writes the value on the wrong side of one.
            "edges": list(watch.edges(signal, watch.own(signal, state.limits))),
            "t_s": known.value_t_s,
            "age_s": None if known.value_t_s is None else max(0.0, now - known.value_t_s),
            "status": word,
            "no_value": known.invalid_since_t_s is not None and known.valid_since_t_s is None,
            "device": known.device or None,
            "too_late": known.too_late,
        }
    return found
