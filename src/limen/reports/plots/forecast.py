"""The chart of a forecast: lanes on one time axis, what models say with its spread, and the limits by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from limen.errors import InputError
from limen.pharmacology.exposure import Curve
from limen.pharmacology.outcome import Forecast
from limen.pharmacology.wording import in_words
from limen.reports.plots import page
from limen.reports.plots.page import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# What a chart shows where nobody chose: whole ketamine (else S), its effect site, what is felt, pressure.
_FIRST = ("ketamine", "S_ketamine")
_EFFECTS = ("dissociation_pct", "sbp_change_mmHg")
_BELOW = {
    "mixed-matrix": "The models were fitted to different blood (arterial, venous, not stated); so they differ in part",
    "assumed-absorption": "Absorption is a range assumed by this project, not a published model",
    "assumed-variability": "Some models published no spread between patients; that of another model is lent to them",
    "assumed-r-arm": "R-ketamine is an assumption of this project",
    "early-bolus-unusable": "A model with a small central volume is not to be believed in the minutes after a bolus",
    "effect-extrapolated": "An effect is drawn beyond the concentrations it was studied at",
    "outside-age": "For at least one model the patient's age is outside what was studied",
    "outside-weight": "For at least one model the patient's weight is outside what was studied",
}
# Lines through study means: their bands must not be read as what people do.
_NOT_OF_PEOPLE = {"sbp_change_mmHg", "dbp_change_mmHg", "hr_change_per_min", "cardiac_output_change_pct"}
_NOT_A_SPREAD = (
    "Pressure, pulse and cardiac output: the band is of concentrations and of study means, not of people; some people"
    " rise far more."
)


@dataclass(frozen=True, slots=True)
class Limit:
    """A wall with its name, drawn where it stands.

    Attributes
    ----------
    output : str
        NAME of the output it bounds.
    kind : str
        ``hard`` is drawn solid and hatched on the far side, ``soft`` dashed.
    side : str
        Which side is not wanted: ``above`` or ``below``.
    """

    output: str
    value: float
    unit: str
    name: str
    kind: Literal["hard", "soft"] = "soft"
    side: Literal["above", "below"] = "above"


def forecast_svg(forecast: Forecast, *, limits: Sequence[Limit] = ()) -> str:
    """The picture of ``draw_forecast`` as SVG text."""
    return draw_forecast(forecast, limits=limits).svg


def draw_forecast(
    forecast: Forecast,
    *,
    outputs: Sequence[str] | None = None,
    limits: Sequence[Limit] = (),
    now_h: float | None = None,
) -> Picture:
    """Draw a forecast, one lane an output.

    Parameters
    ----------
    forecast : Forecast
    outputs : sequence of NAME, optional
        Which to draw; whole ketamine, its effect site, perception and pressure where not given.
    limits : sequence of Limit
        Walls, each in the lane of its output; one whose output is not drawn is refused.
    now_h : float, optional
        The line between what was seen and what is forecast.

    Returns
    -------
    Picture
        Dashed is the typical patient; the pale band holds 90 of 100 virtual patients, the dark band where the models'
        typical patients differ. Each is named beside the first lane.

    Raises
    ------
    InputError
        If the forecast does not hold an output that was asked for.
    """
    chosen = tuple(outputs) if outputs is not None else usual_outputs(forecast)
    for name in (*chosen, *(limit.output for limit in limits)):
        if name not in forecast.outputs:
            raise InputError(f"the forecast has no {name!r}", where="plot", allowed=", ".join(forecast.outputs))
        if name not in chosen:
            raise InputError(f"a limit on {name!r}, which is not drawn", where="plot", allowed=", ".join(chosen))
    with page.sheet(len(chosen), lane_in=1.6) as (figure, axes):
        for place, name in enumerate(chosen):
            lane = axes[place, 0]
            _draw(lane, forecast, forecast.outputs[name], named=place == 0)
            page.headed(lane, in_words(name))
            for limit in limits:
                if limit.output == name:
                    _wall(lane, limit)
            if now_h is not None:
                lane.axvline(now_h, color=page.INK, linewidth=2.2)
                if place == 0:
                    lane.annotate(
                        "now",
                        (now_h, 1.0),
                        xycoords=("data", "axes fraction"),
                        xytext=(4, -2),
                        textcoords="offset points",
                        va="top",
                        fontsize=8,
                        color=page.INK,
                        bbox={"boxstyle": "square,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.85},
                    )
        axes[-1, 0].set_xlabel("hours from the start")
        return page.finished(figure, _title(forecast), _caption(forecast, chosen))


def usual_outputs(forecast: Forecast) -> tuple[str, ...]:
    """What a chart shows where nobody chose."""
    names = list(forecast.outputs)
    whole = next((first for first in _FIRST if any(name.startswith(f"{first}_") for name in names)), None)
    levels = [name for name in names if whole is not None and name.startswith(f"{whole}_")]
    children = [name for name in names if "norketamine" in name and "effect" not in name]
    chosen = [*levels, *children, *(name for name in _EFFECTS if name in names)]
    return tuple(chosen or names[:4])


def _draw(lane: Axes, forecast: Forecast, curve: Curve, *, named: bool) -> None:
    time_h = forecast.time_h
    patients, between = curve.between_patients, curve.between_models
    labels = []
    if patients is not None:
        lane.fill_between(time_h, patients.p05, patients.p95, color=page.PATIENT, linewidth=0)
        for edge in (patients.p05, patients.p95):
            lane.plot(time_h, edge, color=page.PATIENT_EDGE, linestyle=(0, (3, 2)), linewidth=0.7)
        labels.append((_last(patients.p95), "90 of 100\npatients", page.PATIENT_EDGE))
    if between is not None and len(forecast.members) > 1:
        lane.fill_between(time_h, *between, color=page.MODEL, linewidth=0)
        for edge in between:
            lane.plot(time_h, edge, color=page.MODEL_EDGE, linewidth=0.7)
        labels.append((_last(between[0]), "between\nmodels", page.MODEL_EDGE))
    lane.plot(time_h, curve.typical, color=page.SAID, linestyle="--", linewidth=1.7)
    labels.append((_last(curve.typical), "typical", page.SAID))
    page.plain(lane)
    lane.set_xlim(float(time_h[0]), float(time_h[-1]))
    top = float(np.nanmax(patients.p95 if patients is not None else curve.typical))
    lane.set_ylim(0, top * 1.06 if top > 0 else 1)
    if named:
        # A label of two lines is a quarter of a lane high.
        heights = page.spaced([height for height, _, _ in labels], lane.get_ylim()[1] * 0.24)
        lift = max(0.0, lane.get_ylim()[1] * 0.08 - min(heights))
        for height, (_, words, color) in zip(heights, labels, strict=True):
            page.beside(lane, height + lift, words, color=color)


def _last(values: npt.NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known[-1]) if len(known) else 0.0


def _wall(lane: Axes, limit: Limit) -> None:
    low, high = lane.get_ylim()
    if limit.side == "above":
        high = max(high, limit.value * 1.15)
    else:
        low = min(low, limit.value - 0.15 * abs(high - limit.value))
    far = (limit.value, high) if limit.side == "above" else (low, limit.value)
    if limit.kind == "hard":
        lane.axhspan(*far, facecolor="none", edgecolor=page.HATCH, hatch="////", linewidth=0)
        lane.axhline(limit.value, color=page.INK, linewidth=2.0)
    else:
        lane.axhline(limit.value, color=page.INK, linewidth=1.2, linestyle=(0, (5, 3)))
    lane.set_ylim(low, high)
    lane.annotate(
        f"{limit.name}: {limit.value:g} {limit.unit}",
        (0.995, limit.value),
        xycoords=("axes fraction", "data"),
        xytext=(0, -3 if limit.side == "above" else 3),
        textcoords="offset points",
        ha="right",
        va="top" if limit.side == "above" else "bottom",
        fontsize=8,
        color=page.INK,
        bbox={"boxstyle": "square,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.85},
    )


_PRODUCTS = {"racemic": "racemic ketamine", "s-ketamine": "S-ketamine", "esketamine-nasal": "nasal esketamine"}


def _title(forecast: Forecast) -> str:
    by = f"{len(forecast.members)} models together" if len(forecast.members) > 1 else forecast.model
    if len(forecast.members) == 1:
        by = forecast.members[0].id
    return f"{_PRODUCTS.get(forecast.product, forecast.product)}, forecast by {by}"


def _caption(forecast: Forecast, drawn: Sequence[str]) -> list[str]:
    who = "Dashed: the typical patient"
    several = len(forecast.members) > 1
    if forecast.patients:
        who += f"; pale: 90 of 100 of {forecast.patients} virtual patients{' of each model' if several else ''}"
    if several:
        who += f"; dark: where the {len(forecast.members)} models differ"
    title = _title(forecast)
    return [f"{title[0].upper()}{title[1:]}, not measured. {who}.", *told_below(forecast, drawn)]


def told_below(forecast: Forecast, drawn: Sequence[str]) -> list[str]:
    """The flags that change how these curves may be read, in the few words that fit below a picture."""
    codes = dict.fromkeys(flag.code for flag in forecast.flags)
    words = " ".join([*not_of_people(drawn), *(f"{_BELOW[code]}." for code in codes if code in _BELOW)])
    return [words] if words else []


def not_of_people(drawn: Sequence[str]) -> list[str]:
    """The warning that goes with bands which hold no spread between people."""
    return [_NOT_A_SPREAD] if any(name in _NOT_OF_PEOPLE for name in drawn) else []
