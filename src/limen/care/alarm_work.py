"""One second in progress: the open copy of the state on which the alarm step works, and its rules for alarms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from limen.care.alarm_limits import Crossing, Side, Watch
from limen.care.alarm_signals import LOST, RULES
from limen.care.alarm_state import (
    Acknowledge,
    Alarm,
    AlarmKind,
    AlarmState,
    Change,
    Emergency,
    ExpectedBand,
    OwnLimit,
    PauseAudio,
    SignalState,
    Slot,
    Tick,
)


class Work:
    """What is known so far in this tick. Frozen again by :meth:`frozen`.

    Signals and conditions are always walked in the order of their names: the order in which they first appeared is lost
    when the state is stored, and must not show.
    """

    def __init__(self, state: AlarmState, tick: Tick, watch: Watch) -> None:
        self.tick = tick
        self.watch = watch
        self.before_t_s = state.t_s
        self.signals: dict[str, SignalState] = dict(state.signals)
        self.slots: dict[str, Slot] = dict(state.slots)
        self.limits: Mapping[str, OwnLimit] = state.limits
        self.symptoms = state.symptoms
        self.recheck_t_s = state.recheck_t_s
        self.expected: Mapping[str, ExpectedBand] = state.expected
        self.changes: list[Change] = []

    def frozen(self) -> AlarmState:
        """The state after this tick; conditions without a memory are left out.

        In the order in which it is stored, so that a state that was stored and read back goes on in the same order as
        one that was not.
        """
        return AlarmState(
            t_s=self.tick.t_s,
            signals=dict(sorted(self.signals.items())),
            slots={key: slot for key, slot in sorted(self.slots.items()) if slot != _EMPTY},
            limits=self.limits,
            symptoms=self.symptoms,
            recheck_t_s=self.recheck_t_s,
            expected=self.expected,
        )

    # Alarms

    def settle(
        self,
        key: str,
        crossing: Crossing | None,
        *,
        value: float | None = None,
        measured_t_s: float | None = None,
        kind: AlarmKind = "physiological",
    ) -> None:
        """Make the alarm of a condition what it must be now: raise, replace or end it.

        ``value`` is in the unit of the crossing's signal.
        """
        slot = self.slots.get(key, _EMPTY)
        if slot.tier == (crossing.rank if crossing else 0):
            return
        if slot.alarm is not None:
            self._end(slot.alarm)
        if crossing is None:
            self.slots[key] = _EMPTY
        else:
            alarm = self._alarm(crossing, value, measured_t_s, kind)
            self.changes.append(Change("raised", self.tick.t_s, alarm))
            self.slots[key] = Slot(tier=crossing.rank, alarm=alarm, crossed_t_s=slot.crossed_t_s)

    def judge(self, signal: str, value: float, measured_t_s: float, *, newest: bool) -> None:
        """Hold a valid value, in the signal's unit, against its limits. A late one may raise, never end."""
        own = self.watch.own(signal, self.limits)
        for side in self.watch.sides(signal):
            found = self.watch.crossings(signal, side, value, own=own, symptomatic=bool(self.symptoms))
            key = f"{signal}/{side}"
            slot = self.slots.get(key, _EMPTY)
            if not found and slot == _EMPTY:
                continue
            found = [self.confirmed(crossing, measured_t_s) for crossing in found]
            slot = self._delayed(key, slot, found, measured_t_s, newest=newest)
            since = dict(slot.crossed_t_s)
            ripe = [entry for entry in found if measured_t_s - since.get(entry.rank, measured_t_s) >= entry.delay_s]
            worst = ripe[-1] if ripe else None
            if worst is not None and worst.rank > slot.tier:
                self.settle(key, worst, value=value, measured_t_s=measured_t_s)
            elif newest and slot.alarm is not None:
                back = worst is None or worst.rank < slot.tier
                clear = (slot.clear_t_s if slot.clear_t_s is not None else measured_t_s) if back else None
                self.slots[key] = replace(slot, clear_t_s=clear)
        if newest:
            self._drop_recheck(signal)

    def _delayed(self, key: str, slot: Slot, found: list[Crossing], measured_t_s: float, *, newest: bool) -> Slot:
        """Remember since when limits with a delay are crossed."""
        slow = {crossing.rank for crossing in found if crossing.delay_s > 0}
        if not newest or (not slow and not slot.crossed_t_s):
            return slot
        before = dict(slot.crossed_t_s)
        kept = tuple((rank, before.get(rank, measured_t_s)) for rank in sorted(slow))
        self.slots[key] = replace(slot, crossed_t_s=kept)
        return self.slots[key]

    def end_cleared(self) -> None:
        """End alarms whose value has been back for the hysteresis time; fall to the tier that still holds."""
        for signal, state in sorted(self.signals.items()):
            if state.value is None or state.value_t_s is None:
                continue
            entry = self.watch.signals[signal]
            for side in self.watch.sides(signal):
                key = f"{signal}/{side}"
                slot = self.slots.get(key)
                # An alarm stands for at least one whole tick, so that nobody can miss that it was there.
                if slot is None or slot.alarm is None or slot.clear_t_s is None or slot.alarm.t_s >= self.tick.t_s:
                    continue
                if state.value_manual or state.value_t_s - slot.clear_t_s >= entry.clear_s:
                    self._fall(key, signal, state.value, state.value_t_s)

    def _fall(self, key: str, signal: str, value: float, measured_t_s: float) -> None:
        self.settle(key, self.worst(key, signal, value, measured_t_s), value=value, measured_t_s=measured_t_s)

    def worst(self, key: str, signal: str, value: float, measured_t_s: float) -> Crossing | None:
        """The gravest limit, of those without a delay, that a value of a signal or score crosses on its slot's side."""
        own = self.watch.own(signal, self.limits) if signal in self.watch.signals else None
        side: Side = "low" if key.endswith("/low") else "high"
        found = self.watch.crossings(signal, side, value, own=own, symptomatic=bool(self.symptoms))
        ripe = [self.confirmed(crossing, measured_t_s) for crossing in found if crossing.delay_s == 0]
        return ripe[-1] if ripe else None

    def _alarm(self, crossing: Crossing, value: float | None, measured_t_s: float | None, kind: AlarmKind) -> Alarm:
        named = crossing.signal or None
        return Alarm(
            key="/".join((crossing.rule, crossing.signal, crossing.condition, crossing.tier)),
            t_s=self.tick.t_s,
            condition=crossing.condition,
            kind=kind,
            priority=crossing.priority,
            signal=named,
            value=value,
            limit=crossing.limit,
            unit=self.watch.rules.unit_of(crossing.signal),
            rule=crossing.rule,
            action=crossing.action,
            because=crossing.because,
            measured_t_s=measured_t_s,
            sources=crossing.sources,
            verification=crossing.verification,
        )

    def _end(self, alarm: Alarm) -> None:
        self.changes.append(Change("ended", self.tick.t_s, replace(alarm, ended_t_s=self.tick.t_s)))

    # Pressure that asks for a second reading

    def confirmed(self, crossing: Crossing, measured_t_s: float) -> Crossing:
        """A crossing that asks for a recheck, or the same one confirmed by it; either number counts."""
        if crossing.recheck_s is None:
            return crossing
        if self.recheck_t_s is None or measured_t_s < self.recheck_t_s:
            self.recheck_t_s = measured_t_s
        after_s = measured_t_s - self.recheck_t_s
        return self.watch.confirmed(crossing, after_s=after_s) if after_s >= crossing.recheck_s else crossing

    def _asks_recheck(self, signal: str) -> float | None:
        """The recheck time of a signal whose newest value asks for a second reading."""
        state = self.signals.get(signal)
        return None if state is None or state.value is None else self.asks_recheck(signal, state.value)

    def asks_recheck(self, signal: str, value: float) -> float | None:
        """The recheck time of a value, in the signal's unit, that asks for a second reading."""
        own = self.watch.own(signal, self.limits)
        for side in self.watch.sides(signal):
            for crossing in self.watch.crossings(signal, side, value, own=own, symptomatic=bool(self.symptoms)):
                if crossing.recheck_s is not None:
                    return crossing.recheck_s
        return None

    def _drop_recheck(self, signal: str) -> None:
        if self.recheck_t_s is None or not self.watch.signals[signal].cuff:
            return
        if all(self._asks_recheck(entry.id) is None for entry in self.watch.rules.signals if entry.cuff):
            self.recheck_t_s = None

    def recheck_due_t_s(self, signal: str) -> float | None:
        """When the second reading is due, for a cuff that has not given it."""
        if self.recheck_t_s is None or not self.watch.signals[signal].cuff:
            return None
        asked = [self._asks_recheck(entry.id) for entry in self.watch.rules.signals if entry.cuff]
        wait_s = next((entry for entry in asked if entry is not None), None)
        return None if wait_s is None else self.recheck_t_s + wait_s

    # What people and devices do

    def set_limits(self, limits: Mapping[str, OwnLimit]) -> None:
        """Use other limits from now on: end the alarms of the old ones, and judge the newest values again."""
        old = self.limits
        self.limits = limits
        for signal, state in sorted(self.signals.items()):
            if self.watch.own(signal, old) == self.watch.own(signal, limits):
                continue
            for side in self.watch.sides(signal):
                self.settle(f"{signal}/{side}", None)
            if state.value is not None and state.value_t_s is not None:
                self.judge(signal, state.value, state.value_t_s, newest=True)

    def acknowledge(self, act: Acknowledge) -> None:
        """Answer the one alarm that is meant; of several, the gravest and oldest. Only an id names a later one."""
        wanted = (act.alarm, act.signal, act.condition, act.rule)
        for key, slot in sorted(self.slots.items(), key=lambda item: _grave(item[1])):
            alarm = slot.alarm
            if alarm is None or wanted == (None, None, None, None):
                continue
            if (
                act.alarm in {None, alarm.id, alarm.key}
                and act.signal in {None, alarm.signal}
                and act.condition in {None, alarm.condition}
                and act.rule in {None, alarm.rule}
                and (act.alarm is not None or alarm.acknowledged_t_s is None)
                and (act.alarm == alarm.id or self._stood(alarm, act.t_s))
            ):
                until = act.t_s + self.watch.rules.sound.acknowledged_s
                seen = replace(alarm, acknowledged_t_s=act.t_s, acknowledged_by=act.by, silent_until_t_s=until)
                self.slots[key] = replace(slot, alarm=seen)
                self.changes.append(Change("acknowledged", self.tick.t_s, seen, by=act.by))
                return
        self.changes.append(Change("not-matched", self.tick.t_s, None, by=act.by))

    def pause_audio(self, act: PauseAudio) -> None:
        """Hold back the sound of every alarm that stood at the tap, no longer than the rules allow."""
        most = self.watch.rules.sound.paused_max_s
        used = most if act.duration_s is None else min(act.duration_s, most)
        until = act.t_s + used
        for key, slot in sorted(self.slots.items()):
            alarm = slot.alarm
            if alarm is None or not self._stood(alarm, act.t_s):
                continue
            if alarm.silent_until_t_s is None or alarm.silent_until_t_s < until:
                self.slots[key] = replace(slot, alarm=replace(alarm, silent_until_t_s=until))
        self.changes.append(Change("audio-paused", self.tick.t_s, by=act.by, asked_s=act.duration_s, used_s=used))

    def _stood(self, alarm: Alarm, tapped_t_s: float) -> bool:
        """Whether an alarm stood when somebody answered: a tap that a page kept comes late, and meant none after it."""
        return alarm.t_s <= tapped_t_s or not self.watch.rules.sound.of_the_tap

    def return_sound(self) -> None:
        """Let the sound of alarms come back whose time has passed."""
        for key, slot in sorted(self.slots.items()):
            alarm = slot.alarm
            if alarm is not None and alarm.silent_until_t_s is not None and alarm.silent_until_t_s <= self.tick.t_s:
                loud = replace(alarm, silent_until_t_s=None)
                self.slots[key] = replace(slot, alarm=loud)
                self.changes.append(Change("sound-returned", self.tick.t_s, loud))

    def emergency(self, act: Emergency) -> Crossing:
        """The alarm of the emergency control."""
        return self._called("EMERGENCY", "emergency", f"Emergency called by {act.by}" if act.by else "Emergency called")

    def device_lost(self, device: str) -> Crossing:
        """The alarm of a device that has gone before any of its signals were known."""
        lost = self.watch.rules.technical.lost
        crossing = self._called(RULES[LOST], f"device {device} lost", f"Device {device} lost")
        return replace(crossing, rank=LOST, priority=lost.priority, action="watch")

    def _called(self, rule: str, condition: str, because: str) -> Crossing:
        stop = self.watch.rules.tiers["stop"]
        technical = self.watch.rules.technical
        return Crossing(
            rank=30,
            tier="stop",
            rule=rule,
            signal="",
            condition=condition,
            limit=None,
            priority=stop.priority,
            action=stop.action,
            because=because,
            sources=technical.sources,
            verification=technical.verification.value,
        )


_EMPTY = Slot()
_PRIORITY = {"high": 0, "medium": 1, "low": 2}


def _grave(slot: Slot) -> tuple[int, float, str]:
    if slot.alarm is None:
        return (9, 0.0, "")
    return (_PRIORITY[slot.alarm.priority], slot.alarm.t_s, slot.alarm.key)
