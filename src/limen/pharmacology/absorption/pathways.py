"""The ways by which a dose enters the body, and the inputs they make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from limen.errors import InputError
from limen.pharmacology.disposition import DosedArm, apart
from limen.pharmacology.kinetics import LinearSystem, Pulse
from limen.pharmacology.models.schema import Absorption, Way
from limen.pharmacology.regimen import Dose

Array = npt.NDArray[np.float64]

# Devices this close together belong to one session (project rule; the label asks for five minutes between them).
SESSION_GAP_MIN = 60.0


@dataclass(frozen=True, slots=True)
class Pathway:
    """One way of a dose into one state of the body: a share of the dose, a lag, an optional zero-order step, a chain.

    Attributes
    ----------
    entry : str
        The state it ends in: ``central``, or another state that the model names, such as ``liver``.
    fraction : array (rows,)
        Of the dose, what takes this way and survives it.
    zero_order_min : array (rows,) or None
        Duration of a zero-order step; ``None``: straight in, or over the dose's own duration for an infusion.
    rates_per_min : tuple of array (rows,)
        The first-order steps in order: one KA, or a chain of transit steps; empty for none.
    lag_min : array (rows,) or None
        Time before anything of the dose moves.

    Raises
    ------
    InputError
        If a share or a lag is negative, a duration or a rate is not over 0, or one is not finite.

    Examples
    --------
    Into muscle, all of it absorbed at 6 per hour by two patients:

    >>> Pathway("central", np.ones(2), rates_per_min=(np.full(2, 0.1),)).entry
    'central'
    """

    entry: str
    fraction: Array
    zero_order_min: Array | None = None
    rates_per_min: tuple[Array, ...] = ()
    lag_min: Array | None = None

    def __post_init__(self) -> None:
        at_least_0 = {"fraction": self.fraction, "lag_min": self.lag_min}
        over_0 = {"zero_order_min": self.zero_order_min}
        over_0 |= {f"rates_per_min[{place}]": rate for place, rate in enumerate(self.rates_per_min)}
        for named, lowest, words in ((at_least_0, 0.0, "0 or more"), (over_0, np.nextafter(0.0, 1.0), "over 0")):
            for name, values in named.items():
                if values is not None and not (np.isfinite(values).all() and (values >= lowest).all()):
                    raise InputError(f"{name} is not a usable number", where=f"pathway to {self.entry}", allowed=words)


def own_pathways(
    absorption: Absorption, values: Mapping[str, Array], dose: Dose, devices_before: int, assumed: Sequence[Pathway]
) -> list[Pathway]:
    """The ways that a model gives this dose.

    Parameters
    ----------
    values : mapping of name to array (rows,)
        The numbers of the absorption for these patients (``patient_values.patient_values``), steps as rates.
    devices_before : int
        Devices already used in the session.
    assumed : sequence of Pathway
        The stated ranges of the route, for a way whose speed was not read.

    Raises
    ------
    InputError
        If the dose is not a whole number of devices.
    """
    numbers = dict(values)
    if absorption.device_mg is not None:
        devices = devices_of(dose, absorption.device_mg)
        later = sum(place > 0 for place in range(devices_before, devices_before + devices)) / devices
        for fraction, ratio in absorption.later_devices.items():
            numbers[fraction] = numbers[fraction] * (1.0 - later + later * numbers[ratio])
    return [_pathway(way, numbers, assumed) for way in absorption.ways]


def _pathway(way: Way, values: Mapping[str, Array], assumed: Sequence[Pathway]) -> Pathway:
    fraction = np.ones(len(next(iter(values.values()))))
    for name in way.fraction:
        fraction = fraction * values[name]
    if way.remainder_of is not None:
        fraction = fraction * (1.0 - values[way.remainder_of])
    if way.speed == "assumed":
        (stated,) = assumed
        return replace(stated, fraction=fraction)
    return Pathway(
        way.into,
        fraction,
        None if way.zero_order is None else values[way.zero_order],
        tuple(values[name] for name in way.steps),
        None if way.lag is None else values[way.lag],
    )


def devices_of(dose: Dose, device_mg: float) -> int:
    """How many devices a dose is.

    Examples
    --------
    >>> devices_of(Dose(84, "in"), 28)
    3
    """
    devices = round(dose.amount_mg / device_mg)
    if devices < 1 or abs(dose.amount_mg - devices * device_mg) > 1e-6 * device_mg:
        raise InputError(
            f"{dose.amount_mg:g} mg is not a whole number of {device_mg:g}-mg devices",
            where="dose",
            allowed=", ".join(f"{n * device_mg:g}" for n in (1, 2, 3)) + " mg, or more devices",
        )
    return devices


def devices_before(doses: Sequence[Dose], device_mg: float) -> list[int]:
    """For each dose of a route, the devices already used in its session.

    Examples
    --------
    >>> devices_before([Dose(28, "in"), Dose(56, "in", 5), Dose(28, "in", 4320)], 28)
    [0, 1, 0]
    """
    order = sorted(range(len(doses)), key=lambda place: doses[place].start_min)
    found = [0] * len(doses)
    used, last_min = 0, -np.inf
    for place in order:
        dose = doses[place]
        if dose.start_min - last_min > SESSION_GAP_MIN:
            used = 0
        found[place] = used
        used += devices_of(dose, device_mg)
        last_min = dose.start_min
    return found


def enter(arm: DosedArm, entries: Iterable[tuple[Dose, Pathway]]) -> tuple[LinearSystem, list[Pulse]]:
    """The arm's system with the depots that these doses need, and the doses as inputs to it.

    Doses that share a chain of steps share its depots. A way into a state that the arm does not have (a metabolite
    that was not asked for) is left out.

    Parameters
    ----------
    entries : iterable of (Dose, Pathway)

    Raises
    ------
    InputError
        If a dose with a duration goes by a way that has its own.
    """
    chains: dict[tuple[object, ...], tuple[int, tuple[Array, ...]]] = {}
    firsts: dict[tuple[object, ...], int] = {}
    size = len(arm.states)
    found = []
    for dose, way in entries:
        if way.entry not in arm.states:
            continue
        key = (way.entry, *(id(rate) for rate in way.rates_per_min))
        if key not in firsts:
            firsts[key] = size if way.rates_per_min else arm.states.index(way.entry)
            if way.rates_per_min:
                chains[key] = (arm.states.index(way.entry), way.rates_per_min)
                size += len(way.rates_per_min)
        found.append(_pulse(dose, way, firsts[key], arm.dose_fraction))
    return (_with_depots(arm.system, list(chains.values()), size) if chains else arm.system), found


def _pulse(dose: Dose, way: Pathway, state: int, dose_fraction: float) -> Pulse:
    duration_min = way.zero_order_min
    if dose.duration_min > 0:
        if duration_min is not None:
            raise InputError(
                f"{dose.amount_mg:g} mg {dose.route} over {dose.duration_min:g} min",
                where="dose",
                allowed="no 'over'",
                hint="The model's own absorption by this route has a duration",
            )
        duration_min = np.full(len(way.fraction), dose.duration_min)
    start_min = np.full(len(way.fraction), dose.start_min)
    if way.lag_min is not None:
        start_min = start_min + way.lag_min
    return Pulse(state, dose.amount_mg * dose_fraction * way.fraction, start_min, duration_min)


def _with_depots(system: LinearSystem, chains: Sequence[tuple[int, tuple[Array, ...]]], size: int) -> LinearSystem:
    rows, states, _ = system.rates_per_min.shape
    rates = np.zeros((rows, size, size))
    rates[:, :states, :states] = system.rates_per_min
    place = states
    for entry, steps in chains:
        for step, rate_per_min in enumerate(apart(steps), start=1):
            rates[:, place, place] -= rate_per_min
            rates[:, place + 1 if step < len(steps) else entry, place] += rate_per_min
            place += 1
    readout = np.zeros((rows, system.readout.shape[1], size))
    readout[:, :, :states] = system.readout
    return LinearSystem(rates, np.append(system.entry, np.zeros(size - states)), readout)
