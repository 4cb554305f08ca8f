"""The antidepressant course: MADRS difference from placebo over hours to weeks, by dose group.

The difference is not driven by concentration: at 0.5 mg/kg neither ketamine nor norketamine went with improvement.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from limen.errors import InputError
from limen.pharmacology.courses.antidepressant_trials import Control, Trial, antidepressant
from limen.pharmacology.exposure import Curve, Percentiles, numbers
from limen.pharmacology.outcome import Flag

Array = npt.NDArray[np.float64]

OUTPUT = "madrs_difference_from_placebo"
MOST_DAYS = 366.0
MAX_POINTS = 20_000
# Grouping a dose with the published one: rounding of a dose drawn up by weight.
_DOSE_SLACK = 0.02


def group_of(product: str, route: str, dose_mg: float, weight_kg: float | None) -> str:
    """The dose group that a session belongs to.

    Raises
    ------
    InputError
        If no difference from placebo was read for the product, route or dose: nothing is put in its place.

    Examples
    --------
    >>> group_of("racemic", "iv", 35.0, 70.0)
    'racemic-iv'
    """
    groups = antidepressant().groups
    near = {name: group for name, group in groups.items() if (group.product, group.route) == (product, route)}
    if not near:
        raise InputError(
            f"no MADRS difference from placebo on file for {product} by {route}",
            where="dose",
            allowed="; ".join(group.title for group in groups.values()),
        )
    by_weight = any(group.dose_low.unit == "mg/kg" for group in near.values())
    if by_weight and weight_kg is None:
        raise InputError("the weight is missing", where="patient.weight_kg", allowed="2 to 350 kg")
    dose = dose_mg / weight_kg if by_weight and weight_kg is not None else dose_mg
    for name, group in near.items():
        if group.dose_low.value * (1 - _DOSE_SLACK) <= dose <= group.dose_high.value * (1 + _DOSE_SLACK):
            return name
    unit = "mg/kg" if by_weight else "mg"
    raise InputError(
        f"no MADRS difference from placebo on file for {dose:.3g} {unit} of {product} by {route}",
        where="dose",
        allowed="; ".join(group.title for group in near.values()),
        hint="Differences stand for dose groups; nothing is interpolated between or beyond them",
    )


def single_session(time_h: Array, onset_half_life_h: Array, end_days: Array) -> Array:
    """Share of the 24-h difference at a time after one session.

    Rises with a half-life of hours, stands whole at 24 h, and falls in a straight line to nothing.

    Parameters
    ----------
    time_h : array (times,)
        Since the session; nothing before it.
    onset_half_life_h, end_days : array (rows,)

    Returns
    -------
    array (rows, times)

    Examples
    --------
    >>> at = np.array([-1.0, 0.0, 2.0, 24.0, 6 * 24.0, 11 * 24.0])
    >>> single_session(at, np.array([2.0]), np.array([11.0])).round(2).tolist()
    [[0.0, 0.0, 0.5, 1.0, 0.5, 0.0]]
    """
    since_h = np.maximum(time_h, 0.0)[None, :]
    risen = -np.expm1(-math.log(2.0) * since_h / onset_half_life_h[:, None])
    left = 1.0 - np.maximum(since_h - 24.0, 0.0) / (24.0 * (end_days[:, None] - 1.0))
    found: Array = risen * np.maximum(left, 0.0)
    return found


def sessions_together(time_h: Array, session_h: Sequence[float], onset_half_life_h: Array, end_days: Array) -> Array:
    """Share of one session's difference under two rules for several sessions, (2, rows, times).

    First: each session restores the difference and no more (the strongest session stands). Second: sessions add.
    Published courses lie on both sides, so neither is chosen.
    """
    strongest = np.zeros((len(onset_half_life_h), len(time_h)))
    added = np.zeros_like(strongest)
    for start_h in session_h:
        one = single_session(time_h - start_h, onset_half_life_h, end_days)
        np.maximum(strongest, one, out=strongest)
        added += one
    return np.stack([strongest, added])


@dataclass(frozen=True, slots=True)
class AntidepressantCourse:
    """Curves over days, with the published rows of the group beside them.

    Attributes
    ----------
    time_days : array (times,)
    outputs : mapping of NAME to Curve
        MADRS points; negative is better. NaN where nothing was read.
    """

    group: str
    control: Control
    time_days: Array
    outputs: dict[str, Curve]
    trials: tuple[Trial, ...]
    flags: tuple[Flag, ...]
    sources: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The course as JSON."""
        return {
            "course": "antidepressant",
            "group": self.group,
            "control": self.control,
            "time_days": numbers(self.time_days),
            "outputs": {name: curve.to_json() for name, curve in self.outputs.items()},
            "observed": [row.model_dump() for row in self.trials],
            "flags": [{"code": flag.code, "message": flag.message} for flag in self.flags],
            "sources": list(self.sources),
        }


def course(
    group: str,
    session_days: Sequence[float],
    *,
    until_days: float = 28.0,
    every_h: float = 6.0,
    control: Control = "inert",
    n: int = 0,
    rng: np.random.Generator | None = None,
) -> AntidepressantCourse:
    """MADRS difference from placebo over a course of sessions of one dose group.

    Parameters
    ----------
    group : str
        Of ``antidepressant().groups``; see ``group_of``.
    session_days : sequence of float
        When sessions are, in days from the first moment shown.
    control : {"inert", "active"}
        The placebo arm shown: saline or an empty spray, or midazolam.
    n : int
        Draws of the trial's true difference and of the shape: the band is between trials, not between patients.
    rng : numpy.random.Generator, optional
        Needed where ``n`` is over 0.

    Raises
    ------
    InputError
        Unknown group or control, no session, a session outside the time shown, a time that is not over 0.

    Examples
    --------
    >>> one = course("racemic-iv", [0.0])
    >>> round(float(one.outputs["madrs_difference_from_placebo"].typical[4]), 1)
    -7.7
    """
    model = antidepressant()
    if group not in model.groups:
        raise InputError(f"unknown dose group {group!r}", where="group", allowed=", ".join(model.groups))
    if control not in model.controls:
        raise InputError(f"unknown control {control!r}", where="control", allowed=", ".join(model.controls))
    time_h = _times(session_days, until_days, every_h)
    if n < 0 or (n and rng is None):
        raise InputError(f"{n} draws", where="population", allowed="0, or more with a random generator")
    outputs = {
        name: Curve(values[0], Percentiles.over(values[1:]) if n else None)
        for name, values in differences(group, time_h, [24.0 * day for day in session_days], n, rng).items()
    }
    since_h = time_h - 24.0 * min(session_days)
    known = (since_h >= 24.0) & (since_h <= 24.0 * model.control_until.value)
    placebo = np.where(known, model.controls[control].value, np.nan)
    outputs["madrs_change_on_placebo"] = Curve(placebo)
    outputs["madrs_change_on_drug"] = Curve(placebo + outputs[OUTPUT].typical)
    trials = tuple(row for row in model.trials if group in row.groups)
    return AntidepressantCourse(
        group,
        control,
        time_h / 24.0,
        outputs,
        trials,
        tuple(course_flags(group, len(session_days))),
        course_sources(group),
    )


def differences(
    group: str, time_h: Array, session_h: Sequence[float], n: int, rng: np.random.Generator | None
) -> dict[str, Array]:
    """MADRS difference from placebo under both rules, arrays (1 + n, times).

    Row 0 is the typical trial; the others draw the true difference and the shape, between trials.
    """
    model = antidepressant()
    z = np.zeros((1, 3)) if rng is None or n == 0 else np.vstack([np.zeros(3), rng.standard_normal((n, 3))])
    row, shape = model.groups[group].difference_24h, model.shape
    sd = math.hypot(model.between_trial_sd_score, row.se or 0.0)
    size = (row.value + sd * z[:, 0])[:, None]
    shares = sessions_together(time_h, session_h, shape.onset_half_life.drawn(z[:, 1]), shape.end.drawn(z[:, 2]))
    # Plus nothing: a difference of none is 0, not -0.
    return {name: size * share + 0.0 for name, share in zip((OUTPUT, f"{OUTPUT}_if_sessions_add"), shares, strict=True)}


def _times(session_days: Sequence[float], until_days: float, every_h: float) -> Array:
    for name, span, most in (("until", until_days, MOST_DAYS), ("every", every_h, 24.0 * MOST_DAYS)):
        if not 0 < span <= most:
            raise InputError(f"{name} is {span:g}", where=name, allowed=f"over 0 to {most:g}")
    if until_days * 24.0 / every_h > MAX_POINTS:
        raise InputError("too many points", where="every", allowed=f"at most {MAX_POINTS} points")
    if not session_days:
        raise InputError("no session", where="dose", allowed="one or more")
    for day in session_days:
        if not 0 <= day < until_days:
            raise InputError(f"a session on day {day:g}", where="dose", allowed=f"0 to under {until_days:g} days")
    steps = math.floor(until_days * 24.0 / every_h + 1e-9)
    found: Array = np.arange(steps + 1, dtype=np.float64) * every_h
    return found


def course_flags(group: str, sessions: int) -> list[Flag]:
    """What the antidepressant course of a dose group rests on."""
    model = antidepressant()
    row, sd, end = model.groups[group].difference_24h, model.between_trial_sd_score, model.shape.end
    masked = next(trial for trial in model.trials if trial.source == "pd-masked-anaesthesia-2023")
    error = "its standard error was not read" if row.se is None else f"standard error {row.se:g}"
    found = [
        Flag(
            "dose-group-only",
            f"{model.groups[group].title}: {row.value:g} points at 24 h ({error}) [{row.verification}]. It is not"
            " driven by concentration, which did not go with improvement at 0.5 mg/kg",
        ),
        Flag(
            "between-trials",
            f"The band is between trials: {sd:.1f} points over the 24-h differences on file [D]. One patient's change"
            f" varies far more (standard deviation about {model.patient_sd.value:g})",
        ),
        Flag(
            "expectancy",
            f"Patients can tell what they were given. Where they could not (under anaesthesia) the difference at 24 h"
            f" was {masked.difference_score:+.1f} points; some of every curve here may be expectancy",
        ),
        Flag(
            "placebo-arm",
            f"The placebo arm is one value from 24 h to day {model.control_until.value:g}; before and after it was not"
            " read. With a new antidepressant in both arms placebo falls by about 15 points by day 28",
        ),
        Flag(
            "assumed-shape",
            f"Onset from 2-h and 24-h rows, a straight fall from day 1 to nothing on day {end.typical:g}"
            f" ({end.low:g} to {end.high:g}): form of this project [P]",
        ),
    ]
    if sessions > 1:
        found.append(
            Flag(
                "repeat-rule",
                "No published rule says how sessions combine: the curve holds the strongest session, the other curve"
                " adds them; trials lie on both sides",
            )
        )
    return found


def course_sources(group: str) -> tuple[str, ...]:
    """Source keys behind the course of a dose group."""
    model = antidepressant()
    keys = [
        model.groups[group].difference_24h.source,
        model.shape.onset_half_life.source,
        model.shape.end.source,
        "pd-metabolites-response",
        *(row.source for row in model.trials if row.pooled or group in row.groups),
        *(row.source for row in (*model.effect_sizes, *model.response_rates)),
    ]
    return tuple(dict.fromkeys(keys))
