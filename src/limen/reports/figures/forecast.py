"""The figure of a forecast, and that of the models behind it, from the ``simulate`` contract."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from limen.pharmacology.effects import effects
from limen.pharmacology.wording import parts
from limen.reports.figures.axes import Axis, Series, clock_span, hours_axis, round_axis
from limen.reports.figures.data import Band, Figure, Lane, Moment, Trace, Wall, series

# What is shown where nobody chose: whole ketamine (else S) in blood and at its site, its children, then effects.
_WHOLE = (r"ketamine_", r"S_ketamine_")
_EFFECTS = ("dissociation_pct", "sbp_change_mmHg", "hr_change_per_min")
PRODUCTS = {"racemic": "racemic ketamine", "s-ketamine": "S-ketamine", "esketamine-nasal": "nasal esketamine"}
_BELOW = {
    "mixed-matrix": "The models were fitted to different blood (arterial, venous, not stated); so they differ in part",
    "assumed-absorption": "Absorption is a range assumed by this project, not a published model",
    "assumed-variability": "Some models published no spread between patients; that of another model is lent to them",
    "assumed-r-arm": "R-ketamine is an assumption of this project",
    "early-bolus-unusable": "A model with a small central volume is not to be believed in the minutes after a bolus",
    "effect-extrapolated": "An effect is drawn beyond the concentrations it was studied at",
    "effect-withheld": "Hatched: an effect is left out where it would go far past what was studied",
    "outside-age": "For at least one model the patient's age is outside what was studied",
    "outside-weight": "For at least one model the patient's weight is outside what was studied",
}
# Lines through study means: how their bands may be read.
_NOT_A_SPREAD = "the band is of concentrations and of study means, not of people; some people rise far more."
_COMPUTED = (
    "how people differ is computed from how many rose far on nasal drug, not measured; over 65 more do than it says."
)
PATIENTS, MODELS = "90 of 100 patients", "where the models differ"


def forecast_figure(
    forecast: Mapping[str, Any],
    *,
    outputs: Sequence[str] | None = None,
    walls: Mapping[str, Sequence[Wall]] | None = None,
    ends_at_h: float | None = None,
    until_h: float | None = None,
    now_h: float | None = None,
) -> Figure | None:
    """The lanes of a forecast.

    Parameters
    ----------
    forecast : mapping
        The ``simulate`` contract.
    outputs : sequence of NAME, optional
        Which to draw; ``usual_outputs`` where not given, the others then following folded.
    walls : mapping of NAME to limits
        Each in the lane of its output.
    ends_at_h, now_h : float, optional
        When the dose ends; the line between what was seen and what is forecast.
    until_h : float, optional
        Drawn up to here.

    Returns
    -------
    Figure or None
        None where there is nothing to draw.
    """
    hours, found = _known(forecast, until_h)
    if not found:
        return None
    shown = [name for name in (outputs if outputs is not None else usual_outputs(found)) if name in found]
    x = hours_axis(hours[0], hours[-1])
    limits = walls or {}
    lanes = {name: _lane(name, found[name], forecast, hours, x, limits.get(name, ())) for name in found}
    moments = []
    if ends_at_h is not None and 0 < ends_at_h <= hours[-1]:
        moments.append(Moment(f"dose ends {clock_span(ends_at_h * 60)}", ends_at_h))
    if now_h is not None:
        moments.append(Moment("now", now_h, sill=True))
    return Figure(
        "forecast",
        _title(forecast),
        tuple(lanes[name] for name in shown),
        others=() if outputs is not None else tuple(lane for name, lane in lanes.items() if name not in shown),
        moments=tuple(moments),
        caption=(_who(forecast), *told_below(forecast, shown)),
        models=tuple(str(member.get("id", "")) for member in weighed(forecast)),
    )


def members_figure(forecast: Mapping[str, Any], *, title: str | None = None) -> Figure | None:
    """The typical patient of each model for the main concentration; None without two models."""
    hours, found = _known(forecast, None)
    main = next((name for name in usual_outputs(found) if parts(name)[1] == "ng/mL"), None)
    if main is None or len(forecast.get("members") or ()) < 2:
        return None
    drawn = []
    for member in forecast["members"]:
        own = _own(member, main)
        values = (member.get("typical") or {}).get(own)
        if values:
            drawn.append((member, series(values)[: len(hours)]))
    words, unit = parts(main)
    given = title or "The same dose: the typical patient of each model"
    return models_figure(
        [
            model_trace(str(member["id"]), str(member["matrix"]), values, place, _counts(member))
            for place, (member, values) in enumerate(drawn)
        ],
        hours,
        key=main,
        title=given,
        words=words,
        unit=unit,
        caption=told_below(forecast, [main]),
    )


def model_trace(model: str, matrix: str, values: Series, place: int, note: str = "") -> Trace:
    """One model's curve, named with its blood and its peak; thicker where it was fitted to arterial blood."""
    known = [value for value in values if value is not None]
    peak = f"peak {max(known):.0f}" if known else "no value"
    return Trace("member", f"{model}, {matrix}{note}: {peak}", values, style=place, heavy=matrix == "arterial")


def models_figure(
    traces: Sequence[Trace],
    time_h: Sequence[float],
    *,
    title: str,
    words: str,
    unit: str,
    key: str = "models",
    caption: Sequence[str] = (),
) -> Figure:
    """Curves of several models on one sheet, the highest first in the key."""
    order = sorted(traces, key=lambda trace: -max((value for value in trace.values if value is not None), default=0.0))
    lane = Lane(
        key,
        words,
        unit,
        hours_axis(time_h[0], time_h[-1]),
        round_axis([value for trace in traces for value in trace.values], unit, from_zero=True),
        tuple(time_h),
        traces=tuple(order),
    )
    blood = "Thick: fitted to arterial blood; thin: to venous blood, or to plasma that the paper does not name."
    return Figure("models", title, (lane,), caption=(blood, *caption))


def usual_outputs(names: Mapping[str, Any] | Sequence[str]) -> tuple[str, ...]:
    """What a figure shows where nobody chose.

    Examples
    --------
    >>> usual_outputs(["dbp_change_mmHg", "sbp_change_mmHg", "ketamine_plasma_ng_per_mL"])
    ('ketamine_plasma_ng_per_mL', 'sbp_change_mmHg')
    """
    known = list(names)
    whole = next((first for first in _WHOLE if any(name.startswith(first) for name in known)), None)
    levels = [name for name in known if whole is not None and name.startswith(whole)]
    levels.sort(key=lambda name: "effect_site" in name)
    children = [name for name in known if "norketamine" in name and "effect" not in name]
    chosen = [*levels, *children, *(name for name in _EFFECTS if name in known)]
    return tuple(chosen or known[:4])


def weighed(forecast: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The members that count."""
    return [member for member in forecast.get("members") or () if _weight(member) > 0]


def told_below(forecast: Mapping[str, Any], drawn: Sequence[str]) -> list[str]:
    """The flags that change how these curves may be read, in the few words that fit below a figure."""
    flags = [flag for flag in forecast.get("flags") or () if _speaks_of(flag, drawn)]
    codes = dict.fromkeys(str(flag.get("code")) for flag in flags)
    words = " ".join([*not_of_people(drawn), *(f"{_BELOW[code]}." for code in codes if code in _BELOW)])
    return [words] if words else []


def not_of_people(drawn: Sequence[str]) -> list[str]:
    """The warning that goes with bands which hold no spread between people, or one that was only computed."""
    lines = [line for line in effects().lines if line.output in drawn]
    told = []
    for words, some in (
        (_NOT_A_SPREAD, [line.title for line in lines if line.people is None]),
        (_COMPUTED, [line.title for line in lines if line.people is not None]),
    ):
        if some:
            told.append(f"{', '.join(some)}: {words}")
    return told


def _speaks_of(flag: Mapping[str, Any], drawn: Sequence[str]) -> bool:
    """Whether a flag is about a lane that is drawn; those of an effect begin with its NAME."""
    if not str(flag.get("code", "")).startswith("effect-"):
        return True
    about = re.match(r"(\w+): ", str(flag.get("message", "")))
    return about is None or about[1] in drawn


def _known(forecast: Mapping[str, Any], until_h: float | None) -> tuple[list[float], dict[str, Any]]:
    """The hours to draw, and the outputs that cover them."""
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


def _lane(
    name: str,
    output: Mapping[str, Any],
    forecast: Mapping[str, Any],
    hours: list[float],
    x: Axis,
    walls: Sequence[Wall],
) -> Lane:
    title, unit = parts(name)
    typical: Series = _cut(output.get("typical"), hours)
    ends: dict[str, tuple[Series, Series]] = {}
    if output.get("p05") and output.get("p95"):
        ends[PATIENTS] = (_cut(output["p05"], hours), _cut(output["p95"], hours))
    models = _between_models(name, output, weighed(forecast), hours)
    if models is not None:
        ends[MODELS] = models
    # Half of a picture misleads: where any part is missing, nothing of the lane is drawn, and the gap is hatched.
    whole = [typical, *(edge for pair in ends.values() for edge in pair)]
    there = [all(curve[step] is not None for curve in whole) for step in range(len(hours))]

    def kept(curve: Series) -> Series:
        return tuple(value if known else None for value, known in zip(curve, there, strict=True))

    typical = kept(typical)
    bands = [
        Band("patients" if words == PATIENTS else "models", words, kept(low), kept(high))
        for words, (low, high) in ends.items()
    ]
    amounts = [*typical, *(value for band in bands for edge in (band.low, band.high) for value in edge)]
    return Lane(
        name,
        title,
        unit,
        x,
        round_axis([*amounts, *(wall.value for wall in walls)], unit, from_zero=True),
        tuple(hours),
        tuple(bands),
        (Trace("typical", "typical", typical),),
        walls=tuple(walls),
        note=effects().is_not(name) or "",
    )


def _between_models(
    name: str, output: Mapping[str, Any], members: Sequence[Mapping[str, Any]], hours: list[float]
) -> tuple[Series, Series] | None:
    """The least and greatest of the models: as the forecast gives them, else over its members."""
    edges = output.get("between_models") or {}
    if edges.get("low") and edges.get("high"):
        return _cut(edges["low"], hours), _cut(edges["high"], hours)
    curves = [_cut(curve, hours) for member in members if (curve := (member.get("typical") or {}).get(name))]
    if len(curves) < 2:
        return None
    at_each = [[value for value in values if value is not None] for values in zip(*curves, strict=True)]
    low = tuple(min(known) if known else None for known in at_each)
    return low, tuple(max(known) if known else None for known in at_each)


def _cut(curve: Any, hours: list[float]) -> tuple[float | None, ...]:
    return series(curve)[: len(hours)]


def _own(member: Mapping[str, Any], main: str) -> str:
    """A member may name its own kind of blood where the ensemble says plasma."""
    typical = member.get("typical") or {}
    own = main.replace("_plasma_", f"_{member.get('matrix')}_")
    return own if own in typical and main not in typical else main


def _weight(member: Mapping[str, Any]) -> float:
    weight = member.get("weight")
    return 1.0 if weight is None else float(weight)


def _counts(member: Mapping[str, Any]) -> str:
    return "" if _weight(member) > 0 else ", not counted"


def _title(forecast: Mapping[str, Any]) -> str:
    members: Sequence[Mapping[str, Any]] = forecast.get("members") or ()
    by = f"{len(members)} models together" if len(members) > 1 else str(forecast.get("model") or "one model")
    if len(members) == 1:
        by = str(members[0]["id"])
    product = str(forecast.get("product") or "ketamine")
    return f"{PRODUCTS.get(product, product)}, forecast by {by}"


def _who(forecast: Mapping[str, Any]) -> str:
    members, patients = forecast.get("members") or (), forecast.get("patients") or 0
    who = "Dashed: the typical patient"
    if patients:
        each = " of each model" if len(members) > 1 else ""
        who += f"; pale: 90 of 100 of {patients} virtual patients{each}"
    if len(members) > 1:
        who += f"; dark: where the {len(members)} models differ"
    title = _title(forecast)
    return f"{title[0].upper()}{title[1:]}, not measured. {who}."
