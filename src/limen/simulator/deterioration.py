"""Deteriorations on demand: a virtual patient gets worse by a stated course, and what a person would see of it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

from pydantic import model_validator

from limen.errors import InputError
from limen.evidence import Verification, cite, read_yaml
from limen.evidence.yaml import Record

Vital = Literal["sbp_mmHg", "dbp_mmHg", "hr_per_min", "spo2_pct", "rr_per_min", "etco2_mmHg", "temp_degC"]
Truth = Mapping[str, float | None]


class Effect(Record):
    """What happens to one vital sign.

    Attributes
    ----------
    by : the value to go to, or how much is added, in the vital sign's unit.
    after_s, over_s : float
        When it begins, from the onset, and how long it takes.
    """

    vital: Vital
    mode: Literal["to", "add", "none"]
    by: int = 0
    after_s: float = 0.0
    over_s: float = 0.0


class Seen(Record):
    """What a person sees or hears at a time from the onset."""

    after_s: float
    symptom: str | None = None
    moaas: int | None = None
    distress: int | None = None

    def event(self, t_s: float) -> dict[str, Any]:
        """The same as a session event."""
        if self.symptom is not None:
            return {"t_s": t_s, "kind": "symptom.reported", "text": self.symptom}
        scores = {"moaas": self.moaas, "distress": self.distress}
        return {
            "t_s": t_s,
            "kind": "observation.recorded",
            **{name: score for name, score in scores.items() if score is not None},
        }


class Deterioration(Record):
    """One way of getting worse; it ends by itself after ``lasts_s``, as if it had been treated."""

    id: str
    title: str
    lasts_s: float
    recovers_s: float
    effects: tuple[Effect, ...]
    seen: tuple[Seen, ...]

    @model_validator(mode="after")
    def _whole(self) -> Deterioration:
        if any(effect.after_s > self.lasts_s for effect in self.effects):
            raise ValueError(f"{self.id}: an effect begins after its end")
        return self


class _Scores(Record):
    dissociation: tuple[tuple[float, int], ...]
    moaas: tuple[tuple[float, int], ...]


class _File(Record):
    verification: Verification
    source: str
    deteriorations: tuple[Deterioration, ...]
    scores: _Scores


@functools.cache
def _file() -> _File:
    found = read_yaml(resources.files("limen.simulator") / "data" / "deteriorations.yaml", _File)
    cite(found.source, where="deteriorations.yaml")
    return found


def deteriorations() -> tuple[Deterioration, ...]:
    """Every deterioration that can be asked for."""
    return _file().deteriorations


def find_deterioration(name: str) -> Deterioration:
    """The deterioration of this name.

    Raises
    ------
    InputError
        If there is none.
    """
    found = next((entry for entry in deteriorations() if entry.id == name), None)
    if found is None:
        allowed = ", ".join(entry.id for entry in deteriorations())
        raise InputError(f"unknown deterioration {name!r}", where="deterioration", allowed=allowed)
    return found


def scores_at(ce_ng_per_mL: float) -> dict[str, int]:
    """Dissociation (0 to 4) and MOAA/S (5 to 0) that a person would write down; invented steps, for training.

    Examples
    --------
    >>> scores_at(80.0)
    {'dissociation': 2, 'moaas': 5}
    """
    scores = _file().scores
    steps = {"dissociation": (scores.dissociation, 0), "moaas": (scores.moaas, 5)}
    return {
        name: next((score for level, score in table if ce_ng_per_mL >= level), rest)
        for name, (table, rest) in steps.items()
    }


@dataclass(frozen=True, slots=True)
class Illness:
    """One deterioration of one patient.

    Attributes
    ----------
    at_s : float
        Its onset, in the patient's own time.
    for_s : float or None
        How long until it is treated; the deterioration's own time by default.
    """

    of: Deterioration
    at_s: float
    for_s: float | None = None

    @property
    def end_s(self) -> float:
        """When recovery begins."""
        return self.at_s + (self.of.lasts_s if self.for_s is None else self.for_s)

    def strength(self, effect: Effect, t_s: float) -> float:
        """Between 0, not there, and 1, all of it."""

        def risen(until_s: float) -> float:
            since = until_s - self.at_s - effect.after_s
            if since < 0:
                return 0.0
            return min(1.0, since / effect.over_s) if effect.over_s > 0 else 1.0

        if t_s < self.end_s:
            return risen(t_s)
        if self.of.recovers_s <= 0:
            return 0.0
        return risen(self.end_s) * max(0.0, 1.0 - (t_s - self.end_s) / self.of.recovers_s)

    def apply(self, values: Truth, t_s: float) -> Truth:
        """The vital signs with this illness; ``None`` where a sensor has nothing to measure."""
        changed = dict(values)
        for effect in self.of.effects:
            strength = self.strength(effect, t_s)
            was = values.get(effect.vital)
            if strength == 0.0 or was is None:
                continue
            if effect.mode == "none":
                changed[effect.vital] = None
            elif effect.mode == "to":
                changed[effect.vital] = was + strength * (effect.by - was)
            else:
                changed[effect.vital] = was + strength * effect.by
        return changed

    def events(self) -> list[dict[str, Any]]:
        """What a person would write down before it is treated."""
        return [seen.event(self.at_s + seen.after_s) for seen in self.of.seen if self.at_s + seen.after_s < self.end_s]
