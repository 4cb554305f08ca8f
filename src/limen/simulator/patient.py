"""A virtual patient: vital signs that follow S-ketamine at the effect site."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import resources

import numpy as np

from limen.evidence import Verification, cite, read_yaml
from limen.evidence.yaml import Record

EffectSite = Callable[[float], float]
"""Seconds since the start of the session -> S-ketamine at the effect site, ng/mL."""


class Response(Record):
    """Mean change of the circulation at one effect-site concentration; proportional to it elsewhere."""

    reference_ng_per_mL: float
    sbp_rise_mmHg: float
    dbp_rise_mmHg: float
    hr_rise_per_min: float
    between_patients_log_sd: float
    verification: Verification
    source: str
    note: str


class Wander(Record):
    """A first-order random walk that returns to its mean, in the signal's own unit."""

    sd: float
    memory_s: float


class Artefacts(Record):
    """How often a sensor fails by itself, for each sample."""

    gap_probability: float
    zero_probability: float
    spike_probability: float


class Behaviour(Record):
    """The file ``data/response.yaml``."""

    response: Response
    wander: dict[str, Wander]
    artefacts: Artefacts
    verification: Verification
    source: str


@functools.cache
def behaviour() -> Behaviour:
    """How virtual patients and their sensors behave, as shipped."""
    found = read_yaml(resources.files("limen.simulator") / "data" / "response.yaml", Behaviour)
    for key in (found.source, found.response.source):
        cite(key, where="response.yaml")
    return found


@dataclass(frozen=True, slots=True)
class Vitals:
    """What is true in the virtual patient at one moment, before any sensor."""

    sbp_mmHg: float
    dbp_mmHg: float
    hr_per_min: float
    spo2_pct: float
    rr_per_min: float
    etco2_mmHg: float = 38.0
    temp_degC: float = 36.8

    @property
    def mean_mmHg(self) -> float:
        """Mean arterial pressure by the third-of-pulse-pressure rule."""
        return self.dbp_mmHg + (self.sbp_mmHg - self.dbp_mmHg) / 3.0


@dataclass(frozen=True, slots=True)
class VirtualPatient:
    """A person who does not exist.

    Attributes
    ----------
    baseline : Vitals
        At rest, without ketamine.
    sensitivity_ratio : float
        This patient's change against the mean change of real patients.

    Examples
    --------
    >>> patient = VirtualPatient(Vitals(128, 78, 72, 98, 14))
    >>> patient.at(80.0).sbp_mmHg
    135.4
    """

    baseline: Vitals
    sensitivity_ratio: float = 1.0

    def at(self, ce_ng_per_mL: float) -> Vitals:
        """Vital signs at an effect-site concentration of S-ketamine."""
        response = behaviour().response
        share = self.sensitivity_ratio * ce_ng_per_mL / response.reference_ng_per_mL
        rest = self.baseline
        return replace(
            rest,
            sbp_mmHg=rest.sbp_mmHg + share * response.sbp_rise_mmHg,
            dbp_mmHg=rest.dbp_mmHg + share * response.dbp_rise_mmHg,
            hr_per_min=rest.hr_per_min + share * response.hr_rise_per_min,
        )


def draw_patient(rng: np.random.Generator, baseline: Vitals) -> VirtualPatient:
    """A patient with this baseline whose sensitivity is drawn from the spread between patients."""
    spread = behaviour().response.between_patients_log_sd
    return VirtualPatient(baseline, sensitivity_ratio=math.exp(rng.normal(0.0, spread)))


def no_drug(t_s: float) -> float:
    """The effect site of a patient who was given nothing."""
    return 0.0
