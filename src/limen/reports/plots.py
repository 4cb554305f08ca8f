"""Forecasts drawn as SVG: the same forecast gives the same bytes."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from limen.pharmacology.exposure import Curve
from limen.pharmacology.outcome import Forecast

# The day theme's inks: violet is what a model says.
_FORECAST = "#5137b3"
_BETWEEN_MODELS = "#a79be8"
_BETWEEN_PATIENTS = "#ddd8f8"
_INK = "#15171a"
_GRID = "#c9c9c6"


def forecast_svg(forecast: Forecast) -> str:
    """Draw every output of a forecast, one lane each on one time axis.

    Parameters
    ----------
    forecast : Forecast

    Returns
    -------
    str
        An SVG document. Dashed is the typical patient; the pale band holds 90 of 100 virtual patients, the dark band
        where the models' typical patients differ.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    settings: dict[Any, Any] = {
        "svg.hashsalt": "limen",
        "svg.fonttype": "none",
        "font.size": 10,
        "axes.edgecolor": _INK,
    }
    with mpl.rc_context(settings):
        lanes = len(forecast.outputs)
        figure = Figure(figsize=(7.2, 1.1 + 1.9 * lanes), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.subplots(lanes, 1, sharex=True, squeeze=False)[:, 0]
        for lane, (name, curve) in zip(axes, forecast.outputs.items(), strict=True):
            _draw(lane, forecast.time_h, curve)
            lane.set_title(in_words(name), loc="left", fontsize=10, color=_INK)
        axes[-1].set_xlabel("hours from the start")
        figure.supxlabel(_legend(forecast), fontsize=8, color=_INK)
        page = io.StringIO()
        figure.savefig(page, format="svg", metadata={"Date": None, "Creator": "Limen", "Title": _title(forecast)})
    return page.getvalue()


def _draw(lane, time_h, curve: Curve) -> None:  # type: ignore[no-untyped-def]  # matplotlib carries no types here
    patients, between = curve.between_patients, curve.between_models
    if patients is not None:
        lane.fill_between(time_h, patients.p05, patients.p95, color=_BETWEEN_PATIENTS, linewidth=0)
    if between is not None:
        lane.fill_between(time_h, *between, color=_BETWEEN_MODELS, linewidth=0)
    lane.plot(time_h, curve.typical, color=_FORECAST, linestyle="--", linewidth=1.6)
    lane.grid(axis="y", color=_GRID, linewidth=0.5)
    lane.spines[["top", "right"]].set_visible(False)
    lane.set_xlim(float(time_h[0]), float(time_h[-1]))
    top = np.nanmax(patients.p95 if patients is not None else curve.typical)
    lane.set_ylim(bottom=0, top=None if top > 0 else 1)


def in_words(name: str) -> str:
    """An output's NAME as a person reads it.

    Examples
    --------
    >>> in_words("S_ketamine_venous_ng_per_mL")
    'S-ketamine, venous, ng/mL'
    >>> in_words("ketamine_effect_site_ng_per_mL")
    'Ketamine, effect site, ng/mL'
    >>> in_words("sbp_change_mmHg")
    'Systolic pressure, change, mmHg'
    """
    if name == "sbp_change_mmHg":
        return "Systolic pressure, change, mmHg"
    for matrix in ("arterial", "venous", "plasma", "effect_site"):
        analyte, found, _ = name.partition(f"_{matrix}_")
        if found:
            analyte = analyte.replace("_", "-")
            return f"{analyte[0].upper()}{analyte[1:]}, {matrix.replace('_', ' ')}, ng/mL"
    return name


def _title(forecast: Forecast) -> str:
    return f"Forecast of {forecast.product} ketamine by {forecast.model}"


def _legend(forecast: Forecast) -> str:
    bands = []
    if forecast.patients:
        each = " of each model" if forecast.members else ""
        bands.append(f"pale: 90 of 100 of {forecast.patients} virtual patients{each}")
    if forecast.members:
        bands.append(f"dark: where the {len(forecast.members)} models differ")
    lines = ["Forecast, not measured. Dashed: typical patient", "; ".join(bands)]
    return "\n".join(line for line in lines if line)
