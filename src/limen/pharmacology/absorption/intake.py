"""What is given, by whatever route, as the input to one model's systems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from limen.pharmacology.absorption.assumed import assumed_pathways
from limen.pharmacology.absorption.pathways import Pathway, devices_before, enter, own_pathways
from limen.pharmacology.disposition import DosedArm, arms
from limen.pharmacology.kinetics import Solution
from limen.pharmacology.models.schema import Absorption, Model, Product, Route
from limen.pharmacology.models.values import TIMES
from limen.pharmacology.outcome import Flag
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.patient_values import patient_values
from limen.pharmacology.regimen import Dose, Schedule
from limen.pharmacology.steady_state import SteadyDose, inputs

if TYPE_CHECKING:
    from limen.pharmacology.populations.crowd import Cohort

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Intake:
    """The doses of one forecast.

    Attributes
    ----------
    schedule : Schedule
        All doses as they are given: where every one is intravenous it is the input itself.
    effects : mapping of effect name to array (rows,)
    draws : array (rows, population.COLUMNS)
    ratios : mapping of parameter to ratio
        As for ``disposition.arms``; ``FGUT`` is the share that survives the gut wall.
    absorbed_ratio : mapping of route to ratio
        On the share of a dose that arrives.
    cohort : Cohort or None
        Where rows differ in body and age; ``patient`` is its row 0.
    steady : sequence of SteadyDose
        Doses at the steady state of themselves.
    """

    model: Model
    product: Product
    doses: Sequence[Dose]
    schedule: Schedule
    patient: PatientProfile
    effects: Mapping[str, Array]
    draws: Array
    ratios: Mapping[str, Array | float]
    absorbed_ratio: Mapping[str, float] = field(default_factory=dict)
    cohort: Cohort | None = None
    steady: Sequence[SteadyDose] = ()
    _shares: dict[str, float] = field(default_factory=dict, init=False)

    def into(self, arm: DosedArm) -> Solution:
        """The arm's response to all of it."""
        elsewhere = [dose for dose in self.doses if dose.route != "iv" and dose.amount_mg > 0]
        if not elsewhere and not self.steady:
            return Solution(arm.system, self.schedule)
        by_vein = [dose for dose in self.doses if dose.route == "iv"]
        entries: list[tuple[Dose, Pathway]] = []
        for route in dict.fromkeys(dose.route for dose in elsewhere):
            ways = self._ways(arm, route, [dose for dose in elsewhere if dose.route == route])
            entries += [(dose, self._changed(route, way)) for dose, way in ways]
        ever = [(item, way) for item in self.steady for way in self._ways_in(arm, item.dose)]
        ever = [(item, way) for item, way in ever if way.entry in arm.states]
        system, pulses = enter(arm, [*entries, *((item.dose, way) for item, way in ever)])
        plain = len(pulses) - len(ever)
        found = [inputs(system, pulse, item) for pulse, (item, _) in zip(pulses[plain:], ever, strict=True)]
        later = [pulse for _, following in found for pulse in following]
        return Solution(system, Schedule.of(by_vein), [*pulses[:plain], *later], [jump for jump, _ in found])

    def _ways_in(self, arm: DosedArm, dose: Dose) -> list[Pathway]:
        if dose.route == "iv":
            return [Pathway("central", np.ones(len(self.draws)))]
        return [self._changed(dose.route, way) for _, way in self._ways(arm, dose.route, [dose])]

    def limits(self) -> tuple[Flag, ...]:
        """Shares that come to more than the dose when they are multiplied as asked, for the typical patient."""
        return tuple(
            Flag(
                "absorbed-over-whole",
                f"{self.model.id}: what is asked of the route {route} comes to {share:.2f} of the dose, more than"
                " all of it; used as asked, so that exposure is as measured",
            )
            for route, share in self._shares.items()
            if share > 1.0
        )

    def _changed(self, route: str, way: Pathway) -> Pathway:
        ratio = self.absorbed_ratio.get(route, 1.0)
        if ratio == 1.0:
            return way
        fraction = way.fraction * ratio
        self._shares[route] = float(fraction[0])
        return replace(way, fraction=fraction)

    def _ways(self, arm: DosedArm, route: str, doses: Sequence[Dose]) -> list[tuple[Dose, Pathway]]:
        own = self.model.pathway(cast(Route, route), self.product)
        if own is None:
            ways = self._assumed(route, self.patient.age_years)
            return [(dose, way) for dose in doses for way in ways]
        # A model's own share with a speed that was not read: the adults' time is all there is.
        assumed = self._assumed(route, None) if any(way.speed == "assumed" for way in own.ways) else ()
        values = self._absorption(own)
        used = [0] * len(doses) if own.device_mg is None else devices_before(doses, own.device_mg)
        return [
            (dose, way)
            for dose, before in zip(doses, used, strict=True)
            for way in own_pathways(own, values, dose, before, assumed)
        ]

    def _assumed(self, route: str, age_years: float | None) -> tuple[Pathway, ...]:
        """The depot is one for S and R, and other drugs do not change it: its rate is that of the usual body."""
        usual = arms(self.model, self.product, self.patient, {}, 1, links={}, metabolites=False)[0]
        return assumed_pathways(route, self.product, self.draws, body=usual.system, age_years=age_years)

    def _absorption(self, own: Absorption) -> dict[str, Array]:
        """The numbers of the model's absorption for these patients; a step given by its mean time as a rate."""
        parameters = {name: self.model.absorption[name] for name in sorted(own.used())}
        found = patient_values(
            parameters,
            self.patient if self.cohort is None else self.cohort,
            self.effects,
            len(self.draws),
            covariates=self.model.covariates,
            ratios=self.ratios,
        )
        for name in {name for way in own.ways for name in way.steps}:
            if parameters[name].unit in TIMES:
                found[name] = 1.0 / found[name]
        return found
