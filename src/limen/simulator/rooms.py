"""Rooms of virtual chairs: patients drawn from a seed, each with a dose whose effect the published models foretell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from limen.errors import InputError
from limen.pharmacology.forecast import forecast
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import parse_dose, resolve
from limen.simulator.chair import CONTINUOUS, VirtualChair
from limen.simulator.course import tabulated_course
from limen.simulator.patient import EffectSite, Vitals, draw_patient, no_drug
from limen.simulator.trouble import Trouble

REST = Vitals(124.0, 76.0, 70.0, 98.0, 14.0)
_UNTIL_MIN = 600


def read_baseline(text: str, *, where: str = "baseline") -> Vitals:
    """Vital signs at rest from ``SYS/DIA,HR,SPO2,RR``.

    Examples
    --------
    >>> read_baseline("128/78,72,98,14").hr_per_min
    72.0
    """
    try:
        pressure, hr, spo2, rr = text.split(",")
        sbp, dbp = pressure.split("/")
        return Vitals(float(sbp), float(dbp), float(hr), float(spo2), float(rr))
    except ValueError:
        raise InputError(f"cannot read {text!r:.60}", where=where, allowed="SYS/DIA,HR,SPO2,RR") from None


def course_of(doses: Sequence[str], weight_kg: float, *, where: str = "dose") -> EffectSite:
    """What the doses leave at the effect site of a typical adult of this weight."""
    if not doses:
        return no_drug
    given = [resolve(parse_dose(text, where=where), weight_kg) for text in doses]
    profile = PatientProfile(age_years=40.0, sex="female", weight_kg=weight_kg)
    expected = forecast(given, profile, until_min=_UNTIL_MIN, every_min=1, wanted_effects=())
    return tabulated_course(expected.time_h, expected.outputs["ketamine_effect_site_ng_per_mL"].typical)


def furnish(
    count: int,
    *,
    seed: int,
    doses: Sequence[str] = (),
    weight_kg: float = 70.0,
    rest: Vitals = REST,
    cuff_s: float = 300.0,
    troubles: Iterable[Trouble] = (),
    signals: tuple[str, ...] = CONTINUOUS,
) -> list[VirtualChair]:
    """So many chairs, each with a patient of its own drawn from the seed.

    Raises
    ------
    InputError
        If a trouble is for a chair that is not there.
    """
    course = course_of(doses, weight_kg)
    chairs = []
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        patient = draw_patient(rng, rest)
        chairs.append(VirtualChair(patient, rng, effect_site=course, cuff_s=cuff_s, signals=signals))
    for trouble in troubles:
        if trouble.chair is not None and trouble.chair > count:
            raise InputError(f"chair {trouble.chair}", where="trouble.chair", allowed=f"1 to {count}")
        for chair in chairs if trouble.chair is None else [chairs[trouble.chair - 1]]:
            trouble.befall(chair)
    return chairs
