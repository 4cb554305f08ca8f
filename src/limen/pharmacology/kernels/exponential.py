"""The exact step of a small linear system, by the matrix exponential; compiled."""

from __future__ import annotations

import math

import numpy as np

from limen.pharmacology.kernels.arrays import Array
from limen.pharmacology.kernels.compiled import njit

# With the shifted matrix's norm at most 1, the series is cut where 1/order! is below rounding.
_ORDER = 20


@njit(cache=True)
def exponential(matrix_per_min: Array, span_min: float) -> Array:
    """``exp(matrix * span)`` of a matrix whose entries off the diagonal are never negative.

    After a shift of the diagonal every term of the series is positive, so nothing cancels however near two rates are.

    Parameters
    ----------
    matrix_per_min : array (states, states)
    span_min : float

    Returns
    -------
    array (states, states)

    Examples
    --------
    >>> exponential(np.array([[-0.1, 0.0], [0.1, 0.0]]), 10.0).round(4)
    array([[0.3679, 0.    ],
           [0.6321, 1.    ]])
    """
    states = len(matrix_per_min)
    shift = 0.0
    for i in range(states):
        shift = max(shift, -matrix_per_min[i, i])
    halvings = 0
    while shift * span_min / 2.0**halvings > 0.5:
        halvings += 1
    step_min = span_min / 2.0**halvings
    base = matrix_per_min * step_min
    for i in range(states):
        base[i, i] += shift * step_min
    term = np.eye(states)
    total = np.eye(states)
    product = np.empty((states, states))
    for order in range(1, _ORDER + 1):
        _multiply(term, base, product)
        for i in range(states):
            for j in range(states):
                term[i, j] = product[i, j] / order
                total[i, j] += term[i, j]
    total *= math.exp(-shift * step_min)
    for _ in range(halvings):
        _multiply(total, total, product)
        total, product = product, total
    return total


@njit(cache=True)
def _multiply(left: Array, right: Array, out: Array) -> None:
    states = len(left)
    for i in range(states):
        for j in range(states):
            held = 0.0
            for k in range(states):
                held += left[i, k] * right[k, j]
            out[i, j] = held


@njit(cache=True)
def mammillary_matrix(rates_per_min: Array, ke0_per_min: float) -> Array:
    """The system of ``k10, k12, k21, k13, k31``, an effect site and the input as states.

    States: three amounts (per litre of the central volume), the effect site, and the input (constant 1 times the rate).

    Parameters
    ----------
    rates_per_min : array (5,)
    ke0_per_min : float

    Returns
    -------
    array (5, 5)
    """
    k10, k12, k21, k13, k31 = rates_per_min
    matrix = np.zeros((5, 5))
    matrix[0, 0] = -(k10 + k12 + k13)
    matrix[0, 1], matrix[0, 2], matrix[0, 4] = k21, k31, 1.0
    matrix[1, 0], matrix[1, 1] = k12, -k21
    matrix[2, 0], matrix[2, 2] = k13, -k31
    matrix[3, 0], matrix[3, 3] = ke0_per_min, -ke0_per_min
    return matrix
