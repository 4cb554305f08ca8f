"""How far an observation may stand from its prediction: the residual error of each kind."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from limen.errors import InputError
from limen.evidence import read_yaml
from limen.evidence.yaml import Record
from limen.pharmacology.effects import effects
from limen.pharmacology.individual.observations import READY, Observation
from limen.pharmacology.models.schema import Model, Sourced

Array = npt.NDArray[np.float64]


class Spread(Sourced):
    """A standard deviation: of the prediction (``proportional``), the same everywhere (``additive``), or of the
    logarithm (``log``)."""

    form: Literal["proportional", "additive", "log"]
    value: float = Field(gt=0, allow_inf_nan=False)
    unit: Literal["ratio", "ng/mL", "mmHg", "1/min", "pct"]


class Change(Record):
    """Errors of a reading, and of what all readings of the kind have in common."""

    output: str
    reading: Spread
    shared: Spread | None


class Fixed(Sourced):
    """A number with its unit."""

    value: float
    unit: Literal["score", "probability", "pct"]


class Responsiveness(Record):
    """How a rating of sedation is read as responsive or not."""

    unresponsive_moaas: Fixed
    misread: Fixed


class Noise(Record):
    """``noise.yaml``."""

    concentration: Spread
    other_matrix: Spread
    another_day: Spread
    changes: tuple[Change, ...]
    responsiveness: Responsiveness
    dissociation_scale: Fixed


@dataclass(frozen=True, slots=True)
class Error:
    """What separates an observation from one model's prediction.

    Attributes
    ----------
    own : tuple of Spread
        Independent from one observation to the next; their variances add. A ``log`` one stands alone.
    shared : Spread or None
        One and the same error in every observation of ``group``.
    published : bool
        Whether ``own`` is the residual error of the model's paper.
    """

    own: tuple[Spread, ...]
    shared: Spread | None
    group: str
    published: bool = False

    def own_size(self, form: str) -> float:
        """The standard deviation of one form, root of the sum of squares; 0 for none."""
        return float(sum(spread.value**2 for spread in self.own if spread.form == form) ** 0.5)

    def shared_size(self, form: str) -> float:
        """The same of the shared error."""
        return self.shared.value if self.shared is not None and self.shared.form == form else 0.0


@functools.cache
def noise() -> Noise:
    """The assumed errors.

    Examples
    --------
    >>> noise().concentration.value
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
    A venous sample under a model of venous blood, and of arterial blood:

    >>> from limen.pharmacology.individual.observations import concentration
    >>> from limen.pharmacology.models import get
    >>> error_of(concentration("S_ketamine", "venous", 40, 82), get("fanta-otto-2021")).shared is None
    True
    >>> error_of(concentration("S_ketamine", "venous", 40, 82), get("simons-2022")).shared.value
    0.34
    """
    known = noise()
    another_day = (known.another_day,) if observation.session and observation.measure != READY else ()
    if observation.analyte is not None:
        own = _published(model, observation.analyte)
        other = observation.matrix != model.matrix
        group = f"{observation.analyte} {observation.matrix}"
        return Error(
            _with_another_day(own or (known.concentration,), another_day),
            known.other_matrix if other else None,
            group,
            published=bool(own),
        )
    for change in known.changes:
        if change.output == observation.output:
            return Error((change.reading, *another_day), change.shared, f"{observation.kind}: {observation.shared}")
    raise InputError(
        f"no error on file for {observation.output}",
        where=observation.kind,
        allowed=", ".join(change.output for change in known.changes),
    )


def _with_another_day(own: tuple[Spread, ...], another_day: tuple[Spread, ...]) -> tuple[Spread, ...]:
    """A log error and a proportional one are both shares of the prediction, to first order."""
    if not another_day or own[0].form != "log":
        return (*own, *another_day)
    wider = (own[0].value ** 2 + another_day[0].value ** 2) ** 0.5
    return (own[0].model_copy(update={"value": wider}),)


def _published(model: Model, analyte: str) -> tuple[Spread, ...]:
    """The residual error of the model's paper: of the analyte, or of S-ketamine for R and the sum."""
    names = (analyte, "S_ketamine") if analyte in {"ketamine", "R_ketamine"} else (analyte,)
    entry = next((item for name in names for item in model.residual if item.analyte == name), None)
    if entry is None:
        return ()
    found = []
    # Read from the model's file, where it was checked.
    made = functools.partial(
        Spread.model_construct, verification=entry.verification, source=entry.source, note=entry.note
    )
    if entry.log_sd is not None:
        found.append(made(form="log", unit="ratio", value=entry.log_sd))
    if entry.proportional_fraction is not None:
        found.append(made(form="proportional", unit="ratio", value=entry.proportional_fraction))
    if entry.additive_nmol_per_mL is not None:
        of_mass = entry.additive_nmol_per_mL * _molar_mass(model, entry.analyte)
        found.append(made(form="additive", unit="ng/mL", value=of_mass))
    return tuple(found)


def _molar_mass(model: Model, analyte: str) -> float:
    """In g/mol, as the model shows the analyte."""
    own: Sequence[float] = [
        metabolite.mass_ratio.value
        for arm in model.arms
        for metabolite in arm.metabolites()
        if metabolite.analyte == analyte and metabolite.mass_ratio is not None
    ]
    return effects().occupancy.molar_mass_g_per_mol.value * (own[0] if own else 1.0)
