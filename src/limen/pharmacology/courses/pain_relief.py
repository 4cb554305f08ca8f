"""Long-lasting pain relief after days of S-ketamine (CRPS-1): responders and others, weeks after plasma is empty."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from limen.errors import InputError
from limen.evidence import read_yaml
from limen.evidence.yaml import Record
from limen.pharmacology import models, population
from limen.pharmacology.effects.schema import Estimate, Fixed
from limen.pharmacology.exposure import Curve, Percentiles, numbers
from limen.pharmacology.models.schema import Matrix, Model, Sourced
from limen.pharmacology.outcome import Flag
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose, Schedule
from limen.pharmacology.response import DAY_MIN, Grid, name_of, respond
from limen.pharmacology.simulate import check_product, check_routes, variability_of

Array = npt.NDArray[np.float64]
Progress = Callable[[int, int], None]

ANALYTE = "S_ketamine"
IN_RESPONDERS = "pain_relief_in_responders_pct"
OVER_PATIENTS = "pain_relief_over_patients_pct"
MOST_DAYS = 366.0
MAX_PATIENTS = 20_000
# Steps while the drug is there; shorter after each change of input, where the drive bends most.
_FINE_MIN = 10.0
_AFTER_CHANGE_MIN = np.concatenate([np.arange(0.0, 10.0, 0.25), np.arange(10.0, 60.0, 1.0)])
_COARSE_MIN = 360.0
# After this long without input plasma is far under C50 in every model on file.
_WASHOUT_MIN = 4 * DAY_MIN
_CHUNK = 50


class Share(Sourced):
    """The share of patients who respond, with its standard error."""

    share_pct: float = Field(gt=0, lt=100)
    se_pct: float = Field(gt=0)


class Responders(Record):
    """With drug, and with placebo."""

    ketamine: Share
    placebo: Share


class Studied(Record):
    """The regimen of the study."""

    duration_h: float
    first_mg_per_h: float
    last_mg_per_h: float
    follow_up_days: float
    matrix: Matrix
    note: str


class PainRelief(Record):
    """``pain_relief.yaml``."""

    c50: Estimate
    half_life: Estimate
    responders: Responders
    outlasts: Fixed
    studied: Studied
    equation: Sourced


@functools.cache
def pain_relief() -> PainRelief:
    """The mixture model on file.

    Examples
    --------
    >>> pain_relief().responders.ketamine.share_pct
    67.0
    """
    return read_yaml(resources.files("limen.pharmacology") / "data" / "pain_relief.yaml", PainRelief)


def biophase(time_min: Array, cp: Array, c50: Array, half_life_min: Array) -> Array:
    """Relief of a responder as a share of the most there can be: ``dE/dt = k (Cp / (C50 + Cp) - E)``.

    The decay is exact and the drive is taken as straight between times: the error falls with the square of the step.

    Parameters
    ----------
    time_min : array (times,)
        Rising; relief is nothing at the first.
    cp : array (rows, times)
        S-ketamine in plasma, ng/mL.
    c50, half_life_min : array (rows,)

    Returns
    -------
    array (rows, times)

    Examples
    --------
    Under a steady level of C50 relief rises to a half; after one half-life it is half-way there.

    >>> at = np.array([0.0, 100.0])
    >>> biophase(at, np.full((1, 2), 10.5), np.array([10.5]), np.array([100.0])).round(4).tolist()
    [[0.0, 0.25]]
    """
    drive = cp / (c50[:, None] + cp)
    exponent = math.log(2.0) / half_life_min[:, None] * np.diff(time_min)
    kept = np.exp(-exponent)
    mean = -np.expm1(-exponent) / exponent
    added = drive[:, :-1] * (mean - kept) + drive[:, 1:] * (1.0 - mean)
    out = np.zeros(cp.shape)
    for step in range(len(time_min) - 1):
        out[:, step + 1] = out[:, step] * kept[:, step] + added[:, step]
    return out


@dataclass(frozen=True, slots=True)
class PainReliefCourse:
    """Relief over days.

    Attributes
    ----------
    outputs : mapping of NAME to Curve
        Per cent of the most relief there can be: in responders, and over all patients of the mixture.
    """

    model: str
    time_days: Array
    outputs: dict[str, Curve]
    flags: tuple[Flag, ...]
    sources: tuple[str, ...]
    patients: int = 0

    def to_json(self) -> dict[str, Any]:
        """The course as JSON."""
        responders = pain_relief().responders
        return {
            "course": "pain-relief",
            "model": self.model,
            "patients": self.patients,
            "time_days": numbers(self.time_days),
            "outputs": {name: curve.to_json() for name, curve in self.outputs.items()},
            "responders": responders.model_dump(mode="json"),
            "flags": [{"code": flag.code, "message": flag.message} for flag in self.flags],
            "sources": list(self.sources),
        }


def course(
    doses: Sequence[Dose],
    patient: PatientProfile,
    *,
    model: str = "fanta-otto-2021",
    until_days: float = 77.0,
    every_days: float = 1.0,
    n: int = 0,
    rng: np.random.Generator | None = None,
    progress: Progress | None = None,
) -> PainReliefCourse:
    """Relief of CRPS-1 pain during and after S-ketamine.

    Parameters
    ----------
    doses : sequence of Dose
        Of S-ketamine; the study gave 5 to 20 mg/h for 70 kg over 100 hours.
    model : str
        A kinetic model of S-ketamine.
    n : int
        Virtual patients, responders and others as they come; C50 and half-life by the uncertainty of their estimates.
    rng : numpy.random.Generator, optional
        Needed where ``n`` is over 0. The same state gives the same patient i whatever ``n``.
    progress : callable, optional
        Called with (patients done, patients in all) as the work goes on.

    Raises
    ------
    InputError
        No dose, a model without S-ketamine, a time that is not over 0, too many patients.

    Examples
    --------
    >>> found = course([Dose(1250, "iv", 0, 6000)], PatientProfile(weight_kg=70), until_days=60)
    >>> relief = found.outputs["pain_relief_in_responders_pct"].typical
    >>> bool(relief[50] > 0.03 * relief.max())
    True
    """
    chosen = models.get(model)
    product = check_product("s-ketamine", chosen.products, chosen.id)
    check_routes(chosen, product, doses, patient)
    draws = _draws(n, rng)
    grid, schedule = _grid(doses, until_days, every_days)
    parameters = pain_relief()
    c50 = parameters.c50.drawn(draws[:, population.COLUMNS.index("PAIN_RELIEF_C50")])
    half_life_min = DAY_MIN * parameters.half_life.drawn(draws[:, population.COLUMNS.index("PAIN_RELIEF_HALF_LIFE")])
    variability, assumed = variability_of(chosen)
    relief = np.empty((len(draws), len(grid.asked)))
    # Row 0, the typical patient, goes with every chunk: it alone stands for a population of none.
    for first in range(0, len(draws), _CHUNK):
        part = slice(first, first + _CHUNK)
        rows = draws[part] if first == 0 else np.concatenate([draws[:1], draws[part]])
        response = respond(
            chosen,
            doses,
            product,
            patient,
            grid,
            schedule,
            rows,
            variability=variability,
            metabolites=False,
            wanted_effects=(),
        )
        cp = response.values[name_of(ANALYTE, chosen.matrix)][0 if first == 0 else 1 :]
        relief[part] = biophase(grid.solved_min, cp, c50[part], half_life_min[part])[:, grid.asked]
        if progress is not None:
            progress(min(first + _CHUNK, len(draws)) - (1 if n else 0), max(n, 1))
    share = parameters.responders.ketamine.share_pct / 100.0
    responds = draws[1:, population.COLUMNS.index("PAIN_RELIEF_RESPONDER")] < NormalDist().inv_cdf(share)
    relief *= 100.0
    return PainReliefCourse(
        chosen.id,
        grid.asked_min / DAY_MIN,
        {
            IN_RESPONDERS: Curve(relief[0], Percentiles.over(relief[1:]) if n else None),
            OVER_PATIENTS: Curve(share * relief[0], Percentiles.over(relief[1:] * responds[:, None]) if n else None),
        },
        (
            *_flags(chosen, doses, patient, until_days, assumed and n > 0),
            *_outlasting(relief[0], grid.asked_min / DAY_MIN, max(dose.end_min for dose in doses) / DAY_MIN),
        ),
        (*chosen.sources, parameters.c50.source),
        n,
    )


def _draws(n: int, rng: np.random.Generator | None) -> Array:
    if not 0 <= n <= MAX_PATIENTS:
        raise InputError(f"a population of {n}", where="population", allowed=f"0 to {MAX_PATIENTS}")
    typical = np.zeros((1, len(population.COLUMNS)))
    if n == 0:
        return typical
    if rng is None:
        raise InputError("a population needs a random generator", where="rng", allowed="numpy.random.default_rng(seed)")
    return np.concatenate([typical, population.draw(n, rng)])


def _grid(doses: Sequence[Dose], until_days: float, every_days: float) -> tuple[Grid, Schedule]:
    """Fine while there is drug, coarse after."""
    for name, span in (("until", until_days), ("every", every_days)):
        if not 0 < span <= MOST_DAYS:
            raise InputError(f"{name} is {span:g} days", where=name, allowed=f"over 0 to {MOST_DAYS:g}")
    if until_days / every_days > MOST_DAYS * 24:
        raise InputError("too many points", where="every", allowed="steps of an hour or more over the longest course")
    schedule = Schedule.of(doses)
    until_min = until_days * DAY_MIN
    asked_min: Array = (
        np.arange(math.floor(until_days / every_days + 1e-9) + 1, dtype=np.float64) * every_days * DAY_MIN
    )
    wet_min = min(until_min, max(dose.end_min for dose in doses) + _WASHOUT_MIN)
    after_min = (schedule.start_min[:, None] + _AFTER_CHANGE_MIN).ravel()
    solved_min = np.unique(
        np.concatenate(
            [
                asked_min,
                np.arange(0.0, wet_min, _FINE_MIN),
                np.arange(wet_min, until_min, _COARSE_MIN),
                after_min[after_min <= until_min],
            ]
        )
    )
    corner = np.isin(solved_min, schedule.start_min)
    return Grid(asked_min, solved_min, np.searchsorted(solved_min, asked_min), corner), schedule


def _flags(
    model: Model, doses: Sequence[Dose], patient: PatientProfile, until_days: float, borrowed: bool
) -> list[Flag]:
    parameters = pain_relief()
    with_drug, with_placebo = parameters.responders.ketamine, parameters.responders.placebo
    studied = parameters.studied
    found = [
        Flag(
            "responder-mixture",
            f"{with_drug.share_pct:g} +- {with_drug.se_pct:g} % of patients respond, {with_placebo.share_pct:g} +-"
            f" {with_placebo.se_pct:g} % on placebo [{with_drug.verification}]; who responds is not known beforehand",
        ),
        Flag("assumed-equation", f"{parameters.equation.note} [{parameters.equation.verification}]"),
        Flag(
            "pain-relief-is-not",
            "Per cent of the most relief, not points of a pain scale; C50 and half-life differ between virtual patients"
            " by the uncertainty of their estimates, spread between people was not read",
        ),
        Flag(
            "pain-relief-kinetics",
            f"Driven by {model.id} ({model.matrix}); the study's own kinetics ({studied.matrix}) were not read",
        ),
    ]
    if borrowed:
        found.append(Flag("assumed-variability", f"{model.id}: its spread between patients is borrowed [P]"))
    total_h = sum(dose.duration_min for dose in doses) / 60.0
    weight_kg = patient.weight_kg or 70.0
    # A step's rate per 70 kg; a bolus has none.
    fastest = max(
        (dose.amount_mg / dose.duration_min * 60 * 70 / weight_kg for dose in doses if dose.duration_min),
        default=math.inf,
    )
    if abs(total_h / studied.duration_h - 1) > 0.1 or fastest > studied.last_mg_per_h * 1.05:
        found.append(
            Flag(
                "effect-extrapolated",
                f"The study gave {studied.duration_h:g} h at {studied.first_mg_per_h:g} to"
                f" {studied.last_mg_per_h:g} mg/h for 70 kg; this is {total_h:g} h of infusion",
            )
        )
    if until_days > studied.follow_up_days:
        found.append(Flag("after-follow-up", f"The study followed patients for {studied.follow_up_days:g} days"))
    return found


def _outlasting(relief_pct: Array, time_days: Array, end_days: float) -> list[Flag]:
    """How much of the relief at the end of treatment is left when the study says it was gone."""
    spell = pain_relief().outlasts
    if end_days + spell.value > time_days[-1]:
        return []
    at_end, later = np.interp([end_days, end_days + spell.value], time_days, relief_pct)
    return [
        Flag(
            "relief-outlasts",
            f"The study saw relief outlast treatment by about {spell.value:g} days [{spell.verification}]; in a"
            f" responder {100 * later / at_end:.0f} % of the relief at the end of treatment is left by then",
        )
    ]
