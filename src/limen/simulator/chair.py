"""A virtual chair: one virtual patient seen through a bedside monitor that wanders, and fails on demand."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from limen.simulator.deterioration import Illness, Truth
from limen.simulator.faults import Delivery, Fault, FaultKind
from limen.simulator.patient import Artefacts, EffectSite, VirtualPatient, behaviour, no_drug
from limen.simulator.samples import Sample

CONTINUOUS = ("HR", "SPO2", "RR")
EVERY_SECOND = ("HR", "PULSE", "SPO2", "RR", "ETCO2", "TEMP")
CUFF = ("NIBP_SYS", "NIBP_DIA", "NIBP_MEAN")
_VITAL = {
    "HR": "hr_per_min",
    "PULSE": "hr_per_min",
    "SPO2": "spo2_pct",
    "RR": "rr_per_min",
    "ETCO2": "etco2_mmHg",
    "TEMP": "temp_degC",
    "NIBP_SYS": "sbp_mmHg",
    "NIBP_DIA": "dbp_mmHg",
}
_DECIMALS = {"TEMP": 1}


@dataclass(slots=True)
class VirtualChair:
    """A patient, a monitor and a cuff, moved forward one second at a time.

    The same ``rng`` seed, course, illnesses and faults give the same samples, bit for bit.

    Attributes
    ----------
    patient : VirtualPatient
    rng : numpy.random.Generator
    effect_site : EffectSite
        May be replaced while it runs, when the pump's course changes.
    cuff_s : float
        Seconds between cuff readings; the first is at the first step.
    faults, illnesses : list
        May grow while it runs.
    signals : tuple of str
        What the monitor gives every second.
    """

    patient: VirtualPatient
    rng: np.random.Generator
    effect_site: EffectSite = no_drug
    cuff_s: float = 300.0
    period_s: float = 1.0
    start_s: float = 0.0
    faults: list[Fault] = field(default_factory=list)
    artefacts: Artefacts = field(default_factory=lambda: behaviour().artefacts)
    illnesses: list[Illness] = field(default_factory=list)
    signals: tuple[str, ...] = CONTINUOUS
    _step: int = 0
    _next_cuff_s: float = -math.inf
    _offset: dict[str, float] = field(default_factory=dict)
    _last: dict[str, float | None] = field(default_factory=dict)
    _delivery: Delivery = field(default_factory=Delivery)

    @property
    def now_s(self) -> float:
        """The patient's second that the next step takes."""
        return self.start_s + self._step * self.period_s

    def truth(self, t_s: float) -> Truth:
        """The vital signs at a second, illnesses included; ``None`` where there is nothing to measure."""
        values: Truth = asdict(self.patient.at(self.effect_site(t_s)))
        for illness in self.illnesses:
            values = illness.apply(values, t_s)
        return values

    def step(self) -> list[Sample]:
        """The samples that the monitor delivers at the next moment, in the order of their signals."""
        t_s = self.now_s
        self._step += 1
        signals = self.signals
        if t_s >= self._next_cuff_s:
            self._next_cuff_s = t_s + self.cuff_s
            signals = (*self.signals, *CUFF)
        seen = self._seen(self.truth(t_s), signals)
        measured = [sample for signal in signals if (sample := self._sensor(signal, seen[signal], t_s)) is not None]
        return self._delivery.deliver(measured, t_s, self.faults)

    def run(self, until_s: float) -> Iterator[Sample]:
        """Every sample up to and with ``until_s``."""
        while self.now_s <= until_s:
            yield from self.step()

    def clock_ahead_s(self) -> float:
        """How far the device's own clock is off now."""
        t_s = self.now_s - self.period_s
        return sum(fault.amount_s for fault in self.faults if fault.kind == "clock-jump" and fault.strikes("", t_s))

    def _seen(self, truth: Truth, signals: tuple[str, ...]) -> dict[str, float | None]:
        seen: dict[str, float | None] = {}
        for signal in signals:
            if signal == "NIBP_MEAN":
                sys, dia = seen["NIBP_SYS"], seen["NIBP_DIA"]
                seen[signal] = None if sys is None or dia is None else float(round(dia + (sys - dia) / 3.0, 0))
                continue
            true, wander = truth[_VITAL[signal]], self._wander(signal)
            seen[signal] = None if true is None else self._shown(signal, true, wander)
        return seen

    def _shown(self, signal: str, true: float, wander: float) -> float:
        if true < 0.5:
            return 0.0  # nothing beats and nothing breathes: the sensor shows 0, and does not wander
        shown = max(0.0, round(true + wander, _DECIMALS.get(signal, 0)))
        return min(100.0, shown) if signal == "SPO2" else shown

    def _wander(self, signal: str) -> float:
        rule = behaviour().wander[signal]
        keep = math.exp(-self.period_s / rule.memory_s)
        fresh = float(self.rng.normal(0.0, rule.sd * math.sqrt(1.0 - keep * keep)))
        self._offset[signal] = keep * self._offset.get(signal, 0.0) + fresh
        return self._offset[signal]

    def _sensor(self, signal: str, value: float | None, t_s: float) -> Sample | None:
        # One draw for every sample, used or not, so that a fault does not shift the rest of the stream.
        chance = float(self.rng.random())
        kind = next((found for fault in self.faults if (found := fault.on_sensor(signal, t_s, chance))), None)
        sample = Sample(t_s, self._step, signal, value)
        if kind is None:
            kind = self._artefact(chance)
        if kind == "frozen":
            return replace(sample, value=self._last.get(signal, value))
        if kind == "silent":
            return None
        shown = _faulty(kind, value)
        self._last[signal] = shown
        return replace(sample, value=shown)

    def _artefact(self, chance: float) -> FaultKind | None:
        rates = self.artefacts
        if chance < rates.gap_probability:
            return "gap"
        if chance < rates.gap_probability + rates.zero_probability:
            return "zero"
        if chance < rates.gap_probability + rates.zero_probability + rates.spike_probability:
            return "spike"
        return None


def _faulty(kind: FaultKind | None, value: float | None) -> float | None:
    if kind == "zero":
        return 0.0
    if kind == "gap" or value is None:
        return None
    return float(round(1.5 * value, 0)) if kind == "spike" else value
