"""From a patient, doses and what was seen to a forecast for this patient, with everything that it rests on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from limen.pharmacology import models
from limen.pharmacology.effects import effect_sources
from limen.pharmacology.effects.beyond import believed, withheld_flags
from limen.pharmacology.ensemble import ensemble
from limen.pharmacology.exposure import numbers
from limen.pharmacology.individual.caveats import of_members, of_update
from limen.pharmacology.individual.evidence import Match
from limen.pharmacology.individual.learning import (
    LEAST_REDUCTION_FRACTION,
    Learned,
    of_estimate,
    of_posterior,
    outside,
    tail_probability,
)
from limen.pharmacology.individual.map import Estimate, estimate
from limen.pharmacology.individual.observations import Observation
from limen.pharmacology.individual.prior import Prior
from limen.pharmacology.individual.solving import Candidate
from limen.pharmacology.individual.weighted import Posterior
from limen.pharmacology.outcome import Flag
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.pooling import weighted_percentiles
from limen.pharmacology.recovery import default_criteria, settled
from limen.pharmacology.regimen import Dose

Array = npt.NDArray[np.float64]

LEVELS = ("p05", "p50", "p95")
_NEVER_MIN = 1e15
# A centre that moved by this share of the prior's standard deviation is worth a word.
_SHIFTED_RATIO = 0.25


@dataclass(frozen=True, slots=True)
class Individual:
    """The forecast of one patient, before and after what was seen.

    Attributes
    ----------
    model : str
        A model's id, or ``ensemble``.
    before, after : Posterior
    learned : tuple of Learned
        Over models and parameters together.
    estimates : tuple of Estimate
        The most probable patient of each member.
    """

    model: str
    patients: int
    before: Posterior
    after: Posterior
    learned: tuple[Learned, ...]
    estimates: tuple[Estimate, ...]
    flags: tuple[Flag, ...]
    sources: tuple[str, ...]

    @property
    def prior(self) -> Prior:
        """The virtual patients."""
        return self.before.prior

    @property
    def outputs(self) -> tuple[str, ...]:
        """NAMEs that every member predicts."""
        return tuple(
            name
            for name, values in self.prior.curves.items()
            if all(np.isfinite(values[self.prior.members(place)]).any() for place in range(len(self.prior.candidates)))
        )

    def narrowing(self, name: str) -> float:
        """Width of the 90 % band after over before, the mean of the times shown; 1 where nothing changed."""
        before, after = (found.bands(name) for found in (self.before, self.after))
        width = before[2] - before[0]
        kept = width > 1e-9 * np.nanmax(np.abs(before), initial=1e-300)
        return float(np.mean((after[2] - after[0])[kept] / width[kept])) if kept.any() else 1.0

    @property
    def moved(self) -> float:
        """Share of the members' weight that changed hands."""
        before, after = self.before.member_weights, self.after.member_weights
        return 0.5 * sum(abs(after[name] - before[name]) for name in before)

    def ready_h(self, found: Posterior) -> Array | None:
        """Percentiles of the time of being ready to leave by the forecast effects, in hours; infinite where not by the
        end. None where the members do not forecast it."""
        criteria = default_criteria(self.prior.product)
        if any(item.output not in self.outputs for item in criteria):
            return None
        end_min = max(dose.end_min for dose in self.prior.doses)
        ready_min = np.max(
            [
                settled(self.prior.curves[item.output], self.prior.time_min, np.array(item.limit), end_min)
                for item in criteria
            ],
            axis=0,
        )
        levels = weighted_percentiles(np.minimum(ready_min, _NEVER_MIN), found.weights)
        hours: Array = np.where(levels > self.prior.time_min[-1], np.inf, levels) / 60.0
        return hours

    def to_json(self) -> dict[str, Any]:
        """The ``individualise`` contract."""
        before, after = self.before.member_weights, self.after.member_weights
        anything = [item.effect for item in self.learned if item.learned]
        narrowing = {name: self.narrowing(name) for name in self.outputs}
        return {
            "model": self.model,
            "product": self.prior.product,
            "patients": self.patients,
            "observations": [self._of_observation(found) for found in self.after.matches],
            "time_h": numbers(self.prior.shown_min / 60.0),
            "outputs": {
                name: {
                    **_levels(name, self.after.bands(name)),
                    "prior": _levels(name, self.before.bands(name)),
                    "narrowing": narrowing[name],
                }
                for name in self.outputs
            },
            "members": [
                {
                    "id": item.model.id,
                    "matrix": item.model.matrix,
                    "weight_before": before[item.model.id],
                    "weight_after": after[item.model.id],
                }
                for item in self.prior.candidates
            ],
            "effective_samples": self.after.effective_samples,
            "untempered_samples": self.after.untempered_samples,
            "tempering": self.after.tempering_fraction,
            "learned": {
                "anything": bool(anything) or self.moved >= LEAST_REDUCTION_FRACTION,
                "effects": anything,
                "because": self._learned_words(anything),
            },
            "effects": [item.to_json() for item in self.learned],
            "most_probable": [_of_estimate(item) for item in self.estimates],
            "ready_to_leave_h": self._ready(),
            "flags": [
                {"code": flag.code, "message": flag.message} for flag in (*self.flags, *withheld_flags(self._withheld))
            ],
            "sources": list(self.sources),
        }

    @property
    def _withheld(self) -> list[str]:
        """Outputs of which part of a band lies past what its line was studied at."""
        return [
            name
            for name in self.outputs
            if any(
                believed(name, values, level) is not values
                for found in (self.before, self.after)
                for level, values in zip(LEVELS, found.bands(name), strict=True)
            )
        ]

    def _learned_words(self, effects: Sequence[str]) -> str:
        if not self.after.matches:
            return "nothing was seen"
        if not effects and self.moved < LEAST_REDUCTION_FRACTION:
            shifted = [item for item in self.learned if abs(item.mean_ratio) >= _SHIFTED_RATIO]
            if not shifted:
                return "learned nothing: what was seen fits this patient as well as any other the models know"
            most = max(shifted, key=lambda item: abs(item.mean_ratio))
            return (
                f"nothing tightened, but what is likely moved: {most.effect} by {most.mean_ratio:+.1f} of its standard"
                " deviations before"
            )
        parts = [f"the spread of {', '.join(effects)} fell"] if effects else ["no effect's spread fell"]
        parts.append(f"{100 * self.moved:.0f} % of the models' weight changed hands")
        return "; ".join(parts)

    def _ready(self) -> dict[str, Any] | None:
        before, after = self.ready_h(self.before), self.ready_h(self.after)
        if before is None or after is None:
            return None
        return {**_finite(after), "prior": _finite(before)}

    def _of_observation(self, found: Match) -> dict[str, Any]:
        tail = tail_probability(found, np.exp(self.prior.log_weight))
        return {
            **(found.observation.entry or {"kind": found.observation.kind, "t_min": found.observation.t_min}),
            "compared": {"output": found.observation.output, "value": found.observation.value},
            "predicted_by": [
                item.model.id for item, able in zip(self.prior.candidates, found.predicts, strict=True) if able
            ],
            "prior": _predicted(found, np.exp(self.prior.log_weight)),
            "posterior": _predicted(found, self.after.weights),
            "tail_probability": None if math.isnan(tail) else tail,
            "outside_prediction": outside(found, self.prior) if any(found.predicts) else None,
        }


def individualise(
    doses: Sequence[Dose],
    patient: PatientProfile,
    product: str,
    observations: Sequence[Observation],
    *,
    n: int = 1000,
    rng: np.random.Generator,
    model: str = models.ENSEMBLE,
    until_min: float = 240.0,
    every_min: float = 5.0,
    perpetrators: Sequence[str] = (),
    setting: str | None = None,
    member_weight: Mapping[str, float] | None = None,
) -> Individual:
    """A forecast for one patient from the models, and from what was seen of this patient.

    Parameters
    ----------
    doses : sequence of Dose
    observations : sequence of Observation
    n : int
        Virtual patients of each member.
    model : str
        ``ensemble``, or one model's id.
    until_min, every_min : float
        Horizon and step of the bands.
    perpetrators : sequence of str
        Drugs taken too.
    setting, member_weight
        As ``members.solve``.

    Raises
    ------
    InputError
        As ``simulate.simulate``; an observation after the horizon.

    Examples
    --------
    >>> from limen.pharmacology.individual.observations import concentration
    >>> found = individualise([Dose(35, "iv", 0, 40)], PatientProfile(age_years=42, weight_kg=70), "racemic",
    ...     [concentration("ketamine", "venous", 40, 110)], n=200, rng=np.random.default_rng(1))
    >>> found.narrowing("ketamine_plasma_ng_per_mL") < 1
    True
    """
    candidates = candidates_of(model, product, doses, patient, setting, member_weight)
    prior = Prior.prepare(
        candidates,
        doses,
        patient,
        product,
        n=n,
        rng=rng,
        until_min=until_min,
        every_min=every_min,
        at_min=[item.t_min for item in observations if not item.session],
        earlier=list(dict.fromkeys(item.session for item in observations if item.session)),
        perpetrators=perpetrators,
    )
    before = Posterior.of(prior)
    after = before.update(observations)
    estimates = tuple(
        estimate(item.model, doses, patient, product, observations, perpetrators=perpetrators, lent=item.lent)
        for item in candidates
        if item.weight > 0
    )
    told = [*of_update(after, estimates), *prior.flags, *of_members(prior, patient)]
    sources = [key for item in candidates for key in item.model.sources]
    sources += [*effect_sources(), *prior.sources]
    return Individual(
        model,
        n,
        before,
        after,
        of_posterior(after),
        estimates,
        tuple(dict.fromkeys(told)),
        tuple(dict.fromkeys(sources)),
    )


def candidates_of(
    model: str,
    product: str,
    doses: Sequence[Dose],
    patient: PatientProfile,
    setting: str | None = None,
    member_weight: Mapping[str, float] | None = None,
) -> tuple[Candidate, ...]:
    """The members of the panel for this patient, or one model alone.

    Examples
    --------
    >>> found = candidates_of("ensemble", "racemic", [Dose(35, "iv")], PatientProfile(age_years=42, weight_kg=70))
    >>> len(found) >= 6
    True
    """
    if model != models.ENSEMBLE:
        return (Candidate(models.get(model), 1.0),)
    panel = ensemble().panel(product, tuple(dict.fromkeys(dose.route for dose in doses)), patient.age_years, setting)
    lent = ensemble().lent(panel).blocks()
    return tuple(Candidate(seat.model, seat.weight, lent) for seat in panel.seats(setting, member_weight))


def _predicted(found: Match, weights: Array) -> dict[str, float] | None:
    """Percentiles of the prediction itself, without the error of a reading."""
    kept = np.isfinite(found.predicted) & (weights > 0)
    if not kept.any():
        return None
    levels = weighted_percentiles(found.predicted[kept], weights[kept])
    return dict(zip(LEVELS, levels.tolist(), strict=True))


def _levels(name: str, bands: Array) -> dict[str, list[float | None]]:
    return {level: numbers(believed(name, values, level)) for level, values in zip(LEVELS, bands, strict=True)}


def _finite(hours: Array) -> dict[str, float | None]:
    return {level: value if math.isfinite(value) else None for level, value in zip(LEVELS, hours.tolist(), strict=True)}


def _of_estimate(item: Estimate) -> dict[str, Any]:
    learned, blind = of_estimate(item)
    return {
        "model": item.model,
        "found": item.found,
        "iterations": abs(item.iterations),
        "effects": [one.to_json() | {"eta": float(eta)} for one, eta in zip(learned, item.eta, strict=True)],
        "not_identified": [direction.to_json() for direction in blind],
        "left_out": [f"{one.kind} at {one.t_min:g} min" for one in item.left_out],
    }
