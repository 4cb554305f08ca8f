"""Virtual patients: standard normal draws by patient number, made into effects by a model's covariance."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import get_args

import numpy as np
import numpy.typing as npt

from limen.pharmacology.models.schema import Effect, Omega
from limen.pharmacology.populations.draws import quantile_of_normal, uniforms

Array = npt.NDArray[np.float64]

# One column each, drawn by its name: the order is fixed for those who index, and says nothing of the numbers.
COLUMNS: tuple[str, ...] = (
    *get_args(Effect),
    "KE0",
    # Effects: the uncertainty of each estimate (`data/effects`), and the long course of pain relief.
    "KE0_PRESSURE",
    "KE0_SEDATION",
    "C50_PERCEPTION",
    "C50_PAIN",
    "PRESSURE_SLOPE",
    "HEART_RATE_SLOPE",
    "CARDIAC_OUTPUT_SLOPE",
    "C50_VENTILATION",
    "PAIN_RELIEF_C50",
    "PAIN_RELIEF_HALF_LIFE",
    "PAIN_RELIEF_RESPONDER",
    # Assumed absorption: the share that arrives and how soon, by route (`data/absorption.yaml`); buccal is sublingual.
    *(f"{kind}_{route}" for route in ("IM", "SC", "IN", "PO", "SL", "PR") for kind in ("F", "PEAK")),
    # How much more or less than the mean a person's pressure answers.
    "PRESSURE_PERSON",
)


def patients(seed: int, first: int, count: int, *, columns: Collection[str] = COLUMNS) -> Array:
    """Standard normal draws of patients ``first`` to ``first + count``, one row a patient.

    Patient i of a seed is the same person in every model, whatever the chunk, the number of threads or the machine, and
    whatever columns are added later: each column is a stream of its own, addressed by its name and by i.

    Parameters
    ----------
    seed : int
        0 to 2**64 - 1.
    first, count : int
    columns : collection of str
        Those to draw; the others stay 0. Each takes time.

    Returns
    -------
    array (count, len(COLUMNS))

    Examples
    --------
    >>> bool((patients(1, 0, 9)[3:7] == patients(1, 3, 4)).all())
    True
    """
    places = [place for place, column in enumerate(COLUMNS) if column in columns]
    drawn = np.empty((len(places), count))
    for row, place in enumerate(places):
        drawn[row] = uniforms(seed, COLUMNS[place], first, count)
    found = np.zeros((count, len(COLUMNS)))
    found[:, places] = quantile_of_normal(drawn.ravel()).reshape(drawn.shape).T
    return found


def draw(n: int, rng: np.random.Generator) -> Array:
    """The first ``n`` patients of a generator's state, one row a patient.

    Parameters
    ----------
    n : int
        Patients.
    rng : numpy.random.Generator
        Gives one number, the seed of `patients`.

    Returns
    -------
    array (n, len(COLUMNS))

    Examples
    --------
    >>> first = draw(2, np.random.default_rng(1))
    >>> bool((draw(5, np.random.default_rng(1))[:2] == first).all())
    True
    """
    return patients(seed_of(rng), 0, n)


def seed_of(rng: np.random.Generator) -> int:
    """The seed of `patients` that `draw` would use with this generator.

    Examples
    --------
    >>> seed = seed_of(np.random.default_rng(1))
    >>> bool((draw(3, np.random.default_rng(1)) == patients(seed, 0, 3)).all())
    True
    """
    return int(rng.integers(0, 2**64, dtype=np.uint64))


def log_effects(draws: Array, blocks: Sequence[Omega]) -> dict[str, Array]:
    """The log-normal effects of each patient under a model's covariance.

    Parameters
    ----------
    draws : array (patients, len(COLUMNS))
        Zeros give the typical patient.
    blocks : sequence of Omega

    Returns
    -------
    dict of effect name to array (patients,)
    """
    found: dict[str, Array] = {}
    for block in blocks:
        size = len(block.effects)
        lower = np.zeros((size, size))
        for row, entries in enumerate(block.omega_log_variance):
            lower[row, : len(entries)] = entries
        covariance = lower + np.tril(lower, -1).T
        columns = [COLUMNS.index(effect) for effect in block.effects]
        scaled = draws[:, columns] @ np.linalg.cholesky(covariance).T
        found.update({effect: scaled[:, position] for position, effect in enumerate(block.effects)})
    return found
