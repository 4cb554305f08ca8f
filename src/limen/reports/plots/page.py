"""The sheet every picture is drawn on: the house's inks, and SVG or PNG bytes that do not change."""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

from limen.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The day theme: ink is what happened, violet what a model says, and nothing else is coloured.
INK = "#14181b"
INK_2 = "#434b50"
INK_3 = "#5f686d"
RULE = "#cfd3d1"
SUNK = "#e9ebe7"
HATCH = "#8a9296"
SAID = "#4338a8"
MODEL = "#a79eea"
MODEL_EDGE = "#5549c2"
PATIENT = "#dcd8f8"
PATIENT_EDGE = "#7f76cf"

# Dashes that stay apart in grey and at small size; the name stands at the end of each line as well.
DASHES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (6, 2, 1, 2, 1, 2)), (0, (2, 1)), (0, (8, 3)), (0, (1, 3)))

WIDTH_IN = 7.2
# A place on the vertical axis, in whatever unit the lane has.
Height = float
_CAPTION_CHARACTERS = 112
# Coordinates of paths, and of what is put in place by a transform or a use.
_PATH = re.compile(r' (?:d|x|y)="[^"]*"')
_DIGITS = re.compile(r"-?\d+\.\d{3,}")
# Names that matplotlib makes of numbers in full: the last digit of a layout differs from one drawing to the next.
_NAME = re.compile(r"\b[pmh][0-9a-f]{10}\b")
_SETTINGS: dict[Any, Any] = {
    "svg.hashsalt": "limen",
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "axes.edgecolor": INK_2,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK_2,
    "ytick.color": INK_2,
    "hatch.color": HATCH,
    "hatch.linewidth": 0.7,
    "path.simplify_threshold": 0.3,
}


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn picture, as SVG text or PNG bytes."""

    title: str
    figure: Figure

    @property
    def svg(self) -> str:
        """The SVG document; the same drawing gives the same text."""
        import matplotlib as mpl

        sheet = io.StringIO()
        with mpl.rc_context(_SETTINGS):
            self.figure.savefig(sheet, format="svg", metadata={"Date": None, "Creator": "Limen", "Title": self.title})
        # A hundredth of a point cannot be seen, and whole files shrink by half.
        short = _PATH.sub(lambda found: _DIGITS.sub(_shorter, found[0]), sheet.getvalue())
        names: dict[str, str] = {}
        short = _NAME.sub(lambda found: names.setdefault(found[0], f"{found[0][0]}{len(names)}"), short)
        # A chart read aloud is one picture with one sentence.
        return short.replace("<svg ", f'<svg role="img" aria-label={quoteattr(self.title)} ', 1)

    @property
    def png(self) -> bytes:
        """The PNG file, twice the size of the SVG for sharp print."""
        import matplotlib as mpl

        image = io.BytesIO()
        with mpl.rc_context(_SETTINGS):
            self.figure.savefig(
                image, format="png", dpi=144, facecolor="white", metadata={"Software": None, "Title": self.title}
            )
        return image.getvalue()

    def written_as(self, ending: str) -> bytes:
        """The bytes of a file with this ending.

        Raises
        ------
        InputError
            If the ending is neither ``.svg`` nor ``.png``.
        """
        if ending == ".svg":
            return self.svg.encode()
        if ending == ".png":
            return self.png
        raise InputError(f"no picture ends in {ending!r}", where="plot", allowed=".svg or .png")


def _shorter(found: re.Match[str]) -> str:
    text = f"{float(found[0]):.2f}".rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


@contextmanager
def sheet(
    lanes: int,
    *,
    lane_in: Height = 1.8,
    share_x: bool = True,
    columns: int = 1,
    shares: Sequence[Height] = (),
) -> Iterator[tuple[Figure, Any]]:
    """A figure with its axes, ``lanes`` down and ``columns`` across; yields ``(figure, axes[lane, column])``.

    Parameters
    ----------
    shares : sequence of float, optional
        How many times ``lane_in`` each lane is high; once where not given.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with mpl.rc_context(_SETTINGS):
        high = list(shares) or [1.0] * lanes
        figure = Figure(figsize=(WIDTH_IN, 0.9 + lane_in * sum(high)), layout="constrained")
        FigureCanvasSVG(figure)
        yield figure, figure.subplots(lanes, columns, sharex=share_x, squeeze=False, height_ratios=high)


def finished(figure: Figure, title: str, caption: Sequence[str]) -> Picture:
    """Put the caption below and render; nothing of the machine or the day is in the file."""
    lines = [part for line in caption for part in textwrap.wrap(line, _CAPTION_CHARACTERS)]
    if lines:
        figure.supxlabel("\n".join(lines), fontsize=8, color=INK_2, x=0.01, ha="left")
        width, height = figure.get_size_inches()
        figure.set_size_inches(width, height + 0.16 * len(lines))
    return Picture(title, figure)


def plain(lane: Axes, *, y_from_0: bool = True) -> None:
    """Rules, not boxes: a quiet grid, no frame above and to the right."""
    lane.grid(axis="y", color=RULE, linewidth=0.5)
    lane.set_axisbelow(True)
    lane.spines[["top", "right"]].set_visible(False)
    if y_from_0:
        lane.set_ylim(bottom=0)


def headed(lane: Axes, words: str) -> None:
    """What the lane shows, at its upper left."""
    lane.set_title(words, loc="left", fontsize=9.5, color=INK)


def beside(lane: Axes, at: Height, words: str, *, color: str = INK_2) -> None:
    """A name to the right of the lane, at this height of the data."""
    lane.annotate(
        words,
        (1.0, at),
        xycoords=("axes fraction", "data"),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        fontsize=8,
        color=color,
        annotation_clip=False,
    )


def spaced(heights: Sequence[Height], gap: Height) -> list[Height]:
    """Heights moved as little as keeps labels ``gap`` apart, in the order given.

    Examples
    --------
    >>> spaced([1.0, 1.1, 5.0], 1.0)
    [0.55, 1.55, 5.0]
    """
    order = sorted(range(len(heights)), key=lambda index: heights[index])
    groups: list[tuple[float, list[int]]] = []
    for index in order:
        groups.append((heights[index], [index]))
        while len(groups) > 1:
            (low, one), (high, other) = groups[-2:]
            reach = gap * (len(one) + len(other)) / 2
            if high - low >= reach - 1e-12:
                break
            members = one + other
            groups[-2:] = [(sum(heights[item] for item in members) / len(members), members)]
    placed = [0.0] * len(heights)
    for middle, members in groups:
        for rank, index in enumerate(members):
            placed[index] = round(middle + gap * (rank - (len(members) - 1) / 2), 12)
    return placed
