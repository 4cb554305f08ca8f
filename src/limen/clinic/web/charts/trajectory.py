"""A score over time: joined where it was answered, hatched with its bounds where it was not, doses marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from limen.clinic.web.charts.geometry import Frame, Tick
from limen.reports.figures.axes import Axis, plain

HEIGHT_PX = 220


@dataclass(frozen=True)
class Dot:
    """One complete answer."""

    x_pct: float
    y_px: float
    label: str


@dataclass(frozen=True)
class Gap:
    """A questionnaire not answered in full: the box from its lowest to its highest possible total."""

    x_pct: float
    width_pct: float
    y_px: float
    height_px: float
    mid_pct: float
    label: str


@dataclass(frozen=True)
class Level:
    """A named height: response, remission."""

    name: str
    y_px: float


@dataclass(frozen=True)
class Trajectory:
    """The chart, ready to draw, with its sentence and the rows of its table."""

    instrument: str
    height_px: int
    line: str
    dots: tuple[Dot, ...]
    gaps: tuple[Gap, ...]
    levels: tuple[Level, ...]
    doses: tuple[Tick, ...]
    ticks: tuple[Tick, ...]
    weeks: tuple[Tick, ...]
    sentence: str
    rows: tuple[tuple[str, str, str], ...]


def trajectory(data: Mapping[str, Any]) -> Trajectory | None:
    """Lay a score out over time; None without points. A point without a total is drawn by its bounds.

    ``data``: ``{"instrument", "max", "points": [{"at", "total", "low", "high"}],
    "sessions": [{"at", "dose_mg"}], "levels": [{"name", "value"}]}``.
    """
    points = sorted(
        ((_day(point["at"]), point) for point in data.get("points") or ()),
        key=lambda pair: pair[0],
    )
    if not points:
        return None
    sessions = sorted(
        ((_day(session["at"]), session) for session in _keyed(data.get("sessions") or ())),
        key=lambda pair: pair[0],
    )
    days = [day for day, _ in points] + [day for day, _ in sessions]
    first, last = min(days), max(days)
    span = max(last - first, 7.0)
    top = float(data["max"])
    frame = Frame(
        x=Axis(low=first - span * 0.03, high=last + span * 0.03, unit="d"),
        y=Axis(low=0.0, high=top, unit="", marks=(0.0, round(top / 3), round(2 * top / 3), top)),
        height_px=HEIGHT_PX,
    )
    totals = [_total(point) for _, point in points]
    instrument = str(data.get("instrument", ""))
    return Trajectory(
        instrument=instrument,
        height_px=HEIGHT_PX,
        line=frame.line([day for day, _ in points], totals),
        dots=tuple(
            Dot(frame.x_pct(day), frame.y_px(total), f"{_date(day)}: {plain(total)}")
            for (day, _), total in zip(points, totals, strict=True)
            if total is not None
        ),
        gaps=tuple(_gap(frame, points, step, top) for step, total in enumerate(totals) if total is None),
        levels=tuple(
            Level(str(level["name"]), frame.y_px(float(level["value"]))) for level in data.get("levels") or ()
        ),
        doses=tuple(Tick(_dose(session), x_pct=frame.x_pct(day)) for day, session in sessions),
        ticks=frame.y_ticks(),
        weeks=_weeks(frame, first, last),
        sentence=_sentence(instrument, points, totals, len(sessions)),
        rows=_rows(points, totals, sessions),
    )


def _gap(frame: Frame, points: Sequence[tuple[float, Mapping[str, Any]]], step: int, top: float) -> Gap:
    day, point = points[step]
    before = (points[step - 1][0] + day) / 2 if step else frame.x.low
    after = (day + points[step + 1][0]) / 2 if step + 1 < len(points) else frame.x.high
    low = float(point["low"]) if point.get("low") is not None else 0.0
    high = float(point["high"]) if point.get("high") is not None else top
    left, right = frame.x_pct(before), frame.x_pct(after)
    over, under = frame.y_px(high), frame.y_px(low)
    return Gap(
        x_pct=left,
        width_pct=round(right - left, 2),
        y_px=over,
        height_px=round(max(under - over, 6), 1),
        mid_pct=frame.x_pct(day),
        label=f"not complete: {plain(low)} to {plain(high)}",
    )


def _weeks(frame: Frame, first: float, last: float) -> tuple[Tick, ...]:
    weeks = int((last - first) // 7)
    step = next(step for step in (1, 2, 4, 8, 13, 26, 52, 520) if weeks / step <= 7)
    return tuple(Tick(f"week {week}", x_pct=frame.x_pct(first + 7 * week)) for week in range(0, weeks + 1, step))


def _sentence(
    instrument: str,
    points: Sequence[tuple[float, Mapping[str, Any]]],
    totals: Sequence[float | None],
    sessions: int,
) -> str:
    known = [(day, total) for (day, _), total in zip(points, totals, strict=True) if total is not None]
    treated = f"{sessions} session{'' if sessions == 1 else 's'}"
    if not known:
        return f"{instrument}: no complete answer yet, {treated}."
    said = f"{instrument} {plain(known[0][1])} on {_date(known[0][0])}"
    if len(known) > 1:
        said += f", {plain(known[-1][1])} on {_date(known[-1][0])}"
    missing = len(points) - len(known)
    return f"{said}; {treated}{f'; {missing} of {len(points)} not complete' if missing else ''}."


def _rows(
    points: Sequence[tuple[float, Mapping[str, Any]]],
    totals: Sequence[float | None],
    sessions: Sequence[tuple[float, Mapping[str, Any]]],
) -> tuple[tuple[str, str, str], ...]:
    rows = [
        (day, "questionnaire", plain(total) if total is not None else "not complete")
        for (day, _), total in zip(points, totals, strict=True)
    ] + [(day, "session", _dose(session)) for day, session in sessions]
    return tuple((_date(day), what, said) for day, what, said in sorted(rows, key=lambda row: row[0]))


def _dose(session: Mapping[str, Any]) -> str:
    dose = session.get("dose_mg")
    return f"{float(dose):.1f} mg" if dose is not None else "dose not recorded"


def _keyed(sessions: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [session for session in sessions if session.get("at")]


def _total(point: Mapping[str, Any]) -> float | None:
    total = point.get("total")
    return None if total is None else float(total)


def _day(at: date | datetime | str) -> float:
    """Days since the epoch of proleptic day 1; the time of day counts."""
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    if isinstance(moment, datetime):
        return moment.toordinal() + (moment.hour + moment.minute / 60) / 24
    return float(moment.toordinal())


def _date(day: float) -> str:
    return date.fromordinal(int(day)).strftime("%d %b %Y").lstrip("0")
