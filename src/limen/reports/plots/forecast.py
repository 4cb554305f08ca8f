"""The picture of a forecast: lanes on one time axis, what models say with its spread, and the limits by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from limen.errors import InputError
from limen.pharmacology.outcome import Forecast
from limen.reports.figures.data import Wall
from limen.reports.figures.forecast import forecast_figure, usual_outputs
from limen.reports.plots.figure import draw
from limen.reports.plots.page import Picture


@dataclass(frozen=True, slots=True)
class Limit:
    """A wall with its name, drawn where it stands.

    Attributes
    ----------
    output : str
        NAME of the output it bounds.
    kind : str
        ``hard`` is drawn solid and hatched on the far side, ``soft`` dashed.
    side : str
        Which side is not wanted: ``above`` or ``below``.
    """

    output: str
    value: float
    unit: str
    name: str
    kind: Literal["hard", "soft"] = "soft"
    side: Literal["above", "below"] = "above"

    @property
    def wall(self) -> Wall:
        """As a figure holds it."""
        return Wall(self.name, self.value, self.unit, self.kind == "hard", self.side == "above")


def forecast_svg(forecast: Forecast, *, limits: Sequence[Limit] = ()) -> str:
    """The picture of ``draw_forecast`` as SVG text."""
    return draw_forecast(forecast, limits=limits).svg


def draw_forecast(
    forecast: Forecast,
    *,
    outputs: Sequence[str] | None = None,
    limits: Sequence[Limit] = (),
    now_h: float | None = None,
) -> Picture:
    """Draw a forecast, one lane an output.

    Parameters
    ----------
    forecast : Forecast
    outputs : sequence of NAME, optional
        Which to draw; whole ketamine, its effect site, perception and pressure where not given.
    limits : sequence of Limit
        Walls, each in the lane of its output; one whose output is not drawn is refused.
    now_h : float, optional
        The line between what was seen and what is forecast.

    Returns
    -------
    Picture
        Dashed is the typical patient; the pale band holds 90 of 100 virtual patients, the dark band where the models'
        typical patients differ. Each is named beside the first lane.

    Raises
    ------
    InputError
        If the forecast does not hold an output that was asked for, or nothing can be drawn.
    """
    chosen = tuple(outputs) if outputs is not None else usual_outputs(forecast.outputs)
    for name in (*chosen, *(limit.output for limit in limits)):
        if name not in forecast.outputs:
            raise InputError(f"the forecast has no {name!r}", where="plot", allowed=", ".join(forecast.outputs))
        if name not in chosen:
            raise InputError(f"a limit on {name!r}, which is not drawn", where="plot", allowed=", ".join(chosen))
    walls: dict[str, list[Wall]] = {}
    for limit in limits:
        walls.setdefault(limit.output, []).append(limit.wall)
    figure = forecast_figure(forecast.to_json(), outputs=chosen, walls=walls, now_h=now_h)
    if figure is None:
        raise InputError("a forecast of one moment", where="plot", allowed="two times or more")
    return draw(figure)
