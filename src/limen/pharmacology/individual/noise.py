"""How far an observation may stand from its prediction: the residual error of each kind."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib import resources
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from limen.errors import InputError
from limen.evidence import read_yaml
from limen.evidence.yaml import Record
from limen.pharmacology.individual.observations import Observation
from limen.pharmacology.models.schema import Model, Sourced

Array = npt.NDArray[np.float64]


class Spread(Sourced):
    """A standard deviation: of the prediction (``proportional``), or the same everywhere (``additive``)."""

    form: Literal["proportional", "additive", "log"]
    value: float = Field(gt=0, allow_inf_nan=False)
    unit: Literal["ratio", "ng/mL", "mmHg", "1/min", "pct"]

    def sd(self, predicted: Array) -> Array:
        """The standard deviation beside each prediction, in its unit."""
        return self.value * np.abs(predicted) if self.form == "proportional" else np.full_like(predicted, self.value)


class PublishedSpread(Spread):
    """The residual error of one model's paper."""

    model: str
    analyte: str


class Concentration(Record):
    """Residual errors of concentrations."""

    published: tuple[PublishedSpread, ...]
    assumed: Spread
    other_matrix: Spread


class Change(Record):
    """Errors of a change from baseline: of the reading, and of the one baseline all readings share."""

    output: str
    reading: Spread
    baseline: Spread


class Noise(Record):
    """``noise.yaml``."""

    concentration: Concentration
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Error:
    """What separates an observation from one model's prediction.

    Attributes
    ----------
    own : Spread
        Independent from one observation to the next.
    shared : Spread or None
        One and the same error in every observation of ``group``.
    """

    own: Spread
    shared: Spread | None
    group: str


@functools.cache
def noise() -> Noise:
    """The residual errors on file.

    Examples
    --------
    >>> noise().concentration.assumed.value
    0.236
    """
    return read_yaml(resources.files("limen.pharmacology.individual") / "data" / "noise.yaml", Noise)


def error_of(observation: Observation, model: Model) -> Error:
    """The errors of this observation under this model.

    Raises
    ------
    InputError
        If no error is on file for what was observed.

    Examples
    --------
    A venous sample under a model of venous blood, with the residual error of its paper:

    >>> from limen.pharmacology.individual.observations import concentration
    >>> from limen.pharmacology.models import get
    >>> found = error_of(concentration("S_ketamine", "venous", 40, 82), get("fanta-otto-2021"))
    >>> found.own.value, found.shared
    (0.236, None)
    """
    known = noise()
    if observation.kind == "concentration":
        of_papers = known.concentration.published
        own: Spread = next(
            (item for item in of_papers if (item.model, item.analyte) == (model.id, observation.analyte)),
            known.concentration.assumed,
        )
        other = observation.matrix != model.matrix
        return Error(
            own, known.concentration.other_matrix if other else None, f"{observation.analyte} {observation.matrix}"
        )
    for change in known.changes:
        if change.output == observation.output:
            return Error(change.reading, change.baseline, f"{observation.kind}: {observation.shared}")
    raise InputError(
        f"no error on file for {observation.output}",
        where=observation.kind,
        allowed=", ".join(change.output for change in known.changes),
    )
