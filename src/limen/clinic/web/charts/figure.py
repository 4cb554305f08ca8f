"""A figure of ``limen.reports.figures`` laid out for our pages: the same lanes, words, limits and axes as on paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from limen.clinic.web.charts.geometry import Frame, Tick, band_between, line_through
from limen.reports.figures.data import Figure, Lane, Moment, Seen, Table
from limen.reports.figures.words import peak, sentence, table, thin

LANE_PX = 150
TALL_PX = 240
SESSION_PX = 112
ROWED_PX = 64
NAME_PX = 18
# An area thinner than this holds no words.
_LEAST_PX = 26.0
# What the key says of each part; those that carry their own name in the lane are not in it.
_KEY = {
    "typical": "typical",
    "median": "median",
    "models": "dark: where the models differ",
    "patients": "pale: 90 of 100 patients",
    "before": "pale, dashed edge: before",
    "after": "dark, solid edge: after",
    "seen": "seen",
    "monitor": "from the monitor",
    "reached": "its lowest to highest",
    "by-hand": "written down by a person",
    "expected": "dashed: expected by the models then",
}


@dataclass(frozen=True)
class DrawnWall:
    """A limit drawn where it stands; its name at the end of the line, or at the start beside another's."""

    name: str
    y_px: float
    hatch_y_px: float
    hard: bool
    at_start: bool = False
    spans_pct: tuple[tuple[float, float], ...] = ((0.0, 100.0),)


@dataclass(frozen=True)
class DrawnBand:
    """A filled area with its two edges; named inside where it is one of several areas."""

    role: str
    area: str
    edges: str
    name: str = ""
    x_pct: float = 0.0
    y_px: float = 0.0


@dataclass(frozen=True)
class DrawnTrace:
    """One curve."""

    role: str
    path: str
    name: str
    style: int = 0
    heavy: bool = False


@dataclass(frozen=True)
class Dot:
    """One measured value, with its whisker where a spread was published."""

    x_pct: float
    y_px: float
    label: str
    top_px: float | None = None
    bottom_px: float | None = None
    shape: str = "dot"
    by_hand: bool = False


@dataclass(frozen=True)
class DrawnMoment:
    """A place on the time axis with its name."""

    name: str
    x_pct: float
    sill: bool
    end: bool


@dataclass(frozen=True)
class DrawnBar:
    """Something that lasted, on its row."""

    name: str
    left_pct: float
    wide_pct: float
    y_px: float
    high_px: float
    hollow: bool


@dataclass(frozen=True)
class DrawnMark:
    """A number on its row."""

    name: str
    x_pct: float
    y_px: float


@dataclass(frozen=True)
class DrawnInterval:
    """90 of 100 as a bar."""

    role: str
    left_pct: float
    middle_pct: float
    right_pct: float
    y_px: float


@dataclass(frozen=True)
class DrawnGap:
    """A stretch of which nothing is known."""

    left_pct: float
    wide_pct: float
    middle_pct: float


@dataclass(frozen=True)
class DrawnLane:
    """One lane, ready to print."""

    key: str
    title: str
    unit: str
    height_px: int
    foot_px: int
    ticks: tuple[Tick, ...]
    places: tuple[Tick, ...]
    bands: tuple[DrawnBand, ...]
    traces: tuple[DrawnTrace, ...]
    dots: tuple[Dot, ...]
    walls: tuple[DrawnWall, ...]
    gaps: tuple[DrawnGap, ...]
    intervals: tuple[DrawnInterval, ...]
    moments: tuple[DrawnMoment, ...]
    members: tuple[DrawnTrace, ...]
    bars: tuple[DrawnBar, ...]
    marks: tuple[DrawnMark, ...]
    blank_words: str
    sentence: str
    table: Table
    note: str
    x_words: str


@dataclass(frozen=True)
class DrawnFigure:
    """A figure, ready to print.

    Attributes
    ----------
    key : tuple of (role, words)
        In the order of the sample lines over the lanes.
    """

    kind: str
    title: str
    lanes: tuple[DrawnLane, ...]
    others: tuple[DrawnLane, ...]
    key: tuple[tuple[str, str], ...]
    caption: tuple[str, ...]
    models: tuple[str, ...]
    x_words: str


def lay_out(figure: Figure | None) -> DrawnFigure | None:
    """Lay a figure out; None where there is nothing to draw."""
    if figure is None or not figure.lanes:
        return None
    roles = dict.fromkeys(
        role
        for lane in figure.lanes
        for role in (
            *(trace.role for trace in lane.traces),
            *(band.role for band in reversed(lane.bands)),
            *(_role(seen) for seen in lane.seen),
        )
    )
    return DrawnFigure(
        figure.kind,
        figure.title,
        tuple(_lane(lane, figure, place) for place, lane in enumerate(figure.lanes)),
        tuple(_lane(lane, figure, 0) for lane in figure.others),
        tuple((role, _KEY[role]) for role in roles if role in _KEY),
        figure.caption,
        figure.models,
        figure.x_words,
    )


def _role(seen: Seen) -> str:
    if seen.by_hand:
        return "by-hand"
    return "monitor" if seen.words.endswith(", monitor") else "seen"


def _height_px(lane: Lane, figure: Figure) -> int:
    if figure.kind == "session":
        return ROWED_PX if lane.rowed else SESSION_PX
    return TALL_PX if figure.kind in ("models", "attainment", "leaving") else LANE_PX


def _lane(lane: Lane, figure: Figure, place: int) -> DrawnLane:
    height_px = _height_px(lane, figure)
    frame = Frame(x=lane.x, y=lane.y, height_px=height_px)
    keep = [peak(trace.values) for trace in lane.traces]
    keep += [peak(edge) for band in lane.bands for edge in (band.low, band.high)]
    if lane.gaps:
        # The ends of a gap stay, so that nothing is joined across it.
        keep += [step for step in range(len(lane.places)) if _turns(lane, step)]
    index = thin(len(lane.places), keep)
    across = frame.across([lane.places[step] for step in index])

    def drawn(values: Sequence[float | None]) -> list[str | None]:
        return frame.points(across, [values[step] for step in index])

    bands = []
    for band in lane.bands:
        low, high = drawn(band.low), drawn(band.high)
        name, x_pct, y_px = _inside(frame, lane, band.name, band.low, band.high) if _area(band.role) else ("", 0.0, 0.0)
        edges = line_through(high) if lane.intervals or _area(band.role) else line_through(low) + line_through(high)
        bands.append(DrawnBand(band.role, band_between(low, high), edges, name, x_pct, y_px))
    traces = tuple(
        DrawnTrace(trace.role, line_through(drawn(trace.values)), trace.name, trace.style, trace.heavy)
        for trace in lane.traces
    )
    own = figure.kind == "beliefs"
    return DrawnLane(
        lane.key,
        lane.title,
        lane.unit if lane.measured else "",
        height_px,
        height_px + 14,
        frame.y_ticks() if lane.measured else (),
        frame.x_ticks(),
        tuple(bands),
        traces,
        tuple(dot for seen in lane.seen for dot in _dots(frame, seen, lane.unit)),
        _walls(frame, lane, valued=figure.kind == "session"),
        tuple(
            DrawnGap(frame.x_pct(low), round(frame.x_pct(high) - frame.x_pct(low), 2), frame.x_pct((low + high) / 2))
            for low, high in lane.gaps
        ),
        tuple(
            DrawnInterval(
                bar.role,
                frame.x_pct(bar.low),
                frame.x_pct(bar.middle),
                frame.x_pct(bar.high),
                frame.y_px(height * lane.y.high / 1.08),
            )
            for bar, height in zip(lane.intervals, (-0.10, -0.22), strict=False)
        ),
        tuple(_moment(frame, moment, named=place == 0) for moment in figure.moments),
        tuple(trace for trace in traces if trace.role == "member"),
        tuple(
            DrawnBar(
                bar.name,
                frame.x_pct(bar.low),
                round(max(frame.x_pct(bar.high) - frame.x_pct(bar.low), 0.4), 2),
                frame.y_px(bar.row + 0.3),
                round(frame.y_px(bar.row - 0.3) - frame.y_px(bar.row + 0.3), 1),
                bar.hollow,
            )
            for bar in lane.bars
        ),
        tuple(DrawnMark(mark.name, frame.x_pct(mark.at), frame.y_px(mark.row)) for mark in lane.marks),
        lane.blank_words,
        sentence(lane),
        table(lane),
        lane.note,
        lane.unit if own else figure.x_words,
    )


def _area(role: str) -> bool:
    return role in ("below", "inside", "above")


def _turns(lane: Lane, step: int) -> bool:
    """Whether something of the lane becomes known or unknown here."""
    curves = [trace.values for trace in lane.traces] + [edge for band in lane.bands for edge in (band.low, band.high)]
    near = [other for other in (step - 1, step + 1) if 0 <= other < len(lane.places)]
    return any((values[step] is None) != (values[other] is None) for values in curves for other in near)


def _inside(
    frame: Frame, lane: Lane, name: str, low: Sequence[float | None], high: Sequence[float | None]
) -> tuple[str, float, float]:
    """The name of an area, where it is widest and away from the edges; nothing where it is too thin to read."""
    edge = len(low) // 12
    widths = [
        (top - bottom, step)
        for step, (bottom, top) in enumerate(zip(low, high, strict=True))
        if bottom is not None and top is not None and edge <= step < max(len(low) - edge, edge + 1)
    ]
    if not widths:
        return "", 0.0, 0.0
    width, step = max(widths, key=lambda pair: (pair[0], -pair[1]))
    if width / (lane.y.high - lane.y.low) * frame.height_px < _LEAST_PX:
        return "", 0.0, 0.0
    middle = (low[step] or 0.0) + width / 2
    return f"{name}: {width:.0f} %", frame.x_pct(lane.places[step]), frame.y_px(middle)


def _dots(frame: Frame, seen: Seen, unit: str) -> list[Dot]:
    ends = zip(seen.low, seen.high, strict=True) if seen.low and seen.high else ((None, None) for _ in seen.values)
    return [
        Dot(
            frame.x_pct(at),
            frame.y_px(value),
            f"{seen.words}: {value:g} {unit}",
            None if high is None else frame.y_px(high),
            None if low is None else frame.y_px(low),
            seen.shape,
            seen.by_hand,
        )
        for at, value, (low, high) in zip(seen.places, seen.values, ends, strict=True)
    ]


def _walls(frame: Frame, lane: Lane, *, valued: bool) -> tuple[DrawnWall, ...]:
    """From the top down; where two names would stand on each other, the lower one moves to the other side.

    ``valued`` names each with its value.
    """
    drawn: list[DrawnWall] = []
    for wall in sorted(lane.walls, key=lambda wall: -wall.value):
        y_px = frame.y_px(wall.value)
        near = [other for other in drawn if y_px - other.y_px < NAME_PX]
        drawn.append(
            DrawnWall(
                name=f"{wall.name}: {wall.value:g} {wall.unit}" if valued else wall.name,
                y_px=y_px,
                hatch_y_px=round(max(y_px - 7, 0) if wall.above else y_px, 1),
                hard=wall.hard,
                at_start=bool(near) and not near[-1].at_start,
                spans_pct=tuple((frame.x_pct(low), frame.x_pct(high)) for low, high in wall.spans) or ((0.0, 100.0),),
            )
        )
    return tuple(drawn)


def _moment(frame: Frame, moment: Moment, *, named: bool) -> DrawnMoment:
    x_pct = frame.x_pct(moment.at)
    return DrawnMoment(moment.name if named else "", x_pct, moment.sill, x_pct > 70)
