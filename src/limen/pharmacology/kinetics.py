"""Exact solution of linear compartment systems under piecewise-constant input.

``dx/dt = A x + b u(t)`` is solved by eigenvalues, segment by segment, for many patients at once; inputs whose times
differ between patients are added by superposition. Where two eigenvalues nearly meet, the eigenvectors lose the digits;
those patients are solved by the matrix exponential instead.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from limen.pharmacology.even_times import EvenTimes, blocks_of
from limen.pharmacology.matrix_exponential import exponential
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

    @functools.cached_property
    def entering(self) -> Array:
        """What a unit of the schedule's input adds to each mode (rows, states)."""
        return self.modes.inverse @ self.entry

    @functools.cached_property
    def weights(self) -> Array:
        """Outputs as sums of modes (rows, outputs, states)."""
        return self.readout @ self.modes.vectors

    @functools.cached_property
    def areas(self) -> Array:
        """Outputs of what A times a state is (rows, outputs, states): ``readout`` times the inverse of A."""
        turned = np.linalg.solve(self.rates_per_min.transpose(0, 2, 1), self.readout.transpose(0, 2, 1))
        return np.asarray(turned.transpose(0, 2, 1), dtype=np.float64)


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


@dataclass(frozen=True, slots=True)
class Jump:
    """What is put into the states at one instant.

    Attributes
    ----------
    amounts_mg : array (rows, states)
    """

    at_min: float
    amounts_mg: Array


class Solution:
    """The exact response of a system to a schedule.

    Parameters
    ----------
    system : LinearSystem
    schedule : Schedule
        Enters by ``system.entry``, at the same times in every row.
    pulses : sequence of Pulse
    jumps : sequence of Jump
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

    def __init__(
        self, system: LinearSystem, schedule: Schedule, pulses: Sequence[Pulse] = (), jumps: Sequence[Jump] = ()
    ) -> None:
        self.system = system
        self.schedule = schedule
        self.pulses = tuple(pulses)
        self.jumps = tuple(jumps)
        self.modal = system.modes.modal
        self.decay_per_min = system.modes.decay_per_min
        self.vectors = system.modes.vectors
        self.inverse = system.modes.inverse
        self._entry = system.entering
        # What an infusion adds to a mode is this times the exponential less one; (segments, rows, states).
        self._held = self._entry * schedule.rate_mg_per_min[:, None, None] / self.decay_per_min
        self._starts = self._modes_at_starts()
        self._by_exponential: list[int] = np.flatnonzero(~self.modal).tolist()

    def values(self, time_min: Array, even: EvenTimes | None = None) -> Array:
        """Outputs at these times, after any bolus given at the same instant.

        Parameters
        ----------
        time_min : array (times,)
            Rising, 0 or later.
        even : EvenTimes, optional
            Which of them go by equal steps: the same numbers to rounding, from fewer exponentials.

        Returns
        -------
        array (rows, outputs, times)
        """
        rows, outputs, states = self.system.readout.shape
        out = np.empty((rows, outputs, len(time_min)))
        step = max(1, _BLOCK // (states * len(time_min)))
        for begin in range(0, rows, step):
            part = slice(begin, begin + step)
            if even is None or self.pulses or self.jumps:
                np.matmul(self.system.weights[part], self._modes(part, time_min), out=out[part])
            elif not len(even.other):
                self._by_steps(part, even.step_min, out[part])
            else:
                found = np.empty(out[part].shape)
                self._by_steps(part, even.step_min, found[..., : even.steps])
                late = self._few_modes(part, time_min[even.other])
                np.matmul(self.system.weights[part], late, out=found[..., even.steps :])
                found.take(even.order, axis=-1, out=out[part], mode="clip")
        for row in self._by_exponential:
            out[row] = self.system.readout[row] @ self._states_by_exponential(row, time_min)
        return out

    def _by_steps(self, part: slice, step_min: float, out: Array) -> None:
        """Outputs at equal steps from 0, written to ``out`` (rows of ``part``, outputs, times).

        Between changes of input a mode at step j of a block is its value at the block's start times one shared table:
        the exponential of j steps.
        """
        plan, count = self.schedule, out.shape[2]
        blocks = blocks_of(tuple(plan.start_min.tolist()), step_min, count)
        segments = blocks.segment
        decay = self.decay_per_min[part]
        to_start = decay * blocks.since_min[:, None, None]
        steps = decay[..., None] * blocks.step_min
        start = self._starts[segments][:, part]
        held = self._held[segments][:, part]
        # expm1 keeps the digits of a slow mode soon after the start of an infusion, and
        # expm1(a + b) = expm1(a) exp(b) + expm1(b) has terms of one sign.
        falling = start * np.exp(to_start) + held * np.expm1(to_start)
        weights = self.system.weights[part]
        falling, held = weights * falling[:, :, None], weights * held[:, :, None]
        running = (plan.rate_mg_per_min[segments] > 0).tolist()
        filled_to = max(
            (last - first for (first, last), runs in zip(blocks.spans, running, strict=True) if runs), default=0
        )
        filled = np.expm1(steps[..., :filled_to])
        table = np.exp(steps, out=steps)
        for (first, last), runs, kept, held_here in zip(blocks.spans, running, falling, held, strict=True):
            into = out[..., first:last]
            np.matmul(kept, table[..., : last - first], out=into)
            if runs:
                into += held_here @ filled[..., : last - first]

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
        states = self.vectors @ self._few_modes(slice(None), until_min)
        for row in self._by_exponential:
            states[row] = self._states_by_exponential(row, until_min)
        given_mg = np.array([self.schedule.given_mg(span) for span in until_min.tolist()])
        states -= self.system.entry[:, None] * given_mg
        for pulse in self.pulses:
            states[:, pulse.state] -= pulse.given_mg(until_min)
        for jump in self.jumps:
            states -= jump.amounts_mg[..., None] * (until_min >= jump.at_min)
        result: Array = self.system.areas @ states
        return result

    def _modes_at_starts(self) -> Array:
        """Modal coordinates (segments, rows, states) at the start of each segment, its bolus in."""
        plan = self.schedule
        # Every segment's decay at once: for one patient the calls cost more than the numbers.
        exponent = self.decay_per_min * (plan.start_min[1:] - plan.start_min[:-1])[:, None, None]
        kept = np.exp(exponent)
        found = self._entry * plan.bolus_mg[:, None, None]
        found[1:] += self._held[:-1] * np.expm1(exponent)
        for segment in range(len(kept)):
            found[segment + 1] += found[segment] * kept[segment]
        return found

    def _few_modes(self, part: slice, time_min: Array) -> Array:
        """As ``_modes``, for few times: all at once, since for one patient the calls cost more than the numbers."""
        plan = self.schedule
        segment = np.searchsorted(plan.start_min, time_min, side="right") - 1
        decayed = self.decay_per_min[part] * (time_min - plan.start_min[segment])[:, None, None]
        out = self._starts[segment][:, part] * np.exp(decayed)
        out += self._held[segment][:, part] * np.expm1(decayed)
        modes = out.transpose(1, 2, 0)
        for pulse in self.pulses:
            modes = modes + self.pulse_modes(pulse, part, time_min)
        for jump in self.jumps:
            modes = modes + self._jump_modes(jump, part, time_min)
        return modes

    def _modes(self, part: slice, time_min: Array) -> Array:
        """Modal coordinates (rows of ``part``, states, times)."""
        plan = self.schedule
        spans = self._spans(time_min)
        counts = [last - first for _, first, last in spans]
        segments = [segment for segment, _, _ in spans]
        out = self.decay_per_min[part][..., None] * (time_min - np.repeat(plan.start_min[segments], counts))
        # expm1 keeps the digits of a slow mode soon after the start of an infusion.
        filling = [
            (first, last, self._held[segment][part][..., None] * np.expm1(out[..., first:last]))
            for segment, first, last in spans
            if plan.rate_mg_per_min[segment] > 0
        ]
        np.exp(out, out=out)
        out *= np.repeat(self._starts[segments][:, part].transpose(1, 2, 0), counts, axis=-1)
        for first, last, filled in filling:
            out[..., first:last] += filled
        for pulse in self.pulses:
            self._add_pulse(pulse, part, time_min, out)
        for jump in self.jumps:
            first = int(np.searchsorted(time_min, jump.at_min))
            out[..., first:] += self._jump_modes(jump, part, time_min[first:])
        return out

    def _jump_modes(self, jump: Jump, part: slice, time_min: Array) -> Array:
        since_min = time_min - jump.at_min
        entry = np.matmul(self.inverse[part], jump.amounts_mg[part, :, None])
        kept = np.exp(self.decay_per_min[part][..., None] * np.maximum(since_min, 0.0))
        return np.asarray(entry * kept * (since_min >= 0))

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
        edges.update(jump.at_min for jump in self.jumps)
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
        for jump in self.jumps:
            bolus_mg[np.searchsorted(start_min, jump.at_min)] += jump.amounts_mg[row]
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
                out[:, first:last] = (exponential(whole, since_min) @ at_start)[:, :states].T
            if segment + 1 < len(start_min):
                span_min = np.array([start_min[segment + 1] - start_min[segment]])
                state = (exponential(whole, span_min)[0] @ at_start)[:states]
        return out
