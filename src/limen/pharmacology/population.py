"""Virtual patients: standard normal draws in patient order, made into effects by a model's covariance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import numpy as np
import numpy.typing as npt

from limen.pharmacology.models.schema import Effect, Omega

Array = npt.NDArray[np.float64]

# One column each; a fixed width makes patient i the same person for every model, population size and chunk.
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
)


def draw(n: int, rng: np.random.Generator) -> Array:
    """Standard normal draws, one row a patient.

    Parameters
    ----------
    n : int
        Patients.
    rng : numpy.random.Generator

    Returns
    -------
    array (n, len(COLUMNS))

    Examples
    --------
    >>> first = draw(2, np.random.default_rng(1))
    >>> bool((draw(5, np.random.default_rng(1))[:2] == first).all())
    True
    """
    return rng.standard_normal((n, len(COLUMNS)))


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
