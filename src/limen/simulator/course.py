"""The course of a drug at the effect site, from a forecast's table."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from limen.errors import InputError
from limen.simulator.patient import EffectSite


def tabulated_course(time_h: ArrayLike, ce_ng_per_mL: ArrayLike) -> EffectSite:
    """The effect site between the points of a table; 0 before the first, the last value after the last.

    Examples
    --------
    >>> tabulated_course([0, 1], [0, 80])(1800)
    40.0
    """
    times_s = np.asarray(time_h, dtype=float) * 3600.0
    values = np.asarray(ce_ng_per_mL, dtype=float)
    if times_s.shape != values.shape or times_s.size == 0:
        raise InputError("times and concentrations differ in number", where="course", allowed="one value for each time")

    def at(t_s: float) -> float:
        return float(np.interp(t_s, times_s, values, left=0.0))

    return at
