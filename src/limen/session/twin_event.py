"""What the twin says, as the event that enters the record: bands, peak, returns, and when the patient may leave."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from limen.pharmacology.individual.evidence import match
from limen.pharmacology.individual.observations import heart_rate, pressure
from limen.pharmacology.individual.prior import Prior
from limen.pharmacology.individual.weighted import Posterior
from limen.pharmacology.pooling import weighted_percentiles
from limen.pharmacology.recovery import settled
from limen.session.forecast_event import Band, ForecastUpdated
from limen.session.twin import JUDGED, Forecast, Subject

Array = npt.NDArray[np.float64]

DRAWN = ("sbp_change_mmHg", "hr_change_per_min", "dissociation_pct", "ketamine_effect_site_ng_per_mL")
BAND_EVERY = 3  # of the steps: a band of straight lines between points six minutes apart
_NEVER_MIN = 1e12
_PERCENTILES = (5.0, 50.0, 95.0)
_READY = {"p05": 5.0, "p50": 50.0, "p90": 90.0, "p95": 95.0}


def updated(
    found: Forecast, subject: Subject, *, now_t_s: float, level_pct: float, rng: np.random.Generator
) -> ForecastUpdated:
    """The event that enters the record.

    Parameters
    ----------
    level_pct : float
        Share of future readings that the bands are made to hold, errors of reading included.
    rng : numpy.random.Generator
        Draws the errors of those readings.
    """
    bands = {}
    for signal, (output, key) in JUDGED.items():
        base = subject.baseline.get(key)
        if base is not None and output in found.posterior.prior.curves:
            band = _band(found, output, base, level_pct, now_t_s, rng)
            if band is not None:
                bands[signal] = band
    return ForecastUpdated(
        t_s=now_t_s,
        bands=bands,
        readings=found.readings,
        learned=found.learned,
        said=said(found, subject),
        outlook=_outlook(found),
        peak=_peak(found.posterior, subject, found.dose_start_t_s),
        returns=tuple(_returns(found, subject, now_t_s)),
        ready=_ready(found, subject),
    )


def said(found: Forecast, subject: Subject) -> str:
    """What was learned or not, in words."""
    count = f"{found.readings} reading{'' if found.readings == 1 else 's'}"
    if subject.earlier:
        count += f", {len(subject.earlier)} of them from earlier sessions"
    if found.readings == 0:
        parts = ["Nothing seen yet: this is what the models expect of anybody like this patient"]
    elif found.learned:
        parts = [f"Learned from {count}{_change(found, subject)}"]
    else:
        parts = [f"{count} taught nothing: the forecast is as it was before them"]
    parts += [*found.unused, *found.surprises]
    if found.posterior.tempering_fraction < 1.0:
        parts.append("few virtual patients fit what was seen: the band is held wide")
    return ". ".join(part[0].upper() + part[1:] for part in parts) + "."


def _change(found: Forecast, subject: Subject) -> str:
    was = _peak(found.before, subject, found.dose_start_t_s)
    now = _peak(found.posterior, subject, found.dose_start_t_s)
    if was is None or now is None:
        return ""
    return f": systolic expected to peak at {now['p50']:.0f} mmHg, before them at {was['p50']:.0f}"


def _band(
    found: Forecast, output: str, base: float, level_pct: float, now_t_s: float, rng: np.random.Generator
) -> Band | None:
    """Where readings are expected from now on: the virtual patients with the errors of a reading."""
    prior, weights = found.posterior.prior, found.posterior.weights
    tail = (100.0 - level_pct) / 2.0
    errors = rng.standard_normal(len(weights))
    times, low, high = [], [], []
    shown = prior.shown_min[::BAND_EVERY]
    for t_min in shown:
        if t_min <= 0.0:
            continue
        asked = (pressure if output == "sbp_change_mmHg" else heart_rate)(float(t_min), base, base)
        expected = match(prior, asked)
        value = expected.predicted + errors * np.sqrt(expected.variance + np.square(expected.shared_sd))
        kept = np.isfinite(value) & (weights > 0.0)
        if not kept.any():
            continue
        edges = weighted_percentiles(value[kept], weights[kept], (tail, 100.0 - tail))
        times.append(round(found.dose_start_t_s + 60.0 * float(t_min), 1))
        low.append(round(base + float(edges[0]), 1))
        high.append(round(base + float(edges[1]), 1))
    first = next((index for index, t_s in enumerate(times) if t_s > now_t_s), len(times))
    first = max(0, first - 1)  # the point just before now, so that the band covers this moment
    if len(times) - first < 2:
        return None
    return Band(t_s=tuple(times[first:]), low=tuple(low[first:]), high=tuple(high[first:]))


def _outlook(found: Forecast) -> dict[str, Any]:
    """The curves that pages draw, without errors of reading, on the session's own time axis."""
    prior, after = found.posterior.prior, found.posterior
    outputs = {}
    for name in DRAWN:
        if name not in prior.curves:
            continue
        low, middle, high = after.bands(name, _PERCENTILES)
        outputs[name] = {"p05": _numbers(low), "typical": _numbers(middle), "p95": _numbers(high)}
    return {
        "t_s": [round(found.dose_start_t_s + 60.0 * float(t_min), 1) for t_min in prior.shown_min],
        "outputs": outputs,
        "members": list(prior.ids),
        "weights": {name: round(weight, 3) for name, weight in after.member_weights.items()},
    }


def _numbers(values: Array) -> list[float | None]:
    return [None if not np.isfinite(value) else round(float(value), 2) for value in values]


def _peak(posterior: Posterior, subject: Subject, begin_s: float) -> dict[str, Any] | None:
    """The highest systolic pressure of the whole course, and when: 5, 50 and 95 of 100."""
    base = subject.baseline.get("sbp_mmHg")
    curves = posterior.prior.curves.get("sbp_change_mmHg")
    if base is None or curves is None:
        return None
    able = np.isfinite(curves).any(axis=1) & (posterior.weights > 0.0)
    if not able.any():
        return None
    values = np.where(np.isfinite(curves[able]), curves[able], -np.inf)
    weights = posterior.weights[able]
    highest = weighted_percentiles(base + values.max(axis=1), weights, _PERCENTILES)
    when = weighted_percentiles(posterior.prior.time_min[values.argmax(axis=1)], weights, _PERCENTILES)
    return {
        "signal": "NIBP_SYS",
        "p05": round(float(highest[0]), 1),
        "p50": round(float(highest[1]), 1),
        "p95": round(float(highest[2]), 1),
        "t_s": [round(begin_s + 60.0 * float(minute), 0) for minute in when],
    }


def _returns(found: Forecast, subject: Subject, now_t_s: float) -> list[dict[str, Any]]:
    """For each limit: the share that is over it now or later, and when it stays under."""
    rows: list[dict[str, Any]] = []
    prior, weights = found.posterior.prior, found.posterior.weights
    now_min = (now_t_s - found.dose_start_t_s) / 60.0
    ahead = prior.time_min >= now_min
    if not ahead.any():
        return rows
    for signal, limit in sorted(subject.limits.items()):
        output, key = JUDGED[signal]
        base = subject.baseline.get(key)
        curves = prior.curves.get(output)
        if base is None or curves is None:
            continue
        able = np.isfinite(curves[:, ahead]).all(axis=1) & (weights > 0.0)
        if not able.any():
            continue
        values = base + curves[np.ix_(able, ahead)]
        share = weights[able] / weights[able].sum()
        over = (values > limit).any(axis=1)
        row: dict[str, Any] = {"signal": signal, "limit": limit, "over_pct": round(100.0 * float(share[over].sum()), 0)}
        if over.any():
            back_min = settled(values[over], prior.time_min[ahead], np.array(limit), now_min)
            levels = weighted_percentiles(np.minimum(back_min, _NEVER_MIN), share[over], _PERCENTILES)
            row["t_s"] = [_second(found, level, prior) for level in levels]
        rows.append(row)
    return rows


def _ready(found: Forecast, subject: Subject) -> dict[str, Any] | None:
    """When the patient may be ready to leave: by the effects, and never before the minimum stay is over."""
    prior, weights, asked = found.posterior.prior, found.posterior.weights, subject.leaving
    if any(item.output not in prior.curves for item in asked.criteria):
        return None
    end_min = max(dose.end_min for dose in prior.doses)
    by_effects = np.max(
        [settled(prior.curves[item.output], prior.time_min, np.array(item.limit), end_min) for item in asked.criteria],
        axis=0,
    )
    able = np.isfinite(prior.curves[asked.criteria[0].output]).any(axis=1) & (weights > 0.0)
    if not able.any():
        return None
    minimum = asked.minimum
    earliest_min = None
    if minimum is not None:
        start_min = min(dose.start_min for dose in prior.doses)
        earliest_min = minimum.stay_min + (end_min if minimum.counts_from == "end" else start_min)
    used = by_effects if earliest_min is None else np.maximum(by_effects, earliest_min)
    return {
        "used_t_s": _ready_levels(found, used[able], weights[able]),
        "effects_t_s": _ready_levels(found, by_effects[able], weights[able]),
        "earliest_t_s": None if earliest_min is None else round(found.dose_start_t_s + 60.0 * earliest_min, 0),
        "rule": None if minimum is None else minimum.rule,
    }


def _ready_levels(found: Forecast, times_min: Array, weights: Array) -> dict[str, float | None]:
    levels = weighted_percentiles(np.minimum(times_min, _NEVER_MIN), weights, tuple(_READY.values()))
    return {name: _second(found, level, found.posterior.prior) for name, level in zip(_READY, levels, strict=True)}


def _second(found: Forecast, minute: float, prior: Prior) -> float | None:
    """A minute of the dose as a second of the session; ``None`` where not by the end of the forecast."""
    if minute > float(prior.time_min[-1]):
        return None
    return round(found.dose_start_t_s + 60.0 * float(minute), 0)
