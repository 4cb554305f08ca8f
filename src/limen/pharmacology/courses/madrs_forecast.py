"""The antidepressant difference beside a forecast of concentrations, where the doses are those of a trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from limen.errors import InputError
from limen.pharmacology.courses.antidepressant import OUTPUT, course_flags, course_sources, differences, group_of
from limen.pharmacology.exposure import Curve, Measures, Percentiles, peaks
from limen.pharmacology.outcome import Flag, Forecast, Summary
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose

# Parts of one session (devices, a bolus and its infusion) start within this; its input lasts no longer [P].
_ONE_SESSION_MIN = 120.0
_ADULT_YEARS = 18.0
# Between a handful of trials more draws tell nothing.
MOST_DRAWS = 2000


def with_madrs(
    forecast: Forecast, doses: Sequence[Dose], patient: PatientProfile, rng: np.random.Generator | None = None
) -> Forecast:
    """The forecast with the MADRS difference from placebo, or with a flag that says why there is none.

    Parameters
    ----------
    forecast : Forecast
    doses : sequence of Dose
        Those of the forecast; doses that start within two hours of each other are one session.
    rng : numpy.random.Generator, optional
        For the band between trials, of as many draws as the forecast has patients, up to 2,000.

    Examples
    --------
    >>> from limen.pharmacology.simulate import simulate
    >>> dose, patient = Dose(35, "iv", 0, 40), PatientProfile(age_years=42, weight_kg=70)
    >>> alone = simulate("domino", [dose], patient, until_min=1440, every_min=60)
    >>> result = with_madrs(alone, [dose], patient)
    >>> round(float(result.outputs["madrs_difference_from_placebo"].typical[-1]), 1)
    -7.7
    """
    try:
        group, starts_min = _sessions(forecast.product, doses, patient)
    except InputError as problem:
        reason = Flag("no-madrs-difference", f"{OUTPUT}: not forecast; {problem}")
        return replace(forecast, flags=(*forecast.flags, reason))
    n = min(forecast.patients, MOST_DRAWS) if rng is not None else 0
    found = differences(group, forecast.time_h, [start / 60.0 for start in starts_min], n, rng)
    values = found[OUTPUT]
    # As for every output the highest point, though here less is better.
    height, when_min = peaks(values, forecast.time_h * 60.0, np.zeros(len(forecast.time_h), dtype=bool))
    highest = Measures(height, when_min / 60.0, None, None)
    told = course_flags(group, len(starts_min))
    if len(starts_min) > 1:
        told.append(Flag("sessions-may-add", "What sessions do if they add is told by the antidepressant course"))
    return replace(
        forecast,
        outputs={**forecast.outputs, OUTPUT: Curve(values[0], Percentiles.over(values[1:]) if n else None)},
        summary={
            **forecast.summary,
            OUTPUT: Summary(highest.rows(slice(0, 1)), highest.rows(slice(1, None)) if n else None),
        },
        flags=(*forecast.flags, *told),
        sources=tuple(dict.fromkeys((*forecast.sources, *course_sources(group)))),
    )


def _sessions(product: str, doses: Sequence[Dose], patient: PatientProfile) -> tuple[str, list[float]]:
    """The dose group, and when each session starts."""
    if patient.age_years is not None and patient.age_years < _ADULT_YEARS:
        raise InputError("no difference of MADRS was read for children", where="patient", allowed="18 years and over")
    sessions: list[list[Dose]] = []
    for dose in sorted((dose for dose in doses if dose.amount_mg > 0), key=lambda dose: dose.start_min):
        if sessions and dose.start_min - sessions[-1][0].start_min <= _ONE_SESSION_MIN:
            sessions[-1].append(dose)
        else:
            sessions.append([dose])
    groups = set()
    for parts in sessions:
        routes = {dose.route for dose in parts}
        lasts_min = max(dose.end_min for dose in parts) - parts[0].start_min
        if len(routes) > 1 or lasts_min > _ONE_SESSION_MIN:
            raise InputError(
                "no trial gave a session like this",
                where="dose",
                allowed=f"one route, at most {_ONE_SESSION_MIN:g} min a session",
            )
        total_mg = sum(dose.amount_mg for dose in parts)
        groups.add(group_of(product, parts[0].route, total_mg, patient.weight_kg))
    if len(groups) != 1:
        raise InputError("sessions are of several dose groups", where="dose", allowed="one dose group a course")
    return groups.pop(), [parts[0].start_min for parts in sessions]
