"""A turnover effect with tolerance, driven by the exact concentration, for many patients at once; compiled.

The linear kinetics are stepped by the exact matrix exponential; only the two nonlinear states are approximated, by the
classical Runge-Kutta scheme of order 4 that starts anew at every change of input, with steps that grow from the change
on: where a concentration soars past EC50 within seconds, the effect's drive is as sharp as a step. Sixteen patients
advance side by side, so that one instruction moves several of them.

The effect is Gabrielsson's moderator feedback, as a ratio to the baseline (1)::

    dR/dt = kout ((1 + S(C)) - R (1 + tolerance (M - 1)))      S(C) = emax C^hill / (ec50^hill + C^hill)
    dM/dt = ktol (R - M)

``tolerance`` 0 is a plain turnover model. The form is a project rule; every number is the caller's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
from numba import prange

from limen.errors import InputError
from limen.pharmacology.kernels import threads
from limen.pharmacology.kernels.arrays import Array, Index
from limen.pharmacology.kernels.compiled import njit
from limen.pharmacology.kernels.exponential import exponential, mammillary_matrix
from limen.pharmacology.kernels.grid import Runs
from limen.pharmacology.kernels.mammillary import rate_constants
from limen.pharmacology.regimen import Schedule

_NG_PER_ML = 1000.0
# Patients side by side.
_LANES = 16
# Rows of the work space, each of _LANES numbers: kinetic states, effect states, drive, constants, the half step.
_X, _R, _M, _S = 0, 4, 5, 6
_KOUT, _KTOL, _TOLERANCE, _EMAX, _EC50, _HILL = 7, 8, 9, 10, 11, 12
_IN = 13
_STEP = 14
_SPARE = _STEP + 20
_SAVED = _SPARE + 20
_ROWS = _SAVED + 20
# The longest step, over the fastest rate of the effect and of the kinetics; and over the time since the last change of
# input. With them errors stay under 1e-6.
_EFFECT_STEP = 0.14
_KINETIC_STEP = 0.25
_GRADE = 8
# The first steps after a change are no longer than this (0.6 ms).
_FIRST_MIN = 1e-5


@dataclass(frozen=True, slots=True)
class Turnover:
    """The effect's parameters, each an array (patients,).

    Attributes
    ----------
    kout_per_min, ktol_per_min : array
        Over 0.
    tolerance_ratio : array
        0 or more; 0 for none.
    emax_ratio : array
        Over -1; the largest change of input, as a ratio to the baseline.
    ec50_ng_per_mL, hill_exponent : array
        Over 0.
    """

    kout_per_min: Array
    ktol_per_min: Array
    tolerance_ratio: Array
    emax_ratio: Array
    ec50_ng_per_mL: Array
    hill_exponent: Array

    def check(self) -> None:
        """Refuse what is no effect.

        Raises
        ------
        InputError
            If a parameter is out of range; names it.
        """
        for name, least, strict in (
            ("kout_per_min", 0, True),
            ("ktol_per_min", 0, True),
            ("tolerance_ratio", 0, False),
            ("emax_ratio", -1, True),
            ("ec50_ng_per_mL", 0, True),
            ("hill_exponent", 0, True),
        ):
            given = getattr(self, name)
            if not (np.isfinite(given).all() and (given > least if strict else given >= least).all()):
                words = f"over {least}" if strict else f"{least} or more"
                raise InputError(f"{name} out of range", where="effect", allowed=f"finite, {words}")


def responses(
    central_L: Array,
    clearance_L_per_h: Array,
    peripheral: Sequence[tuple[Array, Array]],
    schedule: Schedule,
    time_min: Array,
    effect: Turnover,
    *,
    ke0_per_min: Array | None = None,
    step_min: float | None = None,
) -> Array:
    """The effect of each patient over time, as a ratio to the baseline.

    Parameters
    ----------
    central_L, clearance_L_per_h, peripheral, schedule, time_min
        As `mammillary.concentrations`.
    effect : Turnover
    ke0_per_min : array (patients,), optional
        The effect follows the effect site; without it, plasma.
    step_min : float, optional
        The longest step. Where not given it is taken from the fastest rate among these patients, for a relative error
        under 1e-6; give it to make a patient's numbers independent of who is solved with him.

    Returns
    -------
    array (patients, times)

    Raises
    ------
    InputError
        As `mammillary.concentrations`; or the effect's parameters are out of range.

    Examples
    --------
    A constant infusion without tolerance settles at 1 + S:

    >>> from limen.pharmacology.regimen import Dose
    >>> one = np.ones(1)
    >>> effect = Turnover(0.1 * one, 0.01 * one, 0 * one, one, 1000 * one, one)
    >>> infusion = Schedule.of([Dose(10_000, "iv", 0, 10_000)])
    >>> responses(10 * one, 60 * one, [], infusion, np.array([0.0, 5000.0]), effect).round(6).tolist()
    [[1.0, 1.5]]
    """
    effect.check()
    rows = len(central_L)
    ke0 = np.ones(rows) if ke0_per_min is None else ke0_per_min
    for item in (central_L, clearance_L_per_h, ke0, *(item for pair in peripheral for item in pair)):
        if not (np.isfinite(item).all() and (item > 0).all()):
            raise InputError("a volume, flow or rate that is not over 0", where="parameters", allowed="finite, over 0")
    if step_min is not None and not step_min > 0:
        raise InputError(f"a step of {step_min:g} min", where="step_min", allowed="over 0")
    rates = rate_constants(central_L, clearance_L_per_h, peripheral)
    longest_min = longest_step_min(rates, ke0, effect) if step_min is None else float(step_min)
    runs = Runs.of(schedule, time_min)
    out = np.empty((rows, len(time_min)))
    solve = _solve_parallel if rows > _LANES and threads.may_start() else _solve_serial
    solve(
        rates,
        np.ascontiguousarray(ke0, dtype=np.float64),
        _NG_PER_ML / np.ascontiguousarray(central_L, dtype=np.float64),
        np.ascontiguousarray(np.stack(astuple(effect)), dtype=np.float64),
        ke0_per_min is not None,
        bool((effect.hill_exponent == 1).all()),
        longest_min,
        np.ascontiguousarray(time_min, dtype=np.float64),
        runs.start_min,
        runs.rate_mg_per_min,
        runs.bolus_mg,
        runs.bounds,
        runs.step_min,
        out,
    )
    return out


def longest_step_min(rates_per_min: Array, ke0_per_min: Array, effect: Turnover) -> float:
    """The longest step that keeps every one of these patients' errors under 1e-6.

    Parameters
    ----------
    rates_per_min : array (patients, 5)
        Of `mammillary.rate_constants`.
    """
    strongest = 1.0 + np.maximum(effect.emax_ratio, 0.0)
    fastest = np.maximum(effect.kout_per_min * (1.0 + effect.tolerance_ratio * strongest), effect.ktol_per_min)
    # No rate of the kinetics is faster than the sum of what leaves and enters the centre.
    moving = np.maximum(rates_per_min.sum(axis=1), ke0_per_min) * np.maximum(effect.hill_exponent, 1.0)
    return float(min(_EFFECT_STEP / fastest.max(), _KINETIC_STEP / moving.max()))


@njit(cache=True)
def _table(work: Array, count: int, rates_per_min: Array, ke0_per_min: Array, first: int, half_min: float) -> None:
    """Each lane's exact kinetics over half a step, by rows: to each of 4 states from the 4 and from the input."""
    for lane in range(_LANES):
        row = first + min(lane, count - 1)
        step = exponential(mammillary_matrix(rates_per_min[row], ke0_per_min[row]), half_min)
        for i in range(4):
            for j in range(5):
                work[(_STEP + 5 * i + j) * _LANES + lane] = step[i, j]


@njit(cache=True, fastmath={"contract"})
def _double(work: Array) -> None:
    """The table of a step twice as long: the step taken twice."""
    for i in range(4):
        for j in range(5):
            for k in range(_LANES):
                held = work[(_STEP + 5 * i + 4) * _LANES + k] if j == 4 else 0.0
                for via in range(4):
                    held += work[(_STEP + 5 * i + via) * _LANES + k] * work[(_STEP + 5 * via + j) * _LANES + k]
                work[(_SPARE + 5 * i + j) * _LANES + k] = held
    for place in range(20 * _LANES):
        work[_STEP * _LANES + place] = work[_SPARE * _LANES + place]


@njit(cache=True)
def _keep(work: Array, to: int, of: int) -> None:
    for place in range(20 * _LANES):
        work[to * _LANES + place] = work[of * _LANES + place]


@njit(cache=True, fastmath={"contract"})
def _move(work: Array) -> None:
    """Kinetics of every lane over half a step."""
    for k in range(_LANES):
        a, b, c, d = (
            work[_X * _LANES + k],
            work[(_X + 1) * _LANES + k],
            work[(_X + 2) * _LANES + k],
            work[(_X + 3) * _LANES + k],
        )
        u = work[_IN * _LANES + k]
        work[_X * _LANES + k] = (
            work[_STEP * _LANES + k] * a
            + work[(_STEP + 1) * _LANES + k] * b
            + work[(_STEP + 2) * _LANES + k] * c
            + work[(_STEP + 4) * _LANES + k] * u
        )
        work[(_X + 1) * _LANES + k] = (
            work[(_STEP + 5) * _LANES + k] * a
            + work[(_STEP + 6) * _LANES + k] * b
            + work[(_STEP + 7) * _LANES + k] * c
            + work[(_STEP + 9) * _LANES + k] * u
        )
        work[(_X + 2) * _LANES + k] = (
            work[(_STEP + 10) * _LANES + k] * a
            + work[(_STEP + 11) * _LANES + k] * b
            + work[(_STEP + 12) * _LANES + k] * c
            + work[(_STEP + 14) * _LANES + k] * u
        )
        work[(_X + 3) * _LANES + k] = (
            work[(_STEP + 15) * _LANES + k] * a
            + work[(_STEP + 16) * _LANES + k] * b
            + work[(_STEP + 17) * _LANES + k] * c
            + work[(_STEP + 18) * _LANES + k] * d
            + work[(_STEP + 19) * _LANES + k] * u
        )


@njit(cache=True, fastmath={"contract"})
def _drive(work: Array, place: int, linear: bool, out: Array) -> None:
    """The stimulus of every lane from the concentration in row ``place`` of the work space."""
    if linear:
        for k in range(_LANES):
            c = work[place * _LANES + k]
            out[k] = work[_EMAX * _LANES + k] * c / (work[_EC50 * _LANES + k] + c)
    else:
        for k in range(_LANES):
            c = max(work[place * _LANES + k], 0.0) ** work[_HILL * _LANES + k]
            out[k] = work[_EMAX * _LANES + k] * c / (work[_EC50 * _LANES + k] + c)


@njit(cache=True, fastmath={"contract"})
def _react(work: Array, middle: Array, last: Array, step_min: float) -> None:
    """The effect of every lane over one step: Runge-Kutta of order 4."""
    half_min, sixth_min = 0.5 * step_min, step_min / 6.0
    for k in range(_LANES):
        r, m = work[_R * _LANES + k], work[_M * _LANES + k]
        kout, ktol, keep = work[_KOUT * _LANES + k], work[_KTOL * _LANES + k], work[_TOLERANCE * _LANES + k]
        s0, s1, s2 = 1.0 + work[_S * _LANES + k], 1.0 + middle[k], 1.0 + last[k]
        r1 = kout * (s0 - r * (1.0 + keep * (m - 1.0)))
        m1 = ktol * (r - m)
        p, q = r + half_min * r1, m + half_min * m1
        r2 = kout * (s1 - p * (1.0 + keep * (q - 1.0)))
        m2 = ktol * (p - q)
        p, q = r + half_min * r2, m + half_min * m2
        r3 = kout * (s1 - p * (1.0 + keep * (q - 1.0)))
        m3 = ktol * (p - q)
        p, q = r + step_min * r3, m + step_min * m3
        r4 = kout * (s2 - p * (1.0 + keep * (q - 1.0)))
        m4 = ktol * (p - q)
        work[_R * _LANES + k] = r + sixth_min * (r1 + 2.0 * (r2 + r3) + r4)
        work[_M * _LANES + k] = m + sixth_min * (m1 + 2.0 * (m2 + m3) + m4)
        work[_S * _LANES + k] = last[k]


@njit(cache=True)
def _steps(work: Array, place: int, linear: bool, middle: Array, last: Array, step_min: float, count: int) -> None:
    for _ in range(count):
        _move(work)
        _drive(work, place, linear, middle)
        _move(work)
        _drive(work, place, linear, last)
        _react(work, middle, last, step_min)


@njit(cache=True)
def _tile(
    first: int,
    count: int,
    work: Array,
    middle: Array,
    last: Array,
    rates_per_min: Array,
    ke0_per_min: Array,
    scale: Array,
    parameters: Array,
    site: bool,
    linear: bool,
    longest_min: float,
    time_min: Array,
    start_min: Array,
    rate_mg_per_min: Array,
    bolus_mg: Array,
    bounds: Index,
    step_min: Array,
    out: Array,
) -> None:
    """Up to sixteen patients, run by run."""
    place = _X + 3 if site else _X
    work[:] = 0.0
    for lane in range(_LANES):
        row = first + min(lane, count - 1)
        work[_R * _LANES + lane] = work[_M * _LANES + lane] = 1.0
        for item in range(6):
            work[(_KOUT + item) * _LANES + lane] = parameters[item, row]
        work[_EC50 * _LANES + lane] **= work[_HILL * _LANES + lane]
    # The length of step that the table in use is for, and that of the table saved.
    held_min = np.zeros(2)
    run = 0
    for segment in range(len(start_min)):
        for lane in range(_LANES):
            row = first + min(lane, count - 1)
            work[_X * _LANES + lane] += scale[row] * bolus_mg[segment]
            work[_IN * _LANES + lane] = scale[row] * rate_mg_per_min[segment]
        _drive(work, place, linear, last)
        for lane in range(_LANES):
            work[_S * _LANES + lane] = last[lane]
        since_min = 0.0
        while run < len(bounds) and bounds[run, 0] == segment:
            for point in range(bounds[run, 1], bounds[run, 2]):
                within = point > bounds[run, 1]
                span_min = step_min[run] if within else time_min[point] - start_min[segment] - since_min
                _advance(
                    work, middle, last, place, linear, count, rates_per_min, ke0_per_min, first, longest_min, held_min,
                    since_min, span_min,
                )  # fmt: skip
                since_min += span_min
                for lane in range(count):
                    out[first + lane, point] = work[_R * _LANES + lane]
            since_min = time_min[bounds[run, 2] - 1] - start_min[segment]
            run += 1
        if run == len(bounds):
            return
        _advance(
            work, middle, last, place, linear, count, rates_per_min, ke0_per_min, first, longest_min, held_min,
            since_min, start_min[segment + 1] - start_min[segment] - since_min,
        )  # fmt: skip


@njit(cache=True)
def _advance(
    work: Array,
    middle: Array,
    last: Array,
    place: int,
    linear: bool,
    count: int,
    rates_per_min: Array,
    ke0_per_min: Array,
    first: int,
    longest_min: float,
    held_min: Array,
    since_min: float,
    span_min: float,
) -> None:
    """Every lane over one span between points, ``since_min`` after the last change of input."""
    if span_min <= 0.0:
        return
    if since_min == 0.0:
        # Steps that double with the time since the change, up to the longest.
        graded_min = min(span_min, _GRADE * longest_min)
        levels = max(1, math.ceil(math.log2(graded_min / (_GRADE * _FIRST_MIN))))
        held_min[0] = graded_min / 2.0**levels / _GRADE
        _table(work, count, rates_per_min, ke0_per_min, first, 0.5 * held_min[0])
        _steps(work, place, linear, middle, last, held_min[0], 2 * _GRADE)
        for _ in range(levels - 1):
            _double(work)
            held_min[0] *= 2.0
            _steps(work, place, linear, middle, last, held_min[0], _GRADE)
        since_min, span_min = graded_min, span_min - graded_min
        if span_min <= 1e-12 * graded_min:
            return
    number = math.ceil(span_min / longest_min * (1.0 - 1e-12))
    if number * since_min < _GRADE * span_min * (1.0 - 1e-12):
        number = 1
        while number * longest_min < span_min * (1.0 - 1e-12) or number * since_min < _GRADE * span_min * (1.0 - 1e-12):
            number *= 2
    wanted_min = span_min / number
    if abs(wanted_min - 2.0 * held_min[0]) < 1e-15 * wanted_min and since_min > 1.5 * _GRADE * held_min[0]:
        _double(work)
    elif abs(wanted_min - held_min[1]) < 1e-15 * wanted_min:
        _keep(work, _STEP, _SAVED)
    elif abs(wanted_min - held_min[0]) > 1e-15 * wanted_min:
        _table(work, count, rates_per_min, ke0_per_min, first, 0.5 * wanted_min)
        _keep(work, _SAVED, _STEP)
        held_min[1] = wanted_min
    held_min[0] = wanted_min
    _steps(work, place, linear, middle, last, wanted_min, number)


@njit(cache=True)
def _solve_serial(
    rates_per_min: Array,
    ke0_per_min: Array,
    scale: Array,
    parameters: Array,
    site: bool,
    linear: bool,
    longest_min: float,
    time_min: Array,
    start_min: Array,
    rate_mg_per_min: Array,
    bolus_mg: Array,
    bounds: Index,
    step_min: Array,
    out: Array,
) -> None:
    rows = len(scale)
    for tile in range((rows + _LANES - 1) // _LANES):
        first = tile * _LANES
        _tile(
            first, min(_LANES, rows - first), np.empty(_ROWS * _LANES), np.empty(_LANES), np.empty(_LANES),
            rates_per_min, ke0_per_min, scale, parameters, site, linear, longest_min, time_min, start_min,
            rate_mg_per_min, bolus_mg, bounds, step_min, out,
        )  # fmt: skip


@njit(cache=True, parallel=True)
def _solve_parallel(
    rates_per_min: Array,
    ke0_per_min: Array,
    scale: Array,
    parameters: Array,
    site: bool,
    linear: bool,
    longest_min: float,
    time_min: Array,
    start_min: Array,
    rate_mg_per_min: Array,
    bolus_mg: Array,
    bounds: Index,
    step_min: Array,
    out: Array,
) -> None:
    rows = len(scale)
    for tile in prange((rows + _LANES - 1) // _LANES):
        first = tile * _LANES
        _tile(
            first, min(_LANES, rows - first), np.empty(_ROWS * _LANES), np.empty(_LANES), np.empty(_LANES),
            rates_per_min, ke0_per_min, scale, parameters, site, linear, longest_min, time_min, start_min,
            rate_mg_per_min, bolus_mg, bounds, step_min, out,
        )  # fmt: skip
