"""What the observations say of each sample: sums that grow by one observation at a time, and their likelihood.

Observations that share an error (of one baseline, or of a matrix that a model does not predict) are not independent.
With own variances v, shared standard deviations b and residuals r the covariance is diag(v) + b b', and its Gaussian
likelihood needs only the sums of r^2/v, r b/v, b^2/v and log v. Of ratings of sedation the furthest are enough. Adding
to these is what makes an update in steps equal to an update at once.

The error of a concentration is log-normal here for every model, with the coefficient of variation of the model's own
residual error. Normal beside log-normal tails would decide between models when a reading is far out, not their fit
(assumption of this project).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from limen.pharmacology.individual.noise import error_of, noise
from limen.pharmacology.individual.observations import Observation
from limen.pharmacology.individual.prior import Prior

Array = npt.NDArray[np.float64]

_LOG_2PI = math.log(2 * math.pi)
# A prediction of nothing (before any drug) has a proportional error of nothing; these floors keep it a number.
_LEAST_SD = 1e-6
_LEAST_PREDICTED = 1e-9

# Which members predict an observation, and what it has in common with others.
Key = tuple[tuple[bool, ...], str]


@dataclass(frozen=True, slots=True)
class Match:
    """A reading beside every sample's prediction of it.

    Attributes
    ----------
    predicts : tuple of bool
        Of each member.
    predicted : array (samples,)
        In the observation's unit; NaN where a member does not predict it.
    residual, variance, shared_sd : array (samples,)
        Observed less predicted with its own and its shared error; of concentrations on the log scale.
    log_scale : array (samples,)
        What turns the density on that scale into one on the observation's own.
    """

    observation: Observation
    predicts: tuple[bool, ...]
    group: str
    predicted: Array
    residual: Array
    variance: Array
    shared_sd: Array
    log_scale: Array

    @property
    def standardised(self) -> Array:
        """The residual over its whole standard deviation."""
        found: Array = self.residual / np.sqrt(self.variance + self.shared_sd**2)
        return found


def match(prior: Prior, observation: Observation) -> Match:
    """Set an observation beside the prior's predictions."""
    predicted = prior.at(observation)
    predicts = [bool(np.isfinite(predicted[prior.members(place)]).all()) for place in range(len(prior.candidates))]
    samples = len(predicted)
    if observation.kind == "sedation":
        nothing = np.zeros(samples)
        return Match(observation, tuple(predicts), "sedation", predicted, nothing, nothing, nothing, nothing)
    residual = observation.value - predicted
    variance, shared_sd, log_scale = np.full(samples, np.nan), np.zeros(samples), np.zeros(samples)
    group = ""
    for place, candidate in enumerate(prior.candidates):
        mine = prior.members(place)
        error = error_of(observation, candidate.model)
        group = error.group
        f = predicted[mine]
        shared_sd[mine] = error.shared_size("proportional")
        if observation.analyte is not None:
            f = np.maximum(f, _LEAST_PREDICTED)
            cv = np.hypot(error.own_size("proportional"), error.own_size("additive") / f)
            residual[mine] = math.log(observation.value) - np.log(f)
            variance[mine] = error.own_size("log") ** 2 + np.log1p(cv**2)
            log_scale[mine] = -math.log(observation.value)
        else:
            variance[mine] = (error.own_size("proportional") * f) ** 2 + error.own_size("additive") ** 2 + _LEAST_SD**2
            shared_sd[mine] = error.shared_size("proportional") * f + error.shared_size("additive")
    return Match(observation, tuple(predicts), group, predicted, residual, variance, shared_sd, log_scale)


@dataclass(frozen=True, slots=True)
class Sums:
    """Of r^2/v, r b/v, b^2/v and of what does not depend on r, over the readings of one key, for each sample."""

    squares: Array
    crossed: Array
    shared: Array
    constant: Array

    @classmethod
    def none(cls, samples: int) -> Sums:
        """Before the first."""
        return cls(*(np.zeros(samples) for _ in range(4)))

    def plus(self, found: Match) -> Sums:
        """With one more reading."""
        r, v, b = found.residual, found.variance, found.shared_sd
        return Sums(
            self.squares + r * r / v,
            self.crossed + r * b / v,
            self.shared + b * b / v,
            self.constant - 0.5 * (np.log(v) + _LOG_2PI) + found.log_scale,
        )

    def log_likelihood(self) -> Array:
        """Of each sample."""
        spread = 1.0 + self.shared
        result: Array = self.constant - 0.5 * (self.squares - self.crossed**2 / spread + np.log(spread))
        return result


@dataclass(frozen=True, slots=True)
class Responses:
    """Ratings of sedation of one person, for each sample.

    The model gives the share of people who are unresponsive, always the most sensitive ones. A person who answered is
    not among the most sensitive share of any of those times; one who did not is among that of each. So the greatest
    share answered at and the least share not answered at are all that ratings tell.

    Attributes
    ----------
    answered, silent : array (samples,)
        Greatest share of the times with an answer, least share of the times without one.
    """

    answered: Array
    silent: Array
    ratings: int = 0

    @classmethod
    def none(cls, samples: int) -> Responses:
        """Before the first."""
        return cls(np.zeros(samples), np.ones(samples))

    def plus(self, found: Match) -> Responses:
        """With one more rating."""
        share = found.predicted / 100.0
        if found.observation.value <= noise().responsiveness.unresponsive_moaas.value:
            return Responses(self.answered, np.minimum(self.silent, share), self.ratings + 1)
        return Responses(np.maximum(self.answered, share), self.silent, self.ratings + 1)

    def log_likelihood(self) -> Array:
        """Of each sample; a misread rating keeps it off nothing."""
        misread = noise().responsiveness.misread.value
        people = np.maximum(self.silent - self.answered, 0.0)
        result: Array = np.log(misread + (1.0 - 2.0 * misread) * people)
        return result


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything seen so far; empty before anything was seen."""

    sums: Mapping[Key, Sums | Responses] = field(default_factory=dict)

    def plus(self, found: Sequence[Match]) -> Evidence:
        """With more observations; those that no member predicts add nothing."""
        grown = dict(self.sums)
        for item in found:
            if not any(item.predicts):
                continue
            key = (item.predicts, item.group)
            start = Responses if item.observation.kind == "sedation" else Sums
            grown[key] = grown.get(key, start.none(len(item.predicted))).plus(item)
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
                whole = log_sum_exp(before)
                # Where only members without weight predict it, it says nothing of the others.
                added[~able] = 0.0 if math.isinf(whole) else log_sum_exp(before + added[able]) - whole
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
