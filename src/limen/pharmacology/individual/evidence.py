"""What the observations say of each sample: sums that grow by one observation at a time, and their likelihood.

Observations that share an error (of one baseline, or of a matrix that a model does not predict) are not independent.
With own variances v, shared standard deviations b and residuals r the covariance is diag(v) + b b', and its Gaussian
likelihood needs only the sums of r^2/v, r b/v, b^2/v and log v. Adding to these sums is what makes an update in steps
equal to an update at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from limen.pharmacology.individual.noise import error_of
from limen.pharmacology.individual.observations import Observation
from limen.pharmacology.individual.prior import Prior

Array = npt.NDArray[np.float64]

_LOG_2PI = math.log(2 * math.pi)
# A prediction of nothing (before any drug) has a proportional error of nothing; this floor keeps it a number.
_LEAST_SD = 1e-6

# Which members predict an observation, and the error it shares.
Key = tuple[tuple[bool, ...], str]


@dataclass(frozen=True, slots=True)
class Match:
    """An observation beside every sample's prediction of it.

    Attributes
    ----------
    predicted, own_sd, shared_sd : array (samples,)
        NaN where a member does not predict it.
    """

    observation: Observation
    predicts: tuple[bool, ...]
    group: str
    predicted: Array
    own_sd: Array
    shared_sd: Array

    @property
    def sd(self) -> Array:
        """Of the observation about each prediction, everything together."""
        return np.hypot(self.own_sd, self.shared_sd)


def match(prior: Prior, observation: Observation) -> Match:
    """Set an observation beside the prior's predictions."""
    predicted = prior.at(observation)
    own_sd = np.full_like(predicted, np.nan)
    shared_sd = np.zeros_like(predicted)
    predicts = []
    group = ""
    for place, candidate in enumerate(prior.candidates):
        mine = prior.member_of == place
        error = error_of(observation, candidate.model)
        group = error.group
        own_sd[mine] = np.maximum(error.own.sd(predicted[mine]), _LEAST_SD)
        if error.shared is not None:
            shared_sd[mine] = error.shared.sd(predicted[mine])
        predicts.append(bool(np.isfinite(predicted[mine]).all()))
    return Match(observation, tuple(predicts), group, predicted, own_sd, shared_sd)


@dataclass(frozen=True, slots=True)
class Sums:
    """Of r^2/v, r b/v, b^2/v and log v over the observations of one key, for each sample."""

    squares: Array
    crossed: Array
    shared: Array
    log_v: Array
    count: int

    def plus(self, found: Match) -> Sums:
        """With one more observation."""
        r = found.observation.value - found.predicted
        v = found.own_sd**2
        b = found.shared_sd
        return Sums(
            self.squares + r * r / v,
            self.crossed + r * b / v,
            self.shared + b * b / v,
            self.log_v + np.log(v),
            self.count + 1,
        )

    def log_likelihood(self) -> Array:
        """Of each sample."""
        spread = 1.0 + self.shared
        result: Array = -0.5 * (
            self.squares - self.crossed**2 / spread + self.log_v + np.log(spread) + self.count * _LOG_2PI
        )
        return result


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything seen so far, as sums; empty before anything was seen."""

    sums: Mapping[Key, Sums] = field(default_factory=dict)

    def plus(self, found: Sequence[Match]) -> Evidence:
        """With more observations; those that no member predicts add nothing."""
        grown = dict(self.sums)
        for item in found:
            if not any(item.predicts):
                continue
            key = (item.predicts, item.group)
            zero = np.zeros_like(item.predicted)
            grown[key] = grown.get(key, Sums(zero, zero, zero, zero, 0)).plus(item)
        return Evidence(grown)

    def log_likelihood(self, prior: Prior) -> Array:
        """Of each sample, shape (samples,).

        A member that does not predict an observation is neither favoured nor punished by it: its samples are given
        the mean likelihood, under the weights so far, of the samples that do predict it.
        """
        total = np.zeros_like(prior.log_weight)
        keys = sorted(self.sums, key=lambda key: (-sum(key[0]), key))
        for predicts in dict.fromkeys(key[0] for key in keys):
            able = np.asarray(predicts)[prior.member_of]
            added = np.zeros_like(total)
            for key in keys:
                if key[0] == predicts:
                    added[able] += self.sums[key].log_likelihood()[able]
            if not able.all():
                before = prior.log_weight[able] + total[able]
                added[~able] = log_sum_exp(before + added[able]) - log_sum_exp(before)
            total += added
        return total


def log_sum_exp(values: Array) -> float:
    """The logarithm of the sum of exponentials, without overflow; minus infinity where every value is.

    Examples
    --------
    >>> round(log_sum_exp(np.array([-1000.0, -1000.0])) + 1000, 6)
    0.693147
    """
    most = float(values.max(initial=-np.inf))
    return most if math.isinf(most) else most + math.log(float(np.exp(values - most).sum()))
