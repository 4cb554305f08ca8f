"""Several published models at once: their mean, how far they differ, and how far patients differ."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from limen.errors import InputError
from limen.pharmacology import flags
from limen.pharmacology.domain import domain_of
from limen.pharmacology.effects import effect_flags
from limen.pharmacology.effects.catalogue import ceiling
from limen.pharmacology.ensemble import ensemble
from limen.pharmacology.exposure import MEASURES, Curve, Measures, peaks, unit_of
from limen.pharmacology.members import Solved, solve
from limen.pharmacology.outcome import Disagreement, Flag, Forecast, Member, Summary
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.pooling import total_variance
from limen.pharmacology.recovery import Leaving, Recovery, ready_to_leave
from limen.pharmacology.regimen import Dose
from limen.pharmacology.response import Array, Response
from limen.pharmacology.simulate import cited, is_lumped
from limen.pharmacology.withholding import withhold

if TYPE_CHECKING:
    from limen.pharmacology.populations.crowd import Crowd

# The measures on which the members' disagreement is told.
_DISAGREE = ("cmax", "auc_0_end_ng_h_per_mL")


def forecast(
    doses: Sequence[Dose],
    patient: PatientProfile,
    product: str = "racemic",
    until_min: float = 240.0,
    every_min: float = 1.0,
    n: int = 0,
    rng: np.random.Generator | None = None,
    *,
    perpetrators: Sequence[str] = (),
    setting: str | None = None,
    member_weight: Mapping[str, float] | None = None,
    leaving: Leaving | None = None,
    wanted_effects: Collection[str] | None = None,
    people: Crowd | None = None,
) -> Forecast:
    """What the ensemble of published models says will happen.

    Parameters
    ----------
    doses : sequence of Dose
    patient : PatientProfile
        The age chooses the panel of models; where it is missing, that of adults.
    product : str
        ``racemic``, ``s-ketamine`` or ``esketamine-nasal``, where a panel of models is on file.
    until_min, every_min : float
        Horizon and step of the curves.
    n : int
        Virtual patients of each member. Patient i has the same draws in every member.
    rng : numpy.random.Generator, optional
        Needed for a population.
    perpetrators : sequence of str
        Drugs taken too.
    setting : str, optional
        Where the patient is treated (``clinic``, ``intensive-care``, ...): some models sit only in their own setting.
    member_weight : mapping of model id to weight, optional
        What members count instead of their own weight; 0 shows a member without counting it.
    leaving : Leaving, optional
        Criteria and minimum stay, for the time at which patients are ready to leave.
    wanted_effects : collection of NAME, optional
        Only these effects beside the concentrations; all where not given.
    people : Crowd, optional
        Virtual patients with bodies and ages of their own; the typical patient stays the one given.

    Returns
    -------
    Forecast
        For each output: ``typical`` is the weighted mean of the members' typical patients; ``between_models`` is the
        least and greatest of them; ``between_patients`` holds percentiles over the virtual patients of all members
        together; ``patients_alone`` is the weighted mean of the members' own percentiles, which leaves out what is
        between models. A member that must not be believed at some time is left out at that time.

    Raises
    ------
    InputError
        As ``simulate.simulate``; a product or route that no panel covers; a weight that cannot be.

    Examples
    --------
    >>> dose = Dose(35, "iv", 0, 40)
    >>> result = forecast([dose], PatientProfile(age_years=42, weight_kg=70), until_min=120)
    >>> low, high = result.outputs["ketamine_plasma_ng_per_mL"].between_models
    >>> [round(float(edge[40])) for edge in (low, high)]
    [125, 298]
    """
    return combined(
        solve(
            doses,
            patient,
            product,
            until_min,
            every_min,
            n,
            rng,
            perpetrators=perpetrators,
            setting=setting,
            member_weight=member_weight,
            wanted_effects=wanted_effects,
            people=people,
        ),
        perpetrators,
        leaving,
    )


def combined(solved: Solved, perpetrators: Sequence[str] = (), leaving: Leaving | None = None) -> Forecast:
    """One forecast of the members' answers."""
    grid = solved.grid
    shared = solved.shared()
    outputs, summary, disagreement = {}, {}, {}
    for name, names in shared.items():
        found = solved.typical(name)
        together, alone = solved.spreads(name) if solved.n else (None, None)
        between = None if solved.alone else (grid.shown(found.low), grid.shown(found.high))
        outputs[name] = Curve(grid.shown(found.mean), together, between, alone)
        summary[name] = summary_of(solved, name)
        if not solved.alone:
            disagreement[name] = _disagreement(solved, name, names)
    recovery = None if leaving is None else recovery_of(solved, leaving)
    return withhold(
        Forecast(
            "ensemble",
            solved.product,
            grid.asked_min / 60.0,
            outputs,
            summary,
            (*flags_of(solved), *(() if recovery is None else recovery.flags())),
            cited([seat.model for seat in solved.seats], solved.more_sources),
            patients=solved.n,
            members=_members(solved, shared),
            panel=solved.panel.id,
            disagreement=disagreement,
            left_out=_left_out(solved),
            recovery=recovery,
        )
    )


def recovery_of(solved: Solved, leaving: Leaving) -> Recovery:
    """When the typical patient, each member's and the virtual patients are ready to leave."""
    shared = solved.shared()
    for item in leaving.criteria:
        if item.output not in shared:
            raise InputError(f"{item.output} is not forecast", where="leaving", allowed=", ".join(shared))
    wanted = {item.output: shared[item.output] for item in leaving.criteria}
    counted = solved.weights > 0
    given = [dose for dose in solved.doses if dose.amount_mg > 0]
    return ready_to_leave(
        solved.grid.solved_min,
        {name: solved.typical(name).mean for name in wanted},
        {
            name: np.concatenate(
                [
                    response.values[mine][1:]
                    for mine, response, counts in zip(names, solved.responses, counted, strict=True)
                    if counts
                ]
            )
            for name, names in wanted.items()
        }
        if solved.n
        else None,
        leaving,
        dose_start_min=min((dose.start_min for dose in given), default=0.0),
        dose_end_min=max((dose.end_min for dose in given), default=0.0),
        members={
            seat.model.id: {name: response.values[names[place]][0] for name, names in wanted.items()}
            for place, (seat, response) in enumerate(zip(solved.seats, solved.responses, strict=True))
            if seat.weight > 0 and not solved.alone
        },
        patient_weights=np.repeat(solved.weights[counted], solved.n),
    )


def summary_of(solved: Solved, name: str) -> Summary:
    """Peak, time and area of one output."""
    grid, typical = solved.grid, solved.typical(name).mean
    counted = solved.weights > 0
    weights = solved.weights[counted]
    each = [
        response.measures[mine] for (mine, response), counts in zip(solved.named(name), counted, strict=True) if counts
    ]
    of_members = _together([measures.rows(slice(0, 1)) for measures in each])
    height, when_min = peaks(typical[None, :], grid.solved_min, grid.corner, ceiling((name,)))

    def mean(area: Array | None) -> Array | None:
        return None if area is None else np.atleast_1d(weights @ area / weights.sum())

    whole = Measures(
        height, when_min / 60.0, mean(of_members.auc_0_24_ng_h_per_mL), mean(of_members.auc_0_end_ng_h_per_mL)
    )
    shown = None if solved.alone else of_members
    if not solved.n:
        return Summary(whole, None, shown)
    patients = _together([measures.rows(slice(1, None)) for measures in each])
    equal = np.ptp(weights) <= 1e-12
    return Summary(whole, patients, shown, None if equal else np.repeat(weights, solved.n))


def _together(parts: Sequence[Measures]) -> Measures:
    """The measures of several members as one; NaN is the peak of a member that is nowhere to be believed."""

    def join(name: str) -> Array | None:
        columns = [getattr(part, name) for part in parts]
        return None if columns[0] is None else np.concatenate(columns)

    return Measures(
        np.concatenate([part.peak for part in parts]),
        np.concatenate([part.tmax_h for part in parts]),
        join("auc_0_24_ng_h_per_mL"),
        join("auc_0_end_ng_h_per_mL"),
    )


def _disagreement(solved: Solved, name: str, names: Sequence[str]) -> dict[str, Disagreement]:
    """The lowest and highest member of each measure, and how much of the patients' variance is between members."""
    found = {}
    for measure in _DISAGREE:
        columns = [
            getattr(response.measures[mine], MEASURES[measure])
            for mine, response in zip(names, solved.responses, strict=True)
        ]
        if any(column is None for column in columns):
            continue
        typical = np.array([column[0] for column in columns])
        told = np.flatnonzero((solved.weights > 0) & ~np.isnan(typical))
        if not len(told):
            continue
        low, high = told[np.argmin(typical[told])], told[np.argmax(typical[told])]
        share = None
        if solved.n:
            between, within = total_variance([column[1:] for column in columns], solved.weights)
            share = between / (between + within) if between + within > 0 else None
        found[measure] = Disagreement(
            float(typical[low]),
            solved.seats[low].model.id,
            float(typical[high]),
            solved.seats[high].model.id,
            unit_of(name) if measure == "cmax" else "ng h/mL",
            share,
        )
    return found


def _members(solved: Solved, shared: Mapping[str, Sequence[str]]) -> tuple[Member, ...]:
    return tuple(
        Member(
            seat.model.id,
            seat.model.matrix,
            seat.weight,
            bool(seat.model.variability),
            {names[place]: solved.grid.shown(response.values[names[place]][0]) for names in shared.values()},
            seat.rule.why,
            domain_of(seat.model, solved.patient),
        )
        for place, (seat, response) in enumerate(zip(solved.seats, solved.responses, strict=True))
    )


def _left_out(solved: Solved) -> dict[str, str]:
    seated = {seat.model.id for seat in solved.seats}
    told = {rule.model: rule.why for rule in solved.panel.members if rule.model not in seated}
    return told | {entry.model: entry.why for entry in solved.panel.left_out}


def flags_of(solved: Solved) -> list[Flag]:
    """What a reader of the members' answers must be told."""
    used = [seat.model for seat in solved.seats]
    found = [
        *flags.of_regimen(solved.doses, solved.grid.end_min),
        *_of_panel(solved),
        *(_of_borrowed(solved) if solved.borrowed and solved.n else []),
        *solved.told,
        *(
            flag
            for model in used
            for flag in flags.of_model(model, solved.product, solved.patient, solved.doses, metabolites=len(used) == 1)
        ),
        *(flag for model in used for flag in flags.of_occasions(model, solved.doses, solved.n)),
        *flags.of_patient(solved.patient),
        *effect_flags(
            solved.product,
            any(is_lumped(model) for model in used),
            solved.n,
            _drives(solved.responses),
            {model.matrix for model in used},
        ),
    ]
    # What holds for a route or a patient is said once, not once a member.
    return list(dict.fromkeys(found))


def _drives(responses: Sequence[Response]) -> dict[str, float]:
    """The concentration behind each effect, the mean of the members that may be believed."""
    found = {}
    for name in responses[0].drive_ng_per_mL:
        drives_ng_per_mL = [response.drive_ng_per_mL[name] for response in responses]
        known = [drive for drive in drives_ng_per_mL if not math.isnan(drive)]
        found[name] = sum(known) / len(known) if known else math.nan
    return found


def _of_borrowed(solved: Solved) -> list[Flag]:
    """Name the members that borrow their spread."""
    rule = ensemble().lent(solved.panel)
    return [
        Flag(
            "assumed-variability",
            f"{', '.join(model.id for model in solved.borrowed)}: published no spread between patients; that of"
            f" {rule.of} ({', '.join(rule.effects)}) is applied, an assumption of this project [{rule.verification}]",
        )
    ]


def _of_panel(solved: Solved) -> list[Flag]:
    """What is to be said of the members together."""
    counted = [seat for seat in solved.seats if seat.weight > 0]
    if len(counted) == 1:
        return [
            Flag(
                "single-model",
                f"One model alone, {counted[0].model.id}: what another model would say, and so how far models differ,"
                " is not known",
            )
        ]
    by_matrix: dict[str, list[str]] = {}
    for seat in counted:
        by_matrix.setdefault(seat.model.matrix, []).append(seat.model.id)
    mixed = "; ".join(f"{matrix}: {', '.join(ids)}" for matrix, ids in by_matrix.items())
    found = []
    if len(by_matrix) > 1:
        found.append(Flag("mixed-matrix", f"The members' concentrations are not of one kind of blood: {mixed}"))
    weighting = ensemble().weighting
    if all(abs(seat.weight - counted[0].weight) < 1e-12 for seat in solved.seats):
        words = f"Each of the {len(counted)} members counts the same [{weighting.verification}]: {weighting.note}"
        return [*found, Flag("equal-weights", words)]
    each = ", ".join(f"{seat.model.id} {seat.weight:.3g}" for seat in solved.seats)
    return [*found, Flag("unequal-weights", f"The members do not count the same: {each}; a choice, not a finding [P]")]
