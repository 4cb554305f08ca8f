"""Virtual people: age, sex, weight and height together, from published percentiles."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from limen.errors import InputError
from limen.evidence import read_yaml
from limen.evidence.yaml import Record
from limen.pharmacology.models.values import Sourced
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.populations.draws import normals, quantile_of_normal, uniforms

Array = npt.NDArray[np.float64]
Sex = Literal["male", "female"]
# Low and high ends; percentiles, None where the survey withholds one.
Span = tuple[float, float]
Row = tuple[float | None, ...]


class Ages(Record):
    """Youngest, middle and oldest."""

    low_years: float
    median_years: float
    high_years: float

    @model_validator(mode="after")
    def _ordered(self) -> Ages:
        if not self.low_years < self.median_years < self.high_years:
            raise ValueError("low < median < high does not hold")
        return self


class Population(Sourced):
    """A published group of people: its ages and the share of women."""

    id: str
    title: str
    age: Ages
    female_fraction: float = Field(ge=0, le=1)
    form: str


class Body(Record):
    """Percentiles of one sex in one group of ages, from the first age to before the last."""

    ages_years: Span
    weight_kg: Row
    height_cm: Row


class Spread(Record):
    """5th and 95th percentile at 20 years and over."""

    weight_kg: Span
    height_cm: Span
    bmi_kg_per_m2: Span

    @property
    def correlation_ratio(self) -> float:
        """Correlation of log weight with log height, from var(ln BMI) = var(ln W) + 4 var(ln H) - 4 cov."""
        weight, height, bmi = (np.log(high / low) for low, high in (self.weight_kg, self.height_cm, self.bmi_kg_per_m2))
        return float((weight**2 + 4 * height**2 - bmi**2) / (4 * weight * height))


class Demographics(Record):
    """``demographics.yaml``."""

    percentiles_pct: tuple[float, ...]
    survey: Sourced
    joint_form: Sourced
    spread_20_and_over: dict[Sex, Spread]
    populations: tuple[Population, ...]
    body: dict[Sex, tuple[Body, ...]]

    @model_validator(mode="after")
    def _rising(self) -> Demographics:
        for sex, groups in self.body.items():
            for group in groups:
                for row in (group.weight_kg, group.height_cm):
                    known = [value for value in row if value is not None]
                    if len(row) != len(self.percentiles_pct) or known != sorted(known):
                        raise ValueError(f"{sex}, {group.ages_years}: percentiles are one a level, and rise")
        return self

    def population(self, id_: str) -> Population:
        """The population with this id."""
        for one in self.populations:
            if one.id == id_:
                return one
        raise InputError(
            f"unknown population {id_!r}", where="population", allowed=", ".join(one.id for one in self.populations)
        )


@dataclass(frozen=True, slots=True)
class People:
    """Some virtual people; each array (people,)."""

    age_years: Array
    female: npt.NDArray[np.bool_]
    weight_kg: Array
    height_cm: Array

    def __len__(self) -> int:
        return len(self.age_years)

    def profiles(self) -> Iterator[PatientProfile]:
        """Each as the engine takes a patient."""
        for age, female, weight, height in zip(
            self.age_years.tolist(), self.female.tolist(), self.weight_kg.tolist(), self.height_cm.tolist(), strict=True
        ):
            sex = "female" if female else "male"
            yield PatientProfile(age_years=age, sex=sex, weight_kg=weight, height_cm=height)


@functools.cache
def demographics() -> Demographics:
    """The percentiles and populations on file.

    Examples
    --------
    >>> [one.id for one in demographics().populations]
    ['esketamine-trials']
    """
    return read_yaml(resources.files("limen.pharmacology") / "data" / "demographics.yaml", Demographics)


def people(seed: int, first: int, count: int, *, of: str | Population = "esketamine-trials") -> People:
    """Virtual people ``first`` to ``first + count`` of a population.

    Person i of a seed is the same whatever the chunk, as in ``population.patients``; the same seed there gives his
    kinetics.

    Parameters
    ----------
    seed : int
        0 to 2**64 - 1.
    first, count : int
    of : str or Population
        An id of ``demographics().populations``, or one of your own.

    Raises
    ------
    InputError
        If the population is unknown, or its ages are not those of the survey (2 to 90 years).

    Examples
    --------
    >>> who = people(1, 0, 1000)
    >>> bool(who.age_years.min() >= 18), bool(0.5 < who.female.mean() < 0.66)
    (True, True)
    """
    known = demographics()
    chosen = known.population(of) if isinstance(of, str) else of
    youngest, oldest = known.body["male"][0].ages_years[0], known.body["male"][-1].ages_years[1]
    if chosen.age.low_years < youngest or chosen.age.high_years > oldest:
        raise InputError(
            f"ages {chosen.age.low_years:g} to {chosen.age.high_years:g}", where="population",
            allowed=f"{youngest:g} to {oldest:g} years",
        )  # fmt: skip
    age_years = np.interp(
        uniforms(seed, "AGE", first, count),
        [0.0, 0.5, 1.0],
        [chosen.age.low_years, chosen.age.median_years, chosen.age.high_years],
    )
    female = uniforms(seed, "SEX", first, count) < chosen.female_fraction
    tall, heavy = normals(seed, "HEIGHT", first, count), normals(seed, "WEIGHT", first, count)
    weight_kg, height_cm = np.empty(count), np.empty(count)
    of_sex: dict[Sex, npt.NDArray[np.bool_]] = {"male": ~female, "female": female}
    for sex, mine in of_sex.items():
        together = known.spread_20_and_over[sex].correlation_ratio
        levels, middles, log_weights, heights = _tables(sex)
        with_height = together * tall[mine] + np.sqrt(1.0 - together**2) * heavy[mine]
        weight_kg[mine] = np.exp(_by_percentile(levels, middles, log_weights, age_years[mine], with_height))
        height_cm[mine] = _by_percentile(levels, middles, heights, age_years[mine], tall[mine])
    return People(age_years, female, weight_kg, height_cm)


@functools.cache
def _tables(sex: Sex) -> tuple[Array, Array, Array, Array]:
    """Normal scores of the levels, middles of the groups, and log weights and heights (groups, levels), gaps filled."""
    known = demographics()
    levels = quantile_of_normal(np.array(known.percentiles_pct) / 100.0)
    groups = known.body[sex]
    middles = np.array([sum(group.ages_years) / 2.0 for group in groups])
    log_weights = np.stack([_whole(levels, np.log(np.array(group.weight_kg, dtype=np.float64))) for group in groups])
    heights = np.stack([_whole(levels, np.array(group.height_cm, dtype=np.float64)) for group in groups])
    return levels, middles, log_weights, heights


def _whole(levels: Array, row: Array) -> Array:
    """A row with what the survey withholds at its ends, along the line of the nearest two."""
    known = np.flatnonzero(~np.isnan(row))
    filled = row.copy()
    for place in np.flatnonzero(np.isnan(row)):
        one, other = known[:2] if place < known[0] else known[-2:]
        filled[place] = row[one] + (levels[place] - levels[one]) * (row[other] - row[one]) / (
            levels[other] - levels[one]
        )
    return filled


def _by_percentile(levels: Array, middles: Array, table: Array, age_years: Array, score: Array) -> Array:
    """The value at each person's age and normal score."""
    group = np.clip(np.searchsorted(middles, age_years), 1, len(middles) - 1)
    share = np.clip((age_years - middles[group - 1]) / (middles[group] - middles[group - 1]), 0.0, 1.0)
    place = np.clip(np.searchsorted(levels, score), 1, len(levels) - 1)

    def at(level: npt.NDArray[np.intp]) -> Array:
        found: Array = table[group - 1, level] + share * (table[group, level] - table[group - 1, level])
        return found

    low, high = at(place - 1), at(place)
    result: Array = low + (score - levels[place - 1]) * (high - low) / (levels[place] - levels[place - 1])
    return result
