"""What previous sessions leave of a limit: milligrams and sessions counted over a day, a week, a course, a life."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from limen.care.exposure import Exposure, History, given_between
from limen.knowledge.walls import WINDOWS, Wall

_DAY_MIN = 1440
NOT_ASKED = "what was given before is not given: only this session is counted"


@dataclass(frozen=True, slots=True)
class Asking:
    """Which session the history is laid against.

    Attributes
    ----------
    history : History or None
        ``None``: nobody said what was given before.
    runs_min : float
        How long what is asked runs. What runs for a day or longer follows on what ran before it: an infusion of the
        day before, of which a part reached into this day, has then ended, and is not counted twice.
    """

    product: str
    route: str
    protocol: str
    on: date
    history: History | None = None
    runs_min: float = 0.0

    @property
    def before(self) -> tuple[Exposure, ...]:
        """What began before, in order of time."""
        return () if self.history is None else self.history.until(self.on)

    @property
    def of_course(self) -> tuple[Exposure, ...]:
        """What was given in this course: by this product, route and protocol, since it began.

        One without a protocol on record counts by product and route; where the first day is not known, all do.
        """
        began = None if self.history is None else self.history.course_from
        return tuple(
            item
            for item in self.before
            if (item.product, item.route) == (self.product, self.route)
            and item.protocol in (None, self.protocol)
            and (began is None or self.history is None or item.day(self.history.zone) >= began)
        )

    @property
    def most_given_mg(self) -> float | None:
        """The largest session of this product by this route; ``None`` where the history is not known."""
        if self.history is None:
            return None
        return max((item.dose_mg or 0.0 for item in self.history.like(self.product, self.route, self.on)), default=0.0)


@dataclass(frozen=True, slots=True)
class Past:
    """What a wall that looks back found.

    Attributes
    ----------
    given : float or None
        In ``unit``, which for ``apart`` is the days since the last one; ``None`` where the history is not known, or
        there was none.
    unit : {"mg", "sessions", "days"}
    first : date or None
        First day of the window; ``None`` counts everything.
    days : tuple of date
        The days that were counted.
    missing : str or None
        What is not known.
    others : tuple of date
        Days of another product, whose milligrams are never converted.
    """

    given: float | None
    unit: str
    first: date | None
    days: tuple[date, ...]
    missing: str | None = None
    others: tuple[date, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As it stands beside a wall."""
        return {
            "given": self.given,
            "unit": self.unit,
            "from": None if self.first is None else self.first.isoformat(),
            "days": [day.isoformat() for day in self.days],
            "missing": self.missing,
        }


def look_back(wall: Wall, asking: Asking) -> Past:
    """What was given before in the window of a wall.

    Examples
    --------
    >>> from limen.knowledge.protocols import get_protocol
    >>> day = next(wall for wall in get_protocol("CRPS-OP").walls if wall.measure == "day")
    >>> morning = Exposure(date(2026, 3, 2), 60.0, "racemic", "im")
    >>> look_back(day, Asking("racemic", "iv", "CRPS-OP", date(2026, 3, 2), History((morning,)))).given
    60.0
    """
    history, unit = asking.history, wall.unit.replace("mg/kg", "mg")
    if history is None:
        return Past(None, unit, None, (), NOT_ASKED)
    before = asking.before
    if wall.measure == "apart":
        last = before[-1].day(history.zone) if before else None
        since_days = None if last is None else float((asking.on - last).days)
        return Past(since_days, unit, last, () if last is None else (last,))
    first = _first_day(wall, asking, history)
    counted = _of_course(before, asking, first) if wall.measure == "course" else before
    if first is not None and asking.runs_min >= (asking.on - first + timedelta(days=1)).days * _DAY_MIN:
        counted = tuple(item for item in counted if item.day(history.zone) >= first)
    found = given_between(counted, asking.product, first, asking.on, history.zone)
    days = tuple(
        sorted({item.day(history.zone) for item in counted if first is None or item.day(history.zone) >= first})
    )
    if wall.counts_sessions:
        return Past(float(found.sessions), unit, first, days)
    missing = None
    if found.unknown:
        missing = f"how much was given on {_listed(found.unknown)} is not on record"
    return Past(float(found.mg), unit, first, days, missing, found.others)


def _first_day(wall: Wall, asking: Asking, history: History) -> date | None:
    if wall.measure == "course":
        return history.course_from
    length_days = WINDOWS[wall.measure]
    return None if length_days is None else asking.on - timedelta(days=length_days - 1)


def _of_course(before: Sequence[Exposure], asking: Asking, first: date | None) -> tuple[Exposure, ...]:
    """The course is everything since it began; where its first day is not known, everything under its protocol."""
    if first is not None:
        return tuple(before)
    return tuple(item for item in before if item.protocol in (None, asking.protocol))


def share_in_window(wall: Wall, duration_min: float) -> Fraction:
    """How much of a dose can fall into one window: all of it, unless it runs for longer than the window."""
    length_days = WINDOWS.get(wall.measure)
    if length_days is None or duration_min <= length_days * _DAY_MIN:
        return Fraction(1)
    return Fraction(length_days * _DAY_MIN) / Fraction(str(duration_min))


def session_number(asking: Asking, said: int | None) -> int | None:
    """The number of this session for walls on the first ones: the lower of what is said and what the history shows.

    Only sessions of the same product by the same route make a dose of it a later one.
    """
    if asking.history is None:
        return said
    shown = 1 + len(asking.history.like(asking.product, asking.route, asking.on))
    return shown if said is None else min(said, shown)


def _listed(days: Sequence[date]) -> str:
    return ", ".join(day.isoformat() for day in dict.fromkeys(days))
