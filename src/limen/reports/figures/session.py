"""The figure of a session: what was seen, given, alarmed and expected on one axis of time, from the note itself."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from limen.care.alarm_limits import span
from limen.reports.figures.axes import Axis, plain, round_axis
from limen.reports.figures.clock import Clock, time_axis
from limen.reports.figures.data import Band, Bar, Figure, Lane, Mark, Moment, Seen, Shape, Table, Trace, Wall
from limen.reports.words import label

# key, title, unit, then what is drawn in it: column of the note, signal, name, shape.
_LANES: tuple[tuple[str, str, str, tuple[tuple[str, str, str, Shape], ...]], ...] = (
    (
        "pressure",
        "Pressure",
        "mmHg",
        (("sbp_mmHg", "NIBP_SYS", "systolic", "down"), ("dbp_mmHg", "NIBP_DIA", "diastolic", "up")),
    ),
    ("heart", "Heart rate", "/min", (("hr_per_min", "HR", "heart rate", "dot"),)),
    ("saturation", "SpO2", "%", (("spo2_pct", "SPO2", "SpO2", "dot"),)),
    ("breathing", "Breathing rate", "/min", (("rr_per_min", "RR", "breathing rate", "dot"),)),
)
_SCORES: tuple[tuple[str, str, Shape], ...] = (("moaas", "MOAA/S", "dot"), ("dissociation", "dissociation", "up"))
# What has a number on the axis of events; the first ones are drawn through every lane.
_THROUGH = {
    "infusion.started",
    "infusion.paused",
    "infusion.resumed",
    "infusion.rate-changed",
    "infusion.stopped",
    "dose.given",
    "rescue.given",
    "emergency.started",
}
_NUMBERED = {
    *_THROUGH,
    "emergency.ended",
    "adverse-event.recorded",
    "symptom.reported",
    "limits.changed",
    "owner.changed",
    "patient.called",
    "discharge.asked",
    "discharged",
    "session.ended",
}
_PRIORITIES = ("low", "medium", "high")
_ROWS = 4
# A number of two digits is this part of the axis wide.
_NUMBER_FRACTION = 0.025
_MOST_GAPS = 12


def session_figure(note: Mapping[str, Any], *, started_at: str | None = None, zone: str = "UTC") -> Figure | None:
    """The figure of a session from its note.

    Parameters
    ----------
    note : mapping
        What ``limen.session.note.build_note`` made, or its JSON.
    started_at : str, optional
        When the session began, as ISO text with its offset.

    Returns
    -------
    Figure or None
        None where the note holds no curves (one that an earlier version signed), or nothing was seen or given.
    """
    kept = note.get("trends")
    if not kept:
        return None
    clock = Clock(started_at, zone)
    x = time_axis(kept["from_t_s"], kept["until_t_s"], clock)
    lanes = [lane for entry in _LANES if (lane := _signal_lane(entry, kept, x, clock)) is not None]
    scores = _score_lane(kept, x, clock)
    dose = _dose_lane(kept, x, clock)
    if not lanes and scores is None and dose is None:
        return None
    numbered = [row for row in note["events"] if row["kind"] in _NUMBERED]
    inside = [row for row in numbered if kept["from_t_s"] <= row["t_s"] <= kept["until_t_s"]]
    every = [
        _event_lane(inside, x, clock),
        dose,
        *lanes,
        scores,
        _alarm_lane(note["alarms"], kept, x, clock),
    ]
    return Figure(
        "session",
        "What was seen, given and alarmed",
        tuple(lane for lane in every if lane is not None),
        x_words=clock.words,
        moments=tuple(Moment("", row["t_s"] / 3600.0) for row in inside if row["kind"] in _THROUGH),
        caption=tuple(_caption(kept, inside, len(numbered) - len(inside), lanes, clock)),
    )


def _signal_lane(entry: Any, kept: Mapping[str, Any], x: Axis, clock: Clock) -> Lane | None:
    key, title, unit, parts = entry
    if key == "heart" and kept.get("pulse_for_heart_rate"):
        title = "Heart rate (pulse)"
    seen: list[Seen] = []
    traces: list[Trace] = []
    bands: list[Band] = []
    walls: list[Wall] = []
    places: tuple[float, ...] = ()
    blank: list[tuple[float, float]] = []
    rows: list[tuple[float, str, str, str]] = []
    told: list[str] = []
    for column, signal, name, shape in parts:
        found = kept["signals"].get(signal) or {}
        if "points" in found:
            points = found["points"]
            seen.append(_points(f"{name}, monitor", [(t_s, value) for t_s, value in points], shape))
            rows += [(t_s, name, plain(value, 1), "monitor") for t_s, value in points]
        elif found:
            places = tuple(t_s / 3600.0 for t_s in found["t_s"])
            traces.append(Trace("monitor", f"{name}, monitor", tuple(found["middle"])))
            bands.append(Band("reached", "lowest to highest", tuple(found["low"]), tuple(found["high"])))
            blank += [(begin / 3600.0, end / 3600.0) for begin, end in found["gaps"]]
            rows += _thinned(found, name)
        written = [(row["t_s"], row[column], row.get("by")) for row in kept["written"] if column in row]
        if written:
            seen.append(_points(f"{name}, written", [(t_s, value) for t_s, value, _ in written], shape, by_hand=True))
            rows += [(t_s, name, plain(value, 1), f"written by {by or 'not said'}") for t_s, value, by in written]
        band = kept["expected"].get(signal)
        if band:
            places = places or tuple(t_s / 3600.0 for t_s in band["t_s"])
            bands.append(Band("expected", f"{name} expected", tuple(band["low"]), tuple(band["high"])))
        told += _reached(name, unit, found, written, clock)
        for row in kept["limits"]:
            if row["column"] == column:
                walls.append(_wall(row, name if len(parts) > 1 else "", unit, kept))
    if not seen and not traces:
        return None
    told += [f"limit {wall.name} at {plain(wall.value)}" for wall in walls]
    told += [
        f"no value from {clock.at(low * 3600, seconds=True)} to {clock.at(high * 3600, seconds=True)}"
        for low, high in blank[:_MOST_GAPS]
    ]
    amounts = [value for one in seen for value in one.values] + [wall.value for wall in walls]
    amounts += [value for one in bands for edge in (one.low, one.high) for value in edge if value is not None]
    amounts += [value for one in traces for value in one.values if value is not None]
    return Lane(
        key,
        title,
        unit,
        x,
        _amounts_axis(amounts, unit),
        places,
        tuple(bands),
        tuple(traces),
        tuple(seen),
        tuple(walls),
        blank=tuple(_inside(pair, x) for pair in blank if pair[1] > x.low and pair[0] < x.high),
        blank_words="no value",
        told=f"{title}: {'; '.join(told)}.",
        numbers=_table(f"{title}, {unit}", rows, clock),
    )


def _inside(pair: tuple[float, float], x: Axis) -> tuple[float, float]:
    return max(pair[0], x.low), min(pair[1], x.high)


def _points(words: str, found: Sequence[tuple[float, float]], shape: Shape, *, by_hand: bool = False) -> Seen:
    places = tuple(t_s / 3600.0 for t_s, _ in found)
    return Seen(words, places, tuple(float(value) for _, value in found), shape=shape, by_hand=by_hand)


def _amounts_axis(amounts: Sequence[float], unit: str) -> Axis:
    """Round marks, and room beyond them, so that no reading stands on the frame."""
    axis = round_axis(amounts, unit, steps=3)
    room = 0.14 * (axis.high - axis.low)
    low = axis.low - room if min(amounts) - axis.low < room else axis.low
    high = axis.high + room if axis.high - max(amounts) < room else axis.high
    return Axis(low, high, unit, axis.marks)


def _thinned(found: Mapping[str, Any], name: str) -> list[tuple[float, str, str, str]]:
    """About a dozen steps of a curve, each with its lowest and highest."""
    rows = []
    count = len(found["t_s"])
    for place in sorted({round(index * (count - 1) / 12) for index in range(13)}):
        low, high = found["low"][place], found["high"][place]
        words = "no value" if low is None else plain(low, 1) if low == high else f"{plain(low, 1)} to {plain(high, 1)}"
        rows.append((found["t_s"][place], name, words, "monitor"))
    return rows


def _reached(name: str, unit: str, found: Mapping[str, Any], written: Sequence[Any], clock: Clock) -> list[str]:
    """The lowest and the highest of everything seen, with their times."""
    seen = [(value, t_s) for t_s, value in found.get("points", ())]
    lows = seen + [(value, t_s) for t_s, value, _ in written]
    highs = list(lows)
    if "low" in found:
        lows += [(value, t_s) for t_s, value in zip(found["t_s"], found["low"], strict=True) if value is not None]
        highs += [(value, t_s) for t_s, value in zip(found["t_s"], found["high"], strict=True) if value is not None]
    if not lows:
        return []
    (low, low_t_s), (high, high_t_s) = min(lows), max(highs, key=lambda pair: (pair[0], -pair[1]))
    if low == high:
        return [f"{name} {plain(low, 1)} {unit} throughout"]
    ends = f"{plain(low, 1)} at {clock.at(low_t_s)} to {plain(high, 1)} {unit} at {clock.at(high_t_s)}"
    return [f"{name} from {ends}"]


def _wall(row: Mapping[str, Any], name: str, unit: str, kept: Mapping[str, Any]) -> Wall:
    whole = row["spans"] == [[kept["from_t_s"], kept["until_t_s"]]]
    spans = () if whole else tuple((begin / 3600.0, end / 3600.0) for begin, end in row["spans"])
    words = " ".join(part for part in (name, row["rule"]) if part)
    return Wall(words, row["limit"], unit, hard=False, above=row["side"] == "high", spans=spans)


def _score_lane(kept: Mapping[str, Any], x: Axis, clock: Clock) -> Lane | None:
    seen: list[Seen] = []
    rows: list[tuple[float, str, str, str]] = []
    told: list[str] = []
    for column, name, shape in _SCORES:
        found = [(row["t_s"], row[column], row.get("by")) for row in kept["written"] if column in row]
        if not found:
            continue
        seen.append(_points(f"{name}, written", [(t_s, value) for t_s, value, _ in found], shape, by_hand=True))
        rows += [(t_s, name, plain(value), f"written by {by or 'not said'}") for t_s, value, by in found]
        told += _reached(name, "points", {}, found, clock)
    if not seen:
        return None
    return Lane(
        "scores",
        "Sedation (MOAA/S, rings) and dissociation (triangles)",
        "points",
        x,
        Axis(-0.4, 5.4, "points", (0, 1, 2, 3, 4, 5)),
        (),
        seen=tuple(seen),
        blank=(),
        told=f"Sedation and dissociation: {'; '.join(told)}.",
        numbers=_table("Sedation and dissociation, points", rows, clock),
    )


def _dose_lane(kept: Mapping[str, Any], x: Axis, clock: Clock) -> Lane | None:
    given = kept["given"]
    if not given:
        return None
    total = given[-1][1]
    return Lane(
        "given",
        "Given so far",
        "mg",
        x,
        _amounts_axis([0.0, *(amount for _, amount in given)], "mg"),
        tuple(t_s / 3600.0 for t_s, _ in given),
        traces=(Trace("monitor", "given", tuple(amount for _, amount in given), heavy=True),),
        blank=(),
        told=f"Given so far: {plain(total, 3)} mg from {clock.at(given[0][0])} to the end of the figure.",
        numbers=_table(
            "Given so far, mg", [(t_s, "given", plain(amount, 3), "recorded") for t_s, amount in given], clock
        ),
    )


def _event_lane(inside: Sequence[Mapping[str, Any]], x: Axis, clock: Clock) -> Lane | None:
    if not inside:
        return None
    rooms = _rows([row["t_s"] / 3600.0 for row in inside], x)
    marks = tuple(
        Mark(str(number), room, row["t_s"] / 3600.0, "h")
        for number, (row, room) in enumerate(zip(inside, rooms, strict=True), start=1)
    )
    rows = tuple((str(number), clock.at(row["t_s"]), _said(row)) for number, row in enumerate(inside, start=1))
    return Lane(
        "events",
        "Events",
        "",
        x,
        Axis(-0.6, _ROWS - 0.4, ""),
        (),
        measured=False,
        rowed=True,
        marks=marks,
        blank=(),
        told=f"Events: {'; '.join(f'{number} {what} {at}' for number, at, what in rows)}.",
        numbers=Table("Events", ("Number", "Time", "What"), rows),
    )


def _rows(places: Sequence[float], x: Axis) -> list[int]:
    """A row for each number, so that two of one row do not stand on each other as long as there is room."""
    least = _NUMBER_FRACTION * (x.high - x.low)
    last = [-math.inf] * _ROWS
    found = []
    for at in places:
        free = [row for row in range(_ROWS) if at - last[row] >= least]
        row = free[0] if free else min(range(_ROWS), key=lambda row: last[row])
        last[row] = at
        found.append(row)
    return found


def _alarm_lane(alarms: Sequence[Mapping[str, Any]], kept: Mapping[str, Any], x: Axis, clock: Clock) -> Lane:
    bars = tuple(
        Bar(
            row["because"],
            _PRIORITIES.index(row["priority"]),
            row["t_s"] / 3600.0,
            (row["ended_t_s"] if row["ended_t_s"] is not None else kept["until_t_s"]) / 3600.0,
            "h",
            hollow=row["kind"] == "technical",
        )
        for row in alarms
        if kept["from_t_s"] <= row["t_s"] <= kept["until_t_s"]
    )
    counts = {priority: sum(row["priority"] == priority for row in alarms) for priority in _PRIORITIES}
    rows = tuple(
        (
            clock.at(row["t_s"], seconds=True),
            clock.at(row["ended_t_s"], seconds=True) if row["ended_t_s"] is not None else "not ended",
            row["priority"],
            row["kind"],
            row["because"],
        )
        for row in alarms
    )
    return Lane(
        "alarms",
        "Alarms: full bars of the patient, open bars of the equipment",
        "",
        x,
        Axis(-0.6, 2.6, "", (0, 1, 2), _PRIORITIES),
        (),
        rowed=True,
        bars=bars,
        blank=(),
        told=f"Alarms: {', '.join(f'{counts[priority]} {priority}' for priority in reversed(_PRIORITIES))}.",
        numbers=Table("Alarms", ("From", "To", "Priority", "Kind", "Because"), rows or (("none", "", "", "", ""),)),
    )


def _table(caption: str, rows: Sequence[tuple[float, str, str, str]], clock: Clock) -> Table:
    ordered = sorted(rows, key=lambda row: row[0])
    return Table(
        caption,
        ("Time", "What", "Value", "From"),
        tuple((clock.at(t_s), name, value, origin) for t_s, name, value, origin in ordered),
    )


def _said(row: Mapping[str, Any]) -> str:
    words = str(row["kind"]).replace(".", " ").replace("-", " ")
    detail = row.get("detail") or {}
    if row["kind"] in {"infusion.started", "dose.given"}:
        return f"{words}, {plain(float(detail['dose_mg']), 3)} mg"
    told = detail.get("text") or detail.get("what") or detail.get("drug") or detail.get("to") or detail.get("signal")
    told = told or detail.get("reason")
    if row["kind"] == "infusion.rate-changed":
        told = ", ".join(
            f"{label(name).lower()} {plain(float(detail[name]), 1)} {unit}"
            for name, unit in _RATES.items()
            if name in detail
        )
    return f"{words}: {told}" if told else words


_RATES = {"rate_mg_per_h": "mg/h", "rate_mL_per_h": "mL/h"}


def _caption(
    kept: Mapping[str, Any], inside: Sequence[Mapping[str, Any]], outside: int, lanes: Sequence[Lane], clock: Clock
) -> list[str]:
    told = []
    if inside:
        listed = "; ".join(
            f"{number} {clock.at(row['t_s'])} {_said(row)}" for number, row in enumerate(inside, start=1)
        )
        told.append(f"{listed}.")
    if outside:
        told.append(f"{outside} more before or after the time drawn: see the events of this note.")
    roles = {trace.role for lane in lanes for trace in lane.traces}
    if any(one.by_hand for lane in lanes for one in lane.seen) or roles:
        told.append(
            "Full marks and the line are the monitor's (grey: lowest to highest in each "
            f"{span(kept['step_s'])}, min:s); open marks were written down by a person."
            if roles
            else "Full marks are the monitor's; open marks were written down by a person."
        )
    limits = "Dashed across: the nearest limit that asks for a pause or a stop."
    if any(band.role == "expected" for lane in lanes for band in lane.bands):
        limits += " Short dashes: between them the models expected the value at that moment."
    told.append(limits)
    if any(lane.gaps for lane in lanes):
        told.append("Hatched: the monitor gave no value that could be read.")
    return told
