"""Axes, curves and bands."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WIDTH = 1000
Series = Sequence[float | None]
Numbers = Sequence[float]


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis: percent of the width, or pixels from the top."""

    label: str
    x_pct: float = 0.0
    y_px: float = 0.0


@dataclass(frozen=True)
class Axis:
    """A linear axis from ``low`` to ``high`` in ``unit``; ``marks`` are the values that are labelled.

    Examples
    --------
    >>> Axis(low=0, high=200, unit="ng/mL", marks=(0, 100, 200)).fraction(value=50, unit="ng/mL")
    0.25
    """

    low: float
    high: float
    unit: str
    marks: Numbers = ()

    def fraction(self, value: float, unit: str) -> float:
        """Where ``value`` stands: 0 at the low end, 1 at the high end; values outside fall outside."""
        if unit != self.unit:
            raise ValueError(f"a value in {unit} on an axis of {self.unit}")
        return (value - self.low) / (self.high - self.low)


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
        return tuple(Tick(plain(mark), y_px=self.y_px(mark)) for mark in self.y.marks)

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
    """The closed path between two curves; empty where fewer than two places have both."""
    known = [(low, high) for low, high in zip(lows, highs, strict=True) if low is not None and high is not None]
    if len(known) < 2:
        return ""
    over = "L".join(high for _, high in known)
    back = "L".join(low for low, _ in reversed(known))
    return f"M{over}L{back}Z"


def round_axis(amounts: Iterable[float | None], unit: str, *, from_zero: bool = False, steps: int = 4) -> Axis:
    """An axis that holds every amount, ending on round numbers of a 1-2-5 step.

    Examples
    --------
    >>> round_axis([3, 387], "ng/mL", from_zero=True).marks
    (0.0, 100.0, 200.0, 300.0, 400.0)
    """
    known = [amount for amount in amounts if amount is not None and math.isfinite(amount)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    if from_zero:
        low, high = min(0.0, low), max(0.0, high)
    if high <= low:
        high = low + 1.0
    step = _round_step((high - low) / steps)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    marks = tuple(round(index * step, 10) for index in range(first, last + 1))
    return Axis(low=marks[0], high=marks[-1], unit=unit, marks=marks)


def thin(length: int, keep: Iterable[int], at_most: int = 240) -> list[int]:
    """Indices to draw: evenly spaced, and always the first, the last and those in ``keep`` (peaks)."""
    if length <= at_most:
        return list(range(length))
    even = {round(step * (length - 1) / (at_most - 1)) for step in range(at_most)}
    return sorted(even | {index for index in keep if 0 <= index < length})


def plain(number: object, digits: int = 3) -> str:
    """A number for a label: no trailing zeros, no exponent, a real minus sign.

    Examples
    --------
    >>> plain(400.0), plain(0.25), plain(-12.0)
    ('400', '0.25', '−12')
    """
    value = _number(number)
    text = f"{value:.{digits}f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"
    return text.replace("-", "−") if text not in {"-0", "−0"} else "0"


def _round_step(raw: float) -> float:
    power = 10.0 ** math.floor(math.log10(raw))
    return power * next(factor for factor in (1, 2, 5, 10) if raw <= factor * power * (1 + 1e-9))


def _number(given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise TypeError(f"{given!r} is not a number")
    return float(given)
