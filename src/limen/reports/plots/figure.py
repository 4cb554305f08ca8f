"""Any figure on paper: the same lanes, words, limits and axes as on a screen, drawn with matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from limen.reports.figures.axes import Series
from limen.reports.figures.data import Band, Bar, Figure, Lane, Moment, Seen, Trace, Wall
from limen.reports.plots import page
from limen.reports.plots.page import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = npt.NDArray[np.float64]

_SHORT = (0, (3, 2))
# Fill, edge, dashes of the edge; and where names stand: beside the lane, or inside the area.
_BANDS: dict[str, tuple[str, str, Any]] = {
    "patients": (page.PATIENT, page.PATIENT_EDGE, _SHORT),
    "models": (page.MODEL, page.MODEL_EDGE, "-"),
    "before": (page.PATIENT, page.PATIENT_EDGE, _SHORT),
    "after": (page.MODEL, page.MODEL_EDGE, "-"),
    "below": (page.SUNK, page.MODEL_EDGE, "-"),
    "inside": (page.MODEL, page.MODEL_EDGE, "-"),
    "above": (page.RULE, page.MODEL_EDGE, "-"),
    "reached": (page.RULE, page.RULE, "-"),
    "expected": ("none", page.SAID, _SHORT),
}
_TRACES: dict[str, tuple[str, Any, float]] = {
    "typical": (page.SAID, "--", 1.7),
    "median": (page.SAID, "--", 1.6),
    "before": (page.PATIENT_EDGE, _SHORT, 1.6),
    "after": (page.MODEL_EDGE, "-", 1.6),
    "share": (page.SAID, "--", 1.7),
    "monitor": (page.INK, "-", 1.3),
}
_HEIGHTS_IN = {"models": 3.4, "attainment": 2.6, "leaving": 2.4, "beliefs": 1.55, "check": 2.1, "session": 1.0}
# Rows of bars or marks need less than a curve.
_ROWED_SHARE, _TWO_SHARE = 0.65, 1.4
_MARKERS = {"dot": "o", "down": "v", "up": "^"}
# An area thinner than this part of its lane holds no words.
_LEAST_FRACTION = 0.08
# Two limits nearer than this part of their lane have their names at different ends.
_LABEL_FRACTION = 0.35


def draw(figure: Figure, *, captioned: bool = True) -> Picture:
    """Draw a figure; the same figure gives the same bytes. Without its caption where the page around it prints that."""
    own = figure.kind == "beliefs"
    lane_in = _HEIGHTS_IN.get(figure.kind, 1.65)
    shares = [_ROWED_SHARE if lane.rowed else _TWO_SHARE if len(lane.walls) > 2 else 1.0 for lane in figure.lanes]
    shares = shares if figure.kind == "session" else []
    with page.sheet(len(figure.lanes), lane_in=lane_in, share_x=not own, shares=shares) as (sheet, axes):
        for place, lane in enumerate(figure.lanes):
            drawn = axes[place, 0]
            _lane(drawn, lane, figure, first=place == 0)
            if own:
                drawn.set_xlabel(lane.unit, fontsize=8.5)
        if not own:
            axes[-1, 0].set_xlabel(figure.x_words)
        return page.finished(sheet, figure.title, figure.caption if captioned else ())


def _lane(drawn: Axes, lane: Lane, figure: Figure, *, first: bool) -> None:
    across = np.array(lane.places)
    drawn.set_xlim(lane.x.low, lane.x.high)
    drawn.set_ylim(lane.y.low, lane.y.high)
    drawn.set_xticks(list(lane.x.marks), list(lane.x.said))
    if lane.measured:
        drawn.set_yticks(list(lane.y.marks), list(lane.y.said))
        page.plain(drawn, y_from_0=False)
    else:
        drawn.set_yticks([])
        drawn.spines[["top", "right", "left"]].set_visible(False)
    for band in lane.bands:
        _band(drawn, band, across, lane)
    for trace in lane.traces:
        _trace(drawn, trace, across)
    for start, end in lane.gaps:
        drawn.axvspan(start, end, facecolor="none", edgecolor=page.HATCH, hatch="////", linewidth=0)
        if lane.blank is None or end - start > 0.1 * (lane.x.high - lane.x.low):
            _boxed(drawn, lane.blank_words, ((start + end) / 2, 0.5))
    for seen in lane.seen:
        _seen(drawn, seen)
    for interval, height in zip(lane.intervals, (-0.10, -0.22), strict=False):
        _bar(drawn, interval.role, interval.low, interval.middle, interval.high, height * lane.y.high / 1.08)
    taken: list[tuple[float, bool]] = []
    for wall in sorted(lane.walls, key=lambda wall: -wall.value):
        near = [start for value, start in taken if value - wall.value < _LABEL_FRACTION * (lane.y.high - lane.y.low)]
        taken.append((wall.value, bool(near) and not near[-1]))
        _wall(drawn, wall, outside=figure.kind == "session", at_start=taken[-1][1])
    for bar in lane.bars:
        _lasting(drawn, bar, least=(lane.x.high - lane.x.low) / 250)
    for mark in lane.marks:
        drawn.plot([mark.at] * 2, [-0.6, mark.row - 0.38], color=page.INK, linewidth=0.7)
        drawn.annotate(
            mark.name, (mark.at, mark.row), ha="center", va="center", fontsize=7.5, color=page.INK, bbox=_BOX
        )
    for moment in figure.moments:
        _moment(drawn, moment, named=first)
    page.headed(drawn, lane.title if not lane.measured or not lane.unit else f"{lane.title}, {lane.unit}")
    if any(trace.role == "member" for trace in lane.traces):
        _key(drawn, lane.traces)
    if figure.kind == "check" or (first and figure.kind != "session"):
        _beside(drawn, lane, across)


def known(values: Series) -> Array:
    """A curve for the drawing board: what is missing is NaN, and nothing is joined across it."""
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _band(drawn: Axes, band: Band, across: Array, lane: Lane) -> None:
    fill, edge, dashes = _BANDS[band.role]
    low, high = known(band.low), known(band.high)
    if fill != "none":
        drawn.fill_between(across, low, high, color=fill, linewidth=0, alpha=0.75 if lane.intervals else 1.0)
    if band.role in ("below", "inside", "above"):
        if band.role != "above":
            drawn.plot(across, high, color=edge, linewidth=1.2)
        _inside(drawn, band, across, low, high)
        return
    sides = (high,) if lane.intervals else (low, high)
    for side in sides:
        drawn.plot(across, side, color=edge, linestyle=dashes, linewidth=1.2 if lane.intervals else 0.7)


def _inside(drawn: Axes, band: Band, across: Array, low: Array, high: Array) -> None:
    """The name in the widest part of its area, away from the edges of the sheet, where it can be read."""
    share = np.nan_to_num(high - low)
    edge = len(share) // 12
    inner = share[edge : max(len(share) - edge, edge + 1)]
    place = int(np.argmax(inner)) + edge
    bottom, top = drawn.get_ylim()
    if share[place] < _LEAST_FRACTION * (top - bottom):
        return
    _boxed(
        drawn,
        f"{band.name}: {share[place]:.0f} %",
        (float(across[place]), float(low[place] + share[place] / 2)),
        in_data=True,
        size_pt=9.0,
    )


def _trace(drawn: Axes, trace: Trace, across: Array) -> None:
    if trace.role == "member":
        color, dashes, width = page.SAID, page.DASHES[trace.style % len(page.DASHES)], 2.0 if trace.heavy else 1.2
    else:
        color, dashes, width = _TRACES[trace.role]
    drawn.plot(across, known(trace.values), color=color, linestyle=dashes, linewidth=width)


def _seen(drawn: Axes, seen: Seen) -> None:
    drawn.plot(
        seen.places,
        seen.values,
        _MARKERS[seen.shape],
        color=page.INK,
        markerfacecolor="white" if seen.by_hand else page.INK,
        markersize=4.5,
        clip_on=False,
        zorder=6 if seen.by_hand else 5,
    )
    if seen.low and seen.high:
        drawn.vlines(list(seen.places), list(seen.low), list(seen.high), color=page.INK, linewidth=1.0, zorder=4)


def _bar(drawn: Axes, role: str, low: page.Height, middle: page.Height, high: page.Height, height: page.Height) -> None:
    color, dashes = (page.PATIENT_EDGE, _SHORT) if role == "before" else (page.MODEL_EDGE, "-")
    drawn.plot([low, high], [height] * 2, color=color, linewidth=2.2, linestyle=dashes)
    drawn.plot([middle], [height], "|", color=color, markersize=9, markeredgewidth=2)


def _lasting(drawn: Axes, bar: Bar, *, least: page.Height) -> None:
    """A bar on its row; what lasted a second is still seen."""
    drawn.broken_barh(
        [(bar.low, max(bar.high - bar.low, least))],
        (bar.row - 0.3, 0.6),
        facecolor="white" if bar.hollow else page.INK,
        edgecolor=page.INK,
        linewidth=0.9,
    )


def _wall(drawn: Axes, wall: Wall, *, outside: bool, at_start: bool) -> None:
    """A limit with its name on the side where readings are wanted; ``outside``, on the other, clear of them."""
    low, high = drawn.get_ylim()
    # The hatched side is always seen, even where the limit is the highest thing in the lane.
    room = 0.12 * (high - low)
    if wall.above and high - wall.value < room:
        high = wall.value + room
    if not wall.above and wall.value - low < room:
        low = wall.value - room
    drawn.set_ylim(low, high)
    if wall.hard:
        far = (wall.value, high) if wall.above else (low, wall.value)
        drawn.axhspan(*far, facecolor="none", edgecolor=page.HATCH, hatch="////", linewidth=0)
    look: dict[str, Any] = {
        "color": page.INK,
        "linewidth": 2.0 if wall.hard else 1.2,
        "linestyle": "-" if wall.hard else (0, (5, 3)),
    }
    if wall.spans:
        drawn.hlines([wall.value] * len(wall.spans), *zip(*wall.spans, strict=True), **look)
    else:
        drawn.axhline(wall.value, **look)
    drawn.annotate(
        f"{wall.name}: {wall.value:g} {wall.unit}",
        (0.005 if at_start else 0.995, wall.value),
        xycoords=("axes fraction", "data"),
        xytext=(0, -3 if wall.above != outside else 3),
        textcoords="offset points",
        ha="left" if at_start else "right",
        va="top" if wall.above != outside else "bottom",
        fontsize=8,
        color=page.INK,
        bbox=_BOX,
    )


def _moment(drawn: Axes, moment: Moment, *, named: bool) -> None:
    dashes = "-" if moment.sill else (0, (1, 2))
    drawn.axvline(moment.at, color=page.INK, linewidth=2.2 if moment.sill else 1.2, linestyle=dashes)
    if named and moment.name:
        drawn.annotate(
            moment.name,
            (moment.at, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(4, -2),
            textcoords="offset points",
            va="top",
            fontsize=8,
            color=page.INK,
            bbox=_BOX,
        )


def _beside(drawn: Axes, lane: Lane, across: Array) -> None:
    """Names at the right edge, moved apart; of points that end further in, beside the last of them."""
    labels: list[tuple[float, str, str]] = []
    for band in lane.bands:
        if band.role in ("below", "inside", "above") or lane.intervals:
            continue
        at = _last(band.low if band.role == "models" else band.high)
        labels.append((at, _two_lines(band.name), _BANDS[band.role][1]))
    labels += [
        (_last(trace.values), trace.name, _TRACES[trace.role][0]) for trace in lane.traces if trace.role in _TRACES
    ]
    low, high = drawn.get_ylim()
    left, right = drawn.get_xlim()
    for seen in lane.seen:
        if seen.places[-1] < left + 0.85 * (right - left):
            drawn.annotate(
                seen.words,
                (seen.places[-1], seen.values[-1]),
                xytext=(7, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
                color=page.INK,
            )
        else:
            labels.append((seen.values[-1], seen.words, page.INK))
    if not labels:
        return
    # A label of two lines is a quarter of a lane high.
    heights = page.spaced([height for height, _, _ in labels], (high - low) * 0.22)
    lift = max(0.0, low + (high - low) * 0.08 - min(heights)) + min(0.0, high - (high - low) * 0.04 - max(heights))
    for height, (_, words, color) in zip(heights, labels, strict=True):
        page.beside(drawn, height + lift, words, color=color)


def _key(drawn: Axes, traces: Sequence[Trace]) -> None:
    """Names in the empty upper right, each with a sample of its line."""
    for rank, trace in enumerate(trace for trace in traces if trace.role == "member"):
        height = 0.97 - 0.068 * rank
        drawn.plot(
            [0.545, 0.605],
            [height, height],
            transform=drawn.transAxes,
            color=page.SAID,
            linestyle=page.DASHES[trace.style % len(page.DASHES)],
            linewidth=2.0 if trace.heavy else 1.2,
        )
        drawn.text(0.62, height, trace.name, transform=drawn.transAxes, va="center", fontsize=8, color=page.INK)


_BOX = {"boxstyle": "square,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}


def _boxed(
    drawn: Axes,
    words: str,
    at: tuple[float, float],
    *,
    in_data: bool = False,
    size_pt: page.Height = 8.0,
) -> None:
    drawn.annotate(
        words,
        at,
        xycoords="data" if in_data else ("data", "axes fraction"),
        ha="center",
        va="center",
        fontsize=size_pt,
        color=page.INK,
        bbox=_BOX,
    )


def _two_lines(name: str) -> str:
    """``90 of 100 patients`` and its like, broken so that they stand beside a lane."""
    words = name.split(" ")
    return name if len(words) < 3 else f"{' '.join(words[:-1])}\n{words[-1]}"


def _last(values: Series) -> float:
    there = [value for value in values if value is not None]
    return float(there[-1]) if there else 0.0
