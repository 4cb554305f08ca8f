"""A forecast before and after something was seen in this patient: prior and posterior over time, and what was seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from limen.pharmacology.wording import in_words
from limen.reports.plots import page
from limen.reports.plots.forecast import not_of_people
from limen.reports.plots.page import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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
    with page.sheet(len(lanes), lane_in=1.7) as (figure, axes):
        for place, lane in enumerate(lanes):
            _draw(axes[place, 0], lane, now_h, named=place == 0)
        axes[-1, 0].set_xlabel("hours from the start")
        told = "Pale, dashed edges: before. Dark, solid edges: after. Each holds 90 of 100. Ink: seen."
        return page.finished(figure, title, [f"{title}. {told}", *caption])


def of_individual(entry: Mapping[str, Any]) -> Picture:
    """The picture of an individual forecast in its JSON form (``limen individualise --json``).

    Lanes with an observation come first; whole ketamine, perception and pressure follow.
    """
    time_h = np.array(entry["time_h"], dtype=np.float64)
    seen: dict[str, list[tuple[float, float]]] = {}
    for item in entry["observations"]:
        if item.get("t_min") is not None:
            name = _shown_as(item["compared"]["output"], entry["outputs"])
            seen.setdefault(name, []).append((item["t_min"] / 60.0, item["compared"]["value"]))
    usual = ("ketamine_plasma_ng_per_mL", "dissociation_pct", "sbp_change_mmHg")
    names = [name for name in dict.fromkeys((*seen, *usual)) if name in entry["outputs"]]
    lanes = [
        UpdatedLane(
            name,
            time_h,
            _band(entry["outputs"][name]["prior"]),
            _band(entry["outputs"][name]),
            np.array([hour for hour, _ in seen.get(name, [])]),
            np.array([value for _, value in seen.get(name, [])]),
        )
        for name in names
    ]
    who = "the ensemble" if entry["model"] == "ensemble" else entry["model"]
    hours = [hour for points in seen.values() for hour, _ in points]
    return updated_forecast(
        lanes,
        title=f"Forecast of one patient by {who}, before and after what was seen",
        now_h=max(hours) if hours else None,
        caption=[f"What was learned: {entry['learned']['because']}.", *not_of_people(names)],
    )


def _shown_as(output: str, outputs: Mapping[str, Any]) -> str:
    """An ensemble shows every kind of blood as plasma."""
    if output in outputs:
        return output
    for matrix in ("_venous_", "_arterial_"):
        if matrix in output:
            return output.replace(matrix, "_plasma_")
    return output


def _band(cells: Mapping[str, Any]) -> Band:
    low, middle, high = (np.array(cells[level], dtype=np.float64) for level in ("p05", "p50", "p95"))
    return low, middle, high


def _draw(lane: Axes, shown: UpdatedLane, now_h: float | None, *, named: bool) -> None:
    for (low, middle, high), fill, edge, dashes in (
        (shown.before, page.PATIENT, page.PATIENT_EDGE, (0, (3, 2))),
        (shown.after, page.MODEL, page.MODEL_EDGE, "-"),
    ):
        lane.fill_between(shown.time_h, low, high, color=fill, linewidth=0)
        for side in (low, high):
            lane.plot(shown.time_h, side, color=edge, linestyle=dashes, linewidth=0.8)
        lane.plot(shown.time_h, middle, color=edge, linestyle=dashes, linewidth=1.6)
    if len(shown.values):
        # An empty unclipped line would be laid out as if it stood at the sheet's corner.
        lane.plot(shown.seen_h, shown.values, "o", color=page.INK, markersize=5, zorder=5, clip_on=False)
    if now_h is not None:
        lane.axvline(now_h, color=page.INK, linewidth=2.2)
    page.plain(lane)
    lane.set_xlim(float(shown.time_h[0]), float(shown.time_h[-1]))
    page.headed(lane, in_words(shown.output))
    if named:
        _name(lane, shown)


def _name(lane: Axes, shown: UpdatedLane) -> None:
    height = lane.get_ylim()[1]
    labels = [
        (float(shown.before[2][-1]), "before", page.PATIENT_EDGE),
        (float(shown.after[1][-1]), "after", page.MODEL_EDGE),
    ]
    places = page.spaced([max(at, 0.06 * height) for at, _, _ in labels], 0.16 * height)
    for at, (_, words, color) in zip(places, labels, strict=True):
        page.beside(lane, at, words, color=color)
