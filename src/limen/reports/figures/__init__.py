"""Figures as data: one builder each, drawn alike on paper and on a screen."""

from limen.reports.figures.check import Panel, Points, check_figure
from limen.reports.figures.data import Band, Figure, Lane, Moment, Seen, Trace, Wall
from limen.reports.figures.forecast import forecast_figure, members_figure
from limen.reports.figures.session import session_figure
from limen.reports.figures.spread import (
    attainment_figure,
    belief_lane,
    beliefs_figure,
    leaving_figure,
    update_figure,
)
from limen.reports.figures.words import said, sentence, table

__all__ = [
    "Band",
    "Figure",
    "Lane",
    "Moment",
    "Panel",
    "Points",
    "Seen",
    "Trace",
    "Wall",
    "attainment_figure",
    "belief_lane",
    "beliefs_figure",
    "check_figure",
    "forecast_figure",
    "leaving_figure",
    "members_figure",
    "said",
    "sentence",
    "session_figure",
    "table",
    "update_figure",
]
