"""A figure as data: what is drawn, in which words, against which limits and on which axes.

One builder makes each kind of figure; paper (matplotlib) and screen (our pages) draw the same object, so that what a
prescriber sees and what is filed are one figure. Nothing here knows how a line is drawn.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from limen.reports.figures.axes import Axis, Numbers, Series

Kind = Literal["forecast", "models", "leaving", "attainment", "update", "beliefs", "check", "session"]
BandRole = Literal["patients", "models", "before", "after", "below", "inside", "above", "reached", "expected"]
TraceRole = Literal["typical", "median", "member", "before", "after", "share", "monitor"]
Shape = Literal["dot", "down", "up"]
Spans = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Band:
    """What lies between two curves.

    Attributes
    ----------
    name : str
        What it holds, as a reader is told.
    low, high : sequence of number or None
        At each place of the lane; None where nothing is known.
    """

    role: BandRole
    name: str
    low: Series
    high: Series


@dataclass(frozen=True, slots=True)
class Trace:
    """One curve.

    Attributes
    ----------
    name : str
        Beside its end, or in the key.
    style : int
        Which of the house's dashes, for curves of one role that must be told apart.
    heavy : bool
        Drawn thicker.
    """

    role: TraceRole
    name: str
    values: Series
    style: int = 0
    heavy: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """The numbers of one lane."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What was measured: points in ink, with whiskers where a spread was published.

    Attributes
    ----------
    shape : str
        A dot; for a pressure its two ends, pointing down at the upper and up at the lower.
    by_hand : bool
        Written down by a person: drawn open.
    """

    words: str
    places: Numbers
    values: Numbers
    low: Numbers = ()
    high: Numbers = ()
    shape: Shape = "dot"
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Wall:
    """A limit with its name, drawn where it stands.

    Attributes
    ----------
    hard : bool
        Solid and hatched on the far side; else dashed.
    above : bool
        Whether the side over it is the one not wanted.
    spans : tuple of (from, to)
        Where along ``x`` it held, if not throughout.
    """

    name: str
    value: float
    unit: str
    hard: bool = True
    above: bool = True
    spans: Spans = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """A place on the horizontal axis that has a name: the dose ends, now, not before."""

    name: str
    at: float
    unit: str = "h"
    sill: bool = False


@dataclass(frozen=True, slots=True)
class Interval:
    """90 of 100, with the middle, as a bar under a density."""

    role: Literal["before", "after"]
    low: float
    middle: float
    high: float
    unit: str


@dataclass(frozen=True, slots=True)
class Bar:
    """Something that lasted, on a row of its lane; open where it is not of the first kind of the lane."""

    name: str
    row: int
    low: float
    high: float
    unit: str
    hollow: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A short name at a place, on a row of its lane."""

    name: str
    row: int
    at: float
    unit: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One quantity.

    Attributes
    ----------
    key : str
        NAME of the output, or another key that is unique in the figure.
    places : sequence of number
        Along ``x``, rising; every curve and band has one value at each.
    note : str
        What the quantity is not, or what must be known to read it.
    measured : bool
        Whether ``y`` is a quantity with marks; a density has none.
    rowed : bool
        Whether the lane is rows, of ``bars`` (what lasted) or ``marks`` (what has a number), and no curve.
    blank : tuple of (from, to), or None
        Stretches of which nothing is known, where the builder knows them; else they are read from the curves.
    blank_words : str
        What stands in them.
    told : str
        Its sentence, and ``numbers`` its table, where the builder says them.
    """

    key: str
    title: str
    unit: str
    x: Axis
    y: Axis
    places: Numbers
    bands: tuple[Band, ...] = ()
    traces: tuple[Trace, ...] = ()
    seen: tuple[Seen, ...] = ()
    walls: tuple[Wall, ...] = ()
    intervals: tuple[Interval, ...] = ()
    note: str = ""
    measured: bool = True
    bars: tuple[Bar, ...] = ()
    marks: tuple[Mark, ...] = ()
    blank: Spans | None = None
    blank_words: str = "not studied"
    told: str = ""
    numbers: Table | None = None
    rowed: bool = False

    @property
    def gaps(self) -> tuple[tuple[float, float], ...]:
        """Stretches of ``x`` where a part of the lane is withheld or unknown: drawn hatched, never joined across."""
        if self.blank is not None:
            return self.blank
        whole = [trace.values for trace in self.traces] + [
            edge for band in self.bands for edge in (band.low, band.high)
        ]
        count = len(self.places)
        open_at = [any(values[step] is None for values in whole if len(values) == count) for step in range(count)]
        found, start = [], None
        for step, missing in enumerate([*open_at, False]):
            if missing and start is None:
                start = step
            elif not missing and start is not None:
                found.append((self.places[max(start - 1, 0)], self.places[min(step, count - 1)]))
                start = None
        return tuple((float(low), float(high)) for low, high in found)


@dataclass(frozen=True, slots=True)
class Figure:
    """Lanes under each other, with what must be told below them.

    Attributes
    ----------
    lanes : tuple of Lane
    others : tuple of Lane
        Further lanes, folded away on a screen and left out on paper.
    x_words : str
        What the horizontal axis is.
    """

    kind: Kind
    title: str
    lanes: tuple[Lane, ...]
    x_words: str = "hours from start"
    others: tuple[Lane, ...] = ()
    moments: tuple[Moment, ...] = ()
    caption: tuple[str, ...] = ()
    models: tuple[str, ...] = field(default=())

    @property
    def digest(self) -> str:
        """The same for the same figure, on every machine: the name under which a drawing may be kept."""
        text = json.dumps(asdict(self), sort_keys=True, ensure_ascii=False, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def series(values: npt.NDArray[np.float64] | Iterable[Any] | None) -> tuple[float | None, ...]:
    """A curve as it is kept here: NaN is None.

    Examples
    --------
    >>> series(np.array([1.0, np.nan]))
    (1.0, None)
    """
    if values is None:
        return ()
    return tuple(None if item is None or item != item else float(item) for item in values)
