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
        5th and 95th percentile, where the model has a spread.
    """

    title: str
    y_label: str
    time_h: Array
    middle: Array
    seen: Points
    low: Array | None = None
    high: Array | None = None


def predictive_check(panels: Sequence[Panel], *, title: str, caption: Sequence[str] = ()) -> Picture:
    """Draw each panel's band with the observed points over it."""
    with page.sheet(len(panels), lane_in=2.1) as (figure, axes):
        for place, panel in enumerate(panels):
            lane = axes[place, 0]
            if panel.low is not None and panel.high is not None:
                lane.fill_between(panel.time_h, panel.low, panel.high, color=page.PATIENT, linewidth=0)
                for edge in (panel.low, panel.high):
                    lane.plot(panel.time_h, edge, color=page.PATIENT_EDGE, linestyle=(0, (3, 2)), linewidth=0.7)
            lane.plot(panel.time_h, panel.middle, color=page.SAID, linestyle="--", linewidth=1.6)
            _seen(lane, panel.seen)
            page.plain(lane)
            page.headed(lane, panel.title)
            lane.set_ylabel(panel.y_label)
            lane.set_xlim(float(panel.time_h[0]), float(panel.time_h[-1]))
            _named(lane, panel)
        axes[-1, 0].set_xlabel("hours from the start")
        return page.finished(figure, title, caption)


def _seen(lane: Axes, seen: Points) -> None:
    lane.plot(seen.time_h, seen.values, "o", color=page.INK, markersize=4.5, clip_on=False, zorder=5)
    if seen.low is not None and seen.high is not None:
        lane.vlines(seen.time_h, seen.low, seen.high, color=page.INK, linewidth=1.0, zorder=4)


def _named(lane: Axes, panel: Panel) -> None:
    labels = [(float(panel.middle[-1]), "median" if panel.high is not None else "typical", page.SAID)]
    if panel.low is not None and panel.high is not None:
        labels.append((float(panel.high[-1]), "95th\npercentile", page.PATIENT_EDGE))
        labels.append((float(panel.low[-1]), "5th", page.PATIENT_EDGE))
    labels.append((float(panel.seen.values[-1]), panel.seen.words, page.INK))
    heights = page.spaced([height for height, _, _ in labels], lane.get_ylim()[1] * 0.13)
    for height, (_, words, color) in zip(heights, labels, strict=True):
        page.beside(lane, height, words, color=color)
