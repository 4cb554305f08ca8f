"""Exact solution of linear compartment systems under piecewise-constant input.

``dx/dt = A x + b u(t)`` is solved by eigenvalues, segment by segment, for many patients at once; inputs whose times
differ between patients are added by superposition. Where two eigenvalues nearly meet, the eigenvectors lose the digits;
those patients are solved by the matrix exponential instead.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from limen.pharmacology.regimen import Schedule

Array = npt.NDArray[np.float64]

# The modal solution errs by about 3e-16 of the peak times the condition of an eigenvalue: keep it under 1e-8.
MAX_CONDITION = 5e6
# Numbers worked on at once, so that they stay in the processor's cache.
_BLOCK = 200_000


@dataclass(frozen=True, slots=True)
class Modes:
    """The eigenvalues and eigenvectors of a system, a row a patient.

    Attributes
    ----------
    modal : array of bool (rows,)
        Where they may be used; elsewhere the numbers stand in for nothing.
    decay_per_min : array (rows, states)
    vectors, inverse : array (rows, states, states)
    """

    modal: npt.NDArray[np.bool_]
    decay_per_min: Array
    vectors: Array
    inverse: Array

    @classmethod
    def of(cls, rates_per_min: Array) -> Modes:
        """Of a matrix (rows, states, states)."""
        values, vectors = np.linalg.eig(rates_per_min)
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
        condition = (safe * safe).sum(axis=1) * (inverse * inverse).sum(axis=2)
        modal = real & (condition.max(axis=1) < MAX_CONDITION**2)
        return cls(modal, np.where(modal[:, None], values, -1.0), safe, inverse)


@dataclass(frozen=True)
class LinearSystem:
    """One linear system a row (patient).

    Attributes
    ----------
    rates_per_min : array (rows, states, states)
        The matrix A.
    entry : array (states,)
        The share of the schedule's input that enters each state.
    readout : array (rows, outputs, states)
        Outputs are ``readout @ x``.
    """

    rates_per_min: Array
    entry: Array
    readout: Array

    @functools.cached_property
    def modes(self) -> Modes:
        """Found once for all schedules that it answers."""
        return Modes.of(self.rates_per_min)


@dataclass(frozen=True, slots=True)
class Pulse:
    """An input of each patient's own: an amount into one state, at one instant or evenly over a time.

    Attributes
    ----------
    state : int
    amount_mg, start_min : array (rows,)
    duration_min : array (rows,) or None
        Over 0; ``None`` for an instant.
    """

    state: int
    amount_mg: Array
    start_min: Array
    duration_min: Array | None = None

    def given_mg(self, until_min: Array) -> Array:
        """What has gone in by each of these times (rows, spans)."""
        since_min = until_min - self.start_min[:, None]
        if self.duration_min is None:
            return self.amount_mg[:, None] * (since_min >= 0)
        return self.amount_mg[:, None] * np.clip(since_min / self.duration_min[:, None], 0.0, 1.0)


class Solution:
    """The exact response of a system to a schedule.

    Parameters
    ----------
    system : LinearSystem
    schedule : Schedule
        Enters by ``system.entry``, at the same times in every row.
    pulses : sequence of Pulse
        Added to it.

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

    def __init__(self, system: LinearSystem, schedule: Schedule, pulses: Sequence[Pulse] = ()) -> None:
        self.system = system
        self.schedule = schedule
        self.pulses = tuple(pulses)
        self.modal = system.modes.modal
        self.decay_per_min = system.modes.decay_per_min
        self.vectors = system.modes.vectors
        self.inverse = system.modes.inverse
        self._entry = self.inverse @ system.entry
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
        weights = self.system.readout @ self.vectors
        for begin in range(0, rows, step):
            part = slice(begin, begin + step)
            np.matmul(weights[part], self._modes(part, time_min), out=out[part])
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
        states = self.vectors @ self._modes(slice(None), until_min)
        for row in self._by_exponential:
            states[row] = self._states_by_exponential(row, until_min)
        given_mg = np.array([self.schedule.given_mg(span) for span in until_min.tolist()])
        states -= self.system.entry[:, None] * given_mg
        for pulse in self.pulses:
            states[:, pulse.state] -= pulse.given_mg(until_min)
        held = np.linalg.solve(self.system.rates_per_min, states)
        result: Array = self.system.readout @ held
        return result

    def _modes_at_starts(self) -> list[Array]:
        """Modal coordinates (rows, states) at the start of each segment, its bolus in."""
        plan = self.schedule
        # Every segment's decay at once: for one patient the calls cost more than the numbers.
        exponent = self.decay_per_min[..., None] * np.diff(plan.start_min)
        kept, filled = np.exp(exponent), np.expm1(exponent)
        state = self._entry * plan.bolus_mg[0]
        found = [state]
        for segment, (rate, bolus) in enumerate(zip(plan.rate_mg_per_min[:-1], plan.bolus_mg[1:], strict=True)):
            state = state * kept[..., segment]
            if rate > 0:
                state += self._entry * rate / self.decay_per_min * filled[..., segment]
            if bolus:
                state = state + self._entry * bolus
            found.append(state)
        return found

    def _modes(self, part: slice, time_min: Array) -> Array:
        """Modal coordinates (rows of ``part``, states, times)."""
        plan = self.schedule
        decay = self.decay_per_min[part]
        spans = self._spans(time_min)
        counts = [last - first for _, first, last in spans]
        since_min = time_min - np.repeat(plan.start_min[[segment for segment, _, _ in spans]], counts)
        out = decay[..., None] * since_min
        # expm1 keeps the digits of a slow mode soon after the start of an infusion.
        filling = [
            (segment, first, last, np.expm1(out[..., first:last]))
            for segment, first, last in spans
            if plan.rate_mg_per_min[segment] > 0
        ]
        np.exp(out, out=out)
        for segment, first, last in spans:
            out[..., first:last] *= self._starts[segment][part][..., None]
        for segment, first, last, grown in filling:
            start = self._starts[segment][part]
            steady = start + self._entry[part] * float(plan.rate_mg_per_min[segment]) / decay
            out[..., first:last] = steady[..., None] * grown + start[..., None]
        for pulse in self.pulses:
            self._add_pulse(pulse, part, time_min, out)
        return out

    def _add_pulse(self, pulse: Pulse, part: slice, time_min: Array, out: Array) -> None:
        """Add one pulse: by its own times until it has ended in every row, then as free decay from there."""
        start_min = pulse.start_min[part]
        ends_min = start_min if pulse.duration_min is None else start_min + pulse.duration_min[part]
        first = int(np.searchsorted(time_min, start_min.min()))
        free = int(np.searchsorted(time_min, ends_min.max()))
        if first == len(time_min):
            return
        out[:, :, first : free + 1] += self.pulse_modes(pulse, part, time_min[first : free + 1])
        if free + 1 < len(time_min):
            at_free = self.pulse_modes(pulse, part, time_min[free : free + 1])
            since_min = time_min[free + 1 :] - time_min[free]
            out[:, :, free + 1 :] += at_free * np.exp(self.decay_per_min[part][..., None] * since_min)

    def pulse_modes(self, pulse: Pulse, part: slice, time_min: Array) -> Array:
        """Modal coordinates (rows of ``part``, states, times) that one pulse alone gives."""
        decay = self.decay_per_min[part][..., None]
        entry = (self.inverse[part, :, pulse.state] * pulse.amount_mg[part, None])[..., None]
        since_min = (time_min - pulse.start_min[part, None])[:, None]
        if pulse.duration_min is None:
            return np.asarray(entry * np.exp(decay * np.maximum(since_min, 0.0)) * (since_min >= 0))
        duration_min = pulse.duration_min[part, None, None]
        running_min = np.clip(since_min, 0.0, duration_min)
        after_min = np.maximum(since_min - duration_min, 0.0)
        grown = np.expm1(decay * running_min) / (decay * duration_min)
        return np.asarray(entry * grown * np.exp(decay * after_min))

    def _spans(self, time_min: Array) -> list[tuple[int, int, int]]:
        """Segments that hold any of the times, with the first and one past the last of them."""
        firsts = np.searchsorted(time_min, self.schedule.start_min, side="left").tolist()
        lasts = [*firsts[1:], len(time_min)]
        return [
            (segment, first, last)
            for segment, (first, last) in enumerate(zip(firsts, lasts, strict=True))
            if last > first
        ]

    def _inputs_of(self, row: int) -> tuple[Array, Array, Array]:
        """Every change of input of one row: times, then amounts and rates into each state from there on."""
        plan = self.schedule
        states = len(self.system.entry)
        edges = set(plan.start_min.tolist())
        for pulse in self.pulses:
            edges.add(float(pulse.start_min[row]))
            if pulse.duration_min is not None:
                edges.add(float(pulse.start_min[row] + pulse.duration_min[row]))
        start_min = np.array(sorted(edges))
        segment = np.searchsorted(plan.start_min, start_min, side="right") - 1
        rate_mg_per_min = plan.rate_mg_per_min[segment][:, None] * self.system.entry
        bolus_mg = np.zeros((len(start_min), states))
        bolus_mg[np.searchsorted(start_min, plan.start_min)] = plan.bolus_mg[:, None] * self.system.entry
        for pulse in self.pulses:
            begin = float(pulse.start_min[row])
            amount_mg = float(pulse.amount_mg[row])
            if pulse.duration_min is None:
                bolus_mg[np.searchsorted(start_min, begin), pulse.state] += amount_mg
                continue
            end = begin + float(pulse.duration_min[row])
            here = (start_min >= begin) & (start_min < end)
            rate_mg_per_min[here, pulse.state] += amount_mg / (end - begin)
        return start_min, bolus_mg, rate_mg_per_min

    def _states_by_exponential(self, row: int, time_min: Array) -> Array:
        """States (states, times) of one row, by the exponential of the system with its input as one more state."""
        start_min, bolus_mg, rate_mg_per_min = self._inputs_of(row)
        matrix = self.system.rates_per_min[row]
        states = len(matrix)
        state = np.zeros(states)
        out = np.zeros((states, len(time_min)))
        firsts = np.searchsorted(time_min, start_min).tolist()
        lasts = [*firsts[1:], len(time_min)]
        for segment, (first, last) in enumerate(zip(firsts, lasts, strict=True)):
            state = state + bolus_mg[segment]
            whole = np.zeros((states + 1, states + 1))
            whole[:states, :states] = matrix
            whole[:states, states] = rate_mg_per_min[segment]
            at_start = np.append(state, 1.0)
            if last > first:
                since_min = time_min[first:last] - start_min[segment]
                out[:, first:last] = (_exponential(whole, since_min) @ at_start)[:, :states].T
            if segment + 1 < len(start_min):
                span_min = np.array([start_min[segment + 1] - start_min[segment]])
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
