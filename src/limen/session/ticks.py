"""How seconds are counted, so that the live monitor and a replay raise the same alarms.

The contract of a tick
----------------------
1. Ticks are whole seconds of session time: 0, 1, 2, ... Nothing is watched before second 0, the start of the session;
   what was measured or done before it is taken by tick 0.
2. Tick *t* takes every sample with ``received_t_s <= t`` and every event with ``known_t_s <= t`` that no earlier tick
   took. Within a tick samples are put in order by the step itself; events keep the order in which they were recorded.
3. No tick is left out. A monitor that was dead catches up tick by tick (:func:`monitor_ticks`) before it goes on, each
   with what was known by that second. ``monitor.started`` and ``monitor.stopped`` record the gap and change no alarm.
4. What arrives must be stamped after the last tick that was committed (:func:`received_stamp`), in the same transaction
   as its storing; else a tick already taken would, in a replay, take it too.
5. Watching ends with the tick that takes ``discharged`` or ``session.ended`` (:func:`watched`).
6. An export carries ``until_t_s``, the last tick taken, so that silence at its end is replayed too.

A monitor therefore does, once a second: read its state; for each of ``monitor_ticks(state.t_s, now_t_s)`` build the
tick with :func:`tick_at`, call ``care.alarms.step``, and store the new state and the changes in one transaction,
comparing that the stored ``t_s`` is still the one it read.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from limen.care.alarm_state import (
    Acknowledge,
    Act,
    AlarmState,
    Associate,
    DeviceGone,
    Emergency,
    Expect,
    ExpectedBand,
    OwnLimit,
    PauseAudio,
    Sample,
    SetLimits,
    Stream,
    Tick,
)
from limen.care.alarms import Watch, begin
from limen.errors import RefusedError
from limen.knowledge.monitoring import MonitoringRules
from limen.session.dosing import dose_span
from limen.session.events import (
    AlarmAcknowledged,
    AudioPaused,
    DeviceAssociated,
    DeviceLost,
    Discharged,
    EmergencyEnded,
    EmergencyStarted,
    EntryCorrected,
    Event,
    LimitPair,
    LimitsChanged,
    ObservationRecorded,
    SessionEnded,
    SymptomReported,
)
from limen.session.forecast_event import ForecastUpdated
from limen.session.header import SessionHeader
from limen.session.schedule import cuff_interval
from limen.session.state import corrected, in_order
from limen.session.written import judged_again, symptoms_now, until_the_next

# A stamp is at least this much after the last tick, so that the tick cannot have taken it.
_AFTER_TICK_S = 0.001


def monitor_ticks(from_t_s: float | None, to_t_s: float) -> range:
    """The ticks to take now: whole seconds after the last one taken, up to the present.

    Parameters
    ----------
    from_t_s : float or None
        ``AlarmState.t_s``: the last tick taken; ``None`` before the first.
    to_t_s : float
        The session's second now.

    Examples
    --------
    >>> list(monitor_ticks(None, 2.7)), list(monitor_ticks(5, 7.0))
    ([0, 1, 2], [6, 7])
    """
    first = 0 if from_t_s is None else math.floor(from_t_s) + 1
    return range(first, math.floor(to_t_s) + 1)


def received_stamp(now_t_s: float, last_tick_t_s: float | None) -> float:
    """The ``received_t_s`` of what arrives now: after the last tick committed, whatever the clock says.

    Examples
    --------
    >>> received_stamp(12.4, 12), received_stamp(12.4, 13)
    (12.4, 13.001)
    """
    return now_t_s if last_tick_t_s is None else max(now_t_s, last_tick_t_s + _AFTER_TICK_S)


def begin_watch(header: SessionHeader, rules: MonitoringRules) -> tuple[Watch, AlarmState]:
    """The limits of a session and the state before its first tick."""
    watch = Watch(rules, header.baseline_values())
    streams = [Stream(signal, period_s=spec.period_s) for signal, spec in (header.streams or {}).items()]
    return watch, begin(watch, streams=streams, limits=own_limits(header.limits))


def own_limits(limits: dict[str, LimitPair] | None) -> tuple[OwnLimit, ...]:
    """The patient's own limits as the alarm step takes them."""
    return tuple(OwnLimit(signal, pair.low, pair.high) for signal, pair in (limits or {}).items())


def refuse_slow_streams(header: SessionHeader, rules: MonitoringRules) -> None:
    """Refuse a live session whose continuous streams are too slow to warn in time.

    Raises
    ------
    RefusedError
        If a continuous stream's period is longer than the rules allow for a live session.
    """
    most = rules.technical.live_period_max_s
    for signal, spec in (header.streams or {}).items():
        entry = rules.signal(signal)
        if entry is not None and not entry.cuff and spec.period_s is not None and spec.period_s > most:
            raise RefusedError(
                f"a value every {spec.period_s:g} s is too slow for a live session",
                where=f"streams.{signal}.period_s",
                allowed=f"up to {most:g} s",
                hint="Slower sources are for replay and training",
            )


def refuse_open_sides(limits: dict[str, LimitPair], rules: MonitoringRules) -> None:
    """Refuse own limits for a live session that leave open a side on which the rules watch a signal.

    A limit of the patient's own moves an alarm. One side alone would switch the other one off, and nobody would see it.

    Raises
    ------
    RefusedError
        Names the signal and the side that nobody would watch.

    Examples
    --------
    >>> from limen.knowledge.monitoring import monitoring
    >>> refuse_open_sides({"SPO2": LimitPair(low=88.0)}, monitoring())
    >>> refuse_open_sides({"HR": LimitPair(low=45.0)}, monitoring())
    Traceback (most recent call last):
    limen.errors.RefusedError: limits.HR.high: nobody would be warned of heart rate high; allowed: low and high together
    """
    watch = Watch(rules)
    for open_side in watch.open_sides({limit.signal: limit for limit in own_limits(limits)}):
        signal, side = open_side["signal"], open_side["side"]
        if signal in limits:
            raise RefusedError(
                f"nobody would be warned of {watch.title(signal).lower()} {side}",
                where=f"limits.{signal}.{side}",
                allowed="low and high together",
            )


def watched(events: Iterable[Event], t_s: float) -> bool:
    """Whether tick ``t_s`` is taken: nothing known by the second before has ended the watching.

    Parameters
    ----------
    events : iterable of Event
        All events of the session, corrections not applied.
    t_s : float
        The tick.
    """
    before = [event for event in events if event.known_t_s <= t_s - 1]
    if not any(isinstance(event, Discharged | SessionEnded) for event in before):
        return True
    return not any(isinstance(event, Discharged | SessionEnded) for event in corrected(before))


def tick_at(
    t_s: float,
    *,
    header: SessionHeader,
    rules: MonitoringRules,
    known: Sequence[Event],
    news: Sequence[Event],
    samples: Sequence[Sample],
) -> Tick:
    """One tick from what was recorded.

    Parameters
    ----------
    t_s : float
        The whole second.
    known : sequence of Event
        Every event known by ``t_s``, in the order recorded, ``news`` included.
    news : sequence of Event
        Those that no earlier tick took.
    samples : sequence of Sample
        Samples that no earlier tick took.
    """
    true = in_order(corrected(known, t_s))
    start, end = dose_span(true, t_s)
    every_s, from_t_s = cuff_interval(rules.schedule_for(header.protocol), start, end, t_s)
    acts: list[Act] = []
    written = list(samples)
    by_hand_of = judged_again if rules.taken_back == "judged-again" else until_the_next
    for event in news:
        by_hand = by_hand_of(event, known, news, true)
        acts += [*by_hand.first, *_acts(event, header, true), *by_hand.then]
        written += by_hand.samples
    return Tick(float(t_s), tuple(written), tuple(acts), every_s, from_t_s)


def _acts(event: Event, header: SessionHeader, true: Sequence[Event]) -> list[Act]:
    """What an event means to the alarm step; ``true`` are the events so far, corrections applied."""
    by = event.by or ""
    if isinstance(event, AlarmAcknowledged):
        return [Acknowledge(event.t_s, by, event.alarm, event.signal, event.condition, event.rule)]
    if isinstance(event, AudioPaused):
        return [PauseAudio(event.t_s, by, event.duration_s)]
    if isinstance(event, LimitsChanged):
        return [SetLimits(event.t_s, own_limits(event.limits))]
    if isinstance(event, DeviceAssociated):
        return [Associate(event.t_s, event.device, _streams(event))]
    if isinstance(event, DeviceLost):
        return [DeviceGone(event.t_s, event.device)]
    if isinstance(event, ForecastUpdated):
        bands = [ExpectedBand(signal, band.t_s, band.low, band.high) for signal, band in sorted(event.bands.items())]
        return [Expect(event.t_s, tuple(bands))]
    if isinstance(event, EmergencyStarted | EmergencyEnded):
        return [Emergency(event.t_s, isinstance(event, EmergencyStarted), by)]
    if isinstance(event, SymptomReported) or (isinstance(event, ObservationRecorded) and event.symptoms is not None):
        return [symptoms_now(event, true)]
    if isinstance(event, EntryCorrected):
        limits = next((entry.limits for entry in reversed(true) if isinstance(entry, LimitsChanged)), header.limits)
        return [symptoms_now(event, true), SetLimits(event.t_s, own_limits(limits))]
    return []


def _streams(event: DeviceAssociated) -> tuple[Stream, ...]:
    named: dict[str, float | None] = dict.fromkeys(event.signals, event.period_s)
    for signal, spec in (event.streams or {}).items():
        named[signal] = spec.period_s
    return tuple(Stream(signal, event.device, period_s) for signal, period_s in named.items())
