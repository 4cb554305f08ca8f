"""Values written by hand that are corrected or taken back: their signals are judged from what is left.

What holds: the alarms are those that the readings which still stand ask for. An alarm that rests on a value taken back
ends; one that this value had ended begins again, in the same second; an alarm that rests on another reading stays as it
is, with its acknowledgement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from limen.care.alarm_conditions import set_symptoms
from limen.care.alarm_deviation import judge_deviation
from limen.care.alarm_state import Alarm, Amend, Reading, SignalState, Slot, Symptoms

if TYPE_CHECKING:
    from limen.care.alarm_work import Work


def amend(work: Work, act: Amend) -> None:
    """Judge signals and scores again after values by hand were corrected or taken back."""
    left: dict[str, Reading | None] = {}
    for name, was in sorted(act.was.items()):
        written = act.written.get(name, ())
        newest = written[-1] if written else None
        if name in work.watch.signals:
            work.signals[name], newest = _without(work, name, was, newest, act.t_s)
        left[name] = newest
    if any(work.watch.signals[name].cuff for name in left if name in work.watch.signals):
        work.recheck_t_s = _recheck_since(work, act.written)
    set_symptoms(work, Symptoms(act.t_s, act.symptoms))
    for name, was in sorted(act.was.items()):
        _settle(work, name, was, left[name], act.t_s)
        if name in work.watch.signals:
            _settle_deviation(work, name, was, left[name])


def _without(
    work: Work, name: str, was: Reading | None, written: Reading | None, t_s: float
) -> tuple[SignalState, Reading | None]:
    """A signal without the value that no longer counts, and its newest reading of those that stand."""
    state = work.signals.get(name) or SignalState(name, written[0] if written else t_s, expected=False)
    streamed = state.readings[-1] if state.readings else None
    by_hand = written is not None and (streamed is None or written[0] >= streamed[0])
    left = written if by_hand else streamed
    heard = left if work.watch.signals[name].cuff else streamed
    ended_silence = was is not None and state.invalid_since_t_s is not None and state.valid_since_t_s == was[0]
    return replace(
        state,
        value=left[1] if left else None,
        value_t_s=left[0] if left else None,
        value_manual=by_hand,
        heard_t_s=heard[0] if heard else None,
        valid_since_t_s=None if ended_silence else state.valid_since_t_s,
        # The same value written again is news.
        seen=tuple(mark for mark in state.seen if was is None or mark != (was[0], "", f"value {was[1]}")),
    ), left


def _settle(work: Work, name: str, was: Reading | None, left: Reading | None, t_s: float) -> None:
    for side in work.watch.sides(name):
        key = f"{name}/{side}"
        slot = work.slots.get(key, Slot())
        worst = work.worst(key, name, left[1], left[0]) if left is not None else None
        if _rests(slot.alarm, was):
            work.settle(key, None)
        elif slot.alarm is not None and (worst is None or worst.rank <= slot.tier):
            holds = worst is not None and worst.rank == slot.tier
            since = slot.clear_t_s if slot.clear_t_s is not None else left[0] if left else t_s
            work.slots[key] = replace(slot, clear_t_s=None if holds else since)
            continue
        if worst is not None and left is not None:
            work.settle(key, worst, value=left[1], measured_t_s=left[0])


def _settle_deviation(work: Work, name: str, was: Reading | None, left: Reading | None) -> None:
    slot = work.slots.get(f"deviation/{name}")
    if slot is not None and _rests(slot.alarm, was):
        work.settle(f"deviation/{name}", None)
    if left is not None:
        judge_deviation(work, name, left[1], left[0])


def _rests(alarm: Alarm | None, was: Reading | None) -> bool:
    """Whether an alarm was raised by the value that no longer counts."""
    return alarm is not None and was is not None and (alarm.measured_t_s, alarm.value) == was


def _recheck_since(work: Work, written: Mapping[str, tuple[Reading, ...]]) -> float | None:
    """When pressure first asked for the second reading that it still asks for, from the readings that stand."""
    readings: list[tuple[float, str, float]] = []
    for entry in work.watch.rules.signals:
        if entry.cuff:
            state = work.signals.get(entry.id)
            both = (*(state.readings if state else ()), *written.get(entry.id, ()))
            readings += [(t_s, entry.id, value) for t_s, value in both]
    newest: dict[str, float] = {}
    since: float | None = None
    for t_s, signal, value in sorted(readings):
        newest[signal] = value
        asks = any(work.asks_recheck(name, number) is not None for name, number in newest.items())
        since = (t_s if since is None else since) if asks else None
    return since
