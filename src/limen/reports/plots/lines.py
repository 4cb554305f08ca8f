"""Several models on one sheet: each model's typical patient by its own line, its name and its kind of blood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from limen.errors import InputError
from limen.pharmacology.outcome import Forecast
from limen.reports.figures.data import Seen as Points
from limen.reports.figures.data import series
from limen.reports.figures.forecast import members_figure, model_trace, models_figure
from limen.reports.plots.figure import draw
from limen.reports.plots.page import Picture

Array = npt.NDArray[np.float64]

# Hour, value and words of something that was seen.
Seen = tuple[float, float, str]


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
        If the forecast has no members to tell apart.
    """
    figure = members_figure(forecast.to_json(), title=f"{dose}: the typical patient of each model")
    if figure is None:
        raise InputError("only an ensemble has models to draw side by side", where="model", allowed="ensemble")
    return draw(figure)


def model_comparison(
    lines: Sequence[Line],
    *,
    title: str,
    y_label: str,
    marks: Sequence[Seen] = (),
    caption: Sequence[str] = (),
) -> Picture:
    """Draw every model's typical patient; the name and the blood stand in the key.

    Parameters
    ----------
    lines : sequence of Line
        At the same times. Arterial models are drawn thicker.
    marks : sequence of Seen
        What was seen, as points in ink.

    Raises
    ------
    InputError
        If the lines are of different times.
    """
    hours = lines[0].time_h
    if any(not np.array_equal(line.time_h, hours) for line in lines):
        raise InputError("models at different times", where="plot", allowed="the same times for every line")
    traces = [
        model_trace(line.label, line.matrix, series(line.values), place, f", {line.note}" if line.note else "")
        for place, line in enumerate(lines)
    ]
    words, _, unit = y_label.rpartition(", ")
    figure = models_figure(
        traces, [float(hour) for hour in hours], title=title, words=words or title, unit=unit, caption=caption
    )
    (lane,) = figure.lanes
    seen = tuple(Points(said, (hour,), (value,)) for hour, value, said in marks)
    return draw(replace(figure, lanes=(replace(lane, seen=seen),)))
