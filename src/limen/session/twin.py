"""The patient's twin: the ensemble's forecast, updated by what is seen at the chair, and what follows from it.

The virtual patients of every model are solved once for the dose as it was given, and will be if nobody touches the pump
(:func:`twin_prior`). Each reading weighs them (:func:`twin`); no blood sample is needed. What comes out says where the
next readings are expected, when pressure peaks and returns under each limit, and when the patient may be ready to
leave; and it says when the readings taught it nothing. :mod:`limen.session.twin_event` puts it into the record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from limen.care.alarm_limits import Values
from limen.errors import InputError
from limen.pharmacology.effects import CHAIRSIDE
from limen.pharmacology.individual.individualise import candidates_of
from limen.pharmacology.individual.learning import of_posterior, outside
from limen.pharmacology.individual.noise import noise
from limen.pharmacology.individual.observations import (
    Observation,
    dissociation,
    heart_rate,
    pressure,
    sedation,
)
from limen.pharmacology.individual.prior import Prior
from limen.pharmacology.individual.solving import OBSERVED_EFFECTS
from limen.pharmacology.individual.weighted import Posterior, effective_samples
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.recovery import Leaving
from limen.pharmacology.regimen import Dose
from limen.session.state import SessionState

Array = npt.NDArray[np.float64]

# The upper limit of each signal, in the signal's unit.
Limits = Mapping[str, float]

# Signal -> (output of the forecast, key of its baseline).
JUDGED = {"NIBP_SYS": ("sbp_change_mmHg", "sbp_mmHg"), "HR": ("hr_change_per_min", "hr_per_min")}
HORIZON_MIN = 240.0
STEP_MIN = 2.0
# A mean that moved by this share of the spread before is worth a word, if it is beyond three standard errors.
_SHIFTED_RATIO = 0.25
_DOUBTS = 3.0


@dataclass(frozen=True, slots=True)
class Reading:
    """A value of a signal at a second of the session, in the signal's unit."""

    t_s: float
    signal: str
    value: float


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose twin it is, and what it is held to.

    Attributes
    ----------
    baseline : mapping
        ``sbp_mmHg`` and ``hr_per_min`` before the dose; without one its readings teach nothing.
    limits : mapping of signal to limit
        The upper limits that pressure and heart rate are to come back under.
    earlier : tuple of Observation
        What was seen in earlier sessions of this patient: peaks, times of recovery.
    """

    product: str
    patient: PatientProfile
    baseline: Values
    leaving: Leaving
    setting: str | None = None
    perpetrators: tuple[str, ...] = ()
    limits: Limits = field(default_factory=dict)
    earlier: tuple[Observation, ...] = ()


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the twin says now.

    Attributes
    ----------
    learned : bool
        Whether anything about the patient is narrower or elsewhere than it was, by more than chance.
    surprises : tuple of str
        Readings that nobody expected, in words.
    """

    before: Posterior
    posterior: Posterior
    readings: int
    unused: tuple[str, ...]
    learned: bool
    surprises: tuple[str, ...]
    dose_start_t_s: float


def twin_prior(subject: Subject, doses: Sequence[Dose], *, n: int, rng: np.random.Generator) -> Prior:
    """The virtual patients of every model of the ensemble, solved for these doses.

    Raises
    ------
    InputError
        If no ensemble covers the product, the route or the person.
    """
    members = candidates_of("ensemble", subject.product, doses, subject.patient, subject.setting)
    until_min = max(HORIZON_MIN, max(dose.end_min for dose in doses) + HORIZON_MIN)
    return Prior.prepare(
        members,
        doses,
        subject.patient,
        subject.product,
        n=n,
        rng=rng,
        until_min=until_min,
        every_min=STEP_MIN,
        earlier=tuple(dict.fromkeys(item.session for item in subject.earlier)),
        perpetrators=subject.perpetrators,
        wanted_effects=(*CHAIRSIDE, *OBSERVED_EFFECTS),
    )


def twin(prior: Prior, subject: Subject, state: SessionState, readings: Sequence[Reading]) -> Forecast:
    """Weigh the virtual patients by what was seen since the dose began.

    Parameters
    ----------
    prior : Prior
        For the doses of :func:`limen.session.given.given_doses`.
    state : SessionState
        Its observations give sedation and dissociation.
    readings : sequence of Reading
        Cuff pressures and heart rates.
    """
    begin_s = state.dose_start_t_s
    if begin_s is None:
        raise InputError("no dose was given", where="twin", allowed="a session with a dose")
    seen, unused = _observations(prior, subject, state, readings, begin_s)
    before = Posterior.of(prior)
    after = before.update(seen) if seen else before
    surprises = tuple(_words(item.observation, begin_s) for item in after.matches if outside(item, prior))
    return Forecast(before, after, len(seen), tuple(unused), _learned(after), surprises, begin_s)


def _observations(
    prior: Prior, subject: Subject, state: SessionState, readings: Sequence[Reading], begin_s: float
) -> tuple[list[Observation], list[str]]:
    found: list[Observation] = list(subject.earlier)
    unused: list[str] = []
    missing = {key for _, key in JUDGED.values() if subject.baseline.get(key) is None}
    for key in sorted(missing):
        unused.append(
            f"no {'pressure' if key == 'sbp_mmHg' else 'heart rate'} before the dose: its readings teach nothing"
        )
    last_min = float(prior.time_min[-1])

    def minute(t_s: float) -> float | None:
        t_min = (t_s - begin_s) / 60.0
        return t_min if 0.0 < t_min <= last_min else None

    for reading in readings:
        t_min = minute(reading.t_s)
        _, key = JUDGED[reading.signal]
        base = subject.baseline.get(key)
        if t_min is None or base is None:
            continue
        found.append((pressure if reading.signal == "NIBP_SYS" else heart_rate)(t_min, reading.value, base))
    step_pct = noise().dissociation_scale.value
    for entry in state.observations:
        t_min = minute(entry.t_s)
        if t_min is None:
            continue
        if entry.dissociation is not None:
            found.append(dissociation(t_min, entry.dissociation * step_pct))
        if entry.moaas is not None:
            found.append(sedation(t_min, entry.moaas))
    return found, unused


def _learned(after: Posterior) -> bool:
    if not after.matches:
        return False
    people = after.weights.reshape(len(after.prior.candidates), -1).sum(axis=0)
    chance = _DOUBTS / np.sqrt(effective_samples(people))
    return any(item.learned or abs(item.mean_ratio) > max(_SHIFTED_RATIO, chance) for item in of_posterior(after))


def _words(observation: Observation, begin_s: float) -> str:
    minute = round(observation.t_min)
    what = {
        "pressure": f"systolic {observation.value:+.0f} mmHg from before the dose",
        "heart_rate": f"heart rate {observation.value:+.0f} /min from before the dose",
        "dissociation": f"dissociation {observation.value / noise().dissociation_scale.value:.0f} of 4",
        "sedation": f"MOAA/S {observation.value:.0f}",
    }[observation.kind]
    return f"{what} at minute {minute} was outside what any model expected"
