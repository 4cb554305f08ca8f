"""The alarm step: one pure function from what was known and one second of news to what is known and what changed.

The monitor and the replay both call :func:`step`, once for every whole second of the session, in order. Given the same
ticks it gives the same alarms, however often the state was stored and read back in between.

What holds
----------
- A sample of 0, an empty one, a missing one or an impossible one is never physiological; it is a technical alarm.
- One condition has one alarm at a time. When it grows worse the milder alarm ends and the graver one begins, unseen.
- One valid sample raises an alarm unless its limit states a delay. Hysteresis delays only the end.
- Silence never ends a physiological alarm: it stands until values are back.
- A sample that arrives after a newer one can raise an alarm while it is not yet stale, never end one; older than that
  it stays on record (``SignalState.too_late``). A repeat changes nothing.
- A value by hand that is corrected or taken back counts no longer: an alarm that rests on it ends, and its signal is
  judged at once from what is left, be it a reading of the device or an earlier one by hand.
- An acknowledgement answers one alarm, by its id, and holds back its sound for a time. A pause of the sound holds back
  the alarms that stand; one that begins later is heard at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from limen.care.alarm_amend import amend
from limen.care.alarm_conditions import reported_crossings, set_symptoms
from limen.care.alarm_deviation import judge_deviation
from limen.care.alarm_limits import Watch
from limen.care.alarm_signals import arrival, heard, kept, measured, silences, technical, with_mark
from limen.care.alarm_state import (
    Acknowledge,
    Act,
    Alarm,
    AlarmState,
    Amend,
    Associate,
    Change,
    DeviceGone,
    Emergency,
    Expect,
    ExpectedBand,
    OwnLimit,
    PauseAudio,
    Sample,
    Score,
    SetLimits,
    SignalState,
    Stream,
    Symptoms,
    Tick,
)
from limen.care.alarm_work import Work
from limen.errors import InputError

__all__ = [
    "Acknowledge",
    "Act",
    "Alarm",
    "AlarmState",
    "Amend",
    "Associate",
    "Change",
    "DeviceGone",
    "Emergency",
    "Expect",
    "ExpectedBand",
    "OwnLimit",
    "PauseAudio",
    "Sample",
    "Score",
    "SetLimits",
    "Stream",
    "Symptoms",
    "Tick",
    "Watch",
    "begin",
    "step",
]


def begin(
    watch: Watch, *, streams: Iterable[Stream] = (), limits: Iterable[OwnLimit] = (), t_s: float = 0.0
) -> AlarmState:
    """The state before the first tick of a session.

    Parameters
    ----------
    watch : Watch
        The limits that hold.
    streams : iterable of Stream
        Signals expected from the start; their silence counts from ``t_s``.
    limits : iterable of OwnLimit
        The patient's own limits.
    t_s : float
        The start of watching.

    Raises
    ------
    InputError
        If a signal is unknown.

    Examples
    --------
    >>> from limen.knowledge.monitoring import monitoring
    >>> watch = Watch(monitoring(), {"sbp_mmHg": 128.0})
    >>> state = begin(watch, streams=[Stream("SPO2", period_s=1.0)])
    >>> state, changes = step(state, Tick(1, (Sample(0.8, 0.9, "SPO2", 88.0),)), watch)
    >>> [(change.kind, change.alarm.rule, change.alarm.priority) for change in changes]
    [('raised', 'MON-4', 'high')]
    >>> AlarmState.from_json(state.to_json()) == state
    True
    """
    signals = {}
    for stream in streams:
        _known(watch, stream.signal)
        signals[stream.signal] = SignalState(stream.signal, t_s, period_s=stream.period_s, device=stream.device)
    own = {}
    for limit in limits:
        _known(watch, limit.signal)
        own[limit.signal] = limit
    return AlarmState(signals=signals, limits=own)


def step(state: AlarmState, tick: Tick, watch: Watch) -> tuple[AlarmState, tuple[Change, ...]]:
    """Take one second.

    Parameters
    ----------
    state : AlarmState
        What was known after the tick before.
    tick : Tick
        The second, with what arrived in it. Ticks come in order, one for every whole second.
    watch : Watch
        The limits that hold in this session.

    Returns
    -------
    tuple of AlarmState and tuple of Change
        What is known now, and what to store and show.

    Raises
    ------
    InputError
        If the tick is not after the one before, or names an unknown signal.
    """
    if state.t_s is not None and tick.t_s <= state.t_s:
        raise InputError(f"tick {tick.t_s:g} s after {state.t_s:g} s", where="tick", allowed="ticks in order")
    work = Work(state, tick, watch)
    # Answers first: they are about alarms that were on the screen, not about those this second brings.
    for act in tick.acts:
        if isinstance(act, Acknowledge):
            work.acknowledge(act)
        elif isinstance(act, PauseAudio):
            work.pause_audio(act)
    for act in tick.acts:
        _apply(work, act)
    for sample in sorted(tick.samples, key=_order):
        _known(watch, sample.signal)
        _take(work, sample)
    _rejudge_symptoms(work)
    for signal in sorted(work.signals):
        _technical(work, signal)
    work.end_cleared()
    work.return_sound()
    return work.frozen(), tuple(work.changes)


def _apply(work: Work, act: Act) -> None:
    tick, watch = work.tick, work.watch
    if isinstance(act, Associate):
        for stream in act.streams:
            _known(watch, stream.signal)
            known = work.signals.get(stream.signal)
            fresh = SignalState(stream.signal, max(act.t_s, tick.t_s - 1), stream.period_s, act.device)
            if known is not None:
                fresh = replace(
                    known,
                    since_t_s=fresh.since_t_s if known.heard_t_s is None else known.since_t_s,
                    period_s=stream.period_s,
                    device=act.device,
                    expected=True,
                    gone_t_s=None,
                )
            work.signals[stream.signal] = fresh
        work.settle(f"device/{act.device}", None)
    elif isinstance(act, DeviceGone):
        theirs = [entry for entry in work.signals.values() if entry.device == act.device and entry.expected]
        for entry in theirs:
            work.signals[entry.signal] = replace(entry, gone_t_s=act.t_s)
        if not theirs:
            work.settle(f"device/{act.device}", work.device_lost(act.device), kind="technical")
    elif isinstance(act, SetLimits):
        for limit in act.limits:
            _known(watch, limit.signal)
        work.set_limits({limit.signal: limit for limit in act.limits})
    elif isinstance(act, Expect):
        for band in act.bands:
            _known(watch, band.signal)
        work.expected = {band.signal: band for band in act.bands}
    elif isinstance(act, Symptoms):
        set_symptoms(work, act)
    elif isinstance(act, Score):
        for side in ("low", "high"):
            found = watch.crossings(act.signal, side, float(act.value), own=None, symptomatic=bool(work.symptoms))
            worst = found[-1] if found else None
            work.settle(f"{act.signal}/{side}", worst, value=float(act.value), measured_t_s=act.t_s)
    elif isinstance(act, Amend):
        amend(work, act)
    elif isinstance(act, Emergency):
        work.settle("emergency", work.emergency(act) if act.on else None, measured_t_s=act.t_s)


def _take(work: Work, sample: Sample) -> None:
    signal, watch = sample.signal, work.watch
    entry = watch.signals[signal]
    state = work.signals.get(signal)
    if state is None:
        state = SignalState(signal, measured(sample), expected=not sample.manual)
    elif not state.expected and not sample.manual:
        state = replace(state, expected=True, since_t_s=measured(sample))
    window_s = _window_s(work, state)
    came = arrival(state, sample, window_s)
    if came == "duplicate":
        return
    valid = watch.readable(signal, sample.value)
    if came == "too-late":
        work.signals[signal] = replace(state, too_late=state.too_late + 1)
        return
    if came == "new":
        work.signals[signal] = heard(state, sample, valid=valid, cuff=entry.cuff, window_s=window_s)
    else:
        state = kept(state, sample, cuff=entry.cuff) if valid else state
        work.signals[signal] = replace(state, seen=with_mark(state.seen, sample))
    if sample.device:
        work.settle(f"device/{sample.device}", None)
    if valid and sample.value is not None:
        work.judge(signal, sample.value, measured(sample), newest=came == "new")
        if came == "new":
            judge_deviation(work, signal, sample.value, measured(sample))


def _window_s(work: Work, state: SignalState) -> float:
    """How late a sample may come and still matter."""
    technical_rules = work.watch.rules.technical
    if work.watch.signals[state.signal].cuff:
        return technical_rules.cuff_grace_s
    limits = silences(state, work.tick, work.watch, None)
    return limits.stale_s if limits.stale_s is not None else technical_rules.stale.floor_s


def _rejudge_symptoms(work: Work) -> None:
    for crossing, key in reported_crossings(work):
        state = work.signals.get(crossing.signal) if crossing is not None else None
        work.settle(
            key,
            crossing,
            value=state.value if state else None,
            measured_t_s=state.value_t_s if state else None,
        )


def _technical(work: Work, signal: str) -> None:
    key = f"technical/{signal}"
    slot = work.slots.get(key)
    own = work.watch.own(signal, work.limits)
    standing = slot.tier if slot else 0
    crossing = technical(work.signals[signal], work.tick, work.watch, work.recheck_due_t_s(signal), standing, own)
    state = work.signals[signal]
    work.settle(key, crossing, value=state.value, measured_t_s=state.value_t_s, kind="technical")


def _known(watch: Watch, signal: str) -> None:
    if signal not in watch.signals:
        raise InputError(f"unknown signal {signal!r}", where="signal", allowed=", ".join(watch.signals))


def _order(sample: Sample) -> tuple[float, str, str, int, float]:
    seq = sample.seq if sample.seq is not None else -1
    return measured(sample), sample.signal, sample.device, seq, sample.value if sample.value is not None else -1.0
