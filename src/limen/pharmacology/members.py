"""The members of an ensemble, each solved for the same doses and the same virtual patients."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from limen.errors import InputError
from limen.pharmacology.ensemble import Panel, Seat, ensemble
from limen.pharmacology.exposure import Percentiles
from limen.pharmacology.models.schema import Model, Omega, Product
from limen.pharmacology.outcome import Flag
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.pooling import Pooled, across, merged, pooled_percentiles, ranked, ranked_percentiles
from limen.pharmacology.regimen import Dose, Schedule
from limen.pharmacology.response import Array, Grid, Response, respond
from limen.pharmacology.simulate import check_product, draw_people, modifiers_under, variability_of

if TYPE_CHECKING:
    from limen.pharmacology.populations.crowd import Crowd


@dataclass(frozen=True)
class Solved:
    """What a forecast is made of.

    Attributes
    ----------
    responses : tuple of Response
        One of each seat; row 0 is the typical patient, row i the same virtual patient i in every member.
    borrowed : tuple of Model
        Members that were lent their spread between patients.
    told : tuple of Flag
        What is to be said of the other drugs taken and of failing organs.
    more_sources : tuple of str
        Source keys behind that.
    """

    panel: Panel
    product: Product
    doses: tuple[Dose, ...]
    patient: PatientProfile
    grid: Grid
    seats: tuple[Seat, ...]
    responses: tuple[Response, ...]
    borrowed: tuple[Model, ...]
    told: tuple[Flag, ...]
    more_sources: tuple[str, ...]
    n: int

    @property
    def weights(self) -> Array:
        """What each member counts (members,); they sum to 1."""
        return np.array([seat.weight for seat in self.seats])

    @property
    def alone(self) -> bool:
        """Whether one member counts and no other: how far models differ is then not known, and not nothing."""
        return int((self.weights > 0).sum()) == 1

    @property
    def usable(self) -> npt.NDArray[np.bool_]:
        """Where each member may be believed (members, solved times)."""
        return ~np.stack([response.unusable for response in self.responses])

    def shared(self) -> Mapping[str, tuple[str, ...]]:
        """The outputs that every member has: the ensemble's NAME, and what each member calls it.

        A member's blood is arterial, venous or not told; the ensemble's is called plasma.
        """
        return self._shared

    @functools.cached_property
    def _shared(self) -> dict[str, tuple[str, ...]]:
        fewest = min(self.responses, key=lambda response: len(response.values))
        found = {}
        for name in fewest.values:
            common = _called(name, fewest.model.matrix, "plasma")
            names = tuple(_called(common, "plasma", response.model.matrix) for response in self.responses)
            if all(mine in response.values for mine, response in zip(names, self.responses, strict=True)):
                found[common] = names
        return found

    def named(self, name: str) -> list[tuple[str, Response]]:
        """Each member's response with what it calls this output."""
        return list(zip(self.shared()[name], self.responses, strict=True))

    def typical(self, name: str) -> Pooled:
        """The members' typical patients side by side, at the solved times."""
        return across(
            np.stack([response.values[mine][0] for mine, response in self.named(name)]), self.weights, self.usable
        )

    def patients(self, name: str) -> list[Array]:
        """Each member's virtual patients at the times asked for (patients, times)."""
        return [self.grid.shown(response.values[mine][1:]) for mine, response in self.named(name)]

    def spreads(self, name: str) -> tuple[Percentiles, Percentiles]:
        """Percentiles over the patients of all members together, and the weighted mean of the members' own.

        At each time asked for, of the members that may be believed then.
        """
        usable = self.usable[:, self.grid.asked]
        if not np.ptp(self.weights) <= 1e-12 or not usable.all():
            return self.pooled(name), self._mean_of([Percentiles.over(part) for part in self.patients(name)])
        columns = [ranked(part) for part in self.patients(name)]
        return ranked_percentiles(merged(columns)), self._mean_of([ranked_percentiles(part) for part in columns])

    def _mean_of(self, each: Sequence[Percentiles]) -> Percentiles:
        usable = self.usable[:, self.grid.asked]
        return Percentiles(
            *(
                across(np.stack([getattr(found, level) for found in each]), self.weights, usable).mean
                for level in ("p05", "p50", "p95")
            )
        )

    def pooled(self, name: str) -> Percentiles:
        """Percentiles over the patients of the members that may be believed at each time asked for."""
        patients = self.patients(name)
        counted = self.usable[:, self.grid.asked] & (self.weights[:, None] > 0)
        times = counted.shape[1]
        out = Percentiles(np.full(times, np.nan), np.full(times, np.nan), np.full(times, np.nan))
        for pattern in np.unique(counted, axis=1).T:
            if not pattern.any():
                continue
            here = np.flatnonzero((counted == pattern[:, None]).all(axis=0))
            whole = len(here) == times
            kept = [values for values, believed in zip(patients, pattern, strict=True) if believed]
            found = pooled_percentiles([values if whole else values[:, here] for values in kept], self.weights[pattern])
            for level in ("p05", "p50", "p95"):
                getattr(out, level)[here] = getattr(found, level)
        return out


def _called(name: str, matrix: str, other: str) -> str:
    ending = f"_{matrix}_ng_per_mL"
    return f"{name.removesuffix(ending)}_{other}_ng_per_mL" if name.endswith(ending) else name


def solve(
    doses: Sequence[Dose],
    patient: PatientProfile,
    product: str,
    until_min: float,
    every_min: float = 1.0,
    n: int = 0,
    rng: np.random.Generator | None = None,
    *,
    perpetrators: Sequence[str] = (),
    setting: str | None = None,
    member_weight: Mapping[str, float] | None = None,
    wanted_effects: Collection[str] | None = None,
    people: Crowd | None = None,
) -> Solved:
    """Solve every member of the panel for this product, these routes and this patient.

    Parameters
    ----------
    doses : sequence of Dose
    patient : PatientProfile
    product : str
        ``racemic``, ``s-ketamine`` or ``esketamine-nasal``; never converted.
    until_min, every_min : float
        Horizon and step of the curves.
    n : int
        Virtual patients of each member.
    rng : numpy.random.Generator, optional
        Needed for a population.
    perpetrators : sequence of str
        Drugs taken too.
    setting : str, optional
        Where the patient is treated; some models sit only in their own.
    member_weight : mapping of model id to weight, optional
        What members count instead of their own weight.
    wanted_effects : collection of NAME, optional
        Only these effects beside the concentrations; all where not given.
    people : Crowd, optional
        Virtual patients with bodies and ages of their own; the panel is that of the patient given.

    Raises
    ------
    InputError
        As ``simulate.simulate``; a product or route that no panel covers; a weight that cannot be.

    Examples
    --------
    >>> found = solve([Dose(35, "iv", 0, 40)], PatientProfile(age_years=42, weight_kg=70), "racemic", 120)
    >>> [response.values[names[0]].shape for response, names in zip(found.responses, found.shared().values())][0]
    (1, 121)
    """
    if not doses:
        raise InputError("no dose", where="dose", allowed="one or more")
    panel = ensemble().panel(product, tuple(dict.fromkeys(dose.route for dose in doses)), patient.age_years, setting)
    seats = panel.seats(setting, member_weight)
    schedule = Schedule.of(doses)
    grid = Grid.of(until_min, every_min, schedule)
    draws, cohort, told = draw_people(
        n, rng, len(grid.asked_min) * len(seats), patient, people, [seat.model for seat in seats]
    )
    responses, borrowed = [], []
    more: list[str] = []
    for seat in seats:
        variability, assumed = seat_variability(panel, seat)
        if assumed:
            borrowed.append(seat.model)
        checked = check_product(product, seat.model.products, seat.model.id)
        changed = modifiers_under(perpetrators, seat.model, checked, doses, patient)
        told += changed.flags
        more += changed.sources
        responses.append(
            respond(
                seat.model,
                doses,
                checked,
                patient,
                grid,
                schedule,
                draws,
                variability=variability,
                modifiers=changed,
                metabolites=len(seats) == 1,
                withhold_unusable=True,
                wanted_effects=wanted_effects,
                cohort=cohort,
            )
        )
    return Solved(
        panel,
        panel.product,
        tuple(doses),
        patient,
        grid,
        seats,
        tuple(responses),
        tuple(borrowed),
        tuple(dict.fromkeys((*told, *(flag for response in responses for flag in response.flags)))),
        tuple(dict.fromkeys(more)),
        n,
    )


def seat_variability(panel: Panel, seat: Seat) -> tuple[tuple[Omega, ...], bool]:
    """A member's own covariance, or the panel's loan and True."""
    variability, assumed = variability_of(seat.model)
    return (ensemble().lent(panel).blocks(), True) if assumed else (variability, False)
