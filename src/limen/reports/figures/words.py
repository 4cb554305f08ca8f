"""A figure for those who hear it, and the table behind it: the same numbers, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from limen.reports.figures.axes import Amount, Series, clock_span, plain
from limen.reports.figures.data import Band, Figure, Lane, Table, Trace

_MOST_ROWS = 13
UNKNOWN = "not known"
WITHHELD = "not studied"


def said(figure: Figure | None, before: Mapping[str, float] | None = None) -> list[str]:
    """A line for each lane of a forecast: where it is highest, by every model.

    Parameters
    ----------
    before : mapping of NAME to number, optional
        For an output that is a change, what it changes from, so that the line names the height reached too.
    """
    return [] if figure is None else [_peak_line(lane, (before or {}).get(lane.key)) for lane in figure.lanes]


def sentence(lane: Lane) -> str:
    """What a lane shows, in one sentence: its label for those who hear the page."""
    if lane.told:
        return lane.told
    if lane.intervals:
        bars = [
            f"{bar.role} {short(bar.middle)}, 90 of 100 between {short(bar.low)} and {short(bar.high)}"
            for bar in lane.intervals
        ]
        return f"{lane.title}, {lane.unit}: {'; '.join(bars)}."
    told = [_of_trace(lane, trace) for trace in lane.traces] or [_of_band(lane, band) for band in lane.bands]
    if lane.traces and lane.traces[0].role in ("typical", "median"):
        told += _spread_at_peak(lane)
    told += [
        f"seen: {seen.words}, {len(seen.values)} point{'' if len(seen.values) == 1 else 's'}" for seen in lane.seen
    ]
    told += [f"limit {wall.name} at {short(wall.value)}" for wall in lane.walls]
    told += [f"no value {_from_to(lane, gap)}" for gap in lane.gaps]
    return f"{lane.title}: {', '.join(told)}."


def table(lane: Lane) -> Table:
    """At most fourteen places and the peak, with every curve, band and point of the lane."""
    if lane.numbers is not None:
        return lane.numbers
    if lane.intervals:
        heads = ("", "90 of 100 from", "middle", "to")
        rows = tuple((bar.role, short(bar.low), short(bar.middle), short(bar.high)) for bar in lane.intervals)
        return Table(f"{lane.title}, {lane.unit}", heads, rows)
    main = lane.traces[0].values if lane.traces else lane.bands[0].high
    index = thin(len(lane.places), [peak(main)], at_most=_MOST_ROWS)
    clock = lane.x.unit == "h"
    columns: tuple[str, ...] = ("From start, h:min" if clock else lane.x.unit, *(_head(item) for item in lane.traces))
    columns += tuple(band.name[:1].upper() + band.name[1:] for band in reversed(lane.bands))
    found = []
    for step in index:
        place = lane.places[step]
        cells = [clock_span(place * 60) if clock else short(place)]
        cells += [short(trace.values[step]) for trace in lane.traces]
        cells += [_cell(band, step) for band in reversed(lane.bands)]
        found.append(tuple(cells))
    for seen in lane.seen:
        heads_seen = f"seen: {seen.words}"
        found += [
            (
                f"{clock_span(place * 60) if clock else short(place)} {heads_seen}",
                short(value),
                *[""] * (len(columns) - 2),
            )
            for place, value in zip(seen.places, seen.values, strict=True)
        ]
    return Table(f"{lane.title}, {lane.unit}" if lane.unit else lane.title, columns, tuple(found))


def thin(length: int, keep: Iterable[int], at_most: int = 240) -> list[int]:
    """Indices to draw: evenly spaced, and always the first, the last and those in ``keep`` (peaks)."""
    if length <= at_most:
        return list(range(length))
    even = {round(step * (length - 1) / (at_most - 1)) for step in range(at_most)}
    return sorted(even | {index for index in keep if 0 <= index < length})


def peak(curve: Series) -> int:
    """Where a curve is furthest from nothing; 0 where nothing of it is known."""
    known = [(abs(amount), -step) for step, amount in enumerate(curve) if amount is not None]
    return -max(known)[1] if known else 0


def short(amount: Amount) -> str:
    """Three figures: a forecast is not known better than that.

    Examples
    --------
    >>> short(123.4), short(12.34), short(None)
    ('123', '12.3', 'not known')
    """
    return UNKNOWN if amount is None else plain(round(amount, _digits(amount)), _digits(amount))


def between(low: Amount, high: Amount) -> str:
    """A range, both ends to the digits of the larger."""
    if low is None and high is None:
        return UNKNOWN
    if low is None or high is None:
        return f"from {short(low)}, upper end {WITHHELD}" if low is not None else f"up to {short(high)}"
    digits = _digits(max(abs(low), abs(high)))
    return f"{plain(round(low, digits), digits)}–{plain(round(high, digits), digits)}"


def _peak_line(lane: Lane, before: float | None) -> str:
    typical = lane.traces[0].values
    if lane.gaps and any(value is None for value in typical):
        return f"{lane.title} is not given {_from_to(lane, lane.gaps[0])}: past what was studied"
    top = peak(typical)
    ends: Series = (typical[top],)
    models = next((band for band in lane.bands if band.role == "models"), None)
    if models is not None and None not in (models.low[top], models.high[top]):
        ends = (models.low[top], models.high[top])
    heights = between(*ends) if len(ends) == 2 else short(*ends)
    line = f"{lane.title} peaks at {heights} {lane.unit} near {clock_span(lane.places[top] * 60)}"
    if lane.gaps:
        return f"{line}, or higher: past what was studied {_from_to(lane, lane.gaps[0])}"
    if before is None or None in ends:
        return line
    reached = dict.fromkeys(f"{before + end:.0f}" for end in ends if end is not None)
    line = f"{line}: forecast peak {'–'.join(reached)} {lane.unit} from {plain(before)}"
    people = next((band for band in lane.bands if band.role == "patients"), None)
    highest = None if people is None else max((value for value in people.high if value is not None), default=None)
    return line if highest is None else f"{line}, over {before + highest:.0f} in 1 of 20 patients"


def _of_trace(lane: Lane, trace: Trace) -> str:
    top = peak(trace.values)
    if trace.values[top] is None:
        return f"{trace.name} not known"
    height = f"{short(trace.values[top])} {lane.unit}".strip()
    at = f"at {clock_span(lane.places[top] * 60)}" if lane.x.unit == "h" else f"at {short(lane.places[top])}"
    if trace.role == "typical":
        return f"forecast typical peak {height} {at}"
    if trace.role == "member":
        return f"{trace.name} {at}"
    if trace.role == "share":
        half = next((step for step, value in enumerate(trace.values) if value is not None and value >= 50), None)
        when = "half not reached" if half is None else f"half by {clock_span(lane.places[half] * 60)}"
        return f"{trace.name}: {when}, {short(trace.values[-1])} % by {clock_span(lane.places[-1] * 60)}"
    return f"{trace.name} {height} {at} at most"


def _of_band(lane: Lane, band: Band) -> str:
    widths = [
        (high - low, step)
        for step, (low, high) in enumerate(zip(band.low, band.high, strict=True))
        if low is not None and high is not None
    ]
    if not widths:
        return f"{band.name} not known"
    width, step = max(widths, key=lambda pair: pair[0])
    return f"{band.name} at most {short(width)} {lane.unit} at {clock_span(lane.places[step] * 60)}"


def _spread_at_peak(lane: Lane) -> list[str]:
    top = peak(lane.traces[0].values)
    told = []
    for band in lane.bands:
        if None in (band.low[top], band.high[top]):
            continue
        ends = f"between {short(band.low[top])} and {short(band.high[top])}"
        told.append(f"models {ends}" if band.role == "models" else f"nine in ten patients {ends} then")
    return told


def _from_to(lane: Lane, gap: Sequence[float]) -> str:
    if lane.x.unit != "h":
        return f"from {short(gap[0])} to {short(gap[1])}"
    return f"from {clock_span(gap[0] * 60)} to {clock_span(gap[1] * 60)}"


def _head(trace: Trace) -> str:
    return trace.name[:1].upper() + trace.name[1:]


def _cell(band: Band, step: int) -> str:
    low, high = band.low[step], band.high[step]
    if band.role in ("below", "inside", "above"):
        return UNKNOWN if low is None or high is None else f"{plain(round(high - low, 1))} %"
    return between(low, high)


def _digits(amount: float) -> int:
    return 0 if abs(amount) >= 100 else 1 if abs(amount) >= 10 else 2
