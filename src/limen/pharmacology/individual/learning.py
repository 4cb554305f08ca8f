"""What was learned and what was not: each random effect before and after, and readings that nobody expected."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from limen.pharmacology import population
from limen.pharmacology.effects import effects
from limen.pharmacology.individual.evidence import Match
from limen.pharmacology.individual.map import Estimate
from limen.pharmacology.individual.noise import noise
from limen.pharmacology.individual.prior import Prior
from limen.pharmacology.individual.weighted import Posterior, effective_samples

Array = npt.NDArray[np.float64]

# A standard deviation that fell by less than this share did not tighten (project rule).
LEAST_REDUCTION_FRACTION = 0.05
# Among some thirty effects one in three hundred is beyond three standard errors by chance.
_DOUBTS = 3.0
# A reading is outside the prediction where less than this share of it lies further out, on either side.
_TAIL = 0.005


@dataclass(frozen=True, slots=True)
class Learned:
    """One random effect, before and after.

    Attributes
    ----------
    mean_ratio : float
        Mean after, in standard deviations before; 0 before.
    spread_ratio : float
        Standard deviation after over before.
    """

    effect: str
    mean_ratio: float
    spread_ratio: float
    learned: bool
    because: str

    def to_json(self) -> dict[str, Any]:
        """As printed."""
        return {
            "effect": self.effect,
            "mean_in_prior_sd": self.mean_ratio,
            "posterior_over_prior_sd": self.spread_ratio,
            "learned": self.learned,
            "because": self.because,
        }


@dataclass(frozen=True, slots=True)
class Direction:
    """A combination of effects that the observations do not tell apart from the prior.

    Attributes
    ----------
    loading_ratio : mapping of effect to share
        Its direction, of length 1; small parts are left out.
    spread_ratio : float
        Standard deviation along it, after over before.
    """

    loading_ratio: dict[str, float]
    spread_ratio: float

    def to_json(self) -> dict[str, Any]:
        """As printed."""
        return {"loadings": self.loading_ratio, "posterior_over_prior_sd": self.spread_ratio}


def _judge(effect: str, mean: float, spread: float, doubt: float) -> Learned:
    """Words for one effect; ``doubt`` is the standard error of ``spread`` from the number of samples."""
    fall = 1.0 - spread
    if fall < LEAST_REDUCTION_FRACTION:
        words = f"its spread is {100 * spread:.0f} % of what it was: it did not tighten"
    elif fall < _DOUBTS * doubt:
        words = (
            f"its spread is {100 * spread:.0f} % of what it was, which may be the sampling error ({100 * doubt:.0f} %)"
        )
    else:
        words = f"its spread fell to {100 * spread:.0f} % of what it was"
    return Learned(effect, mean, spread, fall >= max(LEAST_REDUCTION_FRACTION, _DOUBTS * doubt), words)


def of_posterior(posterior: Posterior) -> tuple[Learned, ...]:
    """Each random effect that any member or any effect shown uses, over models and parameters together.

    Examples
    --------
    >>> from limen.pharmacology.individual.solving import Candidate
    >>> from limen.pharmacology.models import get
    >>> from limen.pharmacology.patient import PatientProfile
    >>> from limen.pharmacology.regimen import Dose
    >>> prior = Prior.prepare([Candidate(get("domino"), 1)], [Dose(35, "iv", 0, 40)],
    ...     PatientProfile(weight_kg=70), "racemic", n=50, rng=np.random.default_rng(1))
    >>> {item.learned for item in of_posterior(Posterior.of(prior))}
    {False}
    """
    before = np.exp(posterior.prior.log_weight)
    # Every member draws the same people, so it is people that count for the sampling error, not samples.
    people = posterior.weights.reshape(len(posterior.prior.candidates), -1).sum(axis=0)
    doubt = 1.0 / math.sqrt(2.0 * max(effective_samples(people) - 1.0, 1.0))
    if not posterior.matches:
        doubt = 0.0
    found = []
    for effect in _used(posterior.prior):
        draws = posterior.prior.draws[:, population.COLUMNS.index(effect)]
        mean_before, sd_before = _moments(draws, before)
        mean, sd = _moments(draws, posterior.weights)
        if sd_before > 0:
            found.append(_judge(effect, (mean - mean_before) / sd_before, sd / sd_before, doubt))
    return tuple(found)


def of_estimate(estimate: Estimate) -> tuple[tuple[Learned, ...], tuple[Direction, ...]]:
    """Each random effect of one model, and the combinations of them that were not identified.

    The information of the observations is that of the mode less that of the prior; along a direction of eigenvalue x
    the standard deviation falls to ``1 / sqrt(1 + x)`` of what it was.

    Examples
    --------
    >>> from limen.pharmacology.individual.map import estimate
    >>> from limen.pharmacology.models import get
    >>> from limen.pharmacology.patient import PatientProfile
    >>> from limen.pharmacology.regimen import Dose
    >>> nothing = estimate(get("domino"), [Dose(35, "iv", 0, 40)], PatientProfile(weight_kg=70), "racemic", [])
    >>> learned, blind = of_estimate(nothing)
    >>> [item.learned for item in learned], len(blind)
    ([False, False], 2)
    """
    sd_before = np.sqrt(np.diag(estimate.loading @ estimate.loading.T))
    sd = np.sqrt(np.maximum(np.diag(estimate.eta_covariance), 0.0))
    learned = tuple(
        _judge(effect, float(moved / was), float(now / was), 0.0)
        for effect, moved, now, was in zip(estimate.effects, estimate.eta, sd, sd_before, strict=True)
    )
    information = np.linalg.inv(estimate.covariance) - np.eye(len(estimate.effects))
    values, vectors = np.linalg.eigh((information + information.T) / 2)
    blind = []
    for value, vector in zip(values, vectors.T, strict=True):
        spread = 1.0 / math.sqrt(1.0 + max(float(value), 0.0))
        if 1.0 - spread < LEAST_REDUCTION_FRACTION:
            parts = zip(estimate.effects, vector.tolist(), strict=True)
            blind.append(Direction({effect: round(part, 3) for effect, part in parts if abs(part) >= 0.1}, spread))
    return learned, tuple(blind)


def tail_probability(found: Match, weights: Array) -> float:
    """The share of the prediction (with the errors of reading) that lies under the reading; of a rating of sedation,
    the probability of such a rating. NaN where no member predicts it."""
    able = np.asarray(found.predicts)
    if not able.any():
        return math.nan
    kept = np.isfinite(found.predicted) & (weights > 0)
    if not kept.any():
        return math.nan
    share = weights[kept] / weights[kept].sum()
    if found.observation.kind == "sedation":
        silent = float(share @ found.predicted[kept]) / 100.0
        rule = noise().responsiveness
        probability = silent if found.observation.value <= rule.unresponsive_moaas.value else 1.0 - silent
        return rule.misread.value + (1.0 - 2.0 * rule.misread.value) * probability
    from scipy.special import ndtr

    return float(share @ ndtr(found.standardised[kept]))


def outside(found: Match, prior: Prior) -> bool:
    """Whether a reading lies outside the 99 % band of what was predicted before anything was seen."""
    tail = tail_probability(found, np.exp(prior.log_weight))
    if found.observation.kind == "sedation":
        misread = noise().responsiveness.misread.value
        return tail - misread < _TAIL
    return tail < _TAIL or tail > 1.0 - _TAIL


def _moments(values: Array, weights: Array) -> tuple[float, float]:
    share = weights / weights.sum()
    mean = float(share @ values)
    return mean, math.sqrt(max(float(share @ np.square(values - mean)), 0.0))


def _used(prior: Prior) -> tuple[str, ...]:
    """Columns of draws that move something that is shown."""
    names: list[str] = [effect for item in prior.candidates for block in item.variability for effect in block.effects]
    models = effects()
    columns = [(index.output, index.site, index.column) for index in models.indices]
    columns += [(line.output, line.site, line.column) for line in models.lines]
    columns += [(line.output, line.site, line.people.column) for line in models.lines if line.people is not None]
    for output, site, column in columns:
        if output in prior.curves:
            link = models.sites.get(site)
            names += [name for name in (column, None if link is None else link.column) if name is not None]
    names.append("KE0")
    return tuple(name for name in dict.fromkeys(names) if name in population.COLUMNS)
