"""Totals and subscales in exact fractions; nothing is rounded before a band is read from it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from limen.knowledge.instruments import Instrument
from limen.knowledge.scoring_rules import Part

Numbers = Mapping[int, Fraction | None]


@dataclass(frozen=True, slots=True)
class Total:
    """A total and how it came about.

    Attributes
    ----------
    exact : Fraction or None
        Before rounding; ``None`` where the answers do not allow a total, or the instrument has none.
    status : {"complete", "prorated", "incomplete"}
    parts : mapping of name to Fraction or None
    """

    exact: Fraction | None
    status: str
    parts: Mapping[str, Fraction | None]

    def shown(self, *, whole: bool) -> int | float | None:
        """The total for the reader: a prorated sum of whole numbers is whole again, halves up."""
        if self.exact is None:
            return None
        if whole:
            return math.floor(self.exact + Fraction(1, 2))
        return shown(self.exact)


def shown(value: Fraction | None) -> int | float | None:
    """A whole number where it is one, else two decimals."""
    if value is None:
        return None
    return int(value) if value.denominator == 1 else round(float(value), 2)


def total(instrument: Instrument, numbers: Numbers) -> Total:
    """Put the items together by the instrument's rule.

    Parameters
    ----------
    numbers : mapping of item (from 1) to what it adds, or ``None``

    Examples
    --------
    Nine answers of PHQ-9, one missing: 14 over 8, times 9.

    >>> from limen.knowledge.instruments import get_instrument
    >>> found = total(get_instrument("PHQ-9"), dict(enumerate([2, 2, 2, 2, 2, 2, 2, None, 0], start=1)))
    >>> found.exact, found.status
    (Fraction(63, 4), 'prorated')
    """
    parts = {part.name: _part(part, numbers) for part in instrument.parts}
    gaps = sum(value is None for value in numbers.values())
    if instrument.rule == "sum":
        exact, status = _sum(instrument, numbers, gaps)
        return Total(exact, status, parts)
    safety = instrument.safety
    blocked = safety is not None and numbers[safety.item] is None
    whole = all(value is not None for value in parts.values()) and not blocked
    if not whole:
        return Total(None, "incomplete", parts)
    made_up = any(numbers[item] is None for part in instrument.parts if part.how != "highest" for item in part.items)
    status = "prorated" if made_up else "complete"
    if instrument.rule == "parts":
        return Total(sum((value for value in parts.values() if value is not None), Fraction(0)), status, parts)
    # A profile without parts is its answers; any gap leaves it incomplete.
    return Total(None, status if parts or not gaps else "incomplete", parts)


def _sum(instrument: Instrument, numbers: Numbers, gaps: int) -> tuple[Fraction | None, str]:
    answered = [value for value in numbers.values() if value is not None]
    if not gaps:
        return sum(answered, Fraction(0)), "complete"
    safety = instrument.safety
    if gaps > instrument.missing.prorate_up_to or (safety is not None and numbers[safety.item] is None):
        return None, "incomplete"
    return Fraction(sum(answered, Fraction(0)) * len(numbers), len(answered)), "prorated"


def _part(part: Part, numbers: Numbers) -> Fraction | None:
    answered = [value for item in part.items if (value := numbers[item]) is not None]
    need = len(part.items) if part.need is None else part.need
    if len(answered) < need:
        return None
    if part.how == "highest":
        return max(answered) / part.divide_by
    added = sum(answered, Fraction(0))
    if part.how == "mean":
        return added / len(answered) / part.divide_by
    return added * len(part.items) / len(answered) / part.divide_by
