"""What the alarm step takes, keeps and tells: frozen values that travel through JSON unchanged.

Words follow IEC 60601-1-8: a *condition* is what is wrong, an *alarm* is its announcement with a priority, an
*acknowledgement* answers one alarm and never another, *audio paused* holds the sound back for a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from limen.knowledge.monitoring import Action, Priority

AlarmKind = Literal["physiological", "technical"]
# A valid value, in the unit of its signal, with the second it was measured.
Reading = tuple[float, float]
ChangeKind = Literal["raised", "ended", "acknowledged", "audio-paused", "sound-returned", "not-matched"]


@dataclass(frozen=True, slots=True)
class Sample:
    """One value from one sensor.

    Attributes
    ----------
    t_s : float
        When it was measured, in seconds since the start of the session.
    received_t_s : float
        When it arrived; a tick takes every sample received by then.
    seq : int or None
        The device's running number of the moment; with device and signal it names a duplicate.
    value : float or None
        In the unit of the signal. ``None`` and 0 are no reading.
    """

    t_s: float
    received_t_s: float
    signal: str
    value: float | None
    device: str = ""
    seq: int | None = None
    manual: bool = False


@dataclass(frozen=True, slots=True)
class OwnLimit:
    """Limits set for this patient on one signal; beyond them is an alarm, on them is not."""

    signal: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Stream:
    """A signal that is expected to keep coming."""

    signal: str
    device: str = ""
    period_s: float | None = None


# What persons and devices did, as the step needs it. Each carries the second it was done.


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Answer one alarm: named by its ``alarm`` id or key, or by what it is about."""

    t_s: float
    by: str = ""
    alarm: str | None = None
    signal: str | None = None
    condition: str | None = None
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class PauseAudio:
    """Hold back the sound of the alarms that stand now."""

    t_s: float
    by: str = ""
    duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """A score that a person gave: ``MOAAS`` or ``DISTRESS``. A score of 0 is real."""

    t_s: float
    signal: str
    value: int


@dataclass(frozen=True, slots=True)
class Symptoms:
    """What the patient reports, all of it, from now on."""

    t_s: float
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SetLimits:
    """The patient's own limits, all of them, from now on."""

    t_s: float
    limits: tuple[OwnLimit, ...]


@dataclass(frozen=True, slots=True)
class Associate:
    """A device is joined to the session and its signals are expected."""

    t_s: float
    device: str
    streams: tuple[Stream, ...]


@dataclass(frozen=True, slots=True)
class DeviceGone:
    """A device reported lost: its signals are lost now, without waiting."""

    t_s: float
    device: str


@dataclass(frozen=True, slots=True)
class Emergency:
    """The emergency control was pressed, or the emergency is over."""

    t_s: float
    on: bool
    by: str = ""


@dataclass(frozen=True, slots=True)
class ExpectedBand:
    """Where a signal is expected, in its unit: straight lines between rising times."""

    signal: str
    t_s: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Expect:
    """What is forecast from now on, of all signals; it replaces what was forecast before."""

    t_s: float
    bands: tuple[ExpectedBand, ...]


@dataclass(frozen=True, slots=True)
class Amend:
    """Values written by hand were corrected or taken back: their signals are judged from what is left.

    Attributes
    ----------
    was : mapping of signal or score to Reading or None
        What is judged again, each with the value that no longer counts; ``None`` where one was only added.
    written : mapping of signal or score to tuple of Reading
        Every value that was written by hand and stands, oldest first.
    symptoms : tuple of str
        The symptoms that stand.
    """

    t_s: float
    was: Mapping[str, Reading | None]
    written: Mapping[str, tuple[Reading, ...]]
    symptoms: tuple[str, ...]


Act = Amend | Expect | Acknowledge | PauseAudio | Score | Symptoms | SetLimits | Associate | DeviceGone | Emergency


@dataclass(frozen=True, slots=True)
class Tick:
    """One second of a session.

    Attributes
    ----------
    t_s : float
        A whole second since the start of the session.
    samples : tuple of Sample
        Received after the tick before and not after this one, in any order.
    acts : tuple of Act
        Recorded in the same time, in the order they were recorded.
    cuff_every_s : float or None
        The cuff's interval now; ``None`` where no cuff is due by schedule.
    cuff_from_t_s : float
        When that interval began to hold; the first cuff is due one interval later.
    """

    t_s: float
    samples: tuple[Sample, ...] = ()
    acts: tuple[Act, ...] = ()
    cuff_every_s: float | None = None
    cuff_from_t_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm, as the contract prints it.

    Attributes
    ----------
    key : str
        What is wrong, stable over the session: ``rule/signal/condition/tier``.
    t_s, ended_t_s : float, float or None
        When it was raised and when it ended; ``None`` while it stands.
    measured_t_s : float or None
        When the value was measured.
    value, limit : float or None
        In ``unit``.
    silent_until_t_s : float or None
        The sound returns then, if the alarm still stands.
    """

    key: str
    t_s: float
    condition: str
    kind: AlarmKind
    priority: Priority
    signal: str | None
    value: float | None
    limit: float | None
    unit: str
    rule: str
    action: Action
    because: str
    measured_t_s: float | None
    sources: tuple[str, ...]
    verification: str
    ended_t_s: float | None = None
    acknowledged_t_s: float | None = None
    acknowledged_by: str | None = None
    silent_until_t_s: float | None = None

    @property
    def id(self) -> str:
        """Names this one alarm: its key and the second it was raised."""
        return f"{self.key}@{self.t_s:.12g}"

    def to_json(self) -> dict[str, Any]:
        """The contract's keys and ours."""
        return {"id": self.id, **_shallow(self), "sources": list(self.sources)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Alarm:
        """The alarm that ``to_json`` wrote."""
        fields = {key: entry for key, entry in value.items() if key != "id"}
        return cls(**{**fields, "sources": tuple(fields["sources"])})


@dataclass(frozen=True, slots=True)
class Change:
    """One thing the step did: what to store and to show.

    Attributes
    ----------
    asked_s, used_s : float or None
        A pause of the sound that was asked for, and what the rules allow.
    """

    kind: ChangeKind
    t_s: float
    alarm: Alarm | None = None
    by: str | None = None
    asked_s: float | None = None
    used_s: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The change as JSON."""
        return {
            "kind": self.kind,
            "t_s": self.t_s,
            "alarm": self.alarm.to_json() if self.alarm else None,
            "by": self.by,
            "asked_s": self.asked_s,
            "used_s": self.used_s,
        }


# When a sample was measured, its device, and its running number or, without one, its value in words.
Mark = tuple[float, str, int | str]


@dataclass(frozen=True, slots=True)
class SignalState:
    """What is known of one signal.

    Attributes
    ----------
    since_t_s : float
        When it began to be expected; its silence counts from here until the first value.
    expected : bool
        Whether a stream is awaited; a signal that is only written down by hand has no silence.
    value, value_t_s, value_manual : float, float or None, bool
        The newest valid value, when it was measured, and whether by hand.
    heard_t_s : float or None
        When the stream last gave a valid value; the cuff also counts a reading by hand.
    last_t_s : float or None
        When the newest sample of any kind was measured.
    invalid_since_t_s : float or None
        When samples began to come without a valid value.
    valid_since_t_s : float or None
        When they began to be valid again.
    gone_t_s : float or None
        When its device was reported lost.
    seen : tuple of Mark
        Samples of the last few seconds, to tell a duplicate from a late arrival.
    too_late : int
        Samples that arrived too late to matter now; they stay on record.
    readings : tuple of Reading
        The newest valid values of the stream, oldest first: what is left when a value by hand is taken back.
    """

    signal: str
    since_t_s: float
    period_s: float | None = None
    device: str = ""
    expected: bool = True
    value: float | None = None
    value_t_s: float | None = None
    value_manual: bool = False
    heard_t_s: float | None = None
    last_t_s: float | None = None
    invalid_since_t_s: float | None = None
    valid_since_t_s: float | None = None
    gone_t_s: float | None = None
    seen: tuple[Mark, ...] = ()
    too_late: int = 0
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True)
class Slot:
    """The memory of one condition that can rise through tiers, such as low saturation.

    Attributes
    ----------
    tier : int
        Rank of the alarm that stands; 0 for none.
    clear_t_s : float or None
        Since when the value has been back from that tier.
    crossed_t_s : tuple of (rank, t_s)
        Since when each tier has been crossed, for limits with a delay.
    """

    tier: int = 0
    alarm: Alarm | None = None
    clear_t_s: float | None = None
    crossed_t_s: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class AlarmState:
    """Everything the next step needs to know. Compare, store and send it as JSON.

    Attributes
    ----------
    t_s : float or None
        The last tick taken.
    recheck_t_s : float or None
        When pressure first asked for a second reading.
    """

    t_s: float | None = None
    signals: Mapping[str, SignalState] = field(default_factory=dict)
    slots: Mapping[str, Slot] = field(default_factory=dict)
    limits: Mapping[str, OwnLimit] = field(default_factory=dict)
    symptoms: tuple[str, ...] = ()
    recheck_t_s: float | None = None
    expected: Mapping[str, ExpectedBand] = field(default_factory=dict)

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """The alarms that stand, highest priority first, then oldest first."""
        standing = (slot.alarm for slot in self.slots.values() if slot.alarm is not None)
        return tuple(sorted(standing, key=lambda alarm: (_RANK[alarm.priority], alarm.t_s, alarm.key)))

    def sounding(self, t_s: float) -> tuple[Alarm, ...]:
        """The alarms that may be heard at ``t_s``: those whose sound nobody holds back."""
        return tuple(alarm for alarm in self.alarms if alarm.silent_until_t_s is None or alarm.silent_until_t_s <= t_s)

    def to_json(self) -> dict[str, Any]:
        """The state as JSON, with its keys in a fixed order."""
        return {
            "t_s": self.t_s,
            "signals": {key: _shallow(self.signals[key]) for key in sorted(self.signals)},
            "slots": {key: _slot_json(self.slots[key]) for key in sorted(self.slots)},
            "limits": {key: _shallow(self.limits[key]) for key in sorted(self.limits)},
            "symptoms": list(self.symptoms),
            "recheck_t_s": self.recheck_t_s,
            "expected": {key: _shallow(self.expected[key]) for key in sorted(self.expected)},
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> AlarmState:
        """The state that ``to_json`` wrote."""
        return cls(
            t_s=value["t_s"],
            signals={key: _signal(entry) for key, entry in value["signals"].items()},
            slots={key: _slot(entry) for key, entry in value["slots"].items()},
            limits={key: OwnLimit(**entry) for key, entry in value["limits"].items()},
            symptoms=tuple(value["symptoms"]),
            recheck_t_s=value["recheck_t_s"],
            expected={key: _band(entry) for key, entry in value.get("expected", {}).items()},
        )


def _shallow(value: Any) -> dict[str, Any]:
    """The fields of a frozen value that holds plain values: ``asdict`` would copy each of them, every second."""
    return {name: getattr(value, name) for name in value.__slots__}


_RANK = {"high": 0, "medium": 1, "low": 2}


def _slot_json(slot: Slot) -> dict[str, Any]:
    return {
        "tier": slot.tier,
        "alarm": slot.alarm.to_json() if slot.alarm else None,
        "clear_t_s": slot.clear_t_s,
        "crossed_t_s": [list(entry) for entry in slot.crossed_t_s],
    }


def _slot(value: Mapping[str, Any]) -> Slot:
    return Slot(
        tier=value["tier"],
        alarm=Alarm.from_json(value["alarm"]) if value["alarm"] else None,
        clear_t_s=value["clear_t_s"],
        crossed_t_s=tuple((rank, t_s) for rank, t_s in value["crossed_t_s"]),
    )


def _band(value: Mapping[str, Any]) -> ExpectedBand:
    return ExpectedBand(value["signal"], tuple(value["t_s"]), tuple(value["low"]), tuple(value["high"]))


def _signal(value: Mapping[str, Any]) -> SignalState:
    seen = tuple((t_s, device, number) for t_s, device, number in value["seen"])
    readings = tuple((t_s, number) for t_s, number in value.get("readings", ()))
    return SignalState(**{**value, "seen": seen, "readings": readings})
