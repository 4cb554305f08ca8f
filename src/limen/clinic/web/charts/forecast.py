"""The forecast as lanes over one time axis: pale band between patients, dark band between models, dashed typical.

Reads the ``simulate`` contract: ``time_h``, ``outputs``, ``members``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from limen.clinic.web.charts.geometry import (
    Axis,
    Frame,
    Series,
    Tick,
    band_between,
    line_through,
    plain,
    round_axis,
    thin,
)
from limen.pharmacology.effects import effects
from limen.pharmacology.wording import parts

LANE_PX = 150
NAME_PX = 18

# Longest ending first: the unit of an output stands at the end of its name.
_UNITS = {
    "_ng_h_per_mL": "ng·h/mL",
    "_ng_per_mL": "ng/mL",
    "_nmol_per_mL": "nmol/mL",
    "_per_min": "/min",
    "_mmHg": "mmHg",
    "_score": "points",
    "_pct": "%",
    "_h": "h",
}
_WORDS = [
    (r"\bS_", "S-"),
    (r"\bR_", "R-"),
    (r"_effect_site$", " at the effect site"),
    (r"_plasma$", " in plasma"),
    (r"_(arterial|venous)$", r" in \1 plasma"),
    (r"_", " "),
]


@dataclass(frozen=True)
class Wall:
    """A limit drawn where it stands; its name at the end of the line, or at the start beside another's."""

    name: str
    y_px: float
    hatch_y_px: float
    hard: bool
    at_start: bool = False


@dataclass(frozen=True)
class Lane:
    """One output over time, ready to draw."""

    key: str
    title: str
    unit: str
    height_px: int
    ticks: tuple[Tick, ...]
    typical: str
    patients: str
    patients_low: str
    patients_high: str
    models: str
    models_low: str
    models_high: str
    walls: tuple[Wall, ...]
    sentence: str
    said: str
    rows: tuple[tuple[str, ...], ...]
    is_not: str = ""


@dataclass(frozen=True)
class ForecastChart:
    """All lanes on one time axis, with the moment the dose ends."""

    lanes: tuple[Lane, ...]
    others: tuple[Lane, ...]
    times: tuple[Tick, ...]
    ends_pct: float | None
    ends: str
    members: tuple[str, ...]
    has_patients: bool


def forecast_chart(
    forecast: Mapping[str, Any],
    *,
    ends_at_h: float | None = None,
    until_h: float | None = None,
    walls: Sequence[Mapping[str, Any]] = (),
) -> ForecastChart | None:
    """Lay a forecast out. ``walls``: ``{"output", "value", "name", "hard"}``. None when there is nothing to draw."""
    hours, outputs = _known(forecast, until_h)
    if not outputs:
        return None
    members = _weighed(forecast)
    x = _time_axis(hours[-1])
    drawn = [_lane(name, output, hours, x, members, walls) for name, output in outputs.items()]
    order = _chosen([lane.key for lane in drawn])
    lanes = tuple(next(lane for lane in drawn if lane.key == key) for key in order)
    frame = Frame(x=x, y=Axis(low=0, high=1, unit=""), height_px=1)
    return ForecastChart(
        lanes=lanes,
        others=tuple(lane for lane in drawn if lane.key not in order),
        times=tuple(Tick(clock_span(mark * 60), x_pct=frame.x_pct(mark)) for mark in x.marks),
        ends_pct=frame.x_pct(ends_at_h) if ends_at_h is not None and ends_at_h <= hours[-1] else None,
        ends=clock_span(ends_at_h * 60) if ends_at_h is not None else "",
        members=tuple(str(member.get("id", "")) for member in members),
        has_patients=any(lane.patients for lane in lanes),
    )


def forecast_said(forecast: Mapping[str, Any], before: Mapping[str, float] | None = None) -> list[str]:
    """A line for each lane that is shown at once, without drawing it.

    ``before``: for an output that is a change, what it changes from, so that the line names the height reached too.
    """
    hours, outputs = _known(forecast)
    members = _weighed(forecast)
    found = []
    for name in _chosen(list(outputs)):
        edges = _between_models(name, outputs[name], members, hours)
        typical = _cut(outputs[name].get("typical"), hours)
        found.append(_said(*title_and_unit(name), hours, typical, *edges, before=(before or {}).get(name)))
    return found


def title_and_unit(name: str) -> tuple[str, str]:
    """The words and the unit of an output's name.

    Examples
    --------
    >>> title_and_unit("S_norketamine_arterial_ng_per_mL")
    ('S-norketamine in arterial plasma', 'ng/mL')
    >>> title_and_unit("ketamine_plasma_ng_per_mL")
    ('Ketamine in plasma', 'ng/mL')
    """
    ending = next((suffix for suffix in _UNITS if name.endswith(suffix)), "")
    words = name.removesuffix(ending)
    if effects().is_not(name) is not None:
        return parts(name)[0], _UNITS.get(ending, "")
    for pattern, replacement in _WORDS:
        words = re.sub(pattern, replacement, words)
    return words[:1].upper() + words[1:], _UNITS.get(ending, "")


def clock_span(span_min: float) -> str:
    """Minutes as h:mm, the way a clock on the wall is read.

    Examples
    --------
    >>> clock_span(95)
    '1:35'
    """
    whole = round(span_min)
    return f"{whole // 60}:{whole % 60:02d}"


def _known(forecast: Mapping[str, Any], until_h: float | None = None) -> tuple[list[float], dict[str, Any]]:
    """The hours to draw, and the outputs that cover them: none where there is nothing to draw."""
    hours = [float(hour) for hour in forecast.get("time_h") or ()]
    if len(hours) < 2:
        return hours, {}
    count = sum(1 for hour in hours if until_h is None or hour <= until_h + 1e-9)
    hours = hours[: max(count, 2)]
    outputs: Mapping[str, Any] = forecast.get("outputs") or {}
    return hours, {
        name: output
        for name, output in outputs.items()
        if isinstance(output, Mapping) and len(output.get("typical") or ()) >= len(hours)
    }


def _weighed(forecast: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [member for member in forecast.get("members") or () if _weight(member) > 0]


def _lane(
    name: str,
    output: Mapping[str, Any],
    hours: list[float],
    x: Axis,
    members: Sequence[Mapping[str, Any]],
    walls: Sequence[Mapping[str, Any]],
) -> Lane:
    title, unit = title_and_unit(name)
    typical = _cut(output.get("typical"), hours)
    low, high = _cut(output.get("p05"), hours), _cut(output.get("p95"), hours)
    model_low, model_high = _between_models(name, output, members, hours)
    mine = [wall for wall in walls if wall.get("output") == name]
    y = round_axis(
        [*typical, *low, *high, *model_low, *model_high, *(float(wall["value"]) for wall in mine)], unit, from_zero=True
    )
    frame = Frame(x=x, y=y, height_px=LANE_PX)
    peak = _peak(typical)
    index = thin(len(hours), [peak, _peak(high), _peak(model_high)])
    at = [hours[step] for step in index]

    across = frame.across(at)
    points = [
        frame.points(across, [curve[step] for step in index]) if curve else []
        for curve in (typical, low, high, model_low, model_high)
    ]
    of_typical, of_low, of_high, of_model_low, of_model_high = points
    return Lane(
        key=name,
        title=title,
        unit=unit,
        height_px=LANE_PX,
        ticks=frame.y_ticks(),
        typical=line_through(of_typical),
        patients=band_between(of_low, of_high),
        patients_low=line_through(of_low),
        patients_high=line_through(of_high),
        models=band_between(of_model_low, of_model_high),
        models_low=line_through(of_model_low),
        models_high=line_through(of_model_high),
        walls=_walls(frame, mine),
        sentence=_sentence(title, unit, hours, typical, low, high, model_low, model_high, mine),
        said=_said(title, unit, hours, typical, model_low, model_high),
        rows=_rows(hours, typical, low, high, model_low, model_high),
        is_not=effects().is_not(name) or "",
    )


def _between_models(
    name: str, output: Mapping[str, Any], members: Sequence[Mapping[str, Any]], hours: list[float]
) -> tuple[list[float | None], list[float | None]]:
    """The least and greatest of the models: as the forecast gives them, else over its members."""
    edges = output.get("between_models") or {}
    if edges.get("low") and edges.get("high"):
        return _cut(edges["low"], hours), _cut(edges["high"], hours)
    curves = [_cut(curve, hours) for member in members if (curve := (member.get("typical") or {}).get(name))]
    return (_across(curves, min), _across(curves, max)) if len(curves) > 1 else ([], [])


def _walls(frame: Frame, walls: Sequence[Mapping[str, Any]]) -> tuple[Wall, ...]:
    """From the top down; where two names would stand on each other, the lower one moves to the other side."""
    drawn: list[Wall] = []
    for wall in sorted(walls, key=lambda wall: -float(wall["value"])):
        y_px = frame.y_px(float(wall["value"]))
        near = [other for other in drawn if y_px - other.y_px < NAME_PX]
        drawn.append(
            Wall(
                name=str(wall["name"]),
                y_px=y_px,
                hatch_y_px=round(max(y_px - 7, 0), 1),
                hard=bool(wall.get("hard", True)),
                at_start=bool(near) and not near[-1].at_start,
            )
        )
    return tuple(drawn)


def _time_axis(until_h: float) -> Axis:
    """Hours from 0, labelled every so many minutes that six to nine labels fit a desk column."""
    total_min = until_h * 60
    step = next((step for step in (5, 10, 15, 30, 60, 120, 240, 480, 720) if total_min / step <= 8), 1440)
    marks = tuple(step * index / 60 for index in range(int(total_min / step + 1e-9) + 1))
    return Axis(low=0.0, high=until_h, unit="h", marks=marks)


def _chosen(names: list[str]) -> list[str]:
    """The lanes shown at once: total ketamine in blood (S where there is no total), the effect site, the effects."""
    total = [name for name in names if re.match(r"ketamine_(plasma|arterial|venous)_", name)]
    blood = total or [name for name in names if re.match(r"S_ketamine_(plasma|arterial|venous)_", name)]
    site = [name for name in names if "effect_site" in name and "nor" not in name]
    effects = [name for name in names if re.match(r"(sbp_change|hr_change|dissociation)_", name)]
    return [*blood[:1], *site[:1], *effects] or names[:3]


def _cut(curve: Any, hours: list[float]) -> list[float | None]:
    if not curve:
        return []
    return [None if amount is None else float(amount) for amount in list(curve)[: len(hours)]]


def _across(curves: list[list[float | None]], choose: Any) -> list[float | None]:
    at_each = zip(*curves, strict=True)
    return [choose(known) if (known := [v for v in values if v is not None]) else None for values in at_each]


def _peak(curve: Series) -> int:
    known = [(abs(amount), -step) for step, amount in enumerate(curve) if amount is not None]
    return -max(known)[1] if known else 0


def _weight(member: Mapping[str, Any]) -> float:
    weight = member.get("weight")
    return 1.0 if weight is None else float(weight)


def _sentence(
    title: str,
    unit: str,
    hours: list[float],
    typical: Series,
    low: Series,
    high: Series,
    model_low: Series,
    model_high: Series,
    walls: Sequence[Mapping[str, Any]],
) -> str:
    peak = _peak(typical)
    said = [f"{title}: forecast typical peak {_short(typical[peak])} {unit} at {clock_span(hours[peak] * 60)}"]
    if low and high:
        said.append(f"nine in ten patients between {_short(low[peak])} and {_short(high[peak])} then")
    if model_low and model_high:
        said.append(f"models between {_short(model_low[peak])} and {_short(model_high[peak])}")
    said += [f"limit {wall['name']} at {_short(float(wall['value']))}" for wall in walls]
    return ", ".join(said) + "."


def _said(
    title: str,
    unit: str,
    hours: list[float],
    typical: Series,
    model_low: Series,
    model_high: Series,
    *,
    before: float | None = None,
) -> str:
    """The line over the picture: where the curve is highest, by every model, and the height reached from ``before``."""
    peak = _peak(typical)
    ends: Series = (typical[peak],)
    if model_low and model_high and None not in (model_low[peak], model_high[peak]):
        ends = (model_low[peak], model_high[peak])
    heights = _between(*ends) if len(ends) == 2 else _short(*ends)
    said = f"{title} peaks at {heights} {unit} near {clock_span(hours[peak] * 60)}"
    if before is None or None in ends:
        return said
    reached = dict.fromkeys(f"{before + end:.0f}" for end in ends if end is not None)
    return f"{said}: forecast peak {'–'.join(reached)} {unit} from {plain(before)}"


def _rows(
    hours: list[float], typical: Series, low: Series, high: Series, model_low: Series, model_high: Series
) -> tuple[tuple[str, ...], ...]:
    """The table behind the lane: at most fourteen times and the peak."""
    index = thin(len(hours), [_peak(typical)], at_most=13)

    def ends(under: Series, over: Series, step: int) -> str:
        if not under or not over or under[step] is None or over[step] is None:
            return "not known"
        return _between(under[step], over[step])

    return tuple(
        (
            clock_span(hours[step] * 60),
            _short(typical[step]),
            ends(model_low, model_high, step),
            ends(low, high, step),
        )
        for step in index
    )


def _short(amount: float | None) -> str:
    """Three figures: a forecast is not known better than that."""
    return "not known" if amount is None else plain(round(amount, _digits(amount)), _digits(amount))


def _between(low: float | None, high: float | None) -> str:
    """A range, both ends to the digits of the larger."""
    if low is None or high is None:
        return "not known"
    digits = _digits(max(abs(low), abs(high)))
    return f"{plain(round(low, digits), digits)}–{plain(round(high, digits), digits)}"


def _digits(amount: float) -> int:
    return 0 if abs(amount) >= 100 else 1 if abs(amount) >= 10 else 2
