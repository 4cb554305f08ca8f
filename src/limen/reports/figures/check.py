"""The visual predictive check: what was seen, over what 90 of 100 virtual patients would show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from limen.reports.figures.axes import Axis, hours_axis, round_axis
from limen.reports.figures.data import Band, Figure, Lane, Seen, Trace, TraceRole, series

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


def check_figure(panels: Sequence[Panel], *, title: str, caption: Sequence[str] = (), in_days: bool = False) -> Figure:
    """Each panel's band with the observed points over it; the hours are told as days where asked."""
    return Figure(
        "check",
        title,
        tuple(_lane(place, panel, in_days) for place, panel in enumerate(panels)),
        x_words="days from start" if in_days else "hours from start",
        caption=tuple(caption),
    )


def _lane(place: int, panel: Panel, in_days: bool) -> Lane:
    hours = 24.0 if in_days else 1.0
    first, last = float(panel.time_h[0]) / hours, float(panel.time_h[-1]) / hours
    x = hours_axis(first, last)
    if in_days:
        x = Axis(first, last, "d", tuple(mark for mark in round_axis([first, last], "d").marks if mark <= last))
    seen = panel.seen
    bands: tuple[Band, ...] = ()
    amounts = [*series(panel.middle), *series(seen.values)]
    if panel.low is not None and panel.high is not None:
        low, high = series(panel.low), series(panel.high)
        bands = (Band("patients", panel.band.replace("\n", " "), low, high),)
        amounts += [*low, *high]
    whiskers = [] if seen.low is None or seen.high is None else [*series(seen.low), *series(seen.high)]
    role: TraceRole = "median" if bands else "typical"
    return Lane(
        f"panel-{place}",
        panel.title,
        panel.y_label,
        x,
        round_axis([*amounts, *whiskers], panel.y_label, from_zero=True),
        tuple(float(hour) / hours for hour in panel.time_h),
        bands,
        (Trace(role, role, series(panel.middle)),),
        (
            Seen(
                seen.words,
                tuple(float(hour) / hours for hour in seen.time_h),
                tuple(float(value) for value in seen.values),
                () if seen.low is None else tuple(float(value) for value in seen.low),
                () if seen.high is None else tuple(float(value) for value in seen.high),
            ),
        ),
    )
