"""Target attainment: how many patients are inside a window, and how many above or below it, over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from limen.errors import InputError
from limen.reports.plots import page
from limen.reports.plots.page import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = npt.NDArray[np.float64]


def shares_pct(values: Array, low: float, high: float, unit: str) -> tuple[Array, Array, Array]:
    """Per cent of patients below, inside and above a window at each time.

    Parameters
    ----------
    values : array (patients, times)
    low, high : float
        The window, in the unit of ``values``; both ends are inside.
    unit : str
        Named where the window is none.

    Returns
    -------
    below, inside, above : array (times,)

    Raises
    ------
    InputError
        If the window has no width.

    Examples
    --------
    >>> below, inside, above = shares_pct(np.array([[1.0], [5.0], [9.0], [5.0]]), 2.0, 6.0, "ng/mL")
    >>> below.tolist(), inside.tolist(), above.tolist()
    ([25.0], [50.0], [25.0])
    """
    if not low < high:
        raise InputError(f"the window {low:g} to {high:g} {unit}", where="target", allowed="low below high")
    below = 100.0 * (values < low).mean(axis=0)
    above = 100.0 * (values > high).mean(axis=0)
    return below, 100.0 - below - above, above


def target_attainment(
    time_h: Array,
    values: Array,
    low: float,
    high: float,
    *,
    unit: str,
    what: str,
    caption: Sequence[str] = (),
) -> Picture:
    """Draw the share of patients below, inside and above a window.

    Parameters
    ----------
    time_h : array (times,)
    values : array (patients, times)
    low, high : float
        The window, in ``unit``.
    what : str
        What is held in the window.
    """
    below, inside, above = shares_pct(values, low, high, unit)
    title = f"{what} inside {low:g} to {high:g} {unit}"
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
            (below + inside, above, "above"),
        ):
            _write(lane, time_h, start, share, words)
        best = int(np.argmax(inside))
        told = (
            f"Forecast of {len(values)} virtual patients. Most are inside at {time_h[best]:.2g} h:"
            f" {inside[best]:.0f} in 100."
        )
        return page.finished(figure, title, [told, *caption])


def _write(lane: Axes, time_h: Array, start: Array, share: Array, words: str) -> None:
    """The name in the widest part of its area, where it has one wide enough to read."""
    # Away from the two edges of the sheet, so that no name is cut.
    inner = slice(len(share) // 12, max(len(share) - len(share) // 12, len(share) // 12 + 1))
    place = int(np.argmax(share[inner])) + (inner.start or 0)
    if share[place] < 8:
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
