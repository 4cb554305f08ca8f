"""Fisher scoring and Newton's steps to the mode of a posterior, in NumPy: the reference of ``kernels``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from limen.pharmacology.individual.noise import error_of
from limen.pharmacology.individual.observations import Observation
from limen.pharmacology.models.schema import Model

Array = npt.NDArray[np.float64]
# From etas (rows, etas) to predictions (rows, observations).
Predict = Callable[[Array], Array]

# As in ``kernels``, which does the same.
_DIFFERENCE = 5e-4
_MOST_ITERATIONS = 60
_LONGEST = 3.0
_NEAR = 0.1
_CLOSE = 1e-7


@dataclass(frozen=True, slots=True)
class Errors:
    """The residual error of each observation: own standard deviations, and of the error that a group shares."""

    value: Array
    proportional: Array
    additive: Array
    logged: Array
    shared_proportional: Array
    shared_additive: Array
    group: npt.NDArray[np.int64]
    groups: int


def errors_of(model: Model, used: Sequence[Observation], etas: int) -> Errors:
    """The errors of these observations under a model, the shared ones placed after the etas."""
    found = [error_of(item, model) for item in used]
    groups = list(dict.fromkeys(error.group for error in found if error.shared is not None))

    def sizes(form: str) -> tuple[Array, Array]:
        return np.array([e.own_size(form) for e in found]), np.array([e.shared_size(form) for e in found])

    proportional, shared_proportional = sizes("proportional")
    additive, shared_additive = sizes("additive")
    return Errors(
        np.array([item.value for item in used]),
        proportional,
        additive,
        sizes("log")[0],
        shared_proportional,
        shared_additive,
        np.array([-1 if e.shared is None else etas + groups.index(e.group) for e in found], dtype=np.int64),
        len(groups),
    )


def find_mode(predict: Predict, errors: Errors, etas: int) -> tuple[Array, Array, Array, int]:
    """Fisher scoring from the typical patient on, Newton's steps near the mode; a step is halved until it goes down.

    Returns
    -------
    z : array (etas + groups,)
        The mode.
    curvature : array (etas + groups, etas + groups)
        Second derivative of minus the log posterior there; the expected one where it is not positive definite.
    predicted : array (observations,)
    iterations : int
        Negative where the mode was not found.
    """
    size = etas + errors.groups
    z = np.zeros(size)
    if not len(errors.value):
        return z, np.eye(size), np.zeros(0), 0
    edges = np.concatenate([np.eye(etas), -np.eye(etas)]) * _DIFFERENCE
    pairs = [(i, j) for i in range(etas) for j in range(i)]
    corners = np.array([sign * (np.eye(etas)[i] + np.eye(etas)[j]) for sign in (1, -1) for i, j in pairs])
    predicted = predict(z[None, :etas])[0]
    now = _objective(z, predicted, errors)
    largest = np.inf
    curvature = np.eye(size)
    for iteration in range(1, _MOST_ITERATIONS + 1):
        near = largest < _NEAR
        around = predict(z[:etas] + edges)
        up, down = around[:etas], around[etas:]
        slope = (up - down) / (2 * _DIFFERENCE)
        bend = np.zeros((etas, etas, len(predicted)))
        bend[np.arange(etas), np.arange(etas)] = (up - 2 * predicted + down) / _DIFFERENCE**2
        if near and pairs:
            tried = predict(z[:etas] + corners * _DIFFERENCE).reshape(2, len(pairs), -1).sum(axis=0)
            for (i, j), corner in zip(pairs, tried, strict=True):
                bend[i, j] = bend[j, i] = (corner - up[i] - up[j] - down[i] - down[j] + 2 * predicted) / (
                    2 * _DIFFERENCE**2
                )
        gradient, information, curvature = _derivatives(z, predicted, slope, bend, errors)
        if not near or np.linalg.eigvalsh(curvature)[0] <= 1e-12:
            curvature = information + np.eye(size)
        step = np.linalg.solve(curvature, gradient)
        largest = float(np.abs(step).max())
        step *= min(1.0, _LONGEST / largest) if largest > 0 else 1.0
        if near and largest < _CLOSE:
            return z, curvature, predicted, iteration
        length = 1.0
        while length > 1e-6:
            trial = z - length * step
            tried = predict(trial[None, :etas])[0]
            there = _objective(trial, tried, errors)
            if there <= now + 1e-12 * abs(now):
                break
            length /= 2
        else:
            return z, curvature, predicted, iteration if largest < 1e-4 else -iteration
        z, predicted, now = trial, tried, there
    return z, curvature, predicted, -_MOST_ITERATIONS


def _objective(z: Array, f: Array, errors: Errors) -> float:
    """Minus twice the log posterior, up to a constant."""
    on_log = errors.logged > 0
    shared_sd = np.where(on_log, errors.shared_proportional, errors.shared_proportional * f) + errors.shared_additive
    nuisance = np.where(errors.group >= 0, z[errors.group], 0.0)
    variance = np.where(on_log, errors.logged**2, (errors.proportional * f) ** 2 + errors.additive**2)
    if not (variance > 0).all() or (on_log & ~(f > 0)).any():
        return float("inf")
    residual = _residual(f, on_log, errors) - shared_sd * nuisance
    return float(z @ z + (residual**2 / variance + np.log(variance)).sum())


def _residual(f: Array, on_log: npt.NDArray[np.bool_], errors: Errors) -> Array:
    residual: Array = errors.value - f
    residual[on_log] = np.log(errors.value[on_log] / f[on_log])
    return residual


def _derivatives(z: Array, f: Array, slope: Array, bend: Array, errors: Errors) -> tuple[Array, Array, Array]:
    """Half the gradient of the objective, the Fisher information of the observations, half the second derivative.

    Each observation's share of minus the log likelihood depends on its prediction f and on its shared error u: first
    the derivatives by these two, then the chain rule.
    """
    log = errors.logged > 0
    size, etas = len(z), len(slope)
    u = np.where(errors.group >= 0, z[errors.group], 0.0)
    # The centre of the reading is g(f) + (by + of * f) u: its slope by f, and by u.
    by = errors.shared_additive + np.where(log, errors.shared_proportional, 0.0)
    of = np.where(log, 0.0, errors.shared_proportional)
    variance = np.where(log, errors.logged**2, (errors.proportional * f) ** 2 + errors.additive**2)
    variance_slope = np.where(log, 0.0, 2 * errors.proportional**2 * f)
    variance_bend = np.where(log, 0.0, 2 * errors.proportional**2)
    known = np.where(log, f, 1.0)
    slope_f = np.where(log, 1.0 / known, 1.0) + of * u
    bend_f = np.where(log, -1.0 / known**2, 0.0)
    slope_u = by + of * f
    r = _residual(f, log, errors) - slope_u * u
    push = 0.5 * (1.0 / variance - r**2 / variance**2)
    by_f = push * variance_slope - r * slope_f / variance
    by_ff = (
        slope_f**2 / variance
        - r * bend_f / variance
        + 2 * r * slope_f * variance_slope / variance**2
        + push * variance_bend
        + variance_slope**2 * (r**2 / variance**3 - 0.5 / variance**2)
    )
    by_u, by_uu = -r * slope_u / variance, slope_u**2 / variance
    by_fu = slope_f * slope_u / variance - r * of / variance + r * slope_u * variance_slope / variance**2
    expected_ff = slope_f**2 / variance + 0.5 * variance_slope**2 / variance**2
    # By all of z: the etas move f, a group's place in z is its u.
    of_f = np.zeros((size, len(f)))
    of_f[:etas] = slope
    of_u = np.zeros((size, len(f)))
    shares = np.flatnonzero(errors.group >= 0)
    of_u[errors.group[shares], shares] = 1.0
    gradient = z + of_f @ by_f + of_u @ by_u

    def joined(ff: Array, fu: Array) -> Array:
        mixed = (of_f * fu) @ of_u.T
        whole: Array = (of_f * ff) @ of_f.T + mixed + mixed.T + (of_u * by_uu) @ of_u.T
        return whole

    information = joined(expected_ff, slope_f * slope_u / variance)
    curvature = np.eye(size) + joined(by_ff, by_fu)
    curvature[:etas, :etas] += bend @ by_f
    return gradient, information, curvature
