"""What one model says happens to the typical patient and to each virtual patient."""

from __future__ import annotations

import functools
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from limen.errors import InputError
from limen.pharmacology import disposition, growing_clearance, population
from limen.pharmacology.absorption.intake import Intake
from limen.pharmacology.covariates.interactions import Modifiers
from limen.pharmacology.effects import effect_outputs, links
from limen.pharmacology.effects.catalogue import ceiling
from limen.pharmacology.even_times import EvenTimes
from limen.pharmacology.exposure import Measures, peaks
from limen.pharmacology.kinetics import Solution
from limen.pharmacology.models.schema import Model, Omega, Product
from limen.pharmacology.outcome import Flag
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose, Schedule
from limen.pharmacology.steady_state import Epoch, SteadyDose, epochs

if TYPE_CHECKING:
    from limen.pharmacology.populations.crowd import Cohort

Array = npt.NDArray[np.float64]

DAY_MIN = 1440.0
MAX_POINTS = 200_000
MAX_PATIENT_POINTS = 10_000_000
# With a coarse grid, points are added after each change of input so that a peak is not stepped over.
_COARSE_MIN = 2.5
_AFTER_CHANGE_MIN = np.array([0.5, 1, 2, 3, 5, 8, 12, 18, 25, 35, 50, 70, 100, 140, 200, 300])

# glibc hands memory back to the system above twice the largest block it ever freed, and the curves of one patient are
# about that: they would be paged in anew at each call, half of its time. 8 MB freed once make it keep them.
del (_freed := [np.empty(2**20)])[:]


@dataclass(frozen=True, slots=True)
class Grid:
    """The times asked for, among all times solved.

    Attributes
    ----------
    asked_min : array
        What the caller sees: 0, every, 2 every, ... and the end.
    solved_min : array
        ``asked_min`` with the times where input changes, so that no peak is stepped over.
    asked : array of int
        Where ``asked_min`` stand in ``solved_min``.
    corner : array of bool
        Which of ``solved_min`` are times where input starts, stops or changes.
    even : EvenTimes or None
        Which of ``solved_min`` go by equal steps.
    """

    asked_min: Array
    solved_min: Array
    asked: npt.NDArray[np.intp]
    corner: npt.NDArray[np.bool_]
    even: EvenTimes | None = None

    @property
    def end_min(self) -> float:
        return float(self.asked_min[-1])

    def shown(self, values: Array) -> Array:
        """The values at the times asked for, of values (..., solved times)."""
        return values if len(self.asked) == len(self.solved_min) else values.take(self.asked, axis=-1)

    @classmethod
    def of(cls, until_min: float, every_min: float, schedule: Schedule, corners_min: Sequence[float] = ()) -> Grid:
        """Times from 0 to ``until_min``; input changes as the schedule does, and at ``corners_min``.

        Raises
        ------
        InputError
            If a time is not over 0, or there would be more than 200,000 points.
        """
        for name, span_min in (("until", until_min), ("every", every_min)):
            if not math.isfinite(span_min) or span_min <= 0:
                raise InputError(f"{name} is {span_min:g} min", where=name, allowed="over 0")
        if until_min / every_min > MAX_POINTS:
            raise InputError(
                f"{until_min:g} min every {every_min:g} min is too many points",
                where="every",
                allowed=f"at most {MAX_POINTS} points",
            )
        corners = schedule.start_min.tolist()
        return _grid(until_min, every_min, tuple(sorted({*corners, *corners_min}) if corners_min else corners))


# A regimen is forecast again and again while it is being chosen; its times stay.
@functools.lru_cache(maxsize=8)
def _grid(until_min: float, every_min: float, corners: tuple[float, ...]) -> Grid:
    steps = math.floor(until_min / every_min + 1e-9)
    asked_min: Array = np.arange(steps + 1, dtype=np.float64) * every_min
    if until_min - asked_min[-1] > 1e-9 * until_min:
        asked_min = np.append(asked_min, until_min)
    asked_min[-1] = until_min
    corners_min = np.array([corner for corner in corners if corner <= until_min])
    extra_min = corners_min
    if every_min > _COARSE_MIN:
        extra_min = np.unique(np.append(corners_min, (corners_min[:, None] + _AFTER_CHANGE_MIN).ravel()))
        extra_min = extra_min[extra_min <= until_min]
    places = np.searchsorted(asked_min, extra_min)
    new = asked_min[places] != extra_min
    solved_min: Array = np.insert(asked_min, places[new], extra_min[new])
    asked = np.flatnonzero(np.insert(np.ones(len(asked_min), dtype=bool), places[new], False))
    corner = np.zeros(len(solved_min), dtype=bool)
    corner[np.searchsorted(solved_min, corners_min)] = True
    # The end is asked for even where no step meets it.
    regular = asked if steps + 1 == len(asked) and asked_min[-1] == steps * every_min else asked[:-1]
    even = EvenTimes.of(every_min, len(solved_min), regular)
    for shared in (asked_min, solved_min, asked, corner):
        shared.setflags(write=False)
    return Grid(asked_min, solved_min, asked, corner, even)


@dataclass(frozen=True, slots=True)
class Response:
    """Curves and measures of one model; row 0 is the typical patient, the others are virtual patients.

    Attributes
    ----------
    values : mapping of NAME to array (rows, solved times)
    measures : mapping of NAME to Measures
    unusable : array of bool (solved times)
        Where the model must not be believed (soon after a fast input).
    drive_ng_per_mL : mapping of NAME to float
        The highest typical concentration behind each effect.
    flags : tuple of Flag
        Limits met on the way.
    """

    model: Model
    values: Mapping[str, Array]
    measures: Mapping[str, Measures]
    unusable: npt.NDArray[np.bool_]
    drive_ng_per_mL: Mapping[str, float] = field(default_factory=dict)
    flags: tuple[Flag, ...] = ()


def name_of(analyte: str, matrix: str) -> str:
    """The contract's NAME of a concentration."""
    return f"{analyte}_{matrix}_ng_per_mL"


def respond(
    model: Model,
    doses: Sequence[Dose],
    product: Product,
    patient: PatientProfile,
    grid: Grid,
    schedule: Schedule,
    draws: Array,
    *,
    variability: Sequence[Omega],
    modifiers: Modifiers | None = None,
    metabolites: bool = True,
    withhold_unusable: bool = False,
    wanted_effects: Collection[str] | None = None,
    cohort: Cohort | None = None,
    steady: Sequence[SteadyDose] = (),
    resets_min: Sequence[float] = (),
) -> Response:
    """Solve one model.

    Parameters
    ----------
    draws : array (rows, population.COLUMNS)
        Standard normal draws; row 0 is all zeros, the typical patient, and stands alone where it is the only row.
    variability : sequence of Omega
        The covariance that turns draws into patients: the model's own, or another's by assumption.
    modifiers : Modifiers, optional
        What other drugs and failing organs do to this model.
    withhold_unusable : bool
        Leave the unusable times out of peaks and set them to NaN in the curves.
    wanted_effects : collection of NAME, optional
        Only these of ``effects.effect_names()``; all where not given.
    cohort : Cohort, optional
        Body, age and dose of each row, where they differ; ``patient`` is its row 0.
    steady : sequence of SteadyDose
        Doses at the steady state of themselves.
    resets_min : sequence of float
        Instants at which the body is emptied.
    """
    rows = len(draws)
    effects = population.log_effects(draws, variability) if rows > 1 else {}
    other = modifiers if modifiers is not None else Modifiers()
    ratios = other.parameter_ratios
    if rows == 1 and cohort is None and not ratios and not draws.any():
        arms = _typical_arms(_Same(model), product, patient, metabolites)
    else:
        body = patient if cohort is None else cohort
        arms = disposition.arms(
            model, product, body, effects, rows, links=links(draws), ratios=ratios, metabolites=metabolites
        )
    parts = epochs(doses, steady, resets_min)
    taken = [
        Intake(
            model, product, part.doses, schedule if len(parts) == 1 else Schedule.of(part.doses), patient, effects,
            draws, ratios, other.absorbed_ratio, cohort, part.steady,
        )
        for part in parts
    ]  # fmt: skip
    # Everything before the effects is linear: who gets more has that much more of all of it.
    given = 1.0 if cohort is None else cohort.dose_ratio[:, None, None]
    curves: dict[str, Array] = {}
    areas: dict[str, dict[float, Array]] = {}
    spans_min = sorted({span for span in (DAY_MIN, grid.end_min) if span <= grid.end_min})
    for arm in arms:
        solution = taken[0].into(arm)
        if len(parts) == 1:
            solved = solution.values(grid.solved_min, grid.even)
            auc_ng_h_per_mL = solution.auc(np.array(spans_min)) / 60.0
        else:
            solutions = [solution, *(intake.into(arm) for intake in taken[1:])]
            solved, auc_ng_h_per_mL = _in_parts(parts, solutions, grid.solved_min, np.array(spans_min))
        # Rounding can leave an empty body a hair under nothing, which the effects' powers cannot take.
        np.maximum(solved, 0.0, out=solved)
        if cohort is not None:
            solved *= given
            auc_ng_h_per_mL *= given
        for place, output in enumerate(arm.outputs):
            curves[output] = solved[:, place]
            areas[output] = {span: auc_ng_h_per_mL[:, place, at] for at, span in enumerate(spans_min)}
        if arm.grown is not None:
            if steady or len(parts) > 1:
                raise InputError(
                    f"{model.id}: the clearance of {arm.grown.analyte} grows with the time since the first dose, so"
                    " there is no steady state and no emptied body to start from",
                    where="records",
                    allowed="SS 0 and EVID 0 to 2, or another model",
                )
            first_min = min(dose.start_min for dose in doses)
            formed = growing_clearance.values(arm.grown, solution, grid.solved_min, first_min)
            ratio = np.ravel(given)
            curves[arm.grown.analyte] = np.maximum(formed, 0.0) * ratio[:, None]
            areas[arm.grown.analyte] = {
                span: growing_clearance.auc(arm.grown, solution, span, first_min) / 60.0 * ratio for span in spans_min
            }
    _add_sums(curves, areas)
    unusable = _unusable(model, [*doses, *(item.dose for item in steady)], grid.solved_min)
    believed = ~unusable if withhold_unusable else None
    of_effect = effect_outputs(curves, draws, wanted=wanted_effects, believed=believed)
    # Only the site of perception is shown as a concentration; the others are steps on the way to an effect.
    curves = {output: curve for output, curve in curves.items() if output.partition("@")[2] in {"", "effect"}}
    curves.update(of_effect.values)
    stack = np.empty((len(curves), rows, len(grid.solved_min)))
    for place, curve in enumerate(curves.values()):
        stack[place] = curve
    if withhold_unusable and unusable.any():
        stack[:, :, unusable] = np.nan
    heights, when_min = peaks(
        stack.reshape(-1, stack.shape[2]),
        grid.solved_min,
        grid.corner,
        np.repeat(ceiling(tuple(curves)), rows),
    )
    limits = tuple(dict.fromkeys(flag for intake in taken for flag in intake.limits()))
    values, measures = {}, {}
    for place, output in enumerate(curves):
        name = output if output in of_effect.values else _name(output, model.matrix)
        mine = slice(place * rows, (place + 1) * rows)
        area = areas.get(output, {})
        measures[name] = Measures(heights[mine], when_min[mine] / 60.0, area.get(DAY_MIN), area.get(grid.end_min))
        values[name] = stack[place]
    return Response(model, values, measures, unusable, of_effect.drive_ng_per_mL, limits)


def _in_parts(
    parts: Sequence[Epoch], solutions: Sequence[Solution], time_min: Array, spans_min: Array
) -> tuple[Array, Array]:
    """Values and areas of a body that is emptied between the parts."""
    shape = solutions[0].system.readout.shape[:2]
    values, area = np.zeros((*shape, len(time_min))), np.zeros((*shape, len(spans_min)))
    for part, solution in zip(parts, solutions, strict=True):
        here = (time_min >= part.start_min) & (time_min < part.end_min)
        if here.any():
            values[:, :, here] = solution.values(time_min[here])
            area += solution.auc(np.minimum(spans_min, part.end_min)) * (spans_min > part.start_min)
    return values, area / 60.0


@dataclass(frozen=True, slots=True, eq=False)
class _Same:
    """A model by which one it is, not by what it says."""

    model: Model

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.model is self.model

    def __hash__(self) -> int:
        return id(self.model)


# The typical patient's body is the same for every regimen tried on it.
@functools.lru_cache(maxsize=64)
def _typical_arms(
    same: _Same, product: Product, patient: PatientProfile, metabolites: bool
) -> tuple[disposition.DosedArm, ...]:
    nobody = np.zeros((1, len(population.COLUMNS)))
    return disposition.arms(same.model, product, patient, {}, 1, links=links(nobody), metabolites=metabolites)


def _add_sums(curves: dict[str, Array], areas: dict[str, dict[float, Array]]) -> None:
    """Add S + R where a model has both, in plasma and at the effect site."""
    for suffix in ("", "@effect"):
        left, right = f"S_ketamine{suffix}", f"R_ketamine{suffix}"
        if left in curves and right in curves:
            curves[f"ketamine{suffix}"] = curves[left] + curves[right]
            areas[f"ketamine{suffix}"] = {span: area + areas[right][span] for span, area in areas[left].items()}


def _name(output: str, matrix: str) -> str:
    analyte, _, site = output.partition("@")
    return name_of(analyte, "effect_site" if site else matrix)


def _unusable(model: Model, doses: Sequence[Dose], time_min: Array) -> npt.NDArray[np.bool_]:
    """Times within the model's window of the end of a bolus or of an infusion shorter than the window."""
    window_min = model.unusable_after_fast_input_min
    found = np.zeros(len(time_min), dtype=bool)
    if window_min is None:
        return found
    for dose in doses:
        if dose.route == "iv" and dose.amount_mg > 0 and dose.duration_min < window_min:
            found |= (time_min >= dose.start_min) & (time_min < dose.end_min + window_min)
    return found
