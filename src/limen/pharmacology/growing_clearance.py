"""A metabolite whose clearance rises in proportion to time: exact, by Dawson's integral.

``dN/dt = R(t) - k (1 + g t) N`` with R a sum of exponentials has the solution
``N(t) = integral from s to t of exp(K(u) - K(t)) R(u) du`` with ``K(t) = k t + k g t^2 / 2``. The exponent is quadratic
in u, so each term is a difference of two of Dawson's integrals.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from limen.pharmacology.disposition import Grown
from limen.pharmacology.kinetics import LinearSystem, Pulse, Solution

Array = npt.NDArray[np.float64]

_NG_PER_ML = 1000.0
# Areas are summed by Gauss-Legendre points on panels between changes of input, short after a change.
_POINTS = 12
# Patients whose parent has two rates that nearly meet have no modes: each compartment's outflow is moved by this share
# more than the last, which changes a concentration by no more than about that share.
_NUDGE = 1e-5
_PANELS_MIN = np.array([0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512])


def values(grown: Grown, solution: Solution, time_min: Array, first_dose_min: float) -> Array:
    """The metabolite in ng/mL (rows, times).

    Parameters
    ----------
    solution : kinetics.Solution
        Of the parent.
    first_dose_min : float
        The time from which clearance grows.
    """
    solution = _separated(solution)
    clock = _Clock(grown, first_dose_min)
    total = np.zeros((len(grown.volume_L), len(time_min)))
    for pulse in pulses_of(solution):
        total += _of_pulse(grown, solution, pulse, time_min, clock)
    return total * (_NG_PER_ML / grown.volume_L)[:, None]


def auc(grown: Grown, solution: Solution, until_min: float, first_dose_min: float) -> Array:
    """Area in ng/mL times minutes from 0 (rows,)."""
    edges = {0.0, until_min}
    for pulse in pulses_of(solution):
        start_min = np.unique(np.percentile(pulse.start_min, (0, 50, 100)))
        corners = [*start_min.tolist()]
        if pulse.duration_min is not None:
            ends_min = pulse.start_min + pulse.duration_min
            corners += np.unique(np.percentile(ends_min, (0, 50, 100))).tolist()
        for corner in corners:
            edges.update([corner, *(corner + _PANELS_MIN).tolist()])
    edges.update(np.arange(0.0, until_min, 720.0).tolist())
    edge_min = np.array(sorted(edge for edge in edges if 0 <= edge <= until_min))
    nodes, weights = np.polynomial.legendre.leggauss(_POINTS)
    half = np.diff(edge_min) / 2.0
    middle = edge_min[:-1] + half
    times = (middle[:, None] + half[:, None] * nodes).ravel()
    area: Array = values(grown, solution, times, first_dose_min) @ (half[:, None] * weights).ravel()
    return area


def pulses_of(solution: Solution) -> list[Pulse]:
    """Everything that goes into a system, each change of input as a pulse of its own."""
    rows = len(solution.system.rates_per_min)
    plan = solution.schedule
    found = list(solution.pulses)
    for state in np.flatnonzero(solution.system.entry).tolist():
        share = float(solution.system.entry[state])
        ends = np.append(plan.start_min[1:], np.inf)
        for start, end, rate, bolus in zip(plan.start_min, ends, plan.rate_mg_per_min, plan.bolus_mg, strict=True):
            begin = np.full(rows, start)
            if bolus > 0:
                found.append(Pulse(state, np.full(rows, share * bolus), begin))
            if rate > 0:
                span = end - start
                found.append(Pulse(state, np.full(rows, share * rate * span), begin, np.full(rows, span)))
    return found


def _separated(solution: Solution) -> Solution:
    """The same with modes in every row."""
    if solution.modal.all():
        return solution
    rates_per_min = solution.system.rates_per_min.copy()
    rates_per_min[~solution.modal] *= 1.0 + _NUDGE * np.arange(rates_per_min.shape[2])
    moved = LinearSystem(rates_per_min, solution.system.entry, solution.system.readout)
    return Solution(moved, solution.schedule, solution.pulses)


class _Clock:
    """``K(t)`` and what follows from it, all (rows, 1, ...)."""

    def __init__(self, grown: Grown, first_dose_min: float) -> None:
        self.first_min = first_dose_min
        self.rate = (grown.clearance_L_per_h / grown.volume_L / 60.0)[:, None, None]
        self.growth = (grown.growth_per_h / 60.0)[:, None, None]
        self.root = np.sqrt(self.rate * self.growth / 2.0)

    def lost(self, start_min: Array, end_min: Array) -> Array:
        """``K(end) - K(start)``; before the first dose there is nothing to lose."""
        since, until = start_min - self.first_min, end_min - self.first_min
        span: Array = self.rate * (until - since) * (1.0 + self.growth * (until + since) / 2.0)
        return span

    def kept(self, decay_per_min: Array, start_min: Array, end_min: Array) -> Array:
        """``integral from start to end of exp(decay (u - start)) exp(K(u) - K(end)) du``."""
        from scipy.special import dawsn

        shift = (self.rate + decay_per_min) / (self.rate * self.growth)
        upper = self.root * (end_min - self.first_min + shift)
        lower = self.root * (start_min - self.first_min + shift)
        at_end = np.exp(decay_per_min * (end_min - start_min)) * dawsn(upper)
        at_start = np.exp(-self.lost(start_min, end_min)) * dawsn(lower)
        found: Array = (at_end - at_start) / self.root
        return found


def _of_pulse(grown: Grown, solution: Solution, pulse: Pulse, time_min: Array, clock: _Clock) -> Array:
    """Amount (rows, times) from one pulse alone."""
    central = solution.vectors[:, 0, :]
    # The modes of the effect sites do not reach the parent's central compartment.
    seen = np.any(central != 0, axis=0)
    decay = solution.decay_per_min[:, seen, None]
    weight = central * solution.inverse[:, :, pulse.state] * (pulse.amount_mg * grown.formed_per_min)[:, None]
    weight = weight[:, seen, None]
    start_min = pulse.start_min[:, None, None]
    now_min = np.maximum(time_min, start_min)
    if pulse.duration_min is None:
        return np.asarray((weight * clock.kept(decay, start_min, now_min)).sum(axis=1))
    duration_min = pulse.duration_min[:, None, None]
    end_min = start_min + duration_min
    running = np.minimum(now_min, end_min)
    after = np.maximum(now_min, end_min)
    still = np.zeros_like(decay)
    # While it runs, each mode of the parent is (exp(decay u) - 1) / decay; afterwards it decays from where it was.
    rising = clock.kept(decay, start_min, running) - clock.kept(still, start_min, running)
    amount = (weight / (decay * duration_min) * rising).sum(axis=1)
    left = weight * np.expm1(decay * duration_min) / (decay * duration_min)
    faded = amount * np.exp(-clock.lost(end_min, after))[:, 0]
    return np.asarray(faded + (left * clock.kept(decay, end_min, after)).sum(axis=1))
