"""What an effect file may hold: one effect, its published parameters, their spread, and what it is not."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, RootModel, model_validator

from limen.evidence.yaml import Record
from limen.pharmacology.models.schema import Matrix, Sourced

Array = npt.NDArray[np.float64]

# 97.5th percentile of the standard normal: half the width of a 95 % interval in standard deviations.
Z95 = 1.959963984540054

Unit = Literal[
    "min",
    "d",
    "ng/mL",
    "mmHg per ng/mL",
    "/min per ng/mL",
    "% per ng/mL",
    "cm per ng/mL",
    "umol/L",
    "g/mol",
    "fraction",
    "ratio",
    "exponent",
]
# Where the interval comes from: of the estimate, between studies, between tests, between people (quartiles), assumed by
# this project, or none read (the number then stands alone).
Spread = Literal["estimate", "studies", "endpoints", "people", "assumed", "none-read"]
Site = Literal["effect", "pressure", "sedation", "plasma"]

# Standard deviations from the middle to the ends of the interval.
_WIDTH = {"people": 0.6744897501960817}


class Fixed(Sourced):
    """A number with its unit."""

    value: float = Field(allow_inf_nan=False)
    unit: Unit


class Normal(Sourced):
    """A level that differs between people."""

    typical: float = Field(gt=0, allow_inf_nan=False)
    sd: float = Field(gt=0, allow_inf_nan=False)
    unit: Literal["ng/mL"]


class Estimate(Sourced):
    """A number with its interval.

    Attributes
    ----------
    low, high : float
        A 95 % interval, or the range of studies or tests; quartiles where ``spread`` is ``people``.
    """

    typical: float = Field(allow_inf_nan=False)
    low: float
    high: float
    unit: Unit
    spread: Spread

    @model_validator(mode="after")
    def _ordered(self) -> Estimate:
        if not 0 < self.low <= self.typical <= self.high:
            raise ValueError("0 < low <= typical <= high does not hold")
        if (self.spread == "none-read") != (self.low == self.high):
            raise ValueError("an interval of no width goes with spread none-read, and only with it")
        return self

    @property
    def value(self) -> float:
        """The typical value."""
        return self.typical

    @property
    def log_sd(self) -> float:
        """Standard deviation of the log, read from the whole width of the interval."""
        return math.log(self.high / self.low) / (2 * _WIDTH.get(self.spread, Z95))

    def drawn(self, z: Array) -> Array:
        """The value of each patient: lognormal on each side of the typical value, so that both ends are kept.

        Parameters
        ----------
        z : array (rows,)
            Standard normal draws; 0 is the typical value.

        Returns
        -------
        array (rows,)
        """
        width = _WIDTH.get(self.spread, Z95)
        down, up = math.log(self.typical / self.low) / width, math.log(self.high / self.typical) / width
        found: Array = self.typical * np.exp(z * np.where(z < 0, down, up))
        return found


class Link(Record):
    """The delay between plasma and the place of an effect."""

    matrix: Matrix
    column: str
    half_life: Estimate
    note: str


class Sites(Record):
    """``sites.yaml``."""

    sites: dict[Site, Link]
    racemic_s_share: Fixed


class _Effect(Record):
    """What every effect says of itself.

    Attributes
    ----------
    matrix : Matrix
        The blood its study sampled.
    supported_to : Fixed
        The highest concentration the parameters were seen at; past it the flag ``effect-extrapolated`` stands.
    """

    title: str
    matrix: Matrix
    is_not: str


class Index(_Effect):
    """Per cent of the most a drug can do: sigmoid Emax on S-ketamine."""

    form: Literal["index"]
    output: str
    site: Site
    c50: Estimate
    column: str | None
    gamma: Fixed
    supported_to: Fixed


class People(Sourced):
    """How much the effect differs between people, beside the uncertainty of its mean.

    Attributes
    ----------
    log_sd : float
        Standard deviation of the logarithm of each person's factor; the factors' mean is 1, so that the mean of people
        is the published mean.
    column : str
        The column of draws; one for effects that go together.
    """

    log_sd: float = Field(gt=0, allow_inf_nan=False)
    column: str

    def factor(self, z: Array) -> Array:
        """Each person's factor from standard normal draws.

        Examples
        --------
        >>> people = People(log_sd=0.5, column="PRESSURE_PERSON", source="limen", verification="P")
        >>> bool(abs(people.factor(np.linspace(-8, 8, 4001)) @ np.exp(-np.linspace(-8, 8, 4001) ** 2 / 2) * 0.004
        ...     / math.sqrt(2 * math.pi) - 1) < 1e-6)
        True
        """
        found: Array = np.exp(self.log_sd * z - 0.5 * self.log_sd**2)
        return found


class Line(_Effect):
    """In proportion to S-ketamine.

    Attributes
    ----------
    withheld_past : Fixed
        The concentration past which the line says nothing any more: what it would give is left out.
    """

    form: Literal["line"]
    output: str
    site: Site
    slope: Estimate
    column: str
    people: People | None = None
    supported_to: Fixed
    withheld_past: Fixed

    @model_validator(mode="after")
    def _in_order(self) -> Line:
        if self.withheld_past.value < self.supported_to.value:
            raise ValueError("withheld_past is under supported_to")
        return self


class Responsiveness(_Effect):
    """Loss of response and awakening: levels that differ between people, in racemic ketamine."""

    form: Literal["responsiveness"]
    output: str
    output_by_plasma: str
    site: Site
    loss: Normal
    recovery: Normal
    recovery_in_plasma: Normal
    s_potency: Fixed
    supported_to: Fixed


class OpioidShift(_Effect):
    """S-ketamine raises the concentration of an opioid that depresses breathing."""

    form: Literal["opioid-shift"]
    output: str
    site: Site
    doubling: Estimate
    column: str
    supported_to: Fixed
    withheld_past: Fixed


class OccupancyNames(Record):
    """One output for each laboratory's set of affinities."""

    enantiomers: str
    racemate: str


class Occupancy(_Effect):
    """Law of mass action on unbound drug, one laboratory's affinities at a time."""

    form: Literal["occupancy"]
    outputs: OccupancyNames
    site: Site
    molar_mass_g_per_mol: Fixed
    ki_S_ketamine: Fixed
    ki_R_ketamine: Fixed
    ki_racemate: Fixed
    unbound_enantiomer: Fixed
    unbound_racemate: Fixed
    supported_to: Fixed


class PainVas(_Effect):
    """S-ketamine and S-norketamine against each other on a pain scale."""

    form: Literal["pain-vas"]
    s_ketamine: Fixed
    s_norketamine: Fixed
    supported_s_ketamine: Fixed
    supported_s_norketamine: Fixed


class EffectFile(
    RootModel[Annotated[Index | Line | Responsiveness | OpioidShift | Occupancy | PainVas, Field(discriminator="form")]]
):
    """One file of ``data/effects`` but ``sites.yaml``."""
