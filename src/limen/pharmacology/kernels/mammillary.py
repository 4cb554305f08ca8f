"""One to three compartments and an effect site in closed form, for many patients at once; compiled.

Each patient's rates are the roots of a cubic. On equal steps each exponential is a table of 32 powers times a running
factor, started anew at every change of input, so rounding does not grow with the length of the grid. Where two rates
nearly meet, the closed form cancels; those patients are stepped by the matrix exponential.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numba import prange

from limen.errors import InputError
from limen.pharmacology.kernels import threads
from limen.pharmacology.kernels.arrays import Array, Index
from limen.pharmacology.kernels.compiled import njit
from limen.pharmacology.kernels.exponential import exponential, mammillary_matrix
from limen.pharmacology.kernels.grid import Runs
from limen.pharmacology.regimen import Schedule

_NG_PER_ML = 1000.0
_BLOCK = 32
# Rows that one thread takes at a time, and the rows below which starting threads costs more than it saves.
_ROWS = 64
_SERIAL_NUMBERS = 40_000
# Shorter runs take exponentials: a table of powers would cost more.
_SHORT = 6
# The relative gap between two rates below which the closed form loses more than 1e-10, soon after a change most of all.
_GAP = 1e-3


def concentrations(
    central_L: Array,
    clearance_L_per_h: Array,
    peripheral: Sequence[tuple[Array, Array]],
    schedule: Schedule,
    time_min: Array,
    *,
    ke0_per_min: Array | None = None,
) -> tuple[Array, Array | None]:
    """Concentration in plasma, and at the effect site where ``ke0_per_min`` is given.

    Parameters
    ----------
    central_L, clearance_L_per_h : array (patients,)
    peripheral : sequence of (volume L, flow L/h), each array (patients,)
        None, one or two.
    schedule : Schedule
        The same doses for every patient, straight into the central compartment.
    time_min : array (times,)
        Rising; a bolus counts at its own instant.
    ke0_per_min : array (patients,), optional

    Returns
    -------
    plasma, effect : array (patients, times)
        ng/mL. Within 1e-10 of the exact solution, or within 2e-14 of what the dose would be in the central volume alone
        where that is more; at the effect site within 2e-12 of it, for where ``ke0`` is within 1e-3 of another rate,
        numbers a thousand times as large cancel.

    Raises
    ------
    InputError
        If a volume, flow, clearance or rate is not over 0, or times do not rise.

    Examples
    --------
    >>> from limen.pharmacology.regimen import Dose
    >>> plasma, effect = concentrations(
    ...     np.array([10.0]), np.array([60.0]), [], Schedule.of([Dose(10, "iv")]), np.array([0.0, 10.0]),
    ...     ke0_per_min=np.array([0.05]),
    ... )
    >>> plasma.round(2).tolist(), effect.round(2).tolist()
    ([[1000.0, 367.88]], [[0.0, 238.65]])
    """
    given = [central_L, clearance_L_per_h, *(item for pair in peripheral for item in pair)]
    ke0 = np.ones(len(central_L)) if ke0_per_min is None else ke0_per_min
    if len(peripheral) > 2:
        raise InputError(f"{len(peripheral)} peripheral compartments", where="peripheral", allowed="at most 2")
    for item in (*given, ke0):
        if not (np.isfinite(item).all() and (item > 0).all()):
            raise InputError("a volume, flow or rate that is not over 0", where="parameters", allowed="finite, over 0")
    rates = rate_constants(central_L, clearance_L_per_h, peripheral)
    runs = Runs.of(schedule, time_min)
    shape = (len(rates), len(time_min))
    plasma = np.empty(shape)
    effect = np.empty(shape) if ke0_per_min is not None else np.empty((shape[0], 0))
    few = plasma.size < _SERIAL_NUMBERS
    solve = solve_serial if few or not threads.may_start() else _solve_parallel
    solve(
        rates,
        _NG_PER_ML / np.ascontiguousarray(central_L, dtype=np.float64),
        np.ascontiguousarray(ke0, dtype=np.float64),
        np.ascontiguousarray(time_min, dtype=np.float64),
        runs.start_min,
        runs.rate_mg_per_min,
        runs.bolus_mg,
        runs.bounds,
        runs.step_min,
        plasma,
        effect,
    )
    return plasma, effect if ke0_per_min is not None else None


def rate_constants(central_L: Array, clearance_L_per_h: Array, peripheral: Sequence[tuple[Array, Array]]) -> Array:
    """``k10, k12, k21, k13, k31`` per minute, 0 for a compartment that is not there.

    Returns
    -------
    array (patients, 5)

    Examples
    --------
    >>> rate_constants(np.array([10.0]), np.array([60.0]), [(np.array([20.0]), np.array([120.0]))]).tolist()
    [[0.1, 0.2, 0.1, 0.0, 0.0]]
    """
    rates = np.zeros((len(central_L), 5))
    rates[:, 0] = clearance_L_per_h / central_L / 60.0
    for place, (volume_L, flow_L_per_h) in enumerate(peripheral):
        rates[:, 1 + 2 * place] = flow_L_per_h / central_L / 60.0
        rates[:, 2 + 2 * place] = flow_L_per_h / volume_L / 60.0
    return rates


@njit(cache=True)
def modes_of(
    row: int, rates_per_min: Array, ke0_per_min: float, site: bool, decay: Array, entry: Array, reach: Array
) -> bool:
    """The four modes of a patient: three of plasma and the effect site's own.

    Parameters
    ----------
    row : int
    rates_per_min : array (patients, 5)
    site : bool
        Whether the effect site is asked for.
    decay, entry, reach : array (4,), filled
        Rate of each mode (per minute), what a unit of input adds to it, and its share at the effect site. Plasma is
        the sum of the first three modes, the effect site that of all four times ``reach``.

    Returns
    -------
    bool
        False where two rates nearly meet and the modes must not be used.
    """
    k10, k12, k21 = rates_per_min[row, 0], rates_per_min[row, 1], rates_per_min[row, 2]
    k13, k31 = rates_per_min[row, 3], rates_per_min[row, 4]
    decay[:] = 1.0
    entry[:] = 0.0
    reach[:] = 0.0
    count = 1
    if k12 == 0.0:
        decay[0], entry[0] = k10, 1.0
    elif k13 == 0.0:
        count = 2
        total = k10 + k12 + k21
        apart = k10 + k12 - k21
        root = math.sqrt(apart * apart + 4.0 * k12 * k21)
        decay[0] = 0.5 * (total + root)
        decay[1] = k10 * k21 / decay[0]
        entry[0] = (decay[0] - k21) / root
        entry[1] = (k21 - decay[1]) / root
    else:
        count = 3
        _cubic(
            k10 + k12 + k13 + k21 + k31,
            k10 * (k21 + k31) + k21 * k31 + k21 * k13 + k31 * k12,
            k10 * k21 * k31,
            decay,
        )
        d0, d1, d2 = decay[0], decay[1], decay[2]
        entry[0] = (k21 - d0) * (k31 - d0) / ((d1 - d0) * (d2 - d0))
        entry[1] = (k21 - d1) * (k31 - d1) / ((d0 - d1) * (d2 - d1))
        entry[2] = (k21 - d2) * (k31 - d2) / ((d0 - d2) * (d1 - d2))
    for k in range(1, count):
        if not abs(decay[k - 1] - decay[k]) > _GAP * decay[k - 1]:
            return False
    if site:
        decay[3] = ke0_per_min
        reach[3] = 1.0
        for k in range(count):
            gap = ke0_per_min - decay[k]
            if abs(gap) < _GAP * ke0_per_min:
                return False
            reach[k] = ke0_per_min / gap
            entry[3] -= entry[k] * reach[k]
    return True


@njit(cache=True)
def _cubic(second: float, first: float, zeroth: float, roots: Array) -> None:
    """The three real roots of ``x^3 - second x^2 + first x - zeroth``, falling, polished by Newton's step."""
    middle = second / 3.0
    spread = max(second * middle - first, 0.0) / 3.0
    radius = math.sqrt(spread)
    slant = middle * (middle * middle - 0.5 * first) + 0.5 * zeroth
    cosine = slant / (spread * radius) if spread > 0.0 else 1.0
    angle = math.acos(min(1.0, max(-1.0, cosine))) / 3.0
    turned = math.cos(angle)
    near = radius * turned
    far = radius * math.sqrt(3.0 * max(0.0, 1.0 - turned * turned))
    roots[0] = middle + 2.0 * near
    roots[1] = middle - near + far
    roots[2] = middle - near - far
    for k in range(3):
        x = roots[k]
        for _ in range(2):
            slope = (3.0 * x - 2.0 * second) * x + first
            if slope != 0.0:
                x -= (((x - second) * x + first) * x - zeroth) / slope
        roots[k] = x


@njit(cache=True, fastmath={"contract"})
def _fill_run(
    row: int, first: int, last: int, level: float, now: Array, reach: Array, power: Array, plasma: Array, effect: Array
) -> None:
    """One run of equal steps; ``now`` holds the modes at its first time."""
    c0, c1, c2, c3 = now[0], now[1], now[2], now[3]
    site = effect.shape[1] > 0
    place = first
    while place < last:
        e0, e1, e2 = c0 * reach[0], c1 * reach[1], c2 * reach[2]
        if place + _BLOCK <= last:
            # A slice and a fixed count let the compiler use wide instructions: a third of the time.
            into = plasma[row, place : place + _BLOCK]
            if site:
                onto = effect[row, place : place + _BLOCK]
                for j in range(_BLOCK):
                    p0, p1, p2 = power[0, j], power[1, j], power[2, j]
                    into[j] = level + (c0 * p0 + (c1 * p1 + c2 * p2))
                    onto[j] = level + (e0 * p0 + (e1 * p1 + (e2 * p2 + c3 * power[3, j])))
            else:
                for j in range(_BLOCK):
                    into[j] = level + (c0 * power[0, j] + (c1 * power[1, j] + c2 * power[2, j]))
        else:
            for j in range(last - place):
                p0, p1, p2 = power[0, j], power[1, j], power[2, j]
                plasma[row, place + j] = level + (c0 * p0 + (c1 * p1 + c2 * p2))
                if site:
                    effect[row, place + j] = level + (e0 * p0 + (e1 * p1 + (e2 * p2 + c3 * power[3, j])))
        c0, c1, c2, c3 = c0 * power[0, _BLOCK], c1 * power[1, _BLOCK], c2 * power[2, _BLOCK], c3 * power[3, _BLOCK]
        place += _BLOCK


@njit(cache=True)
def _powers(decay: Array, step_min: float, power: Array) -> None:
    """``exp(-decay * step)`` to the powers 0 to 32."""
    for k in range(4):
        factor = math.exp(-decay[k] * step_min)
        power[k, 0] = 1.0
        width = 1
        while width < _BLOCK:
            for j in range(width):
                power[k, width + j] = power[k, j] * factor
            factor *= factor
            width *= 2
        power[k, _BLOCK] = factor


@njit(cache=True)
def _by_modes(
    row: int,
    decay: Array,
    entry: Array,
    reach: Array,
    time_min: Array,
    start_min: Array,
    rate_mg_per_min: Array,
    bolus_mg: Array,
    bounds: Index,
    step_min: Array,
    plasma: Array,
    effect: Array,
    power: Array,
    state: Array,
    moving: Array,
    now: Array,
) -> None:
    """One patient, run by run."""
    state[:] = 0.0
    table_min = 0.0
    run = 0
    segments = len(start_min)
    for segment in range(segments):
        level = 0.0
        for k in range(4):
            state[k] += entry[k] * bolus_mg[segment]
            held = entry[k] * rate_mg_per_min[segment] / decay[k]
            moving[k] = state[k] - held
            if k < 3:
                level += held
        while run < len(bounds) and bounds[run, 0] == segment:
            first, last = bounds[run, 1], bounds[run, 2]
            if last - first < _SHORT:
                for place in range(first, last):
                    since_min = time_min[place] - start_min[segment]
                    _point(row, place, since_min, state, moving, decay, reach, plasma, effect)
            else:
                if step_min[run] != table_min:
                    table_min = step_min[run]
                    _powers(decay, table_min, power)
                since_min = time_min[first] - start_min[segment]
                for k in range(4):
                    now[k] = moving[k] * math.exp(-decay[k] * since_min) if since_min > 0.0 else moving[k]
                _fill_run(row, first, last, level, now, reach, power, plasma, effect)
                if since_min == 0.0:
                    _point(row, first, 0.0, state, moving, decay, reach, plasma, effect)
            run += 1
        if segment + 1 < segments:
            span_min = start_min[segment + 1] - start_min[segment]
            for k in range(4):
                state[k] = mode_after(state[k], moving[k], decay[k] * span_min)


@njit(cache=True)
def mode_after(state_mg: float, moving_mg: float, span_ratio: float) -> float:
    """A mode after some of its own lifetimes, of which ``moving_mg`` decays and the rest stays.

    Soon after the start nothing is left over where large terms cancel; late nothing of the start is left over where
    little remains.

    Examples
    --------
    >>> round(mode_after(1.0, 1.0, 1.0), 4), mode_after(1.0, 1.0, 0.0)
    (0.3679, 1.0)
    """
    if span_ratio > 0.01:
        return (state_mg - moving_mg) + moving_mg * math.exp(-span_ratio)
    return state_mg + moving_mg * math.expm1(-span_ratio)


@njit(cache=True)
def _point(
    row: int,
    place: int,
    since_min: float,
    state: Array,
    moving: Array,
    decay: Array,
    reach: Array,
    plasma: Array,
    effect: Array,
) -> None:
    """One time on its own."""
    in_plasma = 0.0
    at_site = 0.0
    for k in range(4):
        value = mode_after(state[k], moving[k], decay[k] * since_min)
        if k < 3:
            in_plasma += value
        at_site += value * reach[k]
    plasma[row, place] = in_plasma
    if effect.shape[1] > 0:
        effect[row, place] = at_site


@njit(cache=True)
def _by_exponential(
    rates_per_min: Array,
    ke0_per_min: float,
    time_min: Array,
    start_min: Array,
    rate_mg_per_min: Array,
    bolus_mg: Array,
    bounds: Index,
    step_min: Array,
    plasma: Array,
    effect: Array,
) -> None:
    """One patient whose rates nearly meet."""
    matrix = mammillary_matrix(rates_per_min, ke0_per_min)
    state = np.zeros(5)
    run = 0
    segments = len(start_min)
    for segment in range(segments):
        state[0] += bolus_mg[segment]
        state[4] = rate_mg_per_min[segment]
        while run < len(bounds) and bounds[run, 0] == segment:
            first, last = bounds[run, 1], bounds[run, 2]
            now = np.dot(exponential(matrix, time_min[first] - start_min[segment]), state)
            step = exponential(matrix, step_min[run])
            for place in range(first, last):
                plasma[place] = now[0]
                if len(effect) > 0:
                    effect[place] = now[3]
                now = np.dot(step, now)
            run += 1
        if segment + 1 < segments:
            state = np.dot(exponential(matrix, start_min[segment + 1] - start_min[segment]), state)


@njit(cache=True)
def _rows(
    first: int,
    last: int,
    rates_per_min: Array,
    scale: Array,
    ke0_per_min: Array,
    time_min: Array,
    start_min: Array,
    rate_mg_per_min: Array,
    bolus_mg: Array,
    bounds: Index,
    step_min: Array,
    plasma: Array,
    effect: Array,
) -> None:
    power = np.empty((4, _BLOCK + 1))
    decay, entry, reach = np.empty(4), np.empty(4), np.empty(4)
    state, moving, now = np.empty(4), np.empty(4), np.empty(4)
    site = effect.shape[1] > 0
    for row in range(first, last):
        if modes_of(row, rates_per_min, ke0_per_min[row], site, decay, entry, reach):
            for k in range(4):
                entry[k] *= scale[row]
            _by_modes(
                row, decay, entry, reach, time_min, start_min, rate_mg_per_min, bolus_mg, bounds, step_min,
                plasma, effect, power, state, moving, now,
            )  # fmt: skip
        else:
            _by_exponential(
                rates_per_min[row], ke0_per_min[row], time_min, start_min, scale[row] * rate_mg_per_min,
                scale[row] * bolus_mg, bounds, step_min, plasma[row], effect[row],
            )  # fmt: skip


@njit(cache=True)
def solve_serial(
    rates_per_min: Array,
    scale: Array,
    ke0_per_min: Array,
    time_min: Array,
    start_min: Array,
    rate_mg_per_min: Array,
    bolus_mg: Array,
    bounds: Index,
    step_min: Array,
    plasma: Array,
    effect: Array,
) -> None:
    _rows(
        0, len(scale), rates_per_min, scale, ke0_per_min, time_min, start_min, rate_mg_per_min, bolus_mg, bounds,
        step_min, plasma, effect,
    )  # fmt: skip


@njit(cache=True, parallel=True)
def _solve_parallel(
    rates_per_min: Array,
    scale: Array,
    ke0_per_min: Array,
    time_min: Array,
    start_min: Array,
    rate_mg_per_min: Array,
    bolus_mg: Array,
    bounds: Index,
    step_min: Array,
    plasma: Array,
    effect: Array,
) -> None:
    chunks = (len(scale) + _ROWS - 1) // _ROWS
    for chunk in prange(chunks):
        first = chunk * _ROWS
        _rows(
            first, min(first + _ROWS, len(scale)), rates_per_min, scale, ke0_per_min, time_min, start_min,
            rate_mg_per_min, bolus_mg, bounds, step_min, plasma, effect,
        )  # fmt: skip
