"""The most probable patient of one model (MAP), with the curvature there as its uncertainty (Laplace).

Random effects are standard normal before anything was seen. An error that several observations share is one more of
them, left out of the answer. The mode is found by Fisher scoring: in NumPy for every model and every kind of
observation, compiled for intravenous doses and concentrations of what was dosed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from limen.errors import InputError
from limen.pharmacology import population
from limen.pharmacology.covariates.interactions import Modifiers
from limen.pharmacology.individual.observations import Observation
from limen.pharmacology.individual.scoring import Predict, errors_of, find_mode
from limen.pharmacology.individual.solving import Candidate, canonical, output_of
from limen.pharmacology.models.schema import Arm, Model, Omega
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.patient_values import patient_values
from limen.pharmacology.regimen import Dose, Schedule
from limen.pharmacology.response import Grid, respond
from limen.pharmacology.simulate import check_product, check_routes, modifiers_under

Array = npt.NDArray[np.float64]

_NG_PER_ML = 1000.0
# Relative change of a prediction below which an effect does not move it.
_ROUNDING = 1e-9
DISPOSITION = ("V1", "CL", "V2", "Q2", "V3", "Q3")


@dataclass(frozen=True, slots=True)
class Estimate:
    """The mode and its curvature.

    Attributes
    ----------
    effects : tuple of str
        Random effects, columns of ``population.COLUMNS``.
    mode : array (effects,)
        Standard normal before anything was seen.
    covariance : array (effects, effects)
        Laplace's, of ``mode``; the identity where nothing was learned.
    loading : array (effects, effects)
        From standard normal draws to the model's own scale (log, or logit).
    observations : tuple of Observation
        Those that the model predicts; ``left_out`` are the others.
    predicted : array (observations,)
        At the mode.
    iterations : int
        Negative where the mode was not found.
    """

    model: str
    effects: tuple[str, ...]
    mode: Array
    covariance: Array
    loading: Array
    observations: tuple[Observation, ...]
    left_out: tuple[Observation, ...]
    predicted: Array
    iterations: int

    @property
    def found(self) -> bool:
        return self.iterations >= 0

    @property
    def eta(self) -> Array:
        """The mode on the model's own scale (log, or logit)."""
        moved: Array = self.loading @ self.mode
        return moved

    @property
    def eta_covariance(self) -> Array:
        """Laplace's covariance on the model's own scale."""
        spread: Array = self.loading @ self.covariance @ self.loading.T
        return spread

    def draws(self, n: int, rng: np.random.Generator) -> Array:
        """Rows of ``population.COLUMNS`` from the Laplace approximation; effects that are not the model's stay as
        before.

        Examples
        --------
        >>> from limen.pharmacology.individual.observations import concentration
        >>> from limen.pharmacology.models import get
        >>> found = estimate(get("fanta-otto-2021"), [Dose(10, "iv", 0, 30)], PatientProfile(weight_kg=70),
        ...     "s-ketamine", [concentration("S_ketamine", "venous", 60, 30)])
        >>> found.draws(5, np.random.default_rng(1)).shape == (5, len(population.COLUMNS))
        True
        """
        rows = population.draw(n, rng)
        columns = [population.COLUMNS.index(effect) for effect in self.effects]
        values, vectors = np.linalg.eigh(self.covariance)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        rows[:, columns] = self.mode + rows[:, columns] @ root.T
        return rows


def estimate(
    model: Model,
    doses: Sequence[Dose],
    patient: PatientProfile,
    product: str,
    observations: Sequence[Observation],
    *,
    compiled: bool | None = None,
    perpetrators: Sequence[str] = (),
    lent: Sequence[Omega] = (),
) -> Estimate:
    """The most probable patient of a model.

    Parameters
    ----------
    compiled : bool, optional
        Use the kernel, or do not; where not given it is used when the model and the observations allow it.
    perpetrators : sequence of str
        Drugs taken too.
    lent : sequence of Omega
        The spread between patients of a model that published none; empty for the project's default.

    Raises
    ------
    InputError
        As ``simulate.simulate``; or the kernel was asked for what it cannot do.

    Examples
    --------
    One sample at the typical prediction leaves the patient typical, but for the pull of the proportional error:

    >>> from limen.pharmacology.individual.observations import concentration
    >>> from limen.pharmacology.models import get
    >>> found = estimate(get("fanta-otto-2021"), [Dose(10, "iv", 0, 30)], PatientProfile(weight_kg=70), "s-ketamine",
    ...     [concentration("S_ketamine", "venous", 30, 49.9)], compiled=False)
    >>> found.effects, bool(abs(found.eta[0]) < 0.05)
    (('V1', 'CL', 'NK_V1', 'NK_CL'), True)
    """
    checked = check_product(product, model.products, model.id)
    check_routes(model, checked, doses, patient)
    seen = sorted(
        (item for item in observations if item.kind != "sedation" and not item.session and _given(item, doses)),
        key=lambda item: item.t_min,
    )
    variability = Candidate(model, 1.0, tuple(lent)).variability
    changed = modifiers_under(perpetrators, model, checked, doses, patient)
    problem = closed_form(model, doses, patient, checked, seen, variability, changed)
    if compiled and problem is None:
        raise InputError(
            f"{model.id}: no compiled form for these doses and observations",
            where="compiled",
            allowed="intravenous doses, concentrations of what was dosed",
        )
    if problem is not None and compiled is not False:
        return _by_kernel(model, problem, seen, observations, variability)
    return _by_numpy(model, doses, patient, checked, seen, observations, variability, changed)


def _given(item: Observation, doses: Sequence[Dose]) -> bool:
    """Whether anything was given before; a concentration before that is predicted as nothing by every patient."""
    return item.analyte is None or any(
        dose.start_min < item.t_min or (dose.start_min == item.t_min and dose.duration_min == 0) for dose in doses
    )


# --- every model and every kind of observation ------------------------------------------------------------------


def _by_numpy(
    model: Model,
    doses: Sequence[Dose],
    patient: PatientProfile,
    product: str,
    seen: list[Observation],
    observations: Sequence[Observation],
    variability: Sequence[Omega],
    changed: Modifiers,
) -> Estimate:
    predict_all = _predictor(model, doses, patient, product, seen, variability, changed)
    width = len(population.COLUMNS)
    probe = np.concatenate([np.zeros((1, width)), np.eye(width)])
    answers = predict_all(probe) if seen else np.zeros((width + 1, 0))
    measured = np.array([item.analyte is not None for item in seen], dtype=bool)
    able = np.isfinite(answers[0]) & ~(measured & (answers[0] <= 0))
    used = tuple(item for item, kept in zip(seen, able, strict=True) if kept)
    answers = answers[:, able]
    moving = np.flatnonzero((np.abs(answers[1:] - answers[0]) > _ROUNDING * np.abs(answers[0])).any(axis=1))
    own = [population.COLUMNS.index(effect) for block in variability for effect in block.effects]
    columns = list(dict.fromkeys([*own, *moving.tolist()]))

    def predict(z: Array) -> Array:
        rows = np.zeros((len(z), width))
        rows[:, columns] = z
        return predict_all(rows)[:, able]

    errors = errors_of(model, used, len(columns))
    z, curvature, predicted, iterations = find_mode(predict, errors, len(columns))
    effects = tuple(population.COLUMNS[column] for column in columns)
    return _answer(model, effects, z, curvature, variability, used, observations, predicted, iterations)


def _predictor(
    model: Model,
    doses: Sequence[Dose],
    patient: PatientProfile,
    product: str,
    seen: Sequence[Observation],
    variability: Sequence[Omega],
    changed: Modifiers,
) -> Predict:
    """From draws (rows, COLUMNS) to predictions (rows, observations); NaN where there are none."""
    times = np.unique([item.t_min for item in seen])
    schedule = Schedule.of(doses)
    grid = Grid(times, times, np.arange(len(times)), np.zeros(len(times), dtype=bool))
    places = np.searchsorted(times, [item.t_min for item in seen])
    checked = check_product(product, model.products, model.id)
    wanted = {item.output for item in seen if item.analyte is None}

    def predict(draws: Array) -> Array:
        rows = np.concatenate([np.zeros((1, draws.shape[1])), draws])
        response = respond(
            model,
            doses,
            checked,
            patient,
            grid,
            schedule,
            rows,
            variability=variability,
            modifiers=changed,
            withhold_unusable=True,
            wanted_effects=wanted,
        )
        curves = canonical(response.values, model, product)
        nothing = np.full((len(rows), len(times)), np.nan)
        return np.stack(
            [curves.get(output_of(item), nothing)[1:, place] for item, place in zip(seen, places, strict=True)], axis=1
        )

    return predict


# --- intravenous doses, concentrations of what was dosed: compiled ----------------------------------------------


@dataclass(frozen=True, slots=True)
class ClosedForm:
    """The arguments of ``kernels.find_mode``, and the effects that it moves."""

    effects: tuple[str, ...]
    typical: Array
    loading: Array
    share: Array
    schedule: Schedule


def closed_form(
    model: Model,
    doses: Sequence[Dose],
    patient: PatientProfile,
    product: str,
    seen: Sequence[Observation],
    variability: Sequence[Omega],
    changed: Modifiers | None = None,
) -> ClosedForm | None:
    """The problem as the kernel takes it, or None where it cannot."""
    given = arms_given(model, product)
    names = {arm.analyte for arm in given}
    sums = {"ketamine"} if {"S_ketamine", "R_ketamine"} <= names else set()
    if (
        not seen
        or any(dose.route != "iv" for dose in doses)
        or any(item.analyte not in names | sums for item in seen)
        or model.unusable_after_fast_input_min is not None
    ):
        return None
    blocks = [block for block in variability if any(effect in DISPOSITION for effect in block.effects)]
    effects = tuple(effect for block in blocks for effect in block.effects)
    typical = typical_of(model, given, patient, changed)
    if typical is None or any(effect not in DISPOSITION for effect in effects):
        return None
    rows = np.zeros((6, len(effects)))
    for block in blocks:
        columns = [effects.index(effect) for effect in block.effects]
        places = [DISPOSITION.index(effect) for effect in block.effects]
        rows[np.ix_(places, columns)] = np.linalg.cholesky(block.covariance)
    share = np.array(
        [
            [_NG_PER_ML * arm.dose_fraction[product] * (item.analyte in {arm.analyte, "ketamine"}) for item in seen]  # type: ignore[index]
            for arm in given
        ]
    )
    loading = np.broadcast_to(rows, (len(given), *rows.shape)).copy()
    return ClosedForm(effects, typical, loading, share, Schedule.of(doses))


def arms_given(model: Model, product: str) -> tuple[Arm, ...]:
    """The arms that a product doses."""
    return tuple(arm for arm in model.arms if product in arm.dose_fraction)


def typical_of(
    model: Model, given: Sequence[Arm], patient: PatientProfile, changed: Modifiers | None = None
) -> Array | None:
    """V1, CL, V2, Q2, V3, Q3 of each arm for this patient, (arms, 6); None for another structure."""
    ratios = None if changed is None else changed.parameter_ratios
    typical = np.zeros((len(given), 6))
    for place, arm in enumerate(given):
        values = patient_values(model.parameters_of(arm), patient, {}, 1, covariates=model.covariates, ratios=ratios)
        if not values.keys() <= set(DISPOSITION):
            return None
        for name, value in values.items():
            typical[place, DISPOSITION.index(name)] = value[0]
    return typical


def _by_kernel(
    model: Model,
    problem: ClosedForm,
    seen: list[Observation],
    observations: Sequence[Observation],
    variability: Sequence[Omega],
) -> Estimate:
    from limen.pharmacology.individual import kernels

    errors = errors_of(model, seen, len(problem.effects))
    size = len(problem.effects) + errors.groups
    z, information, curvature = np.zeros(size), np.zeros((size, size)), np.zeros((size, size))
    times = np.array([item.t_min for item in seen])
    plan = problem.schedule
    iterations = kernels.find_mode(
        problem.typical,
        problem.loading,
        problem.share,
        plan.start_min,
        plan.rate_mg_per_min,
        plan.bolus_mg,
        times,
        errors.value,
        errors.proportional,
        errors.additive,
        errors.logged,
        errors.shared_proportional,
        errors.group,
        z,
        information,
        curvature,
    )
    predicted = np.zeros(len(seen))
    kernels.predict(
        z, problem.typical, problem.loading, problem.share, plan.start_min, plan.rate_mg_per_min, plan.bolus_mg, times,
        predicted,
    )  # fmt: skip
    return _answer(
        model, problem.effects, z, curvature, variability, tuple(seen), observations, predicted, int(iterations)
    )


def _answer(
    model: Model,
    effects: tuple[str, ...],
    z: Array,
    curvature: Array,
    variability: Sequence[Omega],
    used: tuple[Observation, ...],
    observations: Sequence[Observation],
    predicted: Array,
    iterations: int,
) -> Estimate:
    """The estimate for every effect of the model; those that nothing touches stay as before."""
    own = [effect for block in variability for effect in block.effects]
    order = tuple(dict.fromkeys([*own, *effects]))
    etas = len(effects)
    covariance, mode = np.eye(len(order)), np.zeros(len(order))
    places = [order.index(effect) for effect in effects]
    covariance[np.ix_(places, places)] = np.linalg.inv(curvature)[:etas, :etas]
    mode[places] = z[:etas]
    loading = np.eye(len(order))
    for block in variability:
        rows = [order.index(effect) for effect in block.effects]
        loading[np.ix_(rows, rows)] = np.linalg.cholesky(block.covariance)
    left_out = tuple(item for item in observations if item not in used)
    return Estimate(model.id, order, mode, covariance, loading, used, left_out, predicted, iterations)
