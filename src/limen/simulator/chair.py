"""A virtual chair: one virtual patient seen through a bedside monitor that wanders, and fails on demand."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from limen.errors import InputError
from limen.simulator.patient import Artefacts, EffectSite, VirtualPatient, Vitals, behaviour, no_drug
from limen.simulator.samples import SIGNALS, Sample

FaultKind = Literal["silent", "zero", "gap", "spike"]
_KINDS = ("silent", "zero", "gap", "spike")
CONTINUOUS = ("HR", "SPO2", "RR")
CUFF = ("NIBP_SYS", "NIBP_DIA", "NIBP_MEAN")


@dataclass(frozen=True, slots=True)
class Fault:
    """A sensor failure from ``start_s`` until ``end_s``.

    ``silent`` sends nothing, ``zero`` sends 0 (a sensor that is off), ``gap`` answers without a value, ``spike`` adds
    half of the value. ``signal`` None means the whole device.
    """

    kind: FaultKind
    start_s: float
    end_s: float = math.inf
    signal: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise InputError(f"unknown fault {self.kind!r}", where="fault", allowed=", ".join(_KINDS))
        if self.signal is not None and self.signal not in SIGNALS:
            raise InputError(f"unknown signal {self.signal!r}", where="fault", allowed=", ".join(SIGNALS))

    def strikes(self, signal: str, t_s: float) -> bool:
        """Whether this fault is on this signal at this moment."""
        return self.start_s <= t_s < self.end_s and self.signal in (None, signal)


@dataclass(slots=True)
class VirtualChair:
    """A patient, a monitor and a cuff, moved forward one second at a time.

    The same ``rng`` seed, course and faults give the same samples, bit for bit.

    Attributes
    ----------
    patient : VirtualPatient
    rng : numpy.random.Generator
    effect_site : EffectSite
        May be replaced while it runs, when the pump's course changes.
    cuff_s : float
        Seconds between cuff readings; the first is at the first step.
    """

    patient: VirtualPatient
    rng: np.random.Generator
    effect_site: EffectSite = no_drug
    cuff_s: float = 300.0
    period_s: float = 1.0
    start_s: float = 0.0
    faults: list[Fault] = field(default_factory=list)
    artefacts: Artefacts = field(default_factory=lambda: behaviour().artefacts)
    _step: int = 0
    _next_cuff_s: float = -math.inf
    _offset: dict[str, float] = field(default_factory=dict)

    def step(self) -> list[Sample]:
        """The samples of the next moment, in the order of their signals."""
        t_s = self.start_s + self._step * self.period_s
        self._step += 1
        truth = self.patient.at(self.effect_site(t_s))
        signals: tuple[str, ...] = CONTINUOUS
        if t_s >= self._next_cuff_s:
            self._next_cuff_s = t_s + self.cuff_s
            signals = CONTINUOUS + CUFF
        seen = self._seen(truth, signals)
        return [sample for signal in signals if (sample := self._sensor(signal, seen[signal], t_s)) is not None]

    def run(self, until_s: float) -> Iterator[Sample]:
        """Every sample up to and with ``until_s``."""
        while self.start_s + self._step * self.period_s <= until_s:
            yield from self.step()

    def _seen(self, truth: Vitals, signals: tuple[str, ...]) -> dict[str, float]:
        seen = {
            "HR": round(truth.hr_per_min + self._wander("HR"), 0),
            "SPO2": min(100.0, round(truth.spo2_pct + self._wander("SPO2"), 0)),
            "RR": round(truth.rr_per_min + self._wander("RR"), 0),
        }
        if "NIBP_SYS" in signals:
            cuff_sys = truth.sbp_mmHg + self._wander("NIBP_SYS")
            cuff_dia = truth.dbp_mmHg + self._wander("NIBP_DIA")
            seen["NIBP_SYS"], seen["NIBP_DIA"] = round(cuff_sys, 0), round(cuff_dia, 0)
            seen["NIBP_MEAN"] = round(cuff_dia + (cuff_sys - cuff_dia) / 3.0, 0)
        return seen

    def _wander(self, signal: str) -> float:
        rule = behaviour().wander[signal]
        keep = math.exp(-self.period_s / rule.memory_s)
        fresh = float(self.rng.normal(0.0, rule.sd * math.sqrt(1.0 - keep * keep)))
        self._offset[signal] = keep * self._offset.get(signal, 0.0) + fresh
        return self._offset[signal]

    def _sensor(self, signal: str, value: float, t_s: float) -> Sample | None:
        # One draw for every sample, used or not, so that a fault does not shift the rest of the stream.
        chance = float(self.rng.random())
        kind = next((fault.kind for fault in self.faults if fault.strikes(signal, t_s)), None) or self._artefact(chance)
        if kind == "silent":
            return None
        shown = {"zero": 0.0, "gap": None, "spike": round(1.5 * value, 0), None: value}[kind]
        return Sample(t_s, self._step, signal, shown)

    def _artefact(self, chance: float) -> FaultKind | None:
        rates = self.artefacts
        if chance < rates.gap_probability:
            return "gap"
        if chance < rates.gap_probability + rates.zero_probability:
            return "zero"
        if chance < rates.gap_probability + rates.zero_probability + rates.spike_probability:
            return "spike"
        return None
