"""The visual predictive check drawn: what was seen, over what 90 of 100 virtual patients would show."""

from __future__ import annotations

from collections.abc import Sequence

from limen.reports.figures.check import Panel, Points, check_figure
from limen.reports.plots.figure import draw
from limen.reports.plots.page import Picture

__all__ = ["Panel", "Points", "predictive_check"]


def predictive_check(
    panels: Sequence[Panel], *, title: str, caption: Sequence[str] = (), in_days: bool = False
) -> Picture:
    """Draw each panel's band with the observed points over it; the hours are shown as days where asked."""
    return draw(check_figure(panels, title=title, caption=caption, in_days=in_days))
