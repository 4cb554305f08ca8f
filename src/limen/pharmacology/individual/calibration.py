"""Whether the bands hold: for patients of the ensemble itself, and for patients of a model that it does not know.

Nothing here is fitted. The same virtual patients are predicted by each forecaster, before and after the same readings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from limen.errors import InputError
from limen.pharmacology.individual.noise import error_of
from limen.pharmacology.individual.observations import Observation, concentration, dissociation, heart_rate, pressure
from limen.pharmacology.individual.prior import Prior
from limen.pharmacology.individual.solving import Candidate, output_of
from limen.pharmacology.individual.weighted import Posterior
from limen.pharmacology.models import ENSEMBLE
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose

Array = npt.NDArray[np.float64]
Progress = Callable[[int, int], None]

BAND_PCT = (5.0, 95.0)
PLASMA = "ketamine_plasma_ng_per_mL"
# What is predicted, and what comes to be known on the way.
SCORED = (PLASMA, "ketamine_effect_site_ng_per_mL", "sbp_change_mmHg", "dissociation_pct")
SCORED_MIN = (20.0, 40.0, 60.0, 80.0, 110.0, 150.0, 200.0, 240.0)
CHAIR_MIN = (10.0, 20.0, 30.0)
SAMPLED_MIN = (30.0, 60.0)


@dataclass(frozen=True, slots=True)
class Design:
    """Who is treated how, and what is read when.

    Attributes
    ----------
    matrix : str
        Where the samples of ``sampled_min`` are taken from.
    chair_min, sampled_min : tuple of float
        Times of cuff, heart rate and rating, and of samples of ketamine.
    """

    doses: tuple[Dose, ...] = (Dose(35.0, "iv", 0.0, 40.0),)
    patient: PatientProfile = field(default_factory=lambda: PatientProfile(age_years=42.0, weight_kg=70.0))
    product: str = "racemic"
    matrix: str = "venous"
    chair_min: tuple[float, ...] = CHAIR_MIN
    sampled_min: tuple[float, ...] = SAMPLED_MIN
    until_min: float = 240.0

    @property
    def at_min(self) -> tuple[float, ...]:
        """Every time that is read or scored."""
        return tuple(sorted({*self.chair_min, *self.sampled_min, *SCORED_MIN}))


STAGES = ("before", "chair", "samples")
_BINS = 10


@dataclass(frozen=True, slots=True)
class Score:
    """How one forecaster did at one stage with one output, over patients and the times of ``SCORED_MIN``.

    Attributes
    ----------
    forecaster : str
        ``ensemble``, or a member's id.
    truth : str
        Whose patients were predicted.
    stage : str
        ``before`` anything was read, after the ``chair`` readings, or after the ``samples`` as well.
    coverage_pct : float
        Of true values inside the 90 % band.
    crps_ratio : float
        Continuous ranked probability score over the mean of the true values.
    width_ratio : float
        Mean width of the 90 % band over the mean of the true values.
    ranks_pct : tuple of float
        Where the truth stood in the forecast: share of true values in each tenth. Ten in each where it is calibrated.
    """

    forecaster: str
    truth: str
    stage: str
    output: str
    coverage_pct: float
    crps_ratio: float
    width_ratio: float
    ranks_pct: tuple[float, ...]
    patients: int

    def to_json(self) -> dict[str, Any]:
        """As printed."""
        return {
            "forecaster": self.forecaster,
            "truth": self.truth,
            "stage": self.stage,
            "output": self.output,
            "coverage_pct": self.coverage_pct,
            "crps_over_mean": self.crps_ratio,
            "width_over_mean": self.width_ratio,
            "ranks_pct": list(self.ranks_pct),
            "patients": self.patients,
        }


def of_itself(
    candidates: Sequence[Candidate],
    *,
    n: int,
    patients: int,
    seed: int,
    design: Design | None = None,
    progress: Progress | None = None,
) -> list[Score]:
    """Patients drawn from the ensemble itself: the bands must hold, before and after readings.

    Parameters
    ----------
    n : int
        Virtual patients of each member in the forecast.
    patients : int
        Patients predicted, of each member.
    seed : int
    progress : callable, optional
        Called with patients done and patients in all.

    Examples
    --------
    >>> from limen.pharmacology.models import get
    >>> found = of_itself([Candidate(get("domino"), 1), Candidate(get("kamp-2020"), 1)], n=200, patients=10, seed=1)
    >>> sorted({item.stage for item in found})
    ['before', 'chair', 'samples']
    """
    plan = design or Design()
    rng = np.random.default_rng(seed)
    forecaster = Posterior.of(prepare(candidates, plan, n, rng))
    truth = prepare(candidates, plan, patients, rng)
    return score([(ENSEMBLE, forecaster)], truth, "the ensemble itself", plan, rng, progress)


def leaving_out(
    candidates: Sequence[Candidate],
    *,
    n: int,
    patients: int,
    seed: int,
    design: Design | None = None,
    progress: Progress | None = None,
) -> list[Score]:
    """Each model's patients predicted by the others: together, and each alone. Arguments as of ``of_itself``.

    Raises
    ------
    InputError
        Fewer than three members: nothing is left to be an ensemble.
    """
    if len(candidates) < 3:
        raise InputError(f"{len(candidates)} models", where="models", allowed="three or more")
    plan = design or Design()
    found = []
    for place, left_out in enumerate(candidates):
        # The same virtual people for every forecaster of one truth.
        rng = np.random.default_rng([seed, place])
        others = [item for item in candidates if item is not left_out]
        truth = prepare([left_out], plan, patients, rng)
        state = rng.bit_generator.state
        forecasters = []
        for name, members in [(ENSEMBLE, others), *((item.model.id, [item]) for item in others)]:
            rng.bit_generator.state = state
            forecasters.append((name, Posterior.of(prepare(members, plan, n, rng))))

        def told(done: int, _: int, start: int = place * patients) -> None:
            if progress is not None:
                progress(start + done, len(candidates) * patients)

        found += score(forecasters, truth, left_out.model.id, plan, rng, told)
    return found


def prepare(candidates: Sequence[Candidate], design: Design, n: int, rng: np.random.Generator) -> Prior:
    """The virtual patients of these members at the times of the design."""
    return Prior.prepare(
        candidates,
        design.doses,
        design.patient,
        design.product,
        n=n,
        rng=rng,
        until_min=design.until_min,
        solved_every_min=design.until_min,
        at_min=design.at_min,
        shown_min=SCORED_MIN,
        wanted_effects=SCORED,
    )


def score(
    forecasters: Sequence[tuple[str, Posterior]],
    truth: Prior,
    name: str,
    design: Design,
    rng: np.random.Generator,
    progress: Progress | None = None,
) -> list[Score]:
    """Every forecaster on every patient of the truth, with the same readings.

    Parameters
    ----------
    forecasters : sequence of (name, Posterior)
        Before anything was read.
    truth : Prior
        The patients who are predicted.
    name : str
        Of the truth.
    """
    outputs = [output for output in SCORED if output in truth.curves]
    shape = (len(forecasters), len(STAGES), len(outputs))
    inside, distance, width = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    ranks = np.zeros((*shape, _BINS))
    level = np.zeros(len(outputs))
    patients = len(truth.log_weight)
    for sample in range(patients):
        actual = np.stack([truth.by_time[output][:, sample] for output in outputs])
        level += actual.mean(axis=1)
        read = readings(truth, sample, design, rng)
        for at, (_, start) in enumerate(forecasters):
            found = start
            for stage in range(len(STAGES)):
                if stage:
                    found = found.update(read[stage - 1])
                for row, output in enumerate(outputs):
                    low, high = found.bands(output, BAND_PCT)
                    inside[at, stage, row] += ((actual[row] >= low) & (actual[row] <= high)).mean()
                    width[at, stage, row] += (high - low).mean()
                    scores, below = _compared(found, output, actual[row])
                    distance[at, stage, row] += scores.mean()
                    ranks[at, stage, row] += np.histogram(below, _BINS, (0.0, 1.0))[0] / len(below)
        if progress is not None:
            progress(sample + 1, patients)
    return [
        Score(
            forecaster,
            name,
            stage,
            output,
            float(100.0 * inside[at, place, row] / patients),
            float(distance[at, place, row] / level[row]),
            float(width[at, place, row] / level[row]),
            tuple((100.0 * ranks[at, place, row] / patients).tolist()),
            patients,
        )
        for at, (forecaster, _) in enumerate(forecasters)
        for place, stage in enumerate(STAGES)
        for row, output in enumerate(outputs)
    ]


def readings(truth: Prior, sample: int, design: Design, rng: np.random.Generator) -> list[list[Observation]]:
    """What would be read of one virtual patient in the chair, and in samples, with the posterior's own errors.

    A simulated rating may leave its scale of 0 to 100, as the posterior's error allows.
    """
    model = truth.candidates[int(truth.member_of[sample])].model
    places = np.searchsorted(truth.time_min, design.chair_min)

    def changes(plain: Observation) -> list[Observation]:
        error = error_of(plain, model)
        common = error.shared_size("additive") * rng.normal()
        noisy = truth.curves[plain.output][sample, places] + common
        noisy += error.own_size("additive") * rng.normal(size=len(places))
        return [
            replace(plain, t_min=time, value=float(value)) for time, value in zip(design.chair_min, noisy, strict=True)
        ]

    chair = [
        item
        for plain in (pressure(0, 128, 128), heart_rate(0, 72, 72), dissociation(0, 50))
        if plain.output in truth.curves
        for item in changes(plain)
    ]
    plain = concentration("ketamine", design.matrix, 0, 1)
    error = error_of(plain, model)
    log_sd = np.sqrt(error.own_size("log") ** 2 + np.log1p(error.own_size("proportional") ** 2))
    factor = error.shared_size("proportional") * rng.normal()
    true = truth.curves[output_of(plain)][sample, np.searchsorted(truth.time_min, design.sampled_min)]
    seen = true * np.exp(factor + log_sd * rng.normal(size=len(true)))
    samples = [
        concentration("ketamine", design.matrix, time, float(value))
        for time, value in zip(design.sampled_min, seen, strict=True)
    ]
    return [chair, samples]


def crps(samples: Array, weights: Array, truth: Array) -> Array:
    """Continuous ranked probability score of weighted samples in rising order: the mean distance from the truth, less
    half the mean distance between two samples.

    Parameters
    ----------
    samples, weights : array (..., samples)
        Weights sum to 1.
    truth : array (...)
        In the unit of ``samples``, as the score is.

    Examples
    --------
    >>> float(crps(np.array([1.0, 3.0]), np.array([0.5, 0.5]), np.array(2.0)))
    0.5
    """
    below = np.cumsum(weights, axis=-1) - weights
    # Sum over pairs of |x - y| from the sorted samples alone.
    apart = 2.0 * (weights * samples * (2.0 * below + weights - 1.0)).sum(axis=-1)
    score: Array = (weights * np.abs(samples - truth[..., None])).sum(axis=-1) - 0.5 * apart
    return score


def _compared(found: Posterior, output: str, actual: Array) -> tuple[Array, Array]:
    """The score and the share of the forecast under the truth, at each shown time."""
    order = found.prior.order[output]
    samples = np.take_along_axis(found.prior.by_time[output], order, axis=1)
    weights = found.weights[order]
    return crps(samples, weights, actual), (weights * (samples < actual[:, None])).sum(axis=1)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The ensemble against one fixed member, over the left-out models that neither knows; both scores are means."""

    member: str
    stage: str
    output: str
    ensemble_crps_ratio: float
    member_crps_ratio: float
    ensemble_coverage_pct: float
    member_coverage_pct: float

    @property
    def ensemble_better(self) -> bool:
        return self.ensemble_crps_ratio < self.member_crps_ratio


def compared(scores: Sequence[Score]) -> list[Comparison]:
    """Each fixed member against the ensemble, over the same truths: all but the member's own."""
    found = []
    for output in dict.fromkeys(item.output for item in scores):
        for stage in STAGES:
            here = [item for item in scores if (item.stage, item.output) == (stage, output)]
            for member in dict.fromkeys(item.forecaster for item in here if item.forecaster != ENSEMBLE):
                own = {item.truth: item for item in here if item.forecaster == member}
                together = {item.truth: item for item in here if item.forecaster == ENSEMBLE and item.truth in own}
                found.append(
                    Comparison(
                        member,
                        stage,
                        output,
                        float(np.mean([item.crps_ratio for item in together.values()])),
                        float(np.mean([item.crps_ratio for item in own.values()])),
                        float(np.mean([item.coverage_pct for item in together.values()])),
                        float(np.mean([item.coverage_pct for item in own.values()])),
                    )
                )
    return found
