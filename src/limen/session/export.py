"""Reading a recorded session: the contract's ``S``, checked at the door."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from limen.care.alarm_state import Sample
from limen.errors import InputError
from limen.evidence.yaml import Record
from limen.knowledge.discharge import DischargeRules, discharge
from limen.knowledge.monitoring import MonitoringRules, monitoring
from limen.session.event_base import TimeInSession
from limen.session.events import Event, parse_events, refusal, unknown_keys
from limen.session.header import SessionHeader, parse_header, unknown_patient_keys
from limen.session.signals import PUMP_SIGNALS

SCHEMA = 1
_TOP = {
    "schema",
    "product_version",
    "knowledge_release",
    "rules_snapshot",
    "session",
    "events",
    "samples",
    "until_t_s",
    "recorded",
    "started_at",
    "zone",
    "alarms",
    "seal",
}
_SAMPLE = {"t_s", "received_t_s", "seq", "signal", "value", "device"}


class RuleSet(Record):
    """The rules of a session, as an export carries them."""

    monitoring: MonitoringRules
    discharge: DischargeRules


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recorded session.

    Attributes
    ----------
    until_t_s : float
        The last second that was watched.
    recorded : mapping
        What the clinic adds to the note: names, order, waste, ...
    """

    header: SessionHeader
    rules: RuleSet
    events: tuple[Event, ...]
    samples: tuple[Sample, ...]
    until_t_s: float
    recorded: Mapping[str, Any]
    unknown_inputs: tuple[str, ...]
    pump: tuple[Sample, ...] = ()
    product_version: str | None = None
    knowledge_release: str | None = None


def installed_rules() -> RuleSet:
    """The installed knowledge about sessions."""
    return RuleSet(monitoring=monitoring(), discharge=discharge())


def rules_snapshot(rules: RuleSet | None = None) -> dict[str, Any]:
    """The rules as JSON, to travel with an export.

    Examples
    --------
    >>> read_rules(rules_snapshot()) == installed_rules()
    True
    """
    return (rules or installed_rules()).model_dump(mode="json")


def read_rules(value: Any, *, where: str = "rules_snapshot") -> RuleSet:
    """The rules of an export; ``None`` means the installed ones. A part that is left out is the installed one.

    Raises
    ------
    InputError
        If the snapshot is malformed.
    """
    if value is None:
        return installed_rules()
    if not isinstance(value, Mapping):
        raise InputError(f"holds a {type(value).__name__}", where=where, allowed="null or an object")
    unknown = sorted(set(value) - {"monitoring", "discharge"})
    if unknown:
        raise InputError(f"unknown part {unknown[0]!r}", where=where, allowed="monitoring, discharge")
    try:
        return RuleSet(
            monitoring=MonitoringRules.model_validate(value["monitoring"]) if "monitoring" in value else monitoring(),
            discharge=DischargeRules.model_validate(value["discharge"]) if "discharge" in value else discharge(),
        )
    except ValidationError as problem:
        raise refusal(problem.errors(include_url=False)[0], where) from None


def read_export(value: Mapping[str, Any]) -> Recorded:
    """A recorded session from its JSON.

    Raises
    ------
    InputError
        If anything is malformed, impossible or unknown where only known things may stand.
    """
    schema = value.get("schema", SCHEMA)
    if schema != SCHEMA or isinstance(schema, bool):
        raise InputError(f"schema {schema!r}", where="schema", allowed=str(SCHEMA))
    rules = read_rules(value.get("rules_snapshot"))
    if "session" not in value:
        raise InputError("missing", where="session", allowed="the session's header")
    header = parse_header(value["session"], rules.monitoring)
    events = parse_events(_list(value, "events"))
    signals = [signal.id for signal in rules.monitoring.signals]
    pump: list[Sample] = []
    unknown = [key for key in value if key not in _TOP]
    unknown += [f"session.{key}" for key in unknown_keys(header)]
    unknown += [f"session.patient.{key}" for key in unknown_patient_keys(header)]
    samples: list[Sample] = []
    strange: set[str] = set()
    for index, entry in enumerate(_list(value, "samples")):
        sample = _sample(entry, f"samples[{index}]", [*signals, *PUMP_SIGNALS])
        (pump if sample.signal in PUMP_SIGNALS else samples).append(sample)
        strange.update(set(entry) - _SAMPLE)
    unknown += [f"samples[].{key}" for key in sorted(strange)]
    for index, event in enumerate(events):
        _known_signals(event, f"events[{index}]", signals)
        unknown += [f"events[{index}].{key}" for key in unknown_keys(event)]
    last = max([0.0, *(event.known_t_s for event in events), *(sample.received_t_s for sample in [*samples, *pump])])
    until = value.get("until_t_s")
    recorded = value.get("recorded") or {}
    if not isinstance(recorded, Mapping):
        raise InputError(f"holds a {type(recorded).__name__}", where="recorded", allowed="an object")
    return Recorded(
        header=header,
        rules=rules,
        events=events,
        samples=tuple(samples),
        pump=tuple(pump),
        until_t_s=float(math.ceil(last)) if until is None else _time(until, "until_t_s"),
        recorded=recorded,
        unknown_inputs=tuple(sorted(set(unknown))),
        product_version=value.get("product_version"),
        knowledge_release=value.get("knowledge_release"),
    )


def _list(value: Mapping[str, Any], key: str) -> list[Any]:
    entries = value.get(key)
    if entries is None:
        return []
    if not isinstance(entries, list):
        raise InputError(f"holds a {type(entries).__name__}", where=key, allowed="a list")
    return entries


def _sample(entry: Any, where: str, signals: list[str]) -> Sample:
    if not isinstance(entry, Mapping):
        raise InputError(f"holds a {type(entry).__name__}", where=where, allowed="an object with t_s, signal and value")
    for key in ("t_s", "signal"):
        if key not in entry:
            raise InputError("missing", where=f"{where}.{key}", allowed="this key is needed")
    signal = entry["signal"]
    if signal not in signals:
        raise InputError(f"unknown signal {signal!r}", where=f"{where}.signal", allowed=", ".join(signals))
    t_s = _time(entry["t_s"], f"{where}.t_s")
    received = entry.get("received_t_s")
    value = entry.get("value")
    seq = entry.get("seq")
    if seq is not None and (isinstance(seq, bool) or not isinstance(seq, int)):
        raise InputError(f"{seq!r} refused", where=f"{where}.seq", allowed="a whole number or null")
    device = entry.get("device")
    if device is not None and not isinstance(device, str):
        raise InputError(f"{device!r} refused", where=f"{where}.device", allowed="a name or null")
    return Sample(
        t_s=t_s,
        received_t_s=t_s if received is None else _time(received, f"{where}.received_t_s"),
        signal=signal,
        value=None if value is None else _number(value, f"{where}.value"),
        device=device or "",
        seq=seq,
    )


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(f"{value!r:.40} is not a number", where=where, allowed="a finite number")
    return float(value)


def _time(value: Any, where: str) -> float:
    try:
        return _SECONDS.validate_python(value)
    except ValidationError as problem:
        raise refusal(problem.errors(include_url=False)[0], where) from None


_SECONDS: TypeAdapter[float] = TypeAdapter(TimeInSession, config=ConfigDict(strict=True, allow_inf_nan=False))


def _known_signals(event: Event, where: str, signals: list[str]) -> None:
    """Refuse an event that names a signal nobody knows: its limit or stream would be watched by no one."""
    named: list[tuple[str, str]] = []
    for key in ("limits", "streams"):
        named += [(key, signal) for signal in getattr(event, key, None) or {}]
    named += [("signals", signal) for signal in getattr(event, "signals", ())]
    for key, signal in named:
        if signal not in signals:
            raise InputError(f"unknown signal {signal!r}", where=f"{where}.{key}", allowed=", ".join(signals))
