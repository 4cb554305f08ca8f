"""Posterior against prior: what was thought of a patient before, and after something was seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from limen.reports.plots import page
from limen.reports.plots.page import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = npt.NDArray[np.float64]

# A posterior less than this much narrower than the prior has learnt nothing to speak of [P].
_TIGHTER = 0.9
_POINTS = 240


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
    with page.sheet(len(beliefs), lane_in=1.55, share_x=False) as (figure, axes):
        for place, belief in enumerate(beliefs):
            _draw(axes[place, 0], belief)
        return page.finished(
            figure, title, ["Pale, dashed: before. Dark, solid: after. Bars: 90 % of the weight.", *caption]
        )


def interval(samples: Array, weight: Array | None = None) -> tuple[float, float, float]:
    """5th, 50th and 95th percentile of weighted draws.

    Examples
    --------
    >>> interval(np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0, 0.0]))
    (2.0, 2.0, 2.0)
    """
    order = np.argsort(samples, kind="stable")
    mass = np.full(len(samples), 1.0 / len(samples)) if weight is None else weight / weight.sum()
    reached = np.cumsum(mass[order])
    low, middle, high = (float(samples[order][np.searchsorted(reached, share - 1e-12)]) for share in (0.05, 0.5, 0.95))
    return low, middle, high


def _draw(lane: Axes, belief: Belief) -> None:
    before = interval(belief.prior, belief.prior_weight)
    after = interval(belief.posterior, belief.posterior_weight)
    margin = 0.25 * (before[2] - before[0])
    left, right = min(before[0], after[0]) - margin, max(before[2], after[2]) + margin
    across = np.linspace(left, right, _POINTS)
    wide = _density(belief.prior, belief.prior_weight, across)
    narrow = _density(belief.posterior, belief.posterior_weight, across)
    top = float(max(wide.max(), narrow.max()))
    lane.fill_between(across, wide, color=page.PATIENT, linewidth=0)
    lane.plot(across, wide, color=page.PATIENT_EDGE, linestyle=(0, (3, 2)), linewidth=1.0)
    lane.fill_between(across, narrow, color=page.MODEL, linewidth=0, alpha=0.75)
    lane.plot(across, narrow, color=page.MODEL_EDGE, linewidth=1.4)
    for height, (low, middle, high), color, dashes in (
        (-0.10, before, page.PATIENT_EDGE, (0, (3, 2))),
        (-0.22, after, page.MODEL_EDGE, "-"),
    ):
        lane.plot([low, high], [height * top] * 2, color=color, linewidth=2.2, linestyle=dashes)
        lane.plot([middle], [height * top], "|", color=color, markersize=9, markeredgewidth=2)
    lane.set_ylim(-0.32 * top, 1.08 * top)
    lane.set_xlim(left, right)
    lane.set_yticks([])
    lane.spines[["top", "right", "left"]].set_visible(False)
    lane.set_xlabel(belief.unit, fontsize=8.5)
    ratio = (after[2] - after[0]) / (before[2] - before[0])
    learnt = f"{ratio:.2f} of the width before" if ratio < _TIGHTER else "did not tighten: the data say nothing of it"
    page.headed(lane, f"{belief.name}: {after[1]:.3g} ({after[0]:.3g} to {after[2]:.3g}) {belief.unit}; {learnt}")


def _density(samples: Array, weight: Array | None, across: Array) -> Array:
    """A smooth outline of weighted draws: normal kernels, width by Silverman's rule on the effective number."""
    mass = np.full(len(samples), 1.0 / len(samples)) if weight is None else weight / weight.sum()
    mean = float(mass @ samples)
    sd = float(np.sqrt(mass @ (samples - mean) ** 2))
    effective = 1.0 / float(mass @ mass)
    width = max(1.06 * sd * effective**-0.2, 1e-9 + 0.002 * float(across[-1] - across[0]))
    # Bins keep a million draws as cheap as a thousand.
    bins = np.linspace(across[0] - 4 * width, across[-1] + 4 * width, 513)
    counts, _ = np.histogram(samples, bins=bins, weights=mass)
    centres = (bins[:-1] + bins[1:]) / 2
    kernels = np.exp(-0.5 * ((across[:, None] - centres) / width) ** 2) / (width * np.sqrt(2 * np.pi))
    found: Array = kernels @ counts
    return found
