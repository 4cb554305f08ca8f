"""The ways by which a dose enters the body."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pathway:
    """One way of a dose into one state of the body: a share of the dose, a lag, an optional zero-order step, a chain.

    Attributes
    ----------
    entry : str
        The state it ends in: ``central``, or another state that the model names, such as ``liver``.
    fraction : array (rows,)
        Of the dose, what takes this way and survives it.
    zero_order_min : array (rows,) or None
        Duration of a zero-order step; ``None``: straight in, or over the dose's own duration for an infusion.
    rates_per_min : tuple of array (rows,)
        The first-order steps in order: one KA, or a chain of transit steps; empty for none.
    lag_min : array (rows,) or None
        Time before anything of the dose moves.

    Examples
    --------
    Into muscle, all of it absorbed at 6 per hour by two patients:

    >>> Pathway("central", np.ones(2), rates_per_min=(np.full(2, 0.1),)).entry
    'central'
    """

    entry: str
    fraction: Array
    zero_order_min: Array | None = None
    rates_per_min: tuple[Array, ...] = ()
    lag_min: Array | None = None
