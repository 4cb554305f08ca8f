"""Figures of what is known of one patient, of many, and of a model against what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from limen.pharmacology.attainment import Attainment
from limen.pharmacology.wording import parts
from limen.reports.figures.axes import Axis, Series, hours_axis, plain, round_axis
from limen.reports.figures.data import Band, Figure, Interval, Lane, Moment, Seen, Trace, series
from limen.reports.figures.forecast import not_of_people

Array = npt.NDArray[np.float64]
# (hour, value) of what was seen.
Places = Sequence[tuple[float, float]]

# A posterior less than this much narrower than the prior has learnt nothing to speak of [P].
_TIGHTER = 0.9
# A middle that moved by less than this part of the width before has not moved to speak of [P].
_SHIFTED = 0.05
_POINTS = 240


def attainment_figure(found: Attainment, *, caption: Sequence[str] = ()) -> Figure:
    """The share of virtual patients below, inside and above a window, over time."""
    below, inside = np.asarray(found.below_pct), np.asarray(found.inside_pct)
    x = hours_axis(float(found.time_h[0]), float(found.time_h[-1]))
    title = f"{parts(found.output)[0]}: inside {found.low:g} to {found.high:g} {found.unit}"
    nothing, whole = series(0.0 * below), series(100.0 + 0.0 * below)
    lane = Lane(
        found.output,
        title,
        "% of patients",
        x,
        Axis(0.0, 100.0, "% of patients", (0.0, 25.0, 50.0, 75.0, 100.0)),
        series_known(found.time_h),
        (
            Band("below", "below", nothing, series(below)),
            Band("inside", "inside", series(below), series(below + inside)),
            Band("above", "above", series(below + inside), whole),
        ),
    )
    several = f"{len(found.members)} models, " if len(found.members) > 1 else ""
    best = found.best
    told = (
        f"Forecast, not measured: {several}{found.patients} virtual patients each. Most are inside at"
        f" {found.time_h[best]:.2g} h: {inside[best]:.0f} in 100."
    )
    return Figure("attainment", title, (lane,), caption=(told, *caption), models=found.members)


def leaving_figure(ready: Mapping[str, Any]) -> Figure | None:
    """The distribution of the time until patients are ready to leave; None without a population.

    Parameters
    ----------
    ready : mapping
        ``ready_to_leave_h`` of the ``simulate`` contract.
    """
    share = ready.get("share_ready")
    if not share:
        return None
    hours = [float(hour) for hour in share["time_h"]]
    stay = ready.get("minimum_stay")
    moments = () if stay is None else (Moment("minimum stay is over", float(stay["earliest_h"])),)
    lane = Lane(
        "ready_to_leave_h",
        "Ready to leave by their forecast effects",
        "% of patients",
        hours_axis(hours[0], hours[-1]),
        Axis(0.0, 100.0, "% of patients", (0.0, 25.0, 50.0, 75.0, 100.0)),
        tuple(hours),
        traces=(Trace("share", "ready", series(share["effects_pct"])),),
    )
    asked = "; ".join(
        f"{parts(item['output'])[0]} at most {item['limit']:g} {item['unit']}" for item in ready.get("criteria", ())
    )
    told = (
        f"Forecast, not measured: the share of virtual patients from when {asked} for good. The patient is judged at"
        " the chair, and stays for the minimum time whatever is forecast."
    )
    return Figure("leaving", "Ready to leave, forecast", (lane,), moments=moments, caption=(told,))


def update_figure(entry: Mapping[str, Any]) -> Figure:
    """One patient before and after what was seen: the JSON form of ``limen individualise``.

    Lanes with an observation come first; whole ketamine, perception and pressure follow.
    """
    hours = [float(hour) for hour in entry["time_h"]]
    seen: dict[str, list[tuple[float, float]]] = {}
    for item in entry["observations"]:
        if item.get("t_min") is not None:
            name = _shown_as(item["compared"]["output"], entry["outputs"])
            seen.setdefault(name, []).append((item["t_min"] / 60.0, item["compared"]["value"]))
    usual = ("ketamine_plasma_ng_per_mL", "dissociation_pct", "sbp_change_mmHg")
    names = [name for name in dict.fromkeys((*seen, *usual)) if name in entry["outputs"]]
    lanes = tuple(
        update_lane(
            name, hours, _levels(entry["outputs"][name]["prior"]), _levels(entry["outputs"][name]), seen.get(name, ())
        )
        for name in names
    )
    who = "the ensemble" if entry["model"] == "ensemble" else entry["model"]
    at = [hour for points in seen.values() for hour, _ in points]
    return updates_figure(
        lanes,
        title=f"Forecast of one patient by {who}, before and after what was seen",
        now_h=max(at) if at else None,
        caption=[f"What was learned: {entry['learned']['because']}.", *not_of_people(names)],
    )


def update_lane(
    output: str,
    time_h: Sequence[float],
    before: Sequence[Series],
    after: Sequence[Series],
    seen: Places,
) -> Lane:
    """One output before and after; ``before`` and ``after`` are 5th, 50th and 95th percentile, ``seen`` (h, value)."""
    title, unit = parts(output)
    points = (Seen("in this patient", tuple(at for at, _ in seen), tuple(value for _, value in seen)),) if seen else ()
    amounts = [value for level in (*before, *after) for value in level] + [value for _, value in seen]
    return Lane(
        output,
        title,
        unit,
        hours_axis(time_h[0], time_h[-1]),
        round_axis(amounts, unit, from_zero=True),
        tuple(time_h),
        (
            Band("before", "90 of 100 before", tuple(before[0]), tuple(before[2])),
            Band("after", "90 of 100 after", tuple(after[0]), tuple(after[2])),
        ),
        (
            Trace("before", "before", tuple(before[1])),
            Trace("after", "after", tuple(after[1])),
        ),
        points,
    )


def updates_figure(
    lanes: Sequence[Lane], *, title: str, now_h: float | None = None, caption: Sequence[str] = ()
) -> Figure:
    """Lanes before and after, with the line between seen and forecast."""
    told = "Pale, dashed edges: before. Dark, solid edges: after. Each holds 90 of 100. Ink: seen."
    now = () if now_h is None else (Moment("last seen", now_h, sill=True),)
    return Figure("update", title, tuple(lanes), moments=now, caption=(f"{title}. {told}", *caption))


def belief_lane(
    name: str,
    unit: str,
    prior: Array,
    posterior: Array,
    prior_weight: Array | None = None,
    posterior_weight: Array | None = None,
) -> Lane:
    """One quantity before and after: both densities, and 90 of 100 of each as a bar.

    Parameters
    ----------
    prior, posterior : array (samples,)
        Draws; need not be as many.
    prior_weight, posterior_weight : array (samples,), optional
        Equal where not given.
    """
    before, after = interval(prior, prior_weight), interval(posterior, posterior_weight)
    margin = 0.25 * (before[2] - before[0])
    left, right = min(before[0], after[0]) - margin, max(before[2], after[2]) + margin
    if min(float(prior.min()), float(posterior.min())) >= 0:
        left = max(left, 0.0)  # a smooth outline must not promise what cannot be
    across = np.linspace(left, right, _POINTS)
    wide, narrow = _density(prior, prior_weight, across), _density(posterior, posterior_weight, across)
    top = float(max(wide.max(), narrow.max()))
    marks = tuple(mark for mark in round_axis([left, right], unit).marks if left <= mark <= right)
    ratio = (after[2] - after[0]) / (before[2] - before[0])
    moved = abs(after[1] - before[1]) >= _SHIFTED * (before[2] - before[0])
    learnt = f"{ratio:.2f} of the width before"
    if ratio >= _TIGHTER:
        learnt = "moved, but did not tighten" if moved else "did not tighten: the data say nothing of it"
    bars: tuple[tuple[Literal["before", "after"], tuple[float, float, float]], ...] = (
        ("before", before),
        ("after", after),
    )
    return Lane(
        name,
        f"{name}: {after[1]:.3g} ({after[0]:.3g} to {after[2]:.3g}) {unit}; {learnt}",
        unit,
        Axis(left, right, unit, marks, tuple(plain(mark) for mark in marks)),
        Axis(-0.32 * top, 1.08 * top, "density"),
        tuple(float(place) for place in across),
        (
            Band("before", "before", series(0.0 * wide), series(wide)),
            Band("after", "after", series(0.0 * narrow), series(narrow)),
        ),
        intervals=tuple(Interval(role, *bar, unit) for role, bar in bars),
        measured=False,
    )


def beliefs_figure(lanes: Sequence[Lane], *, title: str, caption: Sequence[str] = ()) -> Figure:
    """Quantities before and after something was seen."""
    told = "Pale, dashed: before. Dark, solid: after. Bars: 90 % of the weight."
    return Figure("beliefs", title, tuple(lanes), x_words="", caption=(told, *caption))


def interval(samples: Array, weight: Array | None = None) -> tuple[float, float, float]:
    """5th, 50th and 95th percentile of weighted draws.

    Examples
    --------
    >>> interval(np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0, 0.0]))
    (2.0, 2.0, 2.0)
    """
    order = np.argsort(samples, kind="stable")
    mass = np.full(len(samples), 1.0 / len(samples)) if weight is None else weight / weight.sum()
    reached = np.cumsum(mass[order])
    low, middle, high = (float(samples[order][np.searchsorted(reached, share - 1e-12)]) for share in (0.05, 0.5, 0.95))
    return low, middle, high


def series_known(values: Array) -> tuple[float, ...]:
    """An axis' places: each is known."""
    return tuple(float(value) for value in values)


def _density(samples: Array, weight: Array | None, across: Array) -> Array:
    """A smooth outline of weighted draws: normal kernels, width by Silverman's rule on the effective number."""
    mass = np.full(len(samples), 1.0 / len(samples)) if weight is None else weight / weight.sum()
    mean = float(mass @ samples)
    sd = float(np.sqrt(mass @ (samples - mean) ** 2))
    effective = 1.0 / float(mass @ mass)
    width = max(1.06 * sd * effective**-0.2, 1e-9 + 0.002 * float(across[-1] - across[0]))
    # Bins keep a million draws as cheap as a thousand.
    bins = np.linspace(across[0] - 4 * width, across[-1] + 4 * width, 513)
    counts, _ = np.histogram(samples, bins=bins, weights=mass)
    centres = (bins[:-1] + bins[1:]) / 2
    kernels = np.exp(-0.5 * ((across[:, None] - centres) / width) ** 2) / (width * np.sqrt(2 * np.pi))
    found: Array = kernels @ counts
    return found


def _shown_as(output: str, outputs: Mapping[str, Any]) -> str:
    """An ensemble shows every kind of blood as plasma."""
    if output in outputs:
        return output
    for matrix in ("_venous_", "_arterial_"):
        if matrix in output:
            return output.replace(matrix, "_plasma_")
    return output


def _levels(cells: Mapping[str, Any]) -> tuple[tuple[float | None, ...], ...]:
    return tuple(series(cells[level]) for level in ("p05", "p50", "p95"))
