"""Ordered, given, pumped: where two of them differ, the event that explains it, or that nothing does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from limen.care.alarm_limits import span
from limen.session.events import Event, InfusionPaused, InfusionStopped
from limen.session.state import SessionState, corrected, in_order

# Doses are shown to 0.1 mg; less than half of that is not a difference anyone can see.
_VISIBLE_MG = 0.05

NOT_EXPLAINED = "not explained"


def differences(
    state: SessionState, events: Sequence[Event], *, ordered_mg: float | None = None
) -> list[dict[str, Any]]:
    """Every difference of the session, each with what explains it.

    Parameters
    ----------
    ordered_mg : float or None
        The signed order; where it is not known, what the pumps were set to give.

    Returns
    -------
    list of dict
        ``what``, the two amounts, ``difference_mg`` and ``explained_by``. A pair that agrees is not listed; one that
        cannot be compared is, with the reason.
    """
    if state.dose_start_t_s is None:
        return []
    true = in_order(corrected(events, state.at_t_s))
    set_mg = sum(entry.dose_mg for entry in state.infusions) + sum(dose.dose_mg for dose in state.doses)
    found: list[dict[str, Any]] = []
    if ordered_mg is not None and abs(ordered_mg - set_mg) >= _VISIBLE_MG:
        found.append(_line("order and pump setting", ordered_mg, set_mg, _reasons(state, true)))
    if abs(set_mg - state.given_mg) >= _VISIBLE_MG:
        because, at_t_s = _short(state, true)
        found.append({**_line("pump setting and given", set_mg, state.given_mg, because), "explained_t_s": at_t_s})
    for entry in state.infusions:
        if not entry.stopped:
            continue
        if entry.pump_volume_mL is None or entry.concentration_mg_per_mL is None:
            lacking = "pump volume" if entry.pump_volume_mL is None else "concentration"
            found.append(
                {
                    "what": "given and pump volume",
                    "infusion": entry.id,
                    "cannot_compare": f"{lacking} not recorded",
                    "explained_by": None,
                }
            )
            continue
        pumped = entry.pump_volume_mL * entry.concentration_mg_per_mL
        given = entry.given_mg(state.at_t_s)
        if abs(pumped - given) >= _VISIBLE_MG:
            line = _line("given and pump volume", given, pumped, entry.difference_reason)
            found.append({**line, "infusion": entry.id})
    return found


def _line(what: str, first_mg: float, second_mg: float, explained_by: str | None) -> dict[str, Any]:
    return {
        "what": what,
        "first_mg": first_mg,
        "second_mg": second_mg,
        "difference_mg": second_mg - first_mg,
        "explained_by": explained_by or NOT_EXPLAINED,
    }


def _short(state: SessionState, true: Sequence[Event]) -> tuple[str | None, float | None]:
    """Why less went in than the pump was set to give, and since when: it runs, is paused, or someone stopped it."""
    last = state.infusions[-1]
    if state.phase == "running":
        return "the infusion is running", None
    if state.phase == "paused":
        pause = next((event for event in reversed(true) if isinstance(event, InfusionPaused)), None)
        return (_said("paused", pause), pause.t_s) if pause is not None else (None, None)
    if last.stopped or any(entry.stopped for entry in state.infusions):
        stop = next((event for event in reversed(true) if isinstance(event, InfusionStopped)), None)
        # A stop without a reason says that it was stopped, not why.
        return (_said("stopped", stop), stop.t_s) if stop is not None and stop.reason else (None, None)
    return None, None


def _reasons(state: SessionState, true: Sequence[Event]) -> str | None:
    """Why the pump was set to something else than ordered: the note of the event that started it."""
    notes = [event.note for event in true if event.kind in {"infusion.started", "dose.given"} and event.note]
    return "; ".join(notes) or None


def _said(word: str, event: InfusionPaused | InfusionStopped) -> str:
    reason = f": {event.reason}" if event.reason else ""
    return f"{word} at {span(event.t_s)}{reason}"
