"""How a patient does over a course: totals over time with sessions marked, response, remission and the stop signal."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

from limen.care.score_change import change_between
from limen.knowledge.course import course_rules
from limen.knowledge.instruments import get_instrument

# The same two totals are judged again in every plan of a long course.
_change = lru_cache(maxsize=4096)(change_between)


@dataclass(frozen=True, slots=True)
class Reading:
    """One scored questionnaire. ``total`` is ``None`` where the answers gave none; it stays a gap."""

    at: datetime
    total: int | None
    status: Literal["complete", "prorated", "incomplete"] = "complete"
    band: str | None = None
    safety_action: str = "none"


@dataclass(frozen=True, slots=True)
class Point:
    """One reading on the course.

    Attributes
    ----------
    sessions_before : int
        Sessions given before it.
    pct, response : float or None, bool or None
        Against the baseline; ``None`` before it is known, or where the total is missing.
    remission : dict
        By threshold; ``None`` where the total is missing.
    """

    reading: Reading
    sessions_before: int
    is_baseline: bool
    pct: float | None
    response: bool | None
    remission: dict[str, bool | None]


@dataclass(frozen=True, slots=True)
class StopSignal:
    """MNT-2: whether a change of plan is due.

    Attributes
    ----------
    stop : bool or None
        ``None`` where readings are missing; ``because`` says which.
    """

    rule: str
    stop: bool | None
    because: str
    source: str


@dataclass(frozen=True, slots=True)
class Trajectory:
    """A course on one instrument."""

    instrument: str
    baseline: Reading | None
    points: tuple[Point, ...]
    sessions: tuple[datetime, ...]
    stop_signal: StopSignal | None

    @property
    def latest(self) -> Point | None:
        """The last point with a total."""
        return next((point for point in reversed(self.points) if point.reading.total is not None), None)

    def to_json(self) -> dict[str, Any]:
        """As a chart draws it: readings, session marks, and the flags of each reading."""
        signal = self.stop_signal
        return {
            "instrument": self.instrument,
            "baseline": None
            if self.baseline is None
            else {"at": self.baseline.at.isoformat(), "total": self.baseline.total},
            "sessions": [at.isoformat() for at in self.sessions],
            "points": [
                {
                    "at": point.reading.at.isoformat(),
                    "total": point.reading.total,
                    "status": point.reading.status,
                    "band": point.reading.band,
                    "safety_action": point.reading.safety_action,
                    "sessions_before": point.sessions_before,
                    "is_baseline": point.is_baseline,
                    "pct": point.pct,
                    "response": point.response,
                    "remission": point.remission,
                }
                for point in self.points
            ],
            "stop_signal": None
            if signal is None
            else {"rule": signal.rule, "stop": signal.stop, "because": signal.because, "source": signal.source},
        }


def trajectory(instrument: str, readings: Sequence[Reading], sessions: Sequence[datetime]) -> Trajectory:
    """Lay readings and sessions on one line of time.

    Parameters
    ----------
    instrument : str
        Name, such as ``"PHQ-9"``.
    readings : sequence of Reading
        In any order.
    sessions : sequence of datetime
        When each dose of the course began, in any order.

    Returns
    -------
    Trajectory
        The baseline is the last complete total before the first dose, and stays so.

    Examples
    --------
    >>> from datetime import datetime, timezone
    >>> day = lambda number: datetime(2026, 11, number, 9, tzinfo=timezone.utc)
    >>> course = trajectory("PHQ-9", [Reading(day(2), 20), Reading(day(6), 9)], [day(3), day(5)])
    >>> course.latest.pct, course.latest.response, course.latest.sessions_before
    (-55.0, True, 2)
    """
    ordered = sorted(readings, key=lambda reading: reading.at)
    given = tuple(sorted(sessions))
    before = [
        reading
        for reading in ordered
        if reading.status == "complete" and reading.total is not None and (not given or reading.at < given[0])
    ]
    # Without a dose there is no course yet, so nothing is frozen.
    baseline = before[-1] if before and given else None
    points = tuple(_point(instrument, reading, baseline, given) for reading in ordered)
    signal = _stop_signal(points, given) if instrument == course_rules().stop.instrument and given else None
    return Trajectory(get_instrument(instrument).id, baseline, points, given, signal)


def _point(instrument: str, reading: Reading, baseline: Reading | None, sessions: tuple[datetime, ...]) -> Point:
    after_baseline = baseline is not None and reading.at > baseline.at
    start = baseline.total if after_baseline and baseline is not None else None
    change = _change(instrument, reading.total, start)
    return Point(
        reading=reading,
        sessions_before=bisect_right(sessions, reading.at),
        is_baseline=reading is baseline,
        pct=change.pct,
        response=change.response if start is not None else None,
        remission=dict(change.remission),
    )


def _stop_signal(points: tuple[Point, ...], sessions: tuple[datetime, ...]) -> StopSignal:
    """MNT-2: too small a fall after the 4th infusion, or after each of the first 3."""
    rule = course_rules().stop

    def fall(session: int) -> float | None:
        known = [point.pct for point in points if point.sessions_before == session and point.pct is not None]
        return -known[-1] if known else None

    def signal(stop: bool | None, because: str) -> StopSignal:
        return StopSignal(rule.rule, stop, because, rule.sources[0])

    name, least_pct = rule.instrument, rule.fall_pct
    later = fall(rule.after_session) if len(sessions) >= rule.after_session else None
    if later is not None:
        if later < least_pct:
            return signal(True, f"{name} fell {later:.0f} % after infusion {rule.after_session}, under {least_pct:g} %")
        return signal(False, f"{name} fell {later:.0f} % after infusion {rule.after_session}")
    if len(sessions) < rule.each_of_first:
        return signal(False, f"{len(sessions)} infusions given; judged after number {rule.each_of_first}")
    numbers = range(1, rule.each_of_first + 1)
    falls = [fall(number) for number in numbers]
    missing = [str(number) for number, value in zip(numbers, falls, strict=True) if value is None]
    if any(value is not None and value >= least_pct for value in falls):
        return signal(False, f"{name} fell {least_pct:g} % or more after one of the first {rule.each_of_first}")
    if missing:
        return signal(None, f"no {name} against the baseline after infusion {', '.join(missing)}")
    return signal(True, f"{name} fell under {least_pct:g} % after each of the first {rule.each_of_first} infusions")
