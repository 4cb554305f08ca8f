"""A forecast before and after something was seen in this patient: prior and posterior over time, and what was seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from limen.errors import InputError
from limen.reports.figures.data import series
from limen.reports.figures.spread import update_figure, update_lane, updates_figure
from limen.reports.plots.figure import draw
from limen.reports.plots.page import Picture

Array = npt.NDArray[np.float64]
# 5th, 50th and 95th percentile, each (times,).
Band = tuple[Array, Array, Array]


@dataclass(frozen=True, slots=True)
class UpdatedLane:
    """One output before and after.

    Attributes
    ----------
    output : str
        NAME.
    before, after : (p05, p50, p95)
    seen_h, values : array (observations,)
        What was seen of this output.
    """

    output: str
    time_h: Array
    before: Band
    after: Band
    seen_h: Array
    values: Array


def updated_forecast(
    lanes: Sequence[UpdatedLane], *, title: str, now_h: float | None = None, caption: Sequence[str] = ()
) -> Picture:
    """Draw each output's band before (pale, dashed edges) and after (dark, solid edges) with what was seen.

    Parameters
    ----------
    lanes : sequence of UpdatedLane
    now_h : float, optional
        The line between seen and forecast.
    """
    drawn = [
        update_lane(
            lane.output,
            [float(hour) for hour in lane.time_h],
            [series(level) for level in lane.before],
            [series(level) for level in lane.after],
            [(float(hour), float(value)) for hour, value in zip(lane.seen_h, lane.values, strict=True)],
        )
        for lane in lanes
    ]
    return draw(updates_figure(drawn, title=title, now_h=now_h, caption=caption))


def of_individual(entry: Mapping[str, Any]) -> Picture:
    """The picture of an individual forecast in its JSON form (``limen individualise --json``).

    Raises
    ------
    InputError
        If none of its outputs can be drawn.
    """
    figure = update_figure(entry)
    if not figure.lanes:
        raise InputError("no output to draw", where="plot", allowed="a forecast with outputs")
    return draw(figure)
