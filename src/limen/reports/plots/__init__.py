"""Pictures: the same input gives the same bytes, for the command line, the documents and the web alike.

Colour says that a model speaks and nothing else; every line also differs by its dashes and carries its name, and every
picture says below it what a reader must know.
"""

from limen.pharmacology.wording import in_words
from limen.reports.plots.attainment import target_attainment
from limen.reports.plots.beliefs import Belief, posterior_against_prior
from limen.reports.plots.forecast import Limit, draw_forecast, forecast_svg
from limen.reports.plots.lines import Line, members_picture, model_comparison
from limen.reports.plots.observed import Panel, Points, predictive_check
from limen.reports.plots.page import Picture
from limen.reports.plots.ratios import RatioRow, ratio_chart
from limen.reports.plots.update import UpdatedLane, of_individual, updated_forecast

__all__ = [
    "Belief",
    "Limit",
    "Line",
    "Panel",
    "Picture",
    "Points",
    "RatioRow",
    "UpdatedLane",
    "draw_forecast",
    "forecast_svg",
    "in_words",
    "members_picture",
    "model_comparison",
    "of_individual",
    "posterior_against_prior",
    "predictive_check",
    "ratio_chart",
    "target_attainment",
    "updated_forecast",
]
