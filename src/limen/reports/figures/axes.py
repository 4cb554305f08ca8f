"""Axes that end on round numbers, and numbers as a label prints them: the same on paper and on a screen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

Series = Sequence[float | None]
Numbers = Sequence[float]
# A number in whatever unit its lane has; None where it is not known.
Amount = float | None


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear axis from ``low`` to ``high`` in ``unit``; ``marks`` are the values that are labelled.

    Attributes
    ----------
    labels : sequence of str
        What stands at each mark; the plain number where none is given.

    Examples
    --------
    >>> Axis(low=0, high=200, unit="ng/mL", marks=(0, 100, 200)).fraction(value=50, unit="ng/mL")
    0.25
    """

    low: float
    high: float
    unit: str
    marks: Numbers = ()
    labels: Sequence[str] = field(default=())

    def fraction(self, value: float, unit: str) -> float:
        """Where ``value`` stands: 0 at the low end, 1 at the high end; values outside fall outside."""
        if unit != self.unit:
            raise ValueError(f"a value in {unit} on an axis of {self.unit}")
        return (value - self.low) / (self.high - self.low)

    @property
    def said(self) -> tuple[str, ...]:
        """The label of each mark."""
        return tuple(self.labels) or tuple(plain(mark) for mark in self.marks)


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


def hours_axis(from_h: float, until_h: float) -> Axis:
    """Hours from the start as a clock prints them, labelled so that at most nine fit a column.

    Examples
    --------
    >>> hours_axis(0.0, 4.0).said[:3]
    ('0:00', '0:30', '1:00')
    """
    total_min = (until_h - from_h) * 60
    step_min = next((step for step in (5, 10, 15, 30, 60, 120, 240, 480, 720) if total_min / step <= 8), 1440)
    first, last = math.ceil(from_h * 60 / step_min - 1e-9), math.floor(until_h * 60 / step_min + 1e-9)
    marks = tuple(step_min * index / 60 for index in range(first, last + 1))
    return Axis(from_h, until_h, "h", marks, tuple(clock_span(mark * 60) for mark in marks))


def clock_span(span_min: float) -> str:
    """Minutes as h:mm, the way a clock on the wall is read.

    Examples
    --------
    >>> clock_span(95)
    '1:35'
    """
    whole = round(span_min)
    return f"{whole // 60}:{whole % 60:02d}"


def plain(number: object, digits: int = 3) -> str:
    """A number for a label: no trailing zeros, no exponent, a real minus sign.

    Examples
    --------
    >>> plain(400.0), plain(0.25), plain(-12.0)
    ('400', '0.25', '−12')
    """
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise TypeError(f"{number!r} is not a number")
    value = float(number)
    text = f"{value:.{digits}f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"
    return text.replace("-", "−") if text not in {"-0", "−0"} else "0"


def _round_step(raw: float) -> float:
    power = 10.0 ** math.floor(math.log10(raw))
    return power * next(factor for factor in (1, 2, 5, 10) if raw <= factor * power * (1 + 1e-9))
