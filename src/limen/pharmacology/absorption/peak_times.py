"""From the time of a plasma peak to the absorption rate that makes it, in a given body."""

from __future__ import annotations

import functools
import math
from typing import Protocol

import numpy as np
import numpy.typing as npt

from limen.errors import InputError

Array = npt.NDArray[np.float64]

# Rates tried when a rate is sought for a peak time, and the times looked at.
_RATES_PER_MIN = np.concatenate([np.geomspace(1e-12, 1e-5, 30)[:-1], np.geomspace(1e-5, 1e2, 150)])
_TIMES_MIN = np.geomspace(1e-3, 1e5, 400)


class Body(Protocol):
    """What a dose is absorbed into: ``kinetics.LinearSystem``, or its like, of which row 0 is used."""

    @property
    def rates_per_min(self) -> Array:
        """The matrix A (rows, states, states)."""

    @property
    def entry(self) -> Array:
        """The share of the input that enters each state (states,)."""

    @property
    def readout(self) -> Array:
        """Outputs (rows, outputs, states); the first is the concentration whose peak is meant."""


def rates_for_peaks(peak_min: Array, body: Body) -> Array:
    """First-order absorption rates that put the typical patient's plasma peak at these times.

    Parameters
    ----------
    peak_min : array (rows,)
        Over 0.
    body : Body

    Returns
    -------
    array (rows,), per minute

    Raises
    ------
    InputError
        If no rate puts a peak there in this body.

    Examples
    --------
    In one compartment with a rate of 0.02 /min, absorption at 0.2 /min peaks at ln(10) / 0.18 = 12.79 min.

    >>> from limen.pharmacology.kinetics import LinearSystem
    >>> body = LinearSystem(np.array([[[-0.02]]]), np.ones(1), np.ones((1, 1, 1)))
    >>> rates_for_peaks(np.array([12.79]), body).round(3)
    array([0.2])
    """
    matrix = np.ascontiguousarray(body.rates_per_min[0])
    places, log_rate = _peaks_by_rate(
        matrix.tobytes(), np.asarray(body.entry, dtype=np.float64).tobytes(), body.readout[0, 0].tobytes()
    )
    wanted = np.log(peak_min)
    if not (np.isfinite(wanted).all() and places[0] <= wanted.min() and wanted.max() <= places[-1]):
        raise InputError(
            f"a plasma peak at {peak_min.min():g} to {peak_min.max():g} min",
            where="dose",
            allowed=f"{math.exp(places[0]):.3g} to {math.exp(places[-1]):.3g} min in this model",
        )
    found: Array = np.exp(np.interp(wanted, places, log_rate))
    return found


@functools.lru_cache(maxsize=64)
def _peaks_by_rate(rates: bytes, entry: bytes, readout: bytes) -> tuple[Array, Array]:
    """Logs of peak times, rising, and of the absorption rates that make them, in the body of these numbers."""
    into = np.frombuffer(entry)
    decay_per_min, weight = _impulse(np.frombuffer(rates).reshape(len(into), -1), into, np.frombuffer(readout))
    # (rates, times): the share of each mode that absorption has filled, written so that equal rates do not cancel.
    filled = np.zeros((len(_RATES_PER_MIN), len(_TIMES_MIN)))
    for decay, of_mode in zip(decay_per_min, weight, strict=True):
        gap = np.abs(_RATES_PER_MIN - decay)[:, None]
        slower = np.minimum(_RATES_PER_MIN, decay)[:, None]
        grown = -np.expm1(-gap * _TIMES_MIN) / np.where(gap > 0, gap, 1.0)
        filled += of_mode * np.exp(-slower * _TIMES_MIN) * np.where(gap > 0, grown, _TIMES_MIN)
    best = filled.argmax(axis=1)
    inner = (best > 0) & (best < len(_TIMES_MIN) - 1)
    rows = np.flatnonzero(inner)
    at = best[inner]
    before, here, after = (filled[rows, at + step] for step in (-1, 0, 1))
    # Vertex of the parabola through the highest point and its neighbours, the times being even in their logs.
    bend = before - 2 * here + after
    shift = np.where(bend < 0, 0.5 * (before - after) / np.where(bend < 0, bend, -1.0), 0.0)
    step = math.log(_TIMES_MIN[1] / _TIMES_MIN[0])
    log_peak = np.log(_TIMES_MIN[at]) + shift * step
    # Peaks fall as rates rise; np.interp wants rising places.
    places, log_rate = log_peak[::-1], np.log(_RATES_PER_MIN[inner])[::-1]
    return places, log_rate


def _impulse(rates_per_min: Array, entry: Array, readout: Array) -> tuple[Array, Array]:
    """The output after one milligram into the vein, as decays and their weights."""
    decay, vectors = np.linalg.eig(rates_per_min)
    weight = (readout @ vectors) * np.linalg.solve(vectors, entry.astype(vectors.dtype))
    seen = np.abs(weight) > 1e-9 * np.abs(weight).max()
    if np.abs(decay[seen].imag).max() > 0:
        raise InputError("the body does not decay without swinging", where="model", allowed="compartments")
    return -decay[seen].real, weight[seen].real
