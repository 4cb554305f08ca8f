"""Samples into knowledge of a signal: what is newest, what is a duplicate, what came late, and what is silent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from limen.care.alarm_limits import Crossing, Watch, span
from limen.care.alarm_state import Mark, OwnLimit, Sample, SignalState, Tick
from limen.knowledge.monitoring import Priority, Silence

Arrival = Literal["new", "late", "too-late", "duplicate"]

# More than two hours of a cuff every five minutes.
CUFF_READINGS = 32
# More than comes of a signal within its window; a device whose clock stands still would fill the state without end.
MOST_SEEN = 256
STALE, INVALID, LOST = 10, 15, 20
RULES = {STALE: "TEC-STALE", INVALID: "TEC-INVALID", LOST: "TEC-LOST"}


@dataclass(frozen=True, slots=True)
class Silences:
    """The ages at which a signal is stale and lost now; ``None`` where none is due."""

    stale_s: float | None
    lost_s: float | None
    from_t_s: float


def silences(state: SignalState, tick: Tick, watch: Watch, recheck_due_t_s: float | None) -> Silences:
    """When this signal is stale and when it is lost.

    A stream: after the larger of a time and a number of its periods. The cuff: when a reading that the schedule
    wanted has not come within the grace time. Counted from the newest valid value, or from when it was first expected.
    """
    technical = watch.rules.technical
    heard = state.heard_t_s if state.heard_t_s is not None else state.since_t_s
    if watch.signals[state.signal].cuff:
        every_s = state.period_s if state.period_s is not None else tick.cuff_every_s
        base = heard if state.period_s is not None else max(heard, tick.cuff_from_t_s)
        due: list[float] = []
        if every_s is not None:
            due = [
                base + every_s * missed + technical.cuff_grace_s - heard
                for missed in (technical.stale.cuffs_missed, technical.lost.cuffs_missed)
            ]
        if recheck_due_t_s is not None and heard < recheck_due_t_s:
            early = recheck_due_t_s + technical.cuff_grace_s - heard
            due = [min(early, due[0]), due[1]] if due else [early, float("inf")]
        if not due:
            return Silences(None, None, heard)
        return Silences(due[0], None if due[1] == float("inf") else due[1], heard)
    return Silences(_age(technical.stale, state.period_s), _age(technical.lost, state.period_s), heard)


def _age(silence: Silence, period_s: float | None) -> float:
    return max(silence.floor_s, silence.periods * (period_s or 0.0))


def arrival(state: SignalState, sample: Sample, window_s: float) -> Arrival:
    """Whether a sample is news, a repeat, or came after newer ones."""
    if mark(sample) in state.seen:
        return "duplicate"
    if state.last_t_s is None or measured(sample) >= state.last_t_s:
        return "new"
    return "late" if state.last_t_s - measured(sample) <= window_s else "too-late"


def measured(sample: Sample) -> float:
    """When a sample was measured; a clock that runs ahead cannot make it newer than its arrival."""
    return min(sample.t_s, sample.received_t_s)


def mark(sample: Sample) -> Mark:
    """What tells one sample of a signal from its repeat; without a running number, its value does."""
    return measured(sample), sample.device, sample.seq if sample.seq is not None else f"value {sample.value}"


def with_mark(seen: Iterable[Mark], sample: Sample) -> tuple[Mark, ...]:
    """What was seen, with one sample more; the oldest go first."""
    return (*seen, mark(sample))[-MOST_SEEN:]


def heard(state: SignalState, sample: Sample, *, valid: bool, cuff: bool, window_s: float) -> SignalState:
    """The signal after a new sample."""
    now = measured(sample)
    seen = with_mark((entry for entry in state.seen if entry[0] >= now - window_s), sample)
    if not valid:
        since = state.invalid_since_t_s
        if since is None or state.valid_since_t_s is not None:
            since = now
        return replace(state, last_t_s=now, seen=seen, invalid_since_t_s=since, valid_since_t_s=None)
    counts = cuff or not sample.manual
    return replace(
        kept(state, sample, cuff=cuff),
        last_t_s=now,
        seen=seen,
        value=sample.value,
        value_t_s=now,
        value_manual=sample.manual,
        heard_t_s=now if counts else state.heard_t_s,
        device=state.device if sample.manual else sample.device or state.device,
        gone_t_s=None if counts and not sample.manual and _back(state, now) else state.gone_t_s,
        valid_since_t_s=state.valid_since_t_s if state.valid_since_t_s is not None else now,
    )


def kept(state: SignalState, sample: Sample, *, cuff: bool) -> SignalState:
    """The signal with a valid value of its stream remembered; of a cuff the run of readings that a recheck looks at."""
    if sample.manual or sample.value is None:
        return state
    readings = sorted((*state.readings, (measured(sample), sample.value)), key=lambda reading: reading[0])
    return replace(state, readings=tuple(readings[-(CUFF_READINGS if cuff else 1) :]))


def _back(state: SignalState, measured_t_s: float) -> bool:
    """Whether a value brings a lost device back: not one that was measured before it went."""
    return state.gone_t_s is None or measured_t_s >= state.gone_t_s


def technical(
    state: SignalState,
    tick: Tick,
    watch: Watch,
    recheck_due_t_s: float | None,
    standing: int,
    own: OwnLimit | None = None,
) -> Crossing | None:
    """The technical condition of a signal at this tick, the gravest only; ``standing`` is the rank of its alarm now."""
    if not state.expected:
        return None
    rules = watch.rules.technical
    limits = silences(state, tick, watch, recheck_due_t_s)
    age_s = tick.t_s - limits.from_t_s
    entry = watch.signals[state.signal]
    was = _was(state, tick, watch, own)
    if state.gone_t_s is not None:
        return _silent(state.signal, watch, LOST, rules.lost.priority, None, f"{entry.title}: device lost, {was}")
    if limits.lost_s is not None and age_s > limits.lost_s:
        if _speaks_without_value(state, tick, limits.stale_s):
            why = f"{entry.title}: no valid value for {span(age_s)}, {was}. Check the sensor"
            return _silent(state.signal, watch, LOST, rules.lost.priority, limits.lost_s, why, _NAMES[INVALID])
        why = f"{entry.title} silent for {span(age_s)}, {was}"
        return _silent(state.signal, watch, LOST, rules.lost.priority, limits.lost_s, why)
    if _invalid(state, 0.0 if entry.cuff else rules.invalid_clear_s, standing):
        why = f"{entry.title}: the sensor gives no value, {was}. Check the sensor"
        return _silent(state.signal, watch, INVALID, rules.invalid_priority, None, why)
    if limits.stale_s is not None and age_s > limits.stale_s:
        why = f"{entry.title} {span(age_s)} old, {was}"
        return _silent(state.signal, watch, STALE, rules.stale.priority, limits.stale_s, why)
    return None


def _was(state: SignalState, tick: Tick, watch: Watch, own: OwnLimit | None) -> str:
    """The newest valid value with its own age, which a reading by hand makes younger than the stream's silence."""
    if state.value is None or state.value_t_s is None:
        return "no value yet"
    by_hand = " by hand" if state.value_manual else ""
    said = watch.said(state.signal, state.value, own)
    return f"was {said}{by_hand} {span(max(0.0, tick.t_s - state.value_t_s))} ago"


def _speaks_without_value(state: SignalState, tick: Tick, stale_s: float | None) -> bool:
    """Whether the sensor still sends, and nothing it sends is a value."""
    if state.invalid_since_t_s is None or state.valid_since_t_s is not None or state.last_t_s is None:
        return False
    return stale_s is None or tick.t_s - state.last_t_s <= stale_s


def _invalid(state: SignalState, clear_s: float, standing: int) -> bool:
    """Whether samples come without a value; an alarm that stands needs ``clear_s`` of values to end."""
    if state.invalid_since_t_s is None:
        return False
    if state.valid_since_t_s is None or state.value_t_s is None:
        return True
    return standing == INVALID and state.value_t_s - state.valid_since_t_s < clear_s


_NAMES = {STALE: "stale", INVALID: "no valid value", LOST: "lost"}


def _silent(
    signal: str, watch: Watch, rank: int, priority: Priority, limit: float | None, why: str, name: str = ""
) -> Crossing:
    rules = watch.rules.technical
    return Crossing(
        rank=rank,
        tier=_NAMES[rank].replace(" ", "-"),
        rule=RULES[rank],
        signal=signal,
        condition=f"{signal} {name or _NAMES[rank]}",
        limit=limit,
        priority=priority,
        action="watch",
        because=why,
        sources=rules.sources,
        verification=rules.verification.value,
    )
