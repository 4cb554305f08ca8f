"""Axes, curves and bands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from limen.reports.figures.axes import Axis, Numbers, Series

WIDTH = 1000


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis: percent of the width, or pixels from the top."""

    label: str
    x_pct: float = 0.0
    y_px: float = 0.0


@dataclass(frozen=True)
class Frame:
    """The stretchable box of one lane: an x axis, a y axis and its height."""

    x: Axis
    y: Axis
    height_px: int

    def x_of(self, place: object) -> float:
        """User units from the left."""
        return round(self.x.fraction(_number(place), self.x.unit) * WIDTH, 1)

    def x_pct(self, place: object) -> float:
        """Percent of the width, for words and dots."""
        return round(self.x.fraction(_number(place), self.x.unit) * 100, 2)

    def y_px(self, amount: object) -> float:
        """Pixels from the top."""
        return round((1 - self.y.fraction(_number(amount), self.y.unit)) * self.height_px, 1)

    def y_ticks(self) -> tuple[Tick, ...]:
        """The labelled amounts."""
        return tuple(Tick(words, y_px=self.y_px(mark)) for mark, words in zip(self.y.marks, self.y.said, strict=True))

    def x_ticks(self) -> tuple[Tick, ...]:
        """The labelled places."""
        return tuple(Tick(words, x_pct=self.x_pct(mark)) for mark, words in zip(self.x.marks, self.x.said, strict=True))

    def line(self, places: Numbers, amounts: Series) -> str:
        """The path of a curve. A missing amount breaks it: nothing is joined across what is not known."""
        return line_through(self.points(self.across(places), amounts))

    def band(self, places: Numbers, lows: Series, highs: Series) -> str:
        """The closed path between two curves; empty where either is missing throughout."""
        across = self.across(places)
        return band_between(self.points(across, lows), self.points(across, highs))

    def across(self, places: Numbers) -> list[str]:
        """The left part of each point; curves over the same places share it."""
        return [f"{self.x_of(place):g}" for place in places]

    def points(self, across: Sequence[str], amounts: Series) -> list[str | None]:
        """Each point of a curve as a path writes it; ``None`` where the amount is missing."""
        # The arithmetic of ``y_px`` laid open: a plan draws thousands of points.
        low, span, height_px = self.y.low, self.y.high - self.y.low, self.height_px
        return [
            None if amount is None else f"{x} {round((1 - (_number(amount) - low) / span) * height_px, 1):g}"
            for x, amount in zip(across, amounts, strict=True)
        ]


def line_through(points: Sequence[str | None]) -> str:
    """The path through points, broken where one is missing."""
    steps: list[str] = []
    pen = "M"
    for point in points:
        if point is None:
            pen = "M"
            continue
        steps.append(pen + point)
        pen = "L"
    return "".join(steps)


def band_between(lows: Sequence[str | None], highs: Sequence[str | None]) -> str:
    """The closed paths between two curves, one for each stretch of two places or more where both are known."""
    whole, stretch = [], []
    for low, high in [*zip(lows, highs, strict=True), (None, None)]:
        if low is not None and high is not None:
            stretch.append((low, high))
            continue
        if len(stretch) > 1:
            over = "L".join(top for _, top in stretch)
            back = "L".join(bottom for bottom, _ in reversed(stretch))
            whole.append(f"M{over}L{back}Z")
        stretch = []
    return "".join(whole)


def _number(given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise TypeError(f"{given!r} is not a number")
    return float(given)
