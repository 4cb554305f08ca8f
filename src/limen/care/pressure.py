"""Repeated cuff readings: which of them decide, and why there may be none."""

from __future__ import annotations

from collections.abc import Iterable

from limen.care.case import Case, Pressure
from limen.care.facts import Fact, Gap, age_limit, pressure_words
from limen.knowledge.inputs import inputs


def pressure_gap(case: Case) -> Gap | None:
    """Why there is no pressure of the day, or ``None`` where there is one."""
    spec = inputs()["vitals.sbp_mmHg"]
    if not case.pressures:
        found = case.current("vitals.sbp_mmHg")
        partner = case.current("vitals.dbp_mmHg")
        if isinstance(found, Fact) or isinstance(partner, Fact):
            return Gap("vitals.sbp_mmHg", "systolic and diastolic were not taken together")
        return Gap("vitals.sbp_mmHg", "blood pressure not known")
    first = case.pressures[0]
    taken_on = case.pressures_on
    shown = f"last {pressure_words(first.sbp_mmHg, first.dbp_mmHg)} mmHg"
    if taken_on is None:
        return Gap("vitals.sbp_mmHg", f"{shown}, undated")
    if spec.max_age_days is not None and (case.on - taken_on).days > spec.max_age_days:
        return Gap("vitals.sbp_mmHg", f"{shown} on {taken_on.isoformat()}, older than {age_limit(spec)}")
    return None


def counted_pressures(
    readings: tuple[Pressure, ...], repeats: int, spacing_min: float
) -> tuple[tuple[Pressure, ...], bool]:
    """The readings that decide: the repeats where enough of them are spaced, else every reading; and which it was.

    Examples
    --------
    >>> counted_pressures((Pressure(0, 148, 92), Pressure(12, 136, 84), Pressure(25, 134, 82)), 2, 10)[1]
    True
    """
    spaced: list[Pressure] = []
    last_min = readings[0].at_min
    for reading in readings[1:]:
        if reading.at_min >= last_min + spacing_min:
            spaced.append(reading)
            last_min = reading.at_min
    if len(spaced) >= repeats:
        return readings[1:], True
    return readings, False


def mean_pressure(readings: Iterable[Pressure]) -> Pressure:
    """The mean of the readings, at the time of the last."""
    taken = list(readings)
    return Pressure(
        taken[-1].at_min,
        sum(reading.sbp_mmHg for reading in taken) / len(taken),
        sum(reading.dbp_mmHg for reading in taken) / len(taken),
    )
