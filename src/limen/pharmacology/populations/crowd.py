"""Virtual patients who are not one person: each with a body and an age of his own, from published demographics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from limen.errors import InputError
from limen.pharmacology.models.schema import Model, Range
from limen.pharmacology.outcome import Flag
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.populations.demographics import demographics, people
from limen.pharmacology.regimen import DoseOrder

Array = npt.NDArray[np.float64]

# As many as tell a share to a per cent.
_TOLD = 10_000


@dataclass(frozen=True, slots=True)
class Cohort:
    """Bodies and ages, a row each; row 0 is the patient asked for.

    Attributes
    ----------
    typical : PatientProfile
        Row 0; what is no body measure or age (ancestry, kidney, liver) is his in every row.
    weight_kg, age_years : array (rows,)
        NaN for what row 0 does not tell.
    dose_ratio : array (rows,)
        What each is given over what row 0 is given.
    """

    typical: PatientProfile
    weight_kg: Array
    age_years: Array
    dose_ratio: Array

    @property
    def ancestry(self) -> str | None:
        return self.typical.ancestry

    def need_weight_kg(self, why: str) -> Array:
        """The weights, or an error that says what needs that of row 0."""
        self.typical.need_weight_kg(why)
        return self.weight_kg


@dataclass(frozen=True, slots=True)
class Crowd:
    """People to be drawn.

    Attributes
    ----------
    of : str
        An id of ``demographics.demographics().populations``.
    dose_per_kg : bool
        Whether each is dosed by his own weight; else all get the same milligrams.

    Examples
    --------
    >>> who = Crowd("esketamine-trials", dose_per_kg=True).cohort(PatientProfile(weight_kg=70), 1, 0, 3)
    >>> who.weight_kg[0], bool((who.dose_ratio == who.weight_kg / 70).all())
    (np.float64(70.0), True)
    """

    of: str
    dose_per_kg: bool

    def __post_init__(self) -> None:
        demographics().population(self.of)

    def cohort(self, patient: PatientProfile, seed: int, first: int, count: int) -> Cohort:
        """Row 0 the patient, then people ``first`` to ``first + count``; person i has the kinetics of patient i.

        Raises
        ------
        InputError
            If doses go by weight and the patient's is missing.
        """
        who = people(seed, first, count, of=self.of)
        own_kg = np.nan if patient.weight_kg is None else float(patient.weight_kg)
        age = np.nan if patient.age_years is None else float(patient.age_years)
        weight_kg = np.append(own_kg, who.weight_kg)
        ratio = np.ones(count + 1)
        if self.dose_per_kg:
            ratio = weight_kg / patient.need_weight_kg("Doses go by weight.")
        return Cohort(patient, weight_kg, np.append(age, who.age_years), ratio)

    def flags(self, models: Sequence[Model], seed: int, n: int) -> list[Flag]:
        """Who they are, and how many of them no model was made with."""
        known = demographics().population(self.of)
        who = people(seed, 0, min(n, _TOLD), of=self.of)
        dosed = "each dosed by the own weight" if self.dose_per_kg else "all given the same milligrams"
        low, middle, high = np.percentile(who.weight_kg, (5, 50, 95))
        found = [
            Flag(
                "virtual-people",
                f"Virtual patients are drawn from: {known.title} [{known.verification}]; weight {middle:.0f} kg (90 of"
                f" 100 from {low:.0f} to {high:.0f}), age {np.median(who.age_years):.0f}; {dosed}. The typical curve is"
                " that of the patient given, and so are other drugs, organs and ancestry in all of them",
            )
        ]
        found += [flag for model in models for flag in _outside(model, who.age_years, who.weight_kg)]
        return found


def _outside(model: Model, age_years: Array, weight_kg: Array) -> Iterable[Flag]:
    for name, values, studied in (("age", age_years, model.studied.age), ("weight", weight_kg, model.studied.weight)):
        if studied is None:
            continue
        share = float(np.mean(~_inside(values, studied)))
        if share > 0:
            yield Flag(
                f"people-outside-{name}",
                f"{model.id}: {100 * share:.2g} of 100 virtual patients are outside the {name}s studied"
                f" [{studied.verification}]; used as drawn",
            )


def _inside(values: Array, studied: Range) -> npt.NDArray[np.bool_]:
    low = -np.inf if studied.low is None else studied.low
    high = np.inf if studied.high is None else studied.high
    return (values >= low) & (values <= high)


def crowd_of(of: str | None, orders: Sequence[DoseOrder], n: int) -> Crowd | None:
    """The people of a command, dosed as it orders.

    Raises
    ------
    InputError
        Without a population; or if some doses go by weight and others do not, which no one ratio holds.

    Examples
    --------
    >>> from limen.pharmacology.regimen import parse_dose
    >>> crowd_of("esketamine-trials", [parse_dose("0.5 mg/kg iv over 40 min")], 100)
    Crowd(of='esketamine-trials', dose_per_kg=True)
    """
    if of is None:
        return None
    if n < 1:
        raise InputError("people without a number of them", where="people", allowed="--population 1 or more with it")
    by_weight = {order.is_per_kg for order in orders}
    if len(by_weight) > 1:
        raise InputError(
            "doses by weight beside doses in mg", where="dose", allowed="all by weight, or none, where people differ"
        )
    return Crowd(of, by_weight == {True})
