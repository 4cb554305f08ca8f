"""Exact solution of linear compartment systems under piecewise-constant input.

``dx/dt = A x + b u(t)`` is solved by eigenvalues, segment by segment, for many patients at once. Where two eigenvalues
nearly meet, the eigenvectors lose the digits; those patients are solved by the matrix exponential instead.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from limen.pharmacology.regimen import Schedule

Array = npt.NDArray[np.float64]

# Relative error of the modal solution is about 1e-16 times the condition of an eigenvalue: keep it under 1e-10.
MAX_CONDITION = 1e6
# Numbers worked on at once, so that they stay in the processor's cache.
_BLOCK = 200_000


@dataclass(frozen=True, slots=True)
class LinearSystem:
    """One linear system a row (patient).

    Attributes
    ----------
    rates_per_min : array (rows, states, states)
        The matrix A.
    entry : array (states,)
        The share of the input that enters each state.
    readout : array (rows, outputs, states)
        Outputs are ``readout @ x``.
    """

    rates_per_min: Array
    entry: Array
    readout: Array


class Solution:
    """The exact response of a system to a schedule.

    Parameters
    ----------
    system : LinearSystem
    schedule : Schedule

    Examples
    --------
    One compartment, 10 mg in 10 L, rate constant 0.1 /min: after 10 minutes 1/e of 1 mg/L is left.

    >>> from limen.pharmacology.regimen import Dose
    >>> system = LinearSystem(np.array([[[-0.1]]]), np.array([1.0]), np.array([[[1 / 10]]]))
    >>> solution = Solution(system, Schedule.of([Dose(10, "iv")]))
    >>> solution.values(np.array([0.0, 10.0])).round(4)
    array([[[1.    , 0.3679]]])
    >>> float(solution.auc(np.array([1e6])).round(6).item())
    10.0
    """

    def __init__(self, system: LinearSystem, schedule: Schedule) -> None:
        self.system = system
        self.schedule = schedule
        values, vectors = np.linalg.eig(system.rates_per_min)
        real = np.ones(len(values), dtype=bool)
        if np.iscomplexobj(values):
            real = ~np.any(values.imag != 0, axis=1)
            values, vectors = values.real, vectors.real
        safe = vectors.copy()
        safe[~real] = np.eye(vectors.shape[1])
        try:
            inverse = np.linalg.inv(safe)
        except np.linalg.LinAlgError:
            real &= np.linalg.det(safe) != 0
            safe[~real] = np.eye(vectors.shape[1])
            inverse = np.linalg.inv(safe)
        condition = np.linalg.norm(safe, axis=1) * np.linalg.norm(inverse, axis=2)
        self.modal = real & (condition.max(axis=1) < MAX_CONDITION)
        self._decay_per_min = np.where(self.modal[:, None], values, -1.0)
        self._vectors = safe
        self._entry = inverse @ system.entry
        self._starts = self._modes_at_starts()
        self._by_exponential: list[int] = np.flatnonzero(~self.modal).tolist()

    def values(self, time_min: Array) -> Array:
        """Outputs at these times, after any bolus given at the same instant.

        Parameters
        ----------
        time_min : array (times,)
            Rising, 0 or later.

        Returns
        -------
        array (rows, outputs, times)
        """
        rows, outputs, states = self.system.readout.shape
        out = np.empty((rows, outputs, len(time_min)))
        step = max(1, _BLOCK // (states * len(time_min)))
        weights = self.system.readout @ self._vectors
        for first in range(0, rows, step):
            part = slice(first, first + step)
            out[part] = weights[part] @ self._modes(part, time_min)
        for row in self._by_exponential:
            out[row] = self.system.readout[row] @ self._states_by_exponential(row, time_min)
        return out

    def auc(self, until_min: Array) -> Array:
        """Integral of each output from 0, exact: A times it is x(T) minus everything that ran in.

        Parameters
        ----------
        until_min : array (spans,)
            Rising.

        Returns
        -------
        array (rows, outputs, spans), output unit times minutes
        """
        states = self._vectors @ self._modes(slice(None), until_min)
        for row in self._by_exponential:
            states[row] = self._states_by_exponential(row, until_min)
        given_mg = np.array([self.schedule.given_mg(span) for span in until_min.tolist()])
        held = np.linalg.solve(self.system.rates_per_min, states - self.system.entry[:, None] * given_mg)
        result: Array = self.system.readout @ held
        return result

    def _modes_at_starts(self) -> list[Array]:
        """Modal coordinates (rows, states) at the start of each segment, its bolus in."""
        plan = self.schedule
        # Every segment's decay at once: for one patient the calls cost more than the numbers.
        exponent = self._decay_per_min[..., None] * np.diff(plan.start_min)
        kept, filled = np.exp(exponent), np.expm1(exponent)
        state = self._entry * plan.bolus_mg[0]
        found = [state]
        for segment, (rate, bolus) in enumerate(zip(plan.rate_mg_per_min[:-1], plan.bolus_mg[1:], strict=True)):
            state = state * kept[..., segment]
            if rate > 0:
                state += self._entry * rate / self._decay_per_min * filled[..., segment]
            if bolus:
                state = state + self._entry * bolus
            found.append(state)
        return found

    def _modes(self, part: slice, time_min: Array) -> Array:
        """Modal coordinates (rows of ``part``, states, times)."""
        decay = self._decay_per_min[part]
        entry = self._entry[part]
        out = np.empty((*entry.shape, len(time_min)))
        for segment, first, last in self._spans(time_min):
            rate = float(self.schedule.rate_mg_per_min[segment])
            since_min = time_min[first:last] - self.schedule.start_min[segment]
            exponent = decay[..., None] * since_min
            moved = self._starts[segment][part][..., None] * np.exp(exponent)
            if rate > 0:
                # expm1 keeps the digits of a slow mode soon after the start.
                moved += (entry * rate / decay)[..., None] * np.expm1(exponent)
            out[:, :, first:last] = moved
        return out

    def _spans(self, time_min: Array) -> list[tuple[int, int, int]]:
        """Segments that hold any of the times, with the first and one past the last of them."""
        firsts = np.searchsorted(time_min, self.schedule.start_min, side="left").tolist()
        lasts = [*firsts[1:], len(time_min)]
        return [
            (segment, first, last)
            for segment, (first, last) in enumerate(zip(firsts, lasts, strict=True))
            if last > first
        ]

    def _states_by_exponential(self, row: int, time_min: Array) -> Array:
        """States (states, times) of one row, by the exponential of the system with its input as one more state."""
        plan = self.schedule
        matrix = self.system.rates_per_min[row]
        states = len(matrix)
        state = np.zeros(states)
        out = np.empty((states, len(time_min)))
        held = {segment: (first, last) for segment, first, last in self._spans(time_min)}
        for segment, start in enumerate(plan.start_min):
            state = state + self.system.entry * plan.bolus_mg[segment]
            whole = np.zeros((states + 1, states + 1))
            whole[:states, :states] = matrix
            whole[:states, states] = self.system.entry * plan.rate_mg_per_min[segment]
            at_start = np.append(state, 1.0)
            if segment in held:
                first, last = held[segment]
                since_min = time_min[first:last] - start
                out[:, first:last] = (_exponential(whole, since_min) @ at_start)[:, :states].T
            if segment + 1 < len(plan.start_min):
                span_min = np.array([plan.start_min[segment + 1] - start])
                state = (_exponential(whole, span_min)[0] @ at_start)[:states]
        return out


def _exponential(matrix: Array, span_min: Array) -> Array:
    """``exp(matrix * span)`` for each span (spans, states, states), to nearly full precision in every entry.

    Rates between compartments are never negative, so after a shift of the diagonal every term of the series is
    positive and nothing cancels. scipy's ``expm`` is not used: for triangular matrices (chains) it divides differences
    of exponentials and loses the digits just where two rates meet.
    """
    shift = float(np.max(-np.diag(matrix)))
    halvings = max(0, math.ceil(math.log2(max(shift * float(span_min.max()), 1.0))))
    step = (span_min / 2.0**halvings)[:, None, None]
    base = (matrix + shift * np.eye(len(matrix))) * step
    term = np.broadcast_to(np.eye(len(matrix)), base.shape)
    total = term.copy()
    for order in range(1, 31):
        term = term @ base / order
        total += term
    total *= np.exp(-shift * step)
    for _ in range(halvings):
        total = total @ total
    return total
