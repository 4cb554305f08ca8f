"""Scenario files: a whole session with relative times goes in; alarms, state and note must come out as they say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from limen.evidence import read_yaml
from limen.evidence.yaml import Record
from limen.session.replay import ReplayResult
from limen.simulator.chair import CONTINUOUS
from limen.simulator.deterioration import Illness
from limen.simulator.rooms import furnish, read_baseline
from limen.simulator.samples import Sample
from limen.simulator.trouble import seconds, trouble_of

TRAVEL_S = 0.2  # from the sensor to the clinic


class ScenarioPatient(Record):
    """Who sits in the chair, and what is given."""

    seed: int = 1
    baseline: str = "124/76,70,98,14"
    doses: tuple[str, ...] = ()
    weight_kg: float = 70.0
    cuff: str = "5 min"
    signals: tuple[str, ...] = CONTINUOUS


class ExpectedAlarm(Record):
    """One alarm, or its absence; what is not named may be anything. ``at`` is the earliest and latest second."""

    at: tuple[str, str] | None = None
    kind: str | None = None
    priority: str | None = None
    signal: str | None = None
    rule: str | None = None
    condition: str | None = None
    ended: bool | None = None

    def fits(self, alarm: Mapping[str, Any]) -> bool:
        """Whether this alarm is meant."""
        names = ("kind", "priority", "signal", "rule", "condition")
        if any(getattr(self, name) is not None and alarm[name] != getattr(self, name) for name in names):
            return False
        if self.ended is not None and (alarm["ended_t_s"] is not None) != self.ended:
            return False
        if self.at is None:
            return True
        first, last = (seconds(text, where="expect.at") for text in self.at)
        return bool(first <= alarm["t_s"] <= last)

    def said(self) -> str:
        """As a person reads it."""
        return ", ".join(f"{name} {value}" for name, value in self.model_dump(exclude_none=True).items())


class Expected(Record):
    """What must come out.

    Attributes
    ----------
    alarms : tuple
        Each must be raised at least once.
    never : tuple
        None of these may be raised.
    state, note : mapping
        Path of keys, joined by dots, to the value there.
    ready : bool or None
        The answer to the last question whether the patient may leave.
    """

    alarms: tuple[ExpectedAlarm, ...] = ()
    never: tuple[ExpectedAlarm, ...] = ()
    state: dict[str, Any] = {}
    note: dict[str, Any] = {}
    ready: bool | None = None


class Scenario(Record):
    """One file."""

    title: str
    about: str
    until: str
    session: dict[str, Any]
    patient: ScenarioPatient = ScenarioPatient()
    events: tuple[dict[str, Any], ...] = ()
    faults: tuple[dict[str, Any], ...] = ()
    deteriorations: tuple[dict[str, Any], ...] = ()
    expect: Expected = Expected()


def read_scenario(path: Path) -> Scenario:
    """A scenario file, checked."""
    return read_yaml(path, Scenario)


def export_of(scenario: Scenario) -> dict[str, Any]:
    """The session as the contract's ``S``: its events in order, and what its virtual patient's monitor sent."""
    until_s = seconds(scenario.until, where="until")
    person = scenario.patient
    events = [_event(entry) for entry in scenario.events]
    troubles = [trouble_of(entry, where="faults") for entry in scenario.faults]
    for entry in scenario.deteriorations:
        unseen = {key: value for key, value in entry.items() if key != "seen"}
        trouble = trouble_of(unseen, where="deteriorations")
        troubles.append(trouble)
        illness = trouble.make()
        if entry.get("seen", True) and isinstance(illness, Illness):
            events += illness.events()
    (chair,) = furnish(
        1,
        seed=person.seed,
        doses=person.doses,
        weight_kg=person.weight_kg,
        rest=read_baseline(person.baseline, where="patient.baseline"),
        cuff_s=seconds(person.cuff, where="patient.cuff"),
        troubles=troubles,
        signals=person.signals,
    )
    samples: list[dict[str, Any]] = []
    while chair.now_s <= until_s:
        now_s = chair.now_s
        samples += [_sample(sample, now_s) for sample in chair.step()]
    return {
        "schema": 1,
        "rules_snapshot": None,
        "session": scenario.session,
        "events": sorted(events, key=lambda event: float(event["t_s"])),
        "samples": samples,
        "until_t_s": until_s,
    }


def _event(entry: Mapping[str, Any]) -> dict[str, Any]:
    rest = {key: value for key, value in entry.items() if key != "at"}
    return {"t_s": seconds(entry.get("at", "0 s"), where="events.at"), **rest}


def _sample(sample: Sample, now_s: float) -> dict[str, Any]:
    return {
        "t_s": sample.t_s,
        "received_t_s": round(now_s + TRAVEL_S, 3),
        "seq": sample.seq,
        "signal": sample.signal,
        "value": sample.value,
        "device": "virtual",
    }


def problems(scenario: Scenario, result: ReplayResult) -> list[str]:
    """What did not come out as the file says; nothing where all did."""
    expect = scenario.expect
    told = [f"missing: {wanted.said()}" for wanted in expect.alarms if not any(map(wanted.fits, result.alarms))]
    for unwanted in expect.never:
        for alarm in result.alarms:
            if unwanted.fits(alarm):
                told.append(f"must not be raised: {alarm['condition']} ({alarm['priority']}) at {alarm['t_s']:g} s")
                break
    for name, tree in (("state", result.state), ("note", result.note)):
        for path, wanted in getattr(expect, name).items():
            found = _dig(tree, path)
            if found != wanted:
                told.append(f"{name}.{path}: {found!r}, expected {wanted!r}")
    if expect.ready is not None:
        answer = result.discharge[-1]["ready"] if result.discharge else None
        if answer is not expect.ready:
            told.append(f"ready to leave: {answer!r}, expected {expect.ready!r}")
    return told


def _dig(value: Any, path: str) -> Any:
    for part in path.split("."):
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, IndexError, ValueError, TypeError):
            return None
    return value
