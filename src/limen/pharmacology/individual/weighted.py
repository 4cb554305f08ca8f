"""The posterior over models and parameters together, as weights of the prior's samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from limen.errors import InputError
from limen.pharmacology.exposure import PERCENTILES
from limen.pharmacology.individual.evidence import Evidence, Match, log_sum_exp, match
from limen.pharmacology.individual.observations import Observation
from limen.pharmacology.individual.prior import Prior
from limen.pharmacology.pooling import weighted_percentiles

Array = npt.NDArray[np.float64]

# Fewer effective samples than this do not carry a band; the likelihood is flattened until they do (project rule).
LEAST_EFFECTIVE_SAMPLES = 100


@dataclass(frozen=True, slots=True)
class Posterior:
    """The prior's samples, weighted by what was seen.

    Attributes
    ----------
    matches : tuple of Match
        Every observation beside its predictions, in the order given.
    weights : array (samples,)
        Sum to 1.
    tempering_fraction : float
        The power of the likelihood: 1, or less where too few samples explained what was seen.
    untempered_samples : float
        Effective samples at the full likelihood.
    """

    prior: Prior
    evidence: Evidence
    matches: tuple[Match, ...]
    weights: Array
    tempering_fraction: float
    untempered_samples: float

    @classmethod
    def of(cls, prior: Prior) -> Posterior:
        """Before anything was seen: the prior itself."""
        return _weigh(prior, Evidence(), ())

    def update(self, observations: Sequence[Observation]) -> Posterior:
        """With more observations. In steps or at once, and in any order, the answer is the same.

        Raises
        ------
        InputError
            An observation after the horizon, or of a kind without an error on file.

        Examples
        --------
        >>> from limen.pharmacology.individual.observations import concentration
        >>> from limen.pharmacology.individual.prior import Candidate
        >>> from limen.pharmacology.models import get
        >>> from limen.pharmacology.patient import PatientProfile
        >>> from limen.pharmacology.regimen import Dose
        >>> prior = Prior.prepare([Candidate(get("clements-250"), 1)], [Dose(35, "iv", 0, 40)],
        ...     PatientProfile(weight_kg=70), "racemic", n=1000, rng=np.random.default_rng(1))
        >>> found = Posterior.of(prior).update([concentration("ketamine", "plasma", 40, 120)])
        >>> bool(found.mean("ketamine_plasma_ng_per_mL")[8] < Posterior.of(prior).mean("ketamine_plasma_ng_per_mL")[8])
        True
        """
        found = tuple(match(self.prior, observation) for observation in observations)
        return _weigh(self.prior, self.evidence.plus(found), (*self.matches, *found))

    @property
    def effective_samples(self) -> float:
        """How many equally weighted samples the weights are worth (Kish)."""
        return effective_samples(self.weights)

    @property
    def member_weights(self) -> dict[str, float]:
        """What each member counts now."""
        sums = np.bincount(self.prior.member_of, self.weights, len(self.prior.candidates))
        return dict(zip(self.prior.ids, sums.tolist(), strict=True))

    def mean(self, name: str) -> Array:
        """Weighted mean of an output at the shown times; NaN where no member with weight predicts it."""
        values = self.prior.curves[name][:, self.prior.shown]
        able = np.isfinite(values)
        weight = np.where(able, self.weights[:, None], 0.0)
        total = weight.sum(axis=0)
        mean = (weight * np.where(able, values, 0.0)).sum(axis=0) / np.where(total > 0, total, 1.0)
        return np.where(total > 0, mean, np.nan)

    def bands(self, name: str, levels_pct: Sequence[float] = PERCENTILES, *, compiled: bool = True) -> Array:
        """Percentiles of an output over the samples at the shown times; ``levels_pct`` rise.

        Returns
        -------
        array (levels, shown times)
            NaN where no member predicts it.
        """
        out = np.full((len(levels_pct), len(self.prior.shown)), np.nan)
        if compiled:
            from limen.pharmacology.individual.band_kernel import quantiles

            levels = np.asarray(levels_pct, dtype=np.float64) / 100.0
            quantiles(self.prior.by_time[name], self.prior.order[name], self.weights, levels, out)
            return out
        values = self.prior.curves[name][:, self.prior.shown]
        able = np.isfinite(values)
        for pattern in np.unique(able, axis=1).T:
            if not (pattern & (self.weights > 0)).any():
                continue
            here = np.flatnonzero((able == pattern[:, None]).all(axis=0))
            out[:, here] = weighted_percentiles(values[np.ix_(pattern, here)], self.weights[pattern], levels_pct)
        return out

    def resample(self, n: int, rng: np.random.Generator) -> npt.NDArray[np.intp]:
        """Indices of ``n`` samples that count alike (systematic resampling: a sample of weight w comes up n w times,
        rounded up or down)."""
        if n < 1:
            raise InputError(f"{n} samples", where="population", allowed="1 or more")
        edges = np.cumsum(self.weights)
        points = (rng.random() + np.arange(n)) / n * edges[-1]
        chosen: npt.NDArray[np.intp] = np.minimum(np.searchsorted(edges, points, side="right"), len(edges) - 1)
        return chosen


def effective_samples(weights: Array) -> float:
    """The square of the sum over the sum of squares.

    Examples
    --------
    >>> effective_samples(np.array([0.5, 0.5, 0.0]))
    2.0
    """
    return float(weights.sum() ** 2 / np.square(weights).sum())


def _weigh(prior: Prior, evidence: Evidence, matches: tuple[Match, ...]) -> Posterior:
    log_likelihood = evidence.log_likelihood(prior)
    weights = _normal(prior.log_weight + log_likelihood)
    untempered = effective_samples(weights)
    floor = min(LEAST_EFFECTIVE_SAMPLES, 0.5 * effective_samples(_normal(prior.log_weight)))
    power = 1.0
    if untempered < floor:
        low, high = 0.0, 1.0
        for _ in range(40):
            power = (low + high) / 2
            weights = _normal(prior.log_weight + power * log_likelihood)
            if effective_samples(weights) < floor:
                high = power
            else:
                low = power
        power = low
        weights = _normal(prior.log_weight + power * log_likelihood)
    return Posterior(prior, evidence, matches, weights, power, untempered)


def _normal(log_weight: Array) -> Array:
    total = log_sum_exp(log_weight)
    if not math.isfinite(total):
        raise InputError("no sample can have produced what was seen", where="observations", allowed="finite readings")
    weights = np.exp(log_weight - total)
    result: Array = weights / weights.sum()
    return result
