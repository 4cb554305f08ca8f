"""Faults on demand: of one sensor, of the device's clock, or of the way that its values take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from limen.errors import InputError
from limen.simulator.samples import SIGNALS, Sample

FaultKind = Literal[
    "silent",
    "zero",
    "gap",
    "spike",
    "frozen",
    "probe-off",
    "lead-off",
    "cuff-fails",
    "dropouts",
    "clock-jump",
    "duplicate",
    "reorder",
]
KINDS: tuple[str, ...] = get_args(FaultKind)

# Faults with a name of their own, as what they do to which sensors.
_NAMED: dict[str, tuple[FaultKind, tuple[str, ...]]] = {
    "probe-off": ("zero", ("SPO2", "PULSE")),
    "lead-off": ("gap", ("HR", "RR")),
    "cuff-fails": ("gap", ("NIBP_SYS", "NIBP_DIA", "NIBP_MEAN")),
}
_ON_THE_WAY = ("clock-jump", "duplicate", "reorder")
_REORDER = 5  # moments that are held back and come in reverse
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Fault:
    """A failure from ``start_s`` until ``end_s``.

    ``silent`` sends nothing, ``zero`` sends 0 (a sensor that is off), ``gap`` answers without a value, ``spike`` adds
    half of the value, ``frozen`` repeats the last value, ``dropouts`` lose every other value by chance. ``probe-off``,
    ``lead-off`` and ``cuff-fails`` are a sensor's. ``duplicate`` and ``reorder`` are of the way, ``clock-jump`` of the
    device's clock by ``amount_s``. ``signal`` None means the whole device.
    """

    kind: FaultKind
    start_s: float
    end_s: float = math.inf
    signal: str | None = None
    amount_s: float = -3600.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"unknown fault {self.kind!r}", where="fault", allowed=", ".join(KINDS))
        if self.signal is not None and self.signal not in SIGNALS:
            raise InputError(f"unknown signal {self.signal!r}", where="fault", allowed=", ".join(SIGNALS))
        if not self.start_s < self.end_s:
            raise InputError(f"ends at {self.end_s:g} s, begins at {self.start_s:g} s", where="fault", allowed="later")

    def strikes(self, signal: str, t_s: float) -> bool:
        """Whether this fault is on this signal at this moment."""
        return self.start_s <= t_s < self.end_s and self.signal in (None, signal)

    def on_sensor(self, signal: str, t_s: float, chance_probability: float) -> FaultKind | None:
        """What it does to one value of one sensor; ``chance_probability`` is between 0 and 1."""
        if not self.strikes(signal, t_s) or self.kind in _ON_THE_WAY:
            return None
        kind, only = _NAMED.get(self.kind, (self.kind, ()))
        if only and signal not in only:
            return None
        if kind == "dropouts":
            return "silent" if chance_probability < _HALF else None
        return kind


@dataclass(slots=True)
class Delivery:
    """The way from the device: in order and once, unless a fault says otherwise."""

    _held: list[list[Sample]] = field(default_factory=list)

    def deliver(self, samples: list[Sample], t_s: float, faults: Sequence[Fault]) -> list[Sample]:
        """What arrives at this moment of what was measured."""
        on = {
            fault.kind
            for fault in faults
            if fault.strikes("", t_s) or (fault.signal and fault.strikes(fault.signal, t_s))
        }
        if "duplicate" in on:
            samples = [entry for sample in samples for entry in (sample, sample)]
        if "reorder" in on:
            self._held.append(samples)
            if len(self._held) < _REORDER:
                return []
            samples = []
        elif not self._held:
            return samples
        late = [entry for moment in reversed(self._held) for entry in moment]
        self._held = []
        return [*late, *samples]
