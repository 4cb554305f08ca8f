"""Figures on paper: the very drawings that a screen shows, under the patient's two identifiers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from limen.errors import InputError
from limen.reports.figures.data import Figure
from limen.reports.figures.words import sentence
from limen.reports.paper import literal
from limen.reports.plots.figure import draw


@dataclass(frozen=True, slots=True)
class FigurePaper:
    """What stands around the figures.

    Attributes
    ----------
    identity : sequence of (label, value)
        Two identifiers of the patient first; they are repeated at the foot of every page.
    status : str
        ``Draft, not signed`` and the like; empty when signed.
    figures : sequence of (title, Figure)
    """

    issuer: str
    title: str
    identity: Sequence[tuple[str, str]]
    status: str
    figures: Sequence[tuple[str, Figure]]


def render_figures(paper: FigurePaper) -> str:
    """The typst source of a paper; ``paper.pdf`` makes the PDF.

    Raises
    ------
    InputError
        Fewer than two identifiers, or no figure.
    """
    if len(paper.identity) < 2:
        raise InputError("a patient on paper", where="identity", allowed="two identifiers or more")
    if not paper.figures:
        raise InputError("a paper without a figure", where="figures", allowed="one or more")
    record = {
        "issuer": paper.issuer,
        "title": paper.title,
        "status": paper.status,
        "identity": [list(pair) for pair in paper.identity],
        "figures": [
            {"title": title, "svg": draw(figure).svg, "alt": " ".join(sentence(lane) for lane in figure.lanes)}
            for title, figure in paper.figures
        ],
    }
    template = (resources.files("limen.reports") / "data" / "figures.typ").read_text(encoding="utf-8")
    return f"#let record = json(bytes({literal(json.dumps(record, ensure_ascii=False, sort_keys=True))}))\n{template}"
