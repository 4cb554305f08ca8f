"""Doses given at an even interval since ever: what of them is in the body at one instant, in closed form.

The amounts left of doses 1, 2, 3, ... intervals ago are a geometric series of the system's own exponential. What still
runs at that instant (an infusion longer than the interval, an absorption not yet begun) goes on as inputs of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from limen.errors import InputError
from limen.pharmacology.kinetics import Jump, LinearSystem, Pulse
from limen.pharmacology.matrix_exponential import exponential
from limen.pharmacology.outcome import Flag
from limen.pharmacology.regimen import MOST_MIN, Dose

Array = npt.NDArray[np.float64]

# More infusions at once than this are a slip in the interval (project rule).
MOST_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class SteadyDose:
    """A dose at the steady state of itself, given at an even interval since ever.

    Attributes
    ----------
    dose : Dose
        The one given at the instant itself; others were given 1, 2, 3, ... intervals before.
    resets : bool
        Whether everything else that was in the body before is taken away (SS 1) or stays (SS 2).

    Raises
    ------
    InputError
        If the interval is not over 0, or so short that over 1000 infusions would run at once.
    """

    dose: Dose
    interval_min: float
    resets: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.interval_min <= MOST_MIN:
            raise InputError(
                f"an interval of {self.interval_min:g} min", where="steady", allowed=f"over 0 to {MOST_MIN:g}"
            )
        if self.dose.amount_mg <= 0:
            raise InputError("a steady state of nothing", where="steady", allowed="an amount over 0")
        if self.dose.duration_min / self.interval_min > MOST_AT_ONCE:
            raise InputError(
                f"{self.dose.duration_min:g} min every {self.interval_min:g} min",
                where="steady",
                allowed=f"at most {MOST_AT_ONCE} infusions at once",
            )

    def ends(self) -> tuple[Dose, ...]:
        """The dose and those still running when it starts, as doses from that instant on."""
        start, rest = self.dose.start_min, self.dose.duration_min
        found = [self.dose]
        while (rest := rest - self.interval_min) > 0:
            share = rest / self.dose.duration_min
            found.append(Dose(self.dose.amount_mg * share, self.dose.route, start, rest, self.dose.line))
        return tuple(found)

    def flag(self) -> Flag:
        """What is assumed of the past."""
        over = f" over {self.dose.duration_min:g} min" if self.dose.duration_min else ""
        return Flag(
            "steady-state",
            f"{self.dose.amount_mg:g} mg {self.dose.route}{over} every {self.interval_min / 60:g} h since ever, at"
            f" {self.dose.start_min:g} min: the steady state of a past without end, in closed form;"
            f" {'nothing else is in the body then' if self.resets else 'added to what is in the body then'}",
        )


def inputs(system: LinearSystem, pulse: Pulse, steady: SteadyDose) -> tuple[Jump, list[Pulse]]:
    """A steady dose as amounts put in at its instant, and inputs that follow.

    Parameters
    ----------
    system : LinearSystem
        With the depots that the dose needs.
    pulse : Pulse
        The dose itself as it enters the system, after its lag.
    steady : SteadyDose

    Returns
    -------
    Jump, list of Pulse

    Raises
    ------
    InputError
        If something never leaves the system: there is no steady state.

    Examples
    --------
    One compartment, 10 mg every 10 minutes at 0.1 /min: just after a dose 10 / (1 - 1/e) mg are in it.

    >>> body = LinearSystem(np.array([[[-0.1]]]), np.ones(1), np.ones((1, 1, 1)))
    >>> ten = Pulse(0, np.full(1, 10.0), np.zeros(1))
    >>> jump, later = inputs(body, ten, SteadyDose(Dose(10, "iv"), 10.0))
    >>> jump.amounts_mg.round(3).tolist(), later
    ([[15.82]], [])
    """
    at_min, every_min = steady.dose.start_min, steady.interval_min
    rows, states, _ = system.rates_per_min.shape
    # Doses that had begun by the instant: the latest of them since_min ago. Later ones are still in their lag.
    waiting = np.ceil(np.maximum(pulse.start_min - at_min, 0.0) / every_min)
    since_min = np.maximum(at_min - pulse.start_min + waiting * every_min, 0.0)
    later = [
        _waiting(pulse, place, waiting, every_min) for place in range(int(waiting.max())) if (waiting > place).any()
    ]
    running = np.zeros(rows)
    if pulse.duration_min is not None:
        running = np.ceil(np.maximum(pulse.duration_min - since_min, 0.0) / every_min)
        later += [
            _running(pulse, at_min, since_min + place * every_min, running > place)
            for place in range(int(running.max()))
        ]
    amounts = np.empty((rows, states))
    modal = system.modes.modal
    if modal.any():
        amounts[modal] = _by_modes(system, pulse, since_min, running, every_min)[modal]
    for row in np.flatnonzero(~modal).tolist():
        amounts[row] = _by_exponential(
            system.rates_per_min[row], pulse, row, float(since_min[row]), int(running[row]), every_min
        )
    if not np.isfinite(amounts).all():
        raise InputError("no steady state", where="steady", allowed="a model that everything leaves in the end")
    return Jump(at_min, amounts), later


def _waiting(pulse: Pulse, place: int, waiting: Array, every_min: float) -> Pulse:
    """The dose of ``place`` intervals ago, which has not begun in some rows."""
    amount_mg = np.where(waiting > place, pulse.amount_mg, 0.0)
    return Pulse(pulse.state, amount_mg, pulse.start_min - place * every_min, pulse.duration_min)


def _running(pulse: Pulse, at_min: float, since_min: Array, there: npt.NDArray[np.bool_]) -> Pulse:
    """What is left of one that began ``since_min`` ago in some rows."""
    duration_min = np.asarray(pulse.duration_min)
    left_min = np.where(there, duration_min - since_min, 1.0)
    amount_mg = np.where(there, pulse.amount_mg * left_min / duration_min, 0.0)
    return Pulse(pulse.state, amount_mg, np.full(len(there), at_min), left_min)


def _by_modes(system: LinearSystem, pulse: Pulse, since_min: Array, running: Array, every_min: float) -> Array:
    """Amounts (rows, states) of all that began ``since_min`` and whole intervals before."""
    decay = system.modes.decay_per_min
    entry = system.modes.inverse[:, :, pulse.state] * pulse.amount_mg[:, None]
    rest = -np.expm1(decay * every_min)
    if pulse.duration_min is None:
        kept = np.exp(decay * since_min[:, None]) / rest
    else:
        duration_min, running, since_min = pulse.duration_min[:, None], running[:, None], since_min[:, None]
        # Those that run, 1 to exp(a n) of a geometric series less n; then those that have ended.
        filling = np.exp(decay * since_min) * -np.expm1(decay * running * every_min) / rest - running
        ended = np.expm1(decay * duration_min) * np.exp(
            decay * (since_min + running * every_min - duration_min)
        ) / rest  # fmt: skip
        kept = (filling + ended) / (decay * duration_min)
    return np.asarray((system.modes.vectors @ (entry * kept)[..., None])[..., 0])


def _by_exponential(matrix: Array, pulse: Pulse, row: int, since_min: float, running: int, every_min: float) -> Array:
    """The same of one row, by the exponential of the system with its input as one more state."""
    states = len(matrix)
    whole = np.zeros((states + 1, states + 1))
    whole[:states, :states] = matrix
    unit = np.zeros(states)
    unit[pulse.state] = pulse.amount_mg[row]
    rest = np.eye(states) - exponential(matrix, np.array([every_min]))[0]
    if pulse.duration_min is None:
        return np.asarray(np.linalg.solve(rest, exponential(matrix, np.array([since_min]))[0] @ unit))
    duration_min = float(pulse.duration_min[row])
    whole[:states, states] = unit / duration_min
    filling_min = since_min + every_min * np.arange(running)
    filled = sum((exponential(whole, np.array([span]))[0][:states, states] for span in filling_min), np.zeros(states))
    full = exponential(whole, np.array([duration_min]))[0][:states, states]
    ago_min = since_min + running * every_min - duration_min
    return np.asarray(filled + np.linalg.solve(rest, exponential(matrix, np.array([ago_min]))[0] @ full))


@dataclass(frozen=True, slots=True)
class Epoch:
    """What is given between two resets.

    Attributes
    ----------
    end_min : float
        Infinite for the last.
    """

    start_min: float
    end_min: float
    doses: tuple[Dose, ...]
    steady: tuple[SteadyDose, ...]


def epochs(doses: Sequence[Dose], steady: Sequence[SteadyDose], resets_min: Iterable[float]) -> tuple[Epoch, ...]:
    """Cut what is given at every instant at which the body is emptied.

    Examples
    --------
    >>> cut = epochs([Dose(10, "iv"), Dose(20, "iv", 60)], [], [60.0])
    >>> [(part.start_min, part.end_min, [dose.amount_mg for dose in part.doses]) for part in cut]
    [(0.0, 60.0, [10]), (60.0, inf, [20])]
    """
    edges = sorted({0.0, *resets_min, *(item.dose.start_min for item in steady if item.resets)})
    return tuple(
        Epoch(
            start,
            end,
            tuple(dose for dose in doses if start <= dose.start_min < end),
            tuple(item for item in steady if start <= item.dose.start_min < end),
        )
        for start, end in zip(edges, [*edges[1:], np.inf], strict=True)
    )


def corners_of(steady: Sequence[SteadyDose], resets_min: Iterable[float]) -> tuple[float, ...]:
    """Where input changes besides where doses begin and end; what was there just before a reset is looked at too.

    Examples
    --------
    >>> corners_of([SteadyDose(Dose(60, "iv", 120, 60), 45.0, resets=False)], [])
    (120, 135.0, 180)
    """
    emptied = [*resets_min, *(item.dose.start_min for item in steady if item.resets)]
    changes = {edge for item in steady for dose in item.ends() for edge in (dose.start_min, dose.end_min)}
    before = {float(np.nextafter(at, 0.0)) for at in emptied if at > 0}
    return tuple(sorted({*changes, *emptied, *before}))
