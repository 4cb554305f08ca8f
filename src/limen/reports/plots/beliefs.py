"""Posterior against prior: what was thought of a patient before, and after something was seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from limen.reports.figures.spread import belief_lane, beliefs_figure, interval
from limen.reports.plots.figure import draw
from limen.reports.plots.page import Picture

__all__ = ["Belief", "interval", "posterior_against_prior"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Belief:
    """One quantity before and after.

    Attributes
    ----------
    name, unit : str
    prior, posterior : array (samples,)
        Draws; need not be as many.
    prior_weight, posterior_weight : array (samples,) or None
        Weights of the draws; equal where not given.
    """

    name: str
    unit: str
    prior: Array
    posterior: Array
    prior_weight: Array | None = None
    posterior_weight: Array | None = None


def posterior_against_prior(beliefs: Sequence[Belief], *, title: str, caption: Sequence[str] = ()) -> Picture:
    """Draw both densities of each quantity, with the 90 % interval of each as a bar.

    Returns
    -------
    Picture
        Prior: pale, dashed. Posterior: dark, solid. A posterior that did not tighten says so in words.
    """
    lanes = [
        belief_lane(item.name, item.unit, item.prior, item.posterior, item.prior_weight, item.posterior_weight)
        for item in beliefs
    ]
    return draw(beliefs_figure(lanes, title=title, caption=caption))
