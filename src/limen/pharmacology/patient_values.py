"""The numbers of a paper as they stand for these patients: scaled with weight, by covariates and by random effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from limen.pharmacology.models.schema import Covariate, Parameter
from limen.pharmacology.patient import PatientProfile

if TYPE_CHECKING:
    from limen.pharmacology.populations.crowd import Cohort

Array = npt.NDArray[np.float64]

REFERENCE_WEIGHT_KG = 70.0
# To L, L/h, per minute and minutes.
_TO_STANDARD = {"L/min": 60.0, "1/h": 1.0 / 60.0, "h": 60.0}
# Ancestry as it is given -> the ancestries whose covariates apply.
_IS = {"asian": ("asian",), "japanese": ("asian", "japanese")}


def patient_values(
    parameters: Mapping[str, Parameter],
    patient: PatientProfile | Cohort,
    effects: Mapping[str, Array],
    rows: int,
    *,
    prefix: str = "",
    covariates: Sequence[Covariate] = (),
    ratios: Mapping[str, Array | float] | None = None,
) -> dict[str, Array]:
    """Parameters of a paper for these patients.

    Parameters
    ----------
    parameters : mapping of name to Parameter
        A disposition by flow (V1, CL, V2, Q2, ...), by rate constant (V1, k10, k12, k21, ...) or with a liver (QH, VH,
        KEL, KMET); or the numbers of an absorption.
    patient : PatientProfile or Cohort
        One person, or a body and an age of each row. A missing weight is refused where a parameter scales with it; a
        missing age or ancestry leaves its covariates out.
    effects : mapping of effect name to array (rows,)
        Added on the log scale, or the logit scale where the parameter varies so; a missing name has none.
    prefix : str
        Before a parameter's name makes that of its effect (``NK_`` for norketamine).
    ratios : mapping of effect name to ratio, optional
        Multiplies in the end.

    Returns
    -------
    dict of name to array (rows,)
        Volumes in L, flows in L/h, rates per minute, times in minutes. Rate constants between compartments become
        flows and volumes.

    Examples
    --------
    >>> from limen.pharmacology.models import get
    >>> found = patient_values(get("domino").arms[0].parameters, PatientProfile(weight_kg=70), {}, 1)
    >>> {name: round(float(values[0]), 2) for name, values in found.items()}
    {'V1': 4.41, 'CL': 115.89, 'V2': 10.57, 'Q2': 156.64, 'V3': 178.21, 'Q3': 156.11}
    """
    typical = {name: _typical(parameter, patient) for name, parameter in parameters.items()}
    scales = {name: parameter.varies for name, parameter in parameters.items()}
    if "k10" in typical:
        typical, scales = _as_flows(typical), {}
    for covariate in covariates:
        name = covariate.parameter.removeprefix(prefix)
        if covariate.parameter.startswith(prefix) and name in typical:
            typical[name] = _covaried(typical[name], covariate, patient)
    found = {}
    for name, value in typical.items():
        effect = effects.get(prefix + name)
        if effect is None:
            found[name] = np.full(rows, value)
        elif scales.get(name) == "logit":
            found[name] = 1.0 / (1.0 + np.exp(-(np.log(value / (1.0 - value)) + effect)))
        else:
            found[name] = value * np.exp(effect)
        if ratios and prefix + name in ratios:
            found[name] = found[name] * ratios[prefix + name]
    return found


def _typical(parameter: Parameter, patient: PatientProfile | Cohort) -> float | Array:
    """In L, L/h, per minute or minutes, for this weight or these."""
    value = parameter.value * _TO_STANDARD.get(parameter.unit, 1.0)
    exponent = parameter.weight_exponent
    if parameter.unit == "L/kg":
        return value * patient.need_weight_kg("The model scales with weight.")
    if not exponent:
        return value
    weight_kg = patient.need_weight_kg("The model scales with weight.")
    scaled: float | Array = value * (weight_kg / REFERENCE_WEIGHT_KG) ** exponent
    return scaled


def _as_flows(typical: Mapping[str, float | Array]) -> dict[str, float | Array]:
    central_L = typical["V1"]
    found = {"V1": central_L, "CL": central_L * typical["k10"] * 60.0}
    for i in (2, 3):
        if f"k1{i}" in typical:
            found[f"V{i}"] = central_L * typical[f"k1{i}"] / typical[f"k{i}1"]
            found[f"Q{i}"] = central_L * typical[f"k1{i}"] * 60.0
    return found


def _covaried(value: float | Array, covariate: Covariate, patient: PatientProfile | Cohort) -> float | Array:
    if covariate.ratio is not None:
        return value * covariate.ratio if covariate.ancestry in _IS.get(patient.ancestry or "", ()) else value
    if patient.age_years is None or covariate.above_age_years is None or covariate.change_L_per_h_per_y is None:
        return value
    # Of two, fmax passes over an age that is not told (NaN): no change.
    return value + covariate.change_L_per_h_per_y * np.fmax(0.0, patient.age_years - covariate.above_age_years)
