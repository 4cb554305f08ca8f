"""The wall clock of a session: which time stands at a second of it, and an axis of round times."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from limen.care.alarm_limits import span
from limen.reports.figures.axes import Axis

_STEPS_MIN = (5, 10, 15, 20, 30, 60, 120, 240, 480, 720)
_MOST_LABELS = 9


class Clock:
    """Seconds of the session as the wall clock of the site where the start is known, else as time from the start.

    Examples
    --------
    >>> Clock("2026-11-19T08:00:00+00:00", "Europe/Berlin").at(90), Clock(None, "UTC").at(90)
    ('09:01', '1:30')
    >>> Clock("2026-11-19T22:59:00+00:00", "Europe/Berlin").at(120, seconds=True)
    '20 Nov 00:01:00'
    """

    def __init__(self, started_at: str | None, zone: str) -> None:
        self.zone = ZoneInfo(zone)
        self.start = datetime.fromisoformat(started_at) if started_at else None

    def when(self, t_s: float) -> datetime | None:
        """The wall clock at a second of the session: counted in UTC, so that summer time moves no entry."""
        if self.start is None:
            return None
        return (self.start.astimezone(ZoneInfo("UTC")) + timedelta(seconds=t_s)).astimezone(self.zone)

    def at(self, t_s: float, *, seconds: bool = False) -> str:
        """The time in words; on another day than the start, with its day."""
        when, first = self.when(t_s), self.when(0.0)
        if when is None or first is None:
            return f"{'-' if t_s < 0 else ''}{span(abs(t_s))}"
        day = "" if when.date() == first.date() else f"{when.day} {when.strftime('%b')} "
        return day + when.strftime("%H:%M:%S" if seconds else "%H:%M")

    @property
    def words(self) -> str:
        """Which clock the times are of."""
        first = self.when(0.0)
        if first is None:
            return "from start, h:min"
        offset = first.strftime("%z")
        return f"time of day, {self.zone.key} (UTC{offset[:3]}:{offset[3:]})"


def time_axis(from_t_s: float, until_t_s: float, clock: Clock) -> Axis:
    """Round times of the wall clock, at most nine of them."""
    low_h, high_h = from_t_s / 3600.0, max(until_t_s, from_t_s + 60.0) / 3600.0
    span_min = (high_h - low_h) * 60.0
    step_min = next((step for step in _STEPS_MIN if span_min / step <= _MOST_LABELS - 1), 1440)
    first = clock.when(from_t_s)
    past_min = from_t_s / 60.0 if first is None else first.hour * 60 + first.minute + first.second / 60.0
    # Wall-clock minutes of the first round time, as minutes of the session.
    begin_min = from_t_s / 60.0 + math.ceil(past_min / step_min - 1e-9) * step_min - past_min
    count = math.floor((high_h * 60.0 - begin_min) / step_min + 1e-9)
    marks = tuple((begin_min + step_min * index) / 60.0 for index in range(count + 1))
    marks = tuple(mark for mark in marks if low_h - 1e-9 <= mark <= high_h + 1e-9)
    if first is None:
        labels = tuple(_hours(mark) for mark in marks)
    else:
        labels = tuple(clock.at(round(mark * 3600.0)).split(" ")[-1] for mark in marks)
    return Axis(low_h, high_h, "h", marks, labels)


def _hours(mark_h: float) -> str:
    whole = round(abs(mark_h) * 60)
    return f"{'−' if mark_h < 0 and whole else ''}{whole // 60}:{whole % 60:02d}"
