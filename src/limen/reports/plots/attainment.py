"""Target attainment drawn: the share of virtual patients inside a window, and those above and below it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from limen.pharmacology.attainment import Attainment
from limen.pharmacology.wording import parts
from limen.reports.plots import page
from limen.reports.plots.page import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = npt.NDArray[np.float64]
# An area thinner than this holds no words.
_LEAST_PCT = 8.0


def target_attainment(found: Attainment, *, caption: Sequence[str] = ()) -> Picture:
    """Draw the share of patients below, inside and above the window.

    Returns
    -------
    Picture
        Three areas, each with its name where it is widest.
    """
    time_h, below, inside = found.time_h, found.below_pct, found.inside_pct
    title = f"{parts(found.output)[0]}: inside {found.low:g} to {found.high:g} {found.unit}"
    with page.sheet(1, lane_in=2.6) as (figure, axes):
        lane = axes[0, 0]
        lane.fill_between(time_h, 0, below, color=page.SUNK, linewidth=0)
        lane.fill_between(time_h, below, below + inside, color=page.MODEL, linewidth=0)
        lane.fill_between(time_h, below + inside, 100, color=page.RULE, linewidth=0)
        lane.plot(time_h, below, color=page.MODEL_EDGE, linewidth=1.2)
        lane.plot(time_h, below + inside, color=page.MODEL_EDGE, linewidth=1.2)
        lane.set_ylim(0, 100)
        lane.set_xlim(float(time_h[0]), float(time_h[-1]))
        lane.spines[["top", "right"]].set_visible(False)
        lane.set_ylabel("patients, %")
        lane.set_xlabel("hours from the start")
        page.headed(lane, title)
        for start, share, words in (
            (0 * below, below, "below"),
            (below, inside, "inside"),
            (below + inside, found.above_pct, "above"),
        ):
            _write(lane, time_h, start, share, words)
        several = f"{len(found.members)} models, " if len(found.members) > 1 else ""
        told = (
            f"Forecast, not measured: {several}{found.patients} virtual patients each. Most are inside at"
            f" {time_h[found.best]:.2g} h: {inside[found.best]:.0f} in 100."
        )
        return page.finished(figure, title, [told, *caption])


def _write(lane: Axes, time_h: Array, start: Array, share: Array, words: str) -> None:
    """The name in the widest part of its area, where it has one wide enough to read."""
    # Away from the two edges of the sheet, so that no name is cut.
    edge = len(share) // 12
    inner = np.nan_to_num(share)[edge : max(len(share) - edge, edge + 1)]
    place = int(np.argmax(inner)) + edge
    if not share[place] >= _LEAST_PCT:
        return
    lane.text(
        float(time_h[place]),
        float(start[place] + share[place] / 2),
        f"{words}: {share[place]:.0f} %",
        ha="center",
        va="center",
        fontsize=9,
        color=page.INK,
        bbox={"boxstyle": "square,pad=0.2", "facecolor": "white", "edgecolor": "none", "alpha": 0.85},
    )
