"""The members of a posterior, solved for the same virtual patients and named alike."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from limen.pharmacology.covariates.interactions import Modifiers
from limen.pharmacology.effects import effects
from limen.pharmacology.individual.observations import READY_OUTPUT, Observation
from limen.pharmacology.models.schema import Model, Omega
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.recovery import default_criteria, settled
from limen.pharmacology.regimen import Dose, Schedule, parse_dose, resolve
from limen.pharmacology.response import Grid, Response, name_of, respond
from limen.pharmacology.simulate import check_product, check_routes, modifiers_under, variability_of

Array = npt.NDArray[np.float64]

# How long an earlier session is followed after its last dose.
_LONGEST_STAY_MIN = 360.0
# Effects that somebody at the chair can see.
OBSERVED_EFFECTS = ("sbp_change_mmHg", "hr_change_per_min", "dissociation_pct", "unresponsive_pct")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One member, and what it counts before anything was seen.

    Attributes
    ----------
    lent : tuple of Omega
        The spread between patients of a model that published none; empty for the project's default.
    """

    model: Model
    weight: float
    lent: tuple[Omega, ...] = ()

    @property
    def variability(self) -> tuple[Omega, ...]:
        """What its patients are drawn from."""
        own, borrowed = variability_of(self.model)
        return self.lent if borrowed and self.lent else own

    @property
    def borrows(self) -> bool:
        """Whether its spread is another model's."""
        return not self.model.variability


# Of one earlier session: the NAME of each output -> its peak in each sample; and when each was ready to leave (min).
Peaks = Mapping[str, Array]


class Stack:
    """Arrays of all members under one name, NaN for members that do not have it."""

    def __init__(self, members: int, n: int) -> None:
        self.found: dict[str, Array] = {}
        self._members, self._n = members, n

    def put(self, name: str, place: int, values: Array) -> None:
        """The values of one member, (n, ...)."""
        if name not in self.found:
            # One time after the other in memory: an observation reads all samples at one time.
            self.found[name] = np.full((*values.shape[1:], self._members * self._n), np.nan).T
        self.found[name][place * self._n : (place + 1) * self._n] = values


def solve_member(
    candidate: Candidate,
    doses: Sequence[Dose],
    patient: PatientProfile,
    product: str,
    grid: Grid,
    draws: Array,
    perpetrators: Sequence[str],
    wanted_effects: Collection[str],
) -> tuple[Response, Modifiers]:
    """One member's virtual patients; row 0 is the typical one."""
    model = candidate.model
    checked = check_product(product, model.products, model.id)
    check_routes(model, checked, doses, patient)
    changed = modifiers_under(perpetrators, model, checked, doses, patient)
    response = respond(
        model,
        doses,
        checked,
        patient,
        grid,
        Schedule.of(doses),
        np.concatenate([np.zeros((1, draws.shape[1])), draws]),
        variability=candidate.variability,
        modifiers=changed,
        withhold_unusable=True,
        wanted_effects=wanted_effects,
    )
    return response, changed


def earlier_peaks(
    session: Sequence[str],
    candidates: Sequence[Candidate],
    patient: PatientProfile,
    product: str,
    draws: Array,
    perpetrators: Sequence[str],
    wanted_effects: Collection[str],
) -> Peaks:
    """Peaks and time of being ready in another session."""
    doses = [resolve(parse_dose(text, where="observations.dose"), patient.weight_kg) for text in session]
    end_min = max(dose.end_min for dose in doses)
    grid = Grid.of(end_min + _LONGEST_STAY_MIN, 5.0, Schedule.of(doses))
    found = Stack(len(candidates), len(draws))
    criteria = default_criteria(product)
    for place, candidate in enumerate(candidates):
        response, _ = solve_member(candidate, doses, patient, product, grid, draws, perpetrators, wanted_effects)
        curves = canonical(response.values, candidate.model, product)
        heights = {name: measures.peak for name, measures in response.measures.items()}
        for name, peak in canonical(heights, candidate.model, product).items():
            found.put(name, place, peak[1:])
        if all(item.output in curves for item in criteria):
            ready_min = np.max(
                [settled(curves[item.output], grid.solved_min, np.array(item.limit), end_min) for item in criteria],
                axis=0,
            )
            found.put(READY_OUTPUT, place, np.minimum(ready_min[1:], grid.end_min))
    return found.found


def output_of(observation: Observation) -> str:
    """The NAME of an observation's prediction among curves that are the same for all members."""
    return observation.output if observation.analyte is None else name_of(observation.analyte, "plasma")


def canonical(values: Mapping[str, Array], model: Model, product: str) -> dict[str, Array]:
    """The outputs under names that all members share, with S and the sum where one follows from the other."""
    ending = f"_{model.matrix}_ng_per_mL"
    found = {
        name_of(name.removesuffix(ending), "plasma") if name.endswith(ending) else name: curve
        for name, curve in values.items()
    }
    for place in ("plasma", "effect_site"):
        whole, left = name_of("ketamine", place), name_of("S_ketamine", place)
        if product == "racemic" and whole in found and left not in found:
            found[left] = found[whole] * effects().racemic_s_share.value
        if product != "racemic" and left in found and whole not in found:
            found[whole] = found[left]
    return found
