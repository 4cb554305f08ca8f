"""Target attainment drawn: the share of virtual patients inside a window, and those above and below it."""

from __future__ import annotations

from collections.abc import Sequence

from limen.pharmacology.attainment import Attainment
from limen.reports.figures.spread import attainment_figure
from limen.reports.plots.figure import draw
from limen.reports.plots.page import Picture


def target_attainment(found: Attainment, *, caption: Sequence[str] = ()) -> Picture:
    """Draw the share of patients below, inside and above the window.

    Returns
    -------
    Picture
        Three areas, each with its name where it is widest.
    """
    return draw(attainment_figure(found, caption=caption))
