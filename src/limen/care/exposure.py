"""What was given before: sessions of any product, route and protocol, counted by the days of the site's own clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from fractions import Fraction
from typing import Literal

from limen.care.course import Reading

Effect = Literal["enough", "not-enough"]
# A dose shorter than this is given at one moment.
_INSTANT_MIN = 0.001


@dataclass(frozen=True, slots=True)
class Exposure:
    """One dose of ketamine as it was given, here or elsewhere.

    Attributes
    ----------
    at : datetime or date
        When it began. A date alone counts from its first minute; a time without a zone is on the site's clock.
    dose_mg : float or None
        ``None`` is not known: whatever counts milligrams over that day is then not known either.
    product : str or None
        ``None`` is not known, and counts as the product that is asked for.
    tolerated : bool or None
        As a clinician recorded it.
    effect : {"enough", "not-enough"} or None
        As a clinician recorded it, where the dose is titrated to it.
    """

    at: datetime | date
    dose_mg: float | None = None
    product: str | None = None
    route: str | None = None
    protocol: str | None = None
    duration_min: float = 0.0
    weight_kg: float | None = None
    tolerated: bool | None = None
    effect: Effect | None = None

    def begins(self, zone: tzinfo) -> datetime:
        """Its start as an instant."""
        at = self.at if isinstance(self.at, datetime) else datetime.combine(self.at, time())
        return (at.replace(tzinfo=zone) if at.tzinfo is None else at).astimezone(UTC)

    def day(self, zone: tzinfo) -> date:
        """The day it began, by the site's clock."""
        return self.begins(zone).astimezone(zone).date()


@dataclass(frozen=True, slots=True)
class Scored:
    """A score of the course."""

    instrument: str
    reading: Reading


@dataclass(frozen=True, slots=True)
class History:
    """Everything given before, and how it went.

    Attributes
    ----------
    exposures : tuple of Exposure
        In any order.
    course_from : date or None
        When the course under way began; ``None`` counts every session under the same protocol.
    reviewed_on : date or None
        When the treatment was last justified again (MNT-5).
    zone : tzinfo
        The site's clock: a day of the rules is a day there.
    """

    exposures: tuple[Exposure, ...] = ()
    scores: tuple[Scored, ...] = ()
    course_from: date | None = None
    reviewed_on: date | None = None
    zone: tzinfo = UTC

    def until(self, on: date) -> tuple[Exposure, ...]:
        """What began on this day or before, in order of time."""
        return tuple(
            sorted(
                (item for item in self.exposures if item.day(self.zone) <= on),
                key=lambda item: (item.begins(self.zone), item.dose_mg or 0.0, item.product or "", item.route or ""),
            )
        )

    def like(self, product: str, route: str, on: date) -> tuple[Exposure, ...]:
        """What was given of this product by this route, in order of time."""
        return tuple(item for item in self.until(on) if (item.product, item.route) == (product, route))


@dataclass(frozen=True, slots=True)
class Amount:
    """What was given of one product in a window.

    Attributes
    ----------
    mg : Fraction
        What is known of it.
    sessions : int
        Of any product.
    unknown : tuple of date
        Days of sessions whose amount is not on record.
    others : tuple of date
        Days of sessions of another product, whose milligrams are never converted.
    """

    mg: Fraction
    sessions: int
    unknown: tuple[date, ...]
    others: tuple[date, ...]


def given_between(exposures: Sequence[Exposure], product: str, first: date | None, last: date, zone: tzinfo) -> Amount:
    """What was given from the start of ``first`` to the end of ``last``; ``None`` for ever.

    An infusion over midnight counts to each day with what ran in it.

    Examples
    --------
    >>> night = Exposure(datetime(2026, 3, 1, 23, tzinfo=UTC), 100.0, "racemic", "iv", duration_min=240)
    >>> float(given_between([night], "racemic", date(2026, 3, 2), date(2026, 3, 2), UTC).mg)
    75.0
    """
    start = None if first is None else datetime.combine(first, time(), zone).astimezone(UTC)
    end = datetime.combine(last + timedelta(days=1), time(), zone).astimezone(UTC)
    mg, sessions = Fraction(0), 0
    unknown, others = [], []
    for item in exposures:
        share = _share(item, start, end, zone)
        day = item.day(zone)
        began_here = day <= last and (first is None or day >= first)
        sessions += began_here
        if not share and not began_here:
            continue
        if item.product is not None and item.product != product:
            others.append(day)
        elif item.dose_mg is None:
            unknown.append(day)
        else:
            mg += share * Fraction(str(item.dose_mg))
    return Amount(mg, sessions, tuple(sorted(unknown)), tuple(sorted(others)))


def _share(item: Exposure, start: datetime | None, end: datetime, zone: tzinfo) -> Fraction:
    """How much of an exposure ran in between."""
    begins = item.begins(zone)
    if item.duration_min < _INSTANT_MIN:
        return Fraction(int((start is None or begins >= start) and begins < end))
    length = timedelta(minutes=item.duration_min)
    ran = min(begins + length, end) - (begins if start is None else max(begins, start))
    return max(Fraction(0), Fraction(ran // timedelta(microseconds=1), length // timedelta(microseconds=1)))
