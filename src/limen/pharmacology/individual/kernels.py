"""Fisher scoring for one to three compartments after intravenous input, for one patient or many; compiled.

Importing this module imports numba.
"""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from limen.pharmacology.kernels.arrays import Array, Index
from limen.pharmacology.kernels.compiled import njit
from limen.pharmacology.kernels.exponential import exponential, mammillary_matrix
from limen.pharmacology.kernels.mammillary import mode_after, modes_of

# Step of the central difference in units of the prior's standard deviation: its error is of the order of its square.
_DIFFERENCE = 5e-4
_MOST_ITERATIONS = 60
# No step is longer than this; steps are Newton's once they are shorter than this.
_LONGEST = 3.0
_NEAR = 0.1
# The mode is found where a whole step is smaller than this, in units of the prior's standard deviation.
_CLOSE = 1e-7


@njit(cache=True)
def curve(
    parameters: Array, start_min: Array, rate_mg_per_min: Array, bolus_mg: Array, time_min: Array, out: Array
) -> None:
    """Concentration at a few rising times, in mg/L for a dose in mg.

    Parameters
    ----------
    parameters : array (6,)
        V1, CL, V2, Q2, V3, Q3 in L and L/h; 0 for a compartment that is not there.
    start_min, rate_mg_per_min, bolus_mg : array (segments,)
    time_min : array (times,)
    out : array (times,), filled
    """
    rates = np.zeros((1, 5))
    decay, entry, reach = np.empty(4), np.empty(4), np.empty(4)
    central = parameters[0]
    rates[0, 0] = parameters[1] / central / 60.0
    for pair in range(2):
        volume, flow = parameters[2 + 2 * pair], parameters[3 + 2 * pair]
        if volume > 0.0:
            rates[0, 1 + 2 * pair] = flow / central / 60.0
            rates[0, 2 + 2 * pair] = flow / volume / 60.0
    times = len(time_min)
    segments = len(start_min)
    place = 0
    while place < times and time_min[place] < start_min[0]:
        out[place] = 0.0
        place += 1
    if modes_of(0, rates, 1.0, False, decay, entry, reach):
        state = np.zeros(3)
        for segment in range(segments):
            end = start_min[segment + 1] if segment + 1 < segments else np.inf
            first = place
            while place < times and time_min[place] < end:
                out[place] = 0.0
                place += 1
            for k in range(3):
                if entry[k] == 0.0:
                    continue
                state[k] += entry[k] * bolus_mg[segment]
                moving = state[k] - entry[k] * rate_mg_per_min[segment] / decay[k]
                for at in range(first, place):
                    out[at] += mode_after(state[k], moving, decay[k] * (time_min[at] - start_min[segment])) / central
                if segment + 1 < segments:
                    state[k] = mode_after(state[k], moving, decay[k] * (end - start_min[segment]))
        return
    matrix = mammillary_matrix(rates[0], 1.0)
    whole = np.zeros(5)
    for segment in range(segments):
        end = start_min[segment + 1] if segment + 1 < segments else np.inf
        whole[0] += bolus_mg[segment]
        whole[4] = rate_mg_per_min[segment]
        while place < times and time_min[place] < end:
            out[place] = np.dot(exponential(matrix, time_min[place] - start_min[segment]), whole)[0] / central
            place += 1
        if segment + 1 < segments:
            whole = np.dot(exponential(matrix, end - start_min[segment]), whole)


@njit(cache=True)
def _predict(
    z: Array,
    typical: Array,
    loading: Array,
    share: Array,
    start_min: Array,
    rate_mg_per_min: Array,
    bolus_mg: Array,
    time_min: Array,
    parameters: Array,
    one: Array,
    out: Array,
) -> None:
    """Sum of the arms, each weighted by its share of every observation."""
    out[:] = 0.0
    for arm in range(len(typical)):
        for row in range(6):
            shift = 0.0
            for k in range(loading.shape[2]):
                shift += loading[arm, row, k] * z[k]
            parameters[row] = typical[arm, row] * math.exp(shift)
        curve(parameters, start_min, rate_mg_per_min, bolus_mg, time_min, one)
        for at in range(len(out)):
            out[at] += share[arm, at] * one[at]


@njit(cache=True)
def predict(
    z: Array,
    typical: Array,
    loading: Array,
    share: Array,
    start_min: Array,
    rate_mg_per_min: Array,
    bolus_mg: Array,
    time_min: Array,
    out: Array,
) -> None:
    """The observations of the patient at ``z``; arguments as of ``find_mode``."""
    _predict(
        z, typical, loading, share, start_min, rate_mg_per_min, bolus_mg, time_min, np.empty(6), np.empty(len(out)), out
    )


@njit(cache=True)
def _objective(
    z: Array,
    predicted: Array,
    value: Array,
    proportional: Array,
    additive: Array,
    logged: Array,
    shared: Array,
    group: Index,
) -> float:
    """Minus twice the log posterior, up to a constant."""
    total = 0.0
    for k in range(len(z)):
        total += z[k] * z[k]
    for at in range(len(value)):
        f = predicted[at]
        if logged[at] > 0.0:
            if f <= 0.0:
                return np.inf
            centre = math.log(f)
            v = logged[at] * logged[at]
            seen = math.log(value[at])
            if group[at] >= 0:
                centre += shared[at] * z[group[at]]
        else:
            centre = f
            v = (proportional[at] * f) ** 2 + additive[at] ** 2
            seen = value[at]
            if group[at] >= 0:
                centre += shared[at] * f * z[group[at]]
        if not v > 0.0:
            return np.inf
        total += (seen - centre) ** 2 / v + math.log(v)
    return total


@njit(cache=True)
def _derivatives(
    z: Array,
    predicted: Array,
    slope: Array,
    bend: Array,
    value: Array,
    proportional: Array,
    additive: Array,
    logged: Array,
    shared: Array,
    group: Index,
    gradient: Array,
    information: Array,
    curvature: Array,
) -> None:
    """Half the gradient and half the second derivative of the objective, and the Fisher information of the
    observations without the prior's."""
    size = len(z)
    etas = slope.shape[0]
    gradient[:] = z
    information[:] = 0.0
    curvature[:] = 0.0
    for k in range(size):
        curvature[k, k] = 1.0
    for at in range(len(value)):
        f = predicted[at]
        place = group[at]
        nuisance = z[place] if place >= 0 else 0.0
        b = shared[at] if place >= 0 else 0.0
        # First and second derivative of minus the log likelihood by the prediction and by the shared error u, and the
        # expected second ones.
        if logged[at] > 0.0:
            v = logged[at] * logged[at]
            r = math.log(value[at]) - math.log(f) - b * nuisance
            by_f = -r / v / f
            by_ff = (1.0 + r) / v / (f * f)
            by_u, by_uu, by_fu = -r * b / v, b * b / v, b / v / f
            e_ff, e_fu = 1.0 / v / (f * f), b / v / f
        else:
            v = (proportional[at] * f) ** 2 + additive[at] ** 2
            dv, ddv = 2.0 * proportional[at] ** 2 * f, 2.0 * proportional[at] ** 2
            c = 1.0 + b * nuisance
            r = value[at] - f * c
            push = 0.5 * (1.0 / v - r * r / (v * v))
            by_f = push * dv - r * c / v
            by_ff = (
                c * c / v
                + r * c * dv / (v * v)
                + push * ddv
                + 0.5 * dv * (-dv / (v * v) + 2.0 * r * c / (v * v) + 2.0 * r * r * dv / (v * v * v))
            )
            by_u, by_uu = -r * b * f / v, (b * f) ** 2 / v
            by_fu = c * b * f / v - r * b / v + r * b * f * dv / (v * v)
            e_ff, e_fu = c * c / v + 0.5 * dv * dv / (v * v), c * b * f / v
        for i in range(etas):
            gradient[i] += by_f * slope[i, at]
            for j in range(etas):
                both = slope[i, at] * slope[j, at]
                information[i, j] += e_ff * both
                curvature[i, j] += by_ff * both + by_f * bend[i, j, at]
            if place >= 0:
                information[i, place] += e_fu * slope[i, at]
                information[place, i] += e_fu * slope[i, at]
                curvature[i, place] += by_fu * slope[i, at]
                curvature[place, i] += by_fu * slope[i, at]
        if place >= 0:
            gradient[place] += by_u
            information[place, place] += by_uu
            curvature[place, place] += by_uu


@njit(cache=True)
def _descent(matrix: Array, gradient: Array, lower: Array, step: Array) -> bool:
    """Solve ``matrix step = gradient`` by Cholesky; False where the matrix is not positive definite."""
    size = len(gradient)
    for i in range(size):
        for j in range(i + 1):
            held = matrix[i, j]
            for k in range(j):
                held -= lower[i, k] * lower[j, k]
            if i == j:
                if not held > 1e-12:
                    return False
                lower[i, i] = math.sqrt(held)
            else:
                lower[i, j] = held / lower[j, j]
    for i in range(size):
        held = gradient[i]
        for k in range(i):
            held -= lower[i, k] * step[k]
        step[i] = held / lower[i, i]
    for i in range(size - 1, -1, -1):
        held = step[i]
        for k in range(i + 1, size):
            held -= lower[k, i] * step[k]
        step[i] = held / lower[i, i]
    return True


@njit(cache=True)
def find_mode(
    typical: Array,
    loading: Array,
    share: Array,
    start_min: Array,
    rate_mg_per_min: Array,
    bolus_mg: Array,
    time_min: Array,
    value: Array,
    proportional: Array,
    additive: Array,
    logged: Array,
    shared: Array,
    group: Index,
    z: Array,
    information: Array,
    curvature: Array,
) -> int:
    """Fisher scoring from ``z`` on, Newton's steps near the mode; every step is halved until it goes down.

    Parameters
    ----------
    typical : array (arms, 6)
        V1, CL, V2, Q2, V3, Q3 of the typical patient.
    loading : array (arms, 6, etas)
        Change of each parameter's logarithm with each standard normal eta.
    share : array (arms, observations)
        What each arm adds to each observation, as the observation's unit over mg/L.
    time_min, value : array (observations,)
        Rising times.
    proportional, additive, logged : array (observations,)
        Standard deviations of the residual error; ``logged`` over 0 means on the log scale.
    shared : array (observations,)
        Standard deviation of the error that the observations of a group have in common, as a share of the prediction.
    group : array of int (observations,)
        Place in ``z`` of that error, or -1.
    z : array (etas + groups,), changed to the mode
    information : array (etas + groups, etas + groups), filled
        Fisher information of the observations at the mode.
    curvature : array (etas + groups, etas + groups), filled
        Second derivative of minus the log posterior there; the expected one where it is not positive definite.

    Returns
    -------
    int
        Iterations; negative where the mode was not found.
    """
    size = len(z)
    etas = loading.shape[2]
    observations = len(value)
    parameters, one = np.empty(6), np.empty(observations)
    predicted, tried = np.empty(observations), np.empty(observations)
    up, down = np.empty((etas, observations)), np.empty((etas, observations))
    slope, bend = np.empty((etas, observations)), np.zeros((etas, etas, observations))
    gradient, trial, step = np.empty(size), np.empty(size), np.empty(size)
    expected, lower = np.empty((size, size)), np.zeros((size, size))
    _predict(z, typical, loading, share, start_min, rate_mg_per_min, bolus_mg, time_min, parameters, one, predicted)
    now = _objective(z, predicted, value, proportional, additive, logged, shared, group)
    largest = np.inf
    for iteration in range(1, _MOST_ITERATIONS + 1):
        near = largest < _NEAR
        trial[:] = z
        for k in range(etas):
            trial[k] = z[k] + _DIFFERENCE
            _predict(
                trial, typical, loading, share, start_min, rate_mg_per_min, bolus_mg, time_min, parameters, one, tried
            )
            up[k] = tried
            trial[k] = z[k] - _DIFFERENCE
            _predict(
                trial, typical, loading, share, start_min, rate_mg_per_min, bolus_mg, time_min, parameters, one, tried
            )
            down[k] = tried
            trial[k] = z[k]
            slope[k] = (up[k] - down[k]) / (2.0 * _DIFFERENCE)
            bend[k, k] = (up[k] - 2.0 * predicted + down[k]) / (_DIFFERENCE * _DIFFERENCE)
        if near:
            for i in range(etas):
                for j in range(i):
                    # Corner less edges: error of the order of the step, enough for a second derivative.
                    bend[i, j] = 0.0
                    for sign in (1.0, -1.0):
                        trial[i], trial[j] = z[i] + sign * _DIFFERENCE, z[j] + sign * _DIFFERENCE
                        _predict(
                            trial, typical, loading, share, start_min, rate_mg_per_min, bolus_mg, time_min, parameters,
                            one, tried,
                        )  # fmt: skip
                        bend[i, j] += tried
                    bend[i, j] = (bend[i, j] - up[i] - up[j] - down[i] - down[j] + 2.0 * predicted) / (
                        2.0 * _DIFFERENCE * _DIFFERENCE
                    )
                    bend[j, i] = bend[i, j]
                    trial[i], trial[j] = z[i], z[j]
        _derivatives(
            z, predicted, slope, bend, value, proportional, additive, logged, shared, group, gradient, information,
            curvature,
        )  # fmt: skip
        expected[:] = information
        for k in range(size):
            expected[k, k] += 1.0
        if not (near and _descent(curvature, gradient, lower, step)):
            _descent(expected, gradient, lower, step)
            curvature[:] = expected
        largest = np.max(np.abs(step))
        if largest > _LONGEST:
            step *= _LONGEST / largest
        if near and largest < _CLOSE:
            return iteration
        length = 1.0
        moved = False
        while length > 1e-6:
            trial[:] = z - length * step
            _predict(
                trial, typical, loading, share, start_min, rate_mg_per_min, bolus_mg, time_min, parameters, one, tried
            )
            there = _objective(trial, tried, value, proportional, additive, logged, shared, group)
            if there <= now + 1e-12 * abs(now):
                z[:] = trial
                predicted[:] = tried
                now = there
                moved = True
                break
            length *= 0.5
        if not moved:
            # No lower point along the step: within rounding of the mode, or nowhere near it.
            return iteration if largest < 1e-4 else -iteration
    return -_MOST_ITERATIONS


@njit(cache=True, parallel=True)
def find_modes(
    typical: Array,
    loading: Array,
    share: Array,
    start_min: Array,
    rate_mg_per_min: Array,
    bolus_mg: Array,
    time_min: Array,
    value: Array,
    proportional: Array,
    additive: Array,
    logged: Array,
    shared: Array,
    group: Index,
    z: Array,
    information: Array,
    curvature: Array,
    iterations: Index,
) -> None:
    """``find_mode`` of many patients: every array has one more leading axis, but for ``loading``, ``share``,
    ``time_min`` and the errors, which are the same for all."""
    for patient in prange(len(typical)):
        iterations[patient] = find_mode(
            typical[patient], loading, share, start_min[patient], rate_mg_per_min[patient], bolus_mg[patient],
            time_min, value[patient], proportional, additive, logged, shared, group, z[patient],
            information[patient], curvature[patient],
        )  # fmt: skip
