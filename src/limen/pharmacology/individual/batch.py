"""The most probable patient of one model, for many patients with the same sampling times at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from limen.errors import InputError
from limen.pharmacology.individual.map import arms_given, closed_form, typical_of
from limen.pharmacology.individual.observations import concentration
from limen.pharmacology.individual.scoring import errors_of
from limen.pharmacology.individual.solving import Candidate
from limen.pharmacology.models.schema import Model, Omega
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose, Schedule
from limen.pharmacology.simulate import check_product, modifiers_under

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimates:
    """One estimate a row.

    Attributes
    ----------
    effects : tuple of str
    mode : array (patients, effects)
        Standard normal before anything was seen.
    covariance : array (patients, effects, effects)
    iterations : array of int (patients,)
        Negative where the mode was not found.
    """

    effects: tuple[str, ...]
    mode: Array
    covariance: Array
    iterations: npt.NDArray[np.int64]


def estimate_many(
    model: Model,
    doses: Sequence[Sequence[Dose]],
    patients: Sequence[PatientProfile],
    product: str,
    analyte: str,
    time_min: Array,
    values_ng_per_mL: Array,
    *,
    lent: Sequence[Omega] = (),
) -> Estimates:
    """The most probable patients after intravenous doses, from concentrations in the model's own matrix.

    Parameters
    ----------
    doses : sequence of sequence of Dose
        Of each patient.
    time_min : array (samples,)
        Rising, the same for all.
    values_ng_per_mL : array (patients, samples)
    lent : sequence of Omega
        The spread between patients of a model that published none; empty for the project's default.

    Raises
    ------
    InputError
        If the model has no compiled form for this, or the lengths differ.

    Examples
    --------
    >>> from limen.pharmacology.models import get
    >>> found = estimate_many(get("kamp-2020"), [[Dose(35, "iv", 0, 40)]] * 2, [PatientProfile(weight_kg=70)] * 2,
    ...     "racemic", "ketamine", np.array([40.0, 80.0]), np.array([[253.0, 74.0], [400.0, 120.0]]))
    >>> bool(found.mode[1, 1] < found.mode[0, 1])
    True
    """
    if not len(doses) == len(patients) == len(values_ng_per_mL) > 0:
        raise InputError("lists of different lengths", where="patients", allowed="one entry a patient in each")
    if not (len(time_min) and (np.diff(time_min) >= 0).all()):
        raise InputError("times that do not rise", where="time_min", allowed="rising, one or more")
    variability = Candidate(model, 1.0, tuple(lent)).variability
    checked = check_product(product, model.products, model.id)
    first = [
        concentration(analyte, model.matrix, float(time), float(value))
        for time, value in zip(time_min, values_ng_per_mL[0], strict=True)
    ]
    problem = closed_form(model, doses[0], patients[0], checked, first, variability)
    if problem is None or any(dose.route != "iv" for given in doses for dose in given):
        raise InputError(
            f"{model.id}: no compiled form for these doses and observations",
            where="compiled",
            allowed="intravenous doses, concentrations of what was dosed",
        )
    given_arms = arms_given(model, checked)
    typical = np.stack(
        [
            _known(typical_of(model, given_arms, patient, modifiers_under((), model, checked, given, patient)))
            for given, patient in zip(doses, patients, strict=True)
        ]
    )
    if not (np.isfinite(values_ng_per_mL).all() and (values_ng_per_mL > 0).all()):
        raise InputError("a concentration that cannot be", where="values_ng_per_mL", allowed="finite, over 0")
    from limen.pharmacology.individual import kernels

    size, count = len(problem.effects), len(patients)
    errors = errors_of(model, first, size)
    start_min, rate_mg_per_min, bolus_mg = _padded(_schedules(doses))
    mode = np.zeros((count, size))
    information, curvature = np.zeros((count, size, size)), np.zeros((count, size, size))
    iterations = np.zeros(count, dtype=np.int64)
    kernels.find_modes(
        typical,
        problem.loading,
        problem.share,
        start_min,
        rate_mg_per_min,
        bolus_mg,
        np.ascontiguousarray(time_min, dtype=np.float64),
        np.ascontiguousarray(values_ng_per_mL, dtype=np.float64),
        errors.proportional,
        errors.additive,
        errors.logged,
        errors.shared_proportional,
        errors.group,
        mode,
        information,
        curvature,
        iterations,
    )
    covariance: Array = np.linalg.inv(curvature).astype(np.float64)
    return Estimates(problem.effects, mode, covariance, iterations)


def _known(typical: Array | None) -> Array:
    """The structure is the model's, so one patient's answer is everybody's."""
    if typical is None:
        raise InputError("no compiled form", where="compiled", allowed="one to three compartments")
    return typical


def _schedules(doses: Sequence[Sequence[Dose]]) -> list[Schedule]:
    """Of each patient; those with the same doses share one."""
    found: dict[tuple[Dose, ...], Schedule] = {}
    for given in doses:
        key = tuple(given)
        if key not in found:
            found[key] = Schedule.of(given)
    return [found[tuple(given)] for given in doses]


def _padded(schedules: Sequence[Schedule]) -> tuple[Array, Array, Array]:
    """Schedules of one length: empty segments after the last one, each a minute long."""
    most = max(len(plan.start_min) for plan in schedules)
    start_min, rate, bolus = (np.zeros((len(schedules), most)) for _ in range(3))
    for row, plan in enumerate(schedules):
        own = len(plan.start_min)
        start_min[row, :own] = plan.start_min
        start_min[row, own:] = plan.start_min[-1] + np.arange(1, most - own + 1)
        rate[row, :own] = plan.rate_mg_per_min
        bolus[row, :own] = plan.bolus_mg
    return start_min, rate, bolus
