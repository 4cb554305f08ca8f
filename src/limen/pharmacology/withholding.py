"""A finished forecast without the values that its lines cannot bear: missing with a reason, never a guess."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from limen.pharmacology.effects.beyond import believed, reaches, withheld_flags
from limen.pharmacology.exposure import Curve, Percentiles
from limen.pharmacology.outcome import Forecast, Member, Summary

Array = npt.NDArray[np.float64]


def withhold(forecast: Forecast) -> Forecast:
    """Leave out what was carried past the concentrations studied, and say so in a flag for each output.

    Curves, bands, members and peaks over the reach of their line become NaN (null in JSON): the typical patient's, each
    percentile's and each model's on their own. Effects with a ceiling of their own, and concentrations, stay.

    Examples
    --------
    >>> from limen.pharmacology.patient import PatientProfile
    >>> from limen.pharmacology.regimen import Dose
    >>> from limen.pharmacology.simulate import simulate
    >>> fast = simulate("simons-2022", [Dose(50, "iv")], PatientProfile(weight_kg=70), until_min=60)
    >>> output = fast.outputs["cardiac_output_change_pct"].typical
    >>> bool(np.isnan(output[0])), [flag.code for flag in fast.flags].count("effect-withheld") > 0
    (True, True)
    """
    names = [name for name in forecast.outputs if name in reaches()]
    if not names or not (forecast.members or any(_passes(forecast.summary.get(name), name) for name in names)):
        return forecast
    curves = {name: _curve(name, forecast.outputs[name]) for name in names}
    members = tuple(_member(member) for member in forecast.members)
    summary = {
        name: replace(item, believed_to=reaches()[name].at) if name in reaches() else item
        for name, item in forecast.summary.items()
    }
    changed = [name for name in names if _differs(forecast.outputs[name], curves[name])]
    changed += [
        name
        for name in names
        for before, after in zip(forecast.members, members, strict=True)
        if name in before.typical and before.typical[name] is not after.typical[name]
    ]
    changed += [name for name in names if name in summary and summary[name].over_reach]
    if not changed:
        return forecast
    disagreement = {
        name: item
        for name, item in forecast.disagreement.items()
        if name not in reaches() or all(found.high <= reaches()[name].value for found in item.values())
    }
    return replace(
        forecast,
        outputs={**forecast.outputs, **curves},
        members=members,
        summary=summary,
        disagreement=disagreement,
        flags=tuple(dict.fromkeys((*forecast.flags, *withheld_flags(changed)))),
    )


def _passes(summary: Summary | None, name: str) -> bool:
    """Whether a peak is over the reach or not known; no curve of one model is over its patients' peaks."""
    if summary is None:
        return True
    rows = [summary.typical, *(item for item in (summary.patients, summary.members) if item is not None)]
    return not all((item.peak <= reaches()[name].value).all() for item in rows)


def _curve(name: str, curve: Curve) -> Curve:
    models = curve.between_models
    typical = believed(name, curve.typical)
    # Where the typical patient is past what was studied, so is what patients around him do.
    gone = np.isnan(typical) & ~np.isnan(curve.typical)
    return Curve(
        typical,
        _percentiles(name, curve.between_patients, gone),
        None if models is None else (believed(name, models[0]), believed(name, models[1])),
        _percentiles(name, curve.patients_alone, gone),
    )


def _percentiles(name: str, found: Percentiles | None, gone: npt.NDArray[np.bool_]) -> Percentiles | None:
    if found is None:
        return None
    levels = {level: believed(name, getattr(found, level), level) for level in ("p05", "p50", "p95")}
    if gone.any():
        levels = {level: np.where(gone, np.nan, values) for level, values in levels.items()}
    return Percentiles(**levels)


def _member(member: Member) -> Member:
    typical: Mapping[str, Array] = {name: believed(name, values) for name, values in member.typical.items()}
    return replace(member, typical=typical)


def _differs(before: Curve, after: Curve) -> bool:
    pairs = [(before.typical, after.typical)]
    for old, new in (
        (before.between_patients, after.between_patients),
        (before.patients_alone, after.patients_alone),
    ):
        if old is not None and new is not None:
            pairs += [(getattr(old, level), getattr(new, level)) for level in ("p05", "p50", "p95")]
    if before.between_models is not None and after.between_models is not None:
        pairs += list(zip(before.between_models, after.between_models, strict=True))
    return any(one is not two for one, two in pairs)
