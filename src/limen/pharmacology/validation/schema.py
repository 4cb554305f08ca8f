"""What a published observation looks like on file: who was given what, what was seen, and which model can answer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from limen.evidence import Verification, sources
from limen.evidence.yaml import Record
from limen.pharmacology.models.schema import Product

Measure = Literal[
    "cmax",
    "tmax",
    "value-at",
    "auc-0-24",
    "auc-to-end",
    "auc-ratio",
    "clearance",
    "vss",
    "half-life",
    "bioavailability",
    "at-level",
    "linearity",
    "trial",
]
Statistic = Literal[
    "mean", "geometric-mean", "median", "about", "model-mean", "estimate", "range", "below", "difference"
]
Relation = Literal["independent", "same-study", "set-from"]
# As a patient is given in JSON.
Given = dict[str, float | str]
SpreadKind = Literal["sd", "se", "gsd", "ci90", "ci95", "range", "iqr"]


class Spread(Record):
    """How an observed number varies, and what that variation means.

    Attributes
    ----------
    kind : str
        ``sd`` and ``gsd`` (geometric) are between people, ``se``, ``ci90`` and ``ci95`` are of the estimate.
    value : float or None
        The standard deviation or error; ``low`` and ``high`` otherwise.
    """

    kind: SpreadKind
    value: float | None = None
    low: float | None = None
    high: float | None = None

    @model_validator(mode="after")
    def _whole(self) -> Spread:
        if (self.value is None) == (self.low is None) or (self.low is None) != (self.high is None):
            raise ValueError("a spread has a value, or low and high")
        if (self.value is not None) != (self.kind in {"sd", "se", "gsd"}):
            raise ValueError(f"{self.kind} does not go with what is given")
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise ValueError("low is not below high")
        return self

    @property
    def words(self) -> str:
        """As a table prints it.

        Examples
        --------
        >>> Spread(kind="ci95", low=259, high=287).words
        '95 % CI 259 to 287'
        """
        name = {"sd": "SD", "se": "SE", "gsd": "GSD", "ci90": "90 % CI", "ci95": "95 % CI"}.get(self.kind, self.kind)
        return f"{name} {self.value:g}" if self.value is not None else f"{name} {self.low:g} to {self.high:g}"


class Answer(Record):
    """Who answers an observation, and how the two are related.

    Attributes
    ----------
    by : str
        A model's id, ``ensemble``, or the name of a calculation of ``answers.CALCULATIONS``.
    relation : str
        ``independent``; ``same-study``: the model was made from these very people, so that agreement is no independent
        test; ``set-from``: a number of the model was taken from this observation.
    ketamine_mass : bool
        The model counts this metabolite in the mass of the ketamine it came from.
    """

    by: str
    relation: Relation = "independent"
    ketamine_mass: bool = False
    note: str | None = None


class Observed(Record):
    """One number that was published.

    Attributes
    ----------
    of : str
        An analyte (``S_ketamine``) or an effect's output name; ``per`` is the analyte below in a ratio.
    at : str or None
        When, for ``value-at``.
    low, high : float or None
        Of a ``range``; otherwise ``value`` stands.
    """

    measure: Measure
    of: str
    per: str | None = None
    at: str | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str
    statistic: Statistic
    spread: Spread | None = None
    verification: Verification | None = None
    answers: tuple[Answer, ...] | None = None
    note: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> Observed:
        if self.statistic == "range":
            if self.low is None or self.high is None or not self.low < self.high or self.value is not None:
                raise ValueError("a range has low and high, and no value")
        elif self.value is None or self.low is not None or self.high is not None:
            raise ValueError(f"{self.statistic} has a value, and neither low nor high")
        if (self.measure in {"value-at", "trial"}) != (self.at is not None):
            raise ValueError("at goes with value-at and trial")
        if (self.measure == "auc-ratio") != (self.per is not None):
            raise ValueError("per goes with auc-ratio")
        return self

    @property
    def words(self) -> str:
        """The number as a table prints it.

        Examples
        --------
        >>> Observed(measure="cmax", of="ketamine", low=100, high=250, unit="ng/mL", statistic="range").words
        '100 to 250 ng/mL'
        """
        number = f"{self.low:g} to {self.high:g}" if self.value is None else f"{self.value:g}"
        sign = {"below": "under ", "about": "about "}.get(self.statistic, "")
        unit = "" if self.unit == "ratio" else f" {self.unit}"
        return f"{sign}{number}{unit}" + (f" ({self.spread.words})" if self.spread else "")


class Series(Record):
    """One curve of observed means: a point an hour of ``at_h``."""

    of: str
    unit: str
    at_h: tuple[float, ...] = Field(min_length=2)
    values: tuple[float, ...]

    @model_validator(mode="after")
    def _even(self) -> Series:
        if len(self.at_h) != len(self.values) or list(self.at_h) != sorted(set(self.at_h)):
            raise ValueError(f"{self.of}: one value for each of the rising hours")
        return self

    @property
    def points(self) -> tuple[Observed, ...]:
        """The same curve as single numbers."""
        return tuple(
            Observed(measure="value-at", of=self.of, at=f"{hour:g} h", value=value, unit=self.unit, statistic="mean")
            for hour, value in zip(self.at_h, self.values, strict=True)
        )


class Setting(Record):
    """One regimen in one kind of patient, what was seen there, and who can answer.

    Attributes
    ----------
    doses : tuple of str
        In the grammar of ``regimen.parse_dose``.
    level_ng_per_mL : float or None
        A steady concentration of the product's ketamine, where that was held instead of giving doses.
    patient : dict
        As ``PatientProfile`` takes it.
    assumed : tuple of str
        What of ``patient`` is not in the source and was set by this project [P].
    until, every : str
        Horizon and step of the prediction.
    reference_dose : str or None
        The intravenous dose that a bioavailability is counted against.
    """

    product: Product
    doses: tuple[str, ...] = ()
    level_ng_per_mL: float | None = Field(default=None, gt=0)
    patient: Given = {"weight_kg": 70, "age_years": 40}
    assumed: tuple[str, ...] = ()
    until: str = "4 h"
    every: str = "1 min"
    reference_dose: str | None = None
    answers: tuple[Answer, ...] = ()
    observed: tuple[Observed, ...] = ()
    series: tuple[Series, ...] = ()
    note: str | None = None

    @property
    def questions(self) -> tuple[Observed, ...]:
        """Every number seen in this setting."""
        return (*self.observed, *(point for series in self.series for point in series.points))

    @model_validator(mode="after")
    def _answered(self) -> Setting:
        if bool(self.doses) == (self.level_ng_per_mL is not None):
            raise ValueError("give doses, or the level that was held")
        if not self.questions:
            raise ValueError("a setting without an observation")
        for item in self.questions:
            if not (item.answers or self.answers):
                raise ValueError(f"{item.measure} of {item.of}: nobody answers; move it to not_answerable")
            if item.measure == "bioavailability" and self.reference_dose is None:
                raise ValueError("a bioavailability needs reference_dose")
        if not set(self.assumed) <= set(self.patient):
            raise ValueError("assumed names a key that patient does not have")
        return self


class Unanswered(Record):
    """What was seen and no model of the product can predict, and why."""

    what: str
    because: str
    series: tuple[Series, ...] = ()


class Row(Record):
    """One row of the list of published observations."""

    id: str
    title: str
    population: str
    matrix: Literal["arterial", "venous", "plasma", "not stated", "effect"]
    verification: Verification
    sources: tuple[str, ...] = Field(min_length=1)
    settings: tuple[Setting, ...] = ()
    not_answerable: tuple[Unanswered, ...] = ()
    note: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> Row:
        for key in self.sources:
            if key not in sources():
                raise ValueError(f"unknown source {key!r}; add it to evidence/data/sources")
        if not (self.settings or self.not_answerable):
            raise ValueError("a row has a setting, or says why nothing can answer it")
        return self


class Target(Record):
    """A number computed once, by other means, from a published table.

    Attributes
    ----------
    decimals : int
        How far it was printed: half of the last digit is allowed beside the tolerance.
    """

    measure: Measure
    of: str
    per: str | None = None
    at: str | None = None
    value: float
    unit: str
    decimals: int = 0


class Check(Record):
    """One model on one regimen, with the numbers that its printed parameters must give."""

    model: str
    product: Product
    doses: tuple[str, ...]
    patient: Given = {"weight_kg": 70, "age_years": 40}
    until: str = "24 h"
    every: str = "1 min"
    targets: tuple[Target, ...] = Field(min_length=1)
    note: str | None = None
