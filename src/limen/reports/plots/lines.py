"""Several models on one sheet: each model's typical patient by its own line, its name and its kind of blood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from limen.errors import InputError
from limen.pharmacology.outcome import Forecast
from limen.reports.plots import page
from limen.reports.plots.forecast import told_below
from limen.reports.plots.page import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = npt.NDArray[np.float64]

_MAIN = ("ketamine_plasma_ng_per_mL", "S_ketamine_plasma_ng_per_mL")
# Hour, value and words of something that was seen.
Seen = tuple[float, float, str]

_WEIGHTS = {"arterial": 2.0, "venous": 1.2, "plasma": 1.2}


@dataclass(frozen=True, slots=True)
class Line:
    """One model's typical curve.

    Attributes
    ----------
    time_h, values : array (times,)
    note : str
        What else its label says, such as the product.
    """

    label: str
    matrix: str
    time_h: Array
    values: Array
    note: str = ""


def members_of(forecast: Forecast, output: str) -> tuple[Line, ...]:
    """The lines of an ensemble's members for one of its outputs; a member names its own kind of blood."""
    analyte = output.removesuffix("_plasma_ng_per_mL")
    lines = []
    for member in forecast.members:
        own = f"{analyte}_{member.matrix}_ng_per_mL"
        values = member.typical.get(output, member.typical.get(own))
        if values is not None:
            lines.append(Line(member.id, member.matrix, forecast.time_h, values))
    return tuple(lines)


def members_picture(forecast: Forecast, dose: str) -> Picture:
    """Every member of an ensemble's forecast for its main concentration.

    Raises
    ------
    InputError
        If the forecast has no members.
    """
    output = next((name for name in _MAIN if name in forecast.outputs), None)
    if output is None or not forecast.members:
        raise InputError("only an ensemble has models to draw side by side", where="model", allowed="ensemble")
    return model_comparison(
        members_of(forecast, output),
        title=f"{dose}: the typical patient of each model",
        y_label=f"{output.partition('_plasma')[0].replace('_', '-')}, ng/mL",
        caption=told_below(forecast, [output]),
    )


def model_comparison(
    lines: Sequence[Line],
    *,
    title: str,
    y_label: str,
    marks: Sequence[Seen] = (),
    caption: Sequence[str] = (),
) -> Picture:
    """Draw every model's typical patient; the name and the blood stand at the end of each line.

    Parameters
    ----------
    lines : sequence of Line
        Arterial models are drawn thicker.
    marks : sequence of Seen
        What was seen, as points in ink.
    """
    with page.sheet(1, lane_in=3.4) as (figure, axes):
        lane = axes[0, 0]
        top = max(float(np.nanmax(line.values)) for line in lines)
        for place, line in enumerate(lines):
            lane.plot(
                line.time_h,
                line.values,
                color=page.SAID,
                linestyle=page.DASHES[place % len(page.DASHES)],
                linewidth=_WEIGHTS.get(line.matrix, 1.2),
            )
        page.plain(lane)
        lane.set_ylim(0, top * 1.06)
        lane.set_xlim(min(float(line.time_h[0]) for line in lines), max(float(line.time_h[-1]) for line in lines))
        _name(lane, lines, top)
        for hour, value, words in marks:
            lane.plot([hour], [value], marker="D", color=page.INK, markersize=6, linestyle="none", clip_on=False)
            lane.annotate(
                words,
                (hour, value),
                xytext=(8, 0),
                textcoords="offset points",
                va="center",
                fontsize=8.5,
                color=page.INK,
            )
        lane.set_ylabel(y_label)
        lane.set_xlabel("hours from the start")
        page.headed(lane, title)
        blood = "Thick: fitted to arterial blood; thin: to venous blood, or to plasma that the paper does not name."
        return page.finished(figure, title, [blood, *caption])


def _name(lane: Axes, lines: Sequence[Line], top: float) -> None:
    """Names in order of the peaks, in the empty upper right, each with a sample of its line."""
    order = sorted(range(len(lines)), key=lambda place: -float(np.nanmax(lines[place].values)))
    for rank, place in enumerate(order):
        line = lines[place]
        height = 0.97 - 0.068 * rank
        lane.plot(
            [0.545, 0.605],
            [height, height],
            transform=lane.transAxes,
            color=page.SAID,
            linestyle=page.DASHES[place % len(page.DASHES)],
            linewidth=_WEIGHTS.get(line.matrix, 1.2),
        )
        note = f", {line.note}" if line.note else ""
        peak = float(np.nanmax(line.values))
        lane.text(
            0.62,
            height,
            f"{line.label}, {line.matrix}{note}: peak {peak:.0f}",
            transform=lane.transAxes,
            va="center",
            fontsize=8,
            color=page.INK,
        )
