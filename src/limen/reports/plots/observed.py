"""The visual predictive check: what was seen, over what 90 of 100 virtual patients would show."""

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


@dataclass(frozen=True, slots=True)
class Points:
    """What was seen.

    Attributes
    ----------
    time_h, values : array (points,)
    low, high : array (points,) or None
        Ends of the observed spread, drawn as whiskers; ``words`` says what they are.
    """

    time_h: Array
    values: Array
    words: str
    low: Array | None = None
    high: Array | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """One lane: the band of a model and the points of a study.

    Attributes
    ----------
    time_h, middle : array (times,)
        The median of the virtual patients, or the typical patient.
    low, high : array (times,) or None
        5th and 95th percentile, where the model has a spread; ``band`` says of what.
    """

    title: str
    y_label: str
    time_h: Array
    middle: Array
    seen: Points
    low: Array | None = None
    high: Array | None = None
    band: str = "90 of 100\npatients"


def predictive_check(
    panels: Sequence[Panel], *, title: str, caption: Sequence[str] = (), in_days: bool = False
) -> Picture:
    """Draw each panel's band with the observed points over it; the hours are shown as days where asked."""
    hours = 24.0 if in_days else 1.0
    with page.sheet(len(panels), lane_in=2.1) as (figure, axes):
        for place, panel in enumerate(panels):
            lane = axes[place, 0]
            if panel.low is not None and panel.high is not None:
                lane.fill_between(panel.time_h / hours, panel.low, panel.high, color=page.PATIENT, linewidth=0)
                for edge in (panel.low, panel.high):
                    lane.plot(panel.time_h / hours, edge, color=page.PATIENT_EDGE, linestyle=(0, (3, 2)), linewidth=0.7)
            lane.plot(panel.time_h / hours, panel.middle, color=page.SAID, linestyle="--", linewidth=1.6)
            _seen(lane, panel.seen, panel.seen.time_h / hours)
            page.plain(lane, y_from_0=float(panel.middle.min()) >= 0)
            page.headed(lane, panel.title)
            lane.set_ylabel(panel.y_label)
            lane.set_xlim(float(panel.time_h[0]) / hours, float(panel.time_h[-1]) / hours)
            _named(lane, panel, panel.seen.time_h / hours)
        axes[-1, 0].set_xlabel("days from the start" if in_days else "hours from the start")
        return page.finished(figure, title, caption)


def _seen(lane: Axes, seen: Points, across: Array) -> None:
    lane.plot(across, seen.values, "o", color=page.INK, markersize=4.5, clip_on=False, zorder=5)
    if seen.low is not None and seen.high is not None:
        lane.vlines(across, seen.low, seen.high, color=page.INK, linewidth=1.0, zorder=4)


def _named(lane: Axes, panel: Panel, across: Array) -> None:
    """Names at the right edge; the points' beside the last of them, where that stands further in."""
    middle = "median" if panel.high is not None else "typical"
    labels = [(float(panel.middle[-1]), middle, page.SAID)]
    if panel.low is not None and panel.high is not None:
        widest = max((float(panel.high[-1]), float(panel.low[-1])), key=abs)
        labels.append((widest, panel.band, page.PATIENT_EDGE))
    low, high = lane.get_ylim()
    left, right = lane.get_xlim()
    last = float(panel.seen.values[-1])
    if across[-1] < left + 0.85 * (right - left):
        lane.annotate(
            panel.seen.words,
            (float(across[-1]), last),
            xytext=(7, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=page.INK,
        )
    else:
        labels.append((last, panel.seen.words, page.INK))
    heights = page.spaced([height for height, _, _ in labels], (high - low) * 0.15)
    lift = min(0.0, high - (high - low) * 0.04 - max(heights))
    for height, (_, words, color) in zip(heights, labels, strict=True):
        page.beside(lane, height + lift, words, color=color)
