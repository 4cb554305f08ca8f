"""What devices call the things they measure, what is charted of it, and how far clocks and pumps may differ."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Literal

from pydantic import model_validator

from limen.evidence import Verification, cite, read_yaml
from limen.evidence.yaml import Record


class Cited(Record):
    """What rests on sources."""

    sources: tuple[str, ...]
    verification: Verification


class Metric(Cited):
    """One metric of the nomenclature.

    Attributes
    ----------
    signal : str or None
        The signal it is charted as; ``None``: known, and not charted for the reason in ``why``.
    rank : int
        Where one message gives a signal twice, the lowest rank is charted.
    """

    code: int
    ref: str
    signal: str | None = None
    rank: int = 1
    why: str = ""

    @model_validator(mode="after")
    def _said(self) -> Metric:
        if (self.signal is None) != bool(self.why):
            raise ValueError(f"{self.ref}: a signal, or why there is none")
        return self


class DeviceUnit(Cited):
    """A unit code of the nomenclature, and the unit as Limen reads it."""

    code: int
    unit: str


class NoValue(Cited):
    """Numbers that stand for no value."""

    values: tuple[int, ...]


class ResultStatus(Cited):
    """What a result state does with the value beside it."""

    status: str
    becomes: Literal["value", "no-value", "refused"]
    why: str = ""


class Flag(Cited):
    """What a flag beside a value does with it."""

    flag: str
    becomes: Literal["value", "no-value"]
    why: str


class Profile(Cited):
    """The message profile that is read."""

    oid: str
    message: str


class ClockSkew(Cited):
    """How far a device's clock may be off before the screens say so."""

    limit_s: float


class PumpTolerance(Cited):
    """How far a pump's volume may be off: the larger of a volume and a share of what was expected."""

    volume_mL: float
    share_pct: float

    def allowed_mL(self, expected_mL: float) -> float:
        """The largest difference that needs no explanation."""
        return max(self.volume_mL, abs(expected_mL) * self.share_pct / 100.0)


class DeviceRules(Record):
    """The file ``data/devices/devices.yaml``."""

    metrics: tuple[Metric, ...]
    units: tuple[DeviceUnit, ...]
    no_value: NoValue
    results: tuple[ResultStatus, ...]
    flags: tuple[Flag, ...]
    profile: Profile
    clock_skew: ClockSkew
    pump_tolerance: PumpTolerance

    @model_validator(mode="after")
    def _once(self) -> DeviceRules:
        codes = ([m.code for m in self.metrics], [m.ref for m in self.metrics], [u.code for u in self.units])
        for names in (*codes, [entry.flag for entry in self.flags]):
            if len(set(names)) != len(names):
                raise ValueError("a code stands twice")
        return self

    def metric(self, code: int) -> Metric | None:
        """The metric with this code, or with its term alone (the low 16 bits, in the partition of measurements)."""
        full = code if code > _TERMS else code + _SCADA
        return next((entry for entry in self.metrics if entry.code == full), None)

    def unit(self, code: int) -> str | None:
        """The unit with this code."""
        full = code if code > _TERMS else code + _DIMENSIONS
        return next((entry.unit for entry in self.units if entry.code == full), None)

    def result(self, status: str) -> ResultStatus | None:
        """What a result state means."""
        return next((entry for entry in self.results if entry.status == status), None)

    def flag(self, said: str) -> Flag | None:
        """What a flag means, in capitals or not."""
        return next((entry for entry in self.flags if entry.flag == said.upper()), None)

    def sources(self) -> set[str]:
        """Every source cited."""
        cited: list[Cited] = [*self.metrics, *self.units, *self.results, *self.flags]
        cited += [self.no_value, self.profile, self.clock_skew, self.pump_tolerance]
        return {key for entry in cited for key in entry.sources}


_TERMS = 0xFFFF
_SCADA = 2 * 65536
_DIMENSIONS = 4 * 65536


@functools.cache
def device_rules() -> DeviceRules:
    """The installed rules.

    Raises
    ------
    KnowledgeError
        If the file is malformed or cites an unknown source.

    Examples
    --------
    >>> rules = device_rules()
    >>> rules.metric(150456).signal, rules.metric(19384).signal, rules.unit(266016)
    ('SPO2', 'SPO2', 'mmHg')
    """
    path = resources.files("limen.knowledge") / "data" / "devices" / "devices.yaml"
    rules = read_yaml(path, DeviceRules)
    for key in sorted(rules.sources()):
        cite(key, where=path.name)
    return rules
