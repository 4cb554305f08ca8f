"""Predicted over observed, a line a study: where predictions fall against what was seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from limen.reports.plots import page
from limen.reports.plots.page import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes


# Predicted over seen, whether it passed, and whether it is a test of the model.
RatioMark = tuple[float, bool, bool]


@dataclass(frozen=True, slots=True)
class RatioRow:
    """One study: each ratio with whether it passed and whether it is a test of the model.

    Attributes
    ----------
    marks : sequence of RatioMark
    """

    label: str
    marks: Sequence[RatioMark]


# Past these a mark stands at the edge with its number beside it.
_LEAST_RATIO, _MOST_RATIO = 0.1, 10.0


def ratio_chart(rows: Sequence[RatioRow], *, fold_ratio: float, title: str, caption: Sequence[str] = ()) -> Picture:
    """Draw the ratios on a logarithmic axis; two-fold is marked.

    Returns
    -------
    Picture
        Full circle: passes. Cross: misses. Open circle or grey cross: the model was made from these data, no test.
    """
    with page.sheet(1, lane_in=0.35 + 0.19 * len(rows)) as (figure, axes):
        lane = axes[0, 0]
        lane.set_xscale("log")
        lane.axvspan(1 / fold_ratio, fold_ratio, color=page.SUNK, linewidth=0)
        lane.axvline(1, color=page.INK, linewidth=1.2)
        for place, row in enumerate(rows):
            lane.axhline(place, color=page.RULE, linewidth=0.5, zorder=0)
            for ratio, passed, independent in row.marks:
                _mark(lane, ratio, place, passed, independent)
        lane.set_ylim(len(rows) - 0.4, -0.6)
        lane.set_xlim(_LEAST_RATIO * 0.85, _MOST_RATIO * 1.18)
        lane.set_yticks(range(len(rows)), [row.label for row in rows], fontsize=8)
        ticks = (0.1, 0.2, 0.5, 1, 2, 5, 10)
        lane.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        lane.minorticks_off()
        lane.tick_params(axis="y", length=0)
        lane.spines[["top", "right", "left"]].set_visible(False)
        lane.set_xlabel("predicted over seen (grey: within 2-fold)")
        figure.suptitle(title, x=0.01, ha="left", fontsize=9.5, color=page.INK)
        legend = (
            "Full circle: passes. Cross: misses. Open circle, thin cross: the model was made from these data, or took a"
            " number from them, so that it is no test."
        )
        return page.finished(figure, title, [legend, *caption])


def _mark(lane: Axes, ratio: float, place: int, passed: bool, independent: bool) -> None:
    held = min(max(ratio, _LEAST_RATIO), _MOST_RATIO)
    if passed:
        fill = page.SAID if independent else "white"
        lane.plot([held], [place], "o", color=page.SAID, markerfacecolor=fill, markersize=5, zorder=3)
    else:
        width = 2.0 if independent else 0.9
        lane.plot([held], [place], "x", color=page.SAID, markersize=6, markeredgewidth=width, zorder=4)
    if held != ratio:
        # Inside the sheet, so that the number is read where the mark stands.
        aside = (-7, "right") if ratio > _MOST_RATIO else (7, "left")
        lane.annotate(
            f"{ratio:.2g}",
            (held, place),
            xytext=(aside[0], 0),
            textcoords="offset points",
            ha=aside[1],
            va="center",
            fontsize=7.5,
            color=page.INK,
        )
