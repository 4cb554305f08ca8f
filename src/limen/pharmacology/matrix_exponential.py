"""The exponential of a compartment matrix, to nearly full precision in every entry."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def exponential(matrix: Array, span_min: Array) -> Array:
    """``exp(matrix * span)`` for each span (spans, states, states).

    Rates between compartments are never negative, so after a shift of the diagonal every term of the series is
    positive and nothing cancels. scipy's ``expm`` is not used: for triangular matrices (chains) it divides differences
    of exponentials and loses the digits just where two rates meet.

    Examples
    --------
    >>> exponential(np.array([[-0.1, 0.0], [0.1, 0.0]]), np.array([10.0])).round(4).tolist()
    [[[0.3679, 0.0], [0.6321, 1.0]]]
    """
    shift = float(np.max(-np.diag(matrix)))
    halvings = max(0, math.ceil(math.log2(max(shift * float(span_min.max()), 1.0))))
    step = (span_min / 2.0**halvings)[:, None, None]
    base = (matrix + shift * np.eye(len(matrix))) * step
    term = np.broadcast_to(np.eye(len(matrix)), base.shape)
    total = term.copy()
    for order in range(1, 31):
        term = term @ base / order
        total += term
    total *= np.exp(-shift * step)
    for _ in range(halvings):
        total = total @ total
    return total
