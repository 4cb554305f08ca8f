"""What must be said beside the forecast of one patient: of its members, and of what was seen."""

from __future__ import annotations

from collections.abc import Sequence

from limen.pharmacology import flags
from limen.pharmacology.effects import effect_flags
from limen.pharmacology.individual.evidence import Match
from limen.pharmacology.individual.learning import outside
from limen.pharmacology.individual.map import Estimate
from limen.pharmacology.individual.noise import error_of
from limen.pharmacology.individual.prior import Prior
from limen.pharmacology.individual.weighted import LEAST_EFFECTIVE_SAMPLES, Posterior
from limen.pharmacology.outcome import Flag
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.simulate import check_product, is_lumped


def of_members(prior: Prior, patient: PatientProfile) -> list[Flag]:
    """The caveats of the models and of the effects, as any forecast has them."""
    used = [item.model for item in prior.candidates if item.weight > 0]
    product = check_product(prior.product, used[0].products, used[0].id)
    n = len(prior.log_weight) // len(prior.candidates)
    found = flags.of_regimen(prior.doses, float(prior.time_min[-1]))
    by_matrix: dict[str, list[str]] = {}
    for model in used:
        by_matrix.setdefault(model.matrix, []).append(model.id)
    if len(by_matrix) > 1:
        mixed = "; ".join(f"{matrix}: {', '.join(ids)}" for matrix, ids in by_matrix.items())
        found.append(Flag("mixed-matrix", f"The members' concentrations are not of one kind of blood: {mixed}"))
    borrowed = [item.model.id for item in prior.candidates if item.weight > 0 and item.borrows]
    if borrowed:
        found.append(
            Flag(
                "assumed-variability",
                f"{', '.join(borrowed)}: published no spread between patients; that of another model is applied, an"
                " assumption of this project [P]",
            )
        )
    for model in used:
        found += flags.of_model(model, product, patient, prior.doses, metabolites=len(used) == 1)
        found += flags.of_occasions(model, prior.doses, n)
    found += flags.of_patient(patient)
    lumped = any(is_lumped(model) for model in used)
    return [*found, *effect_flags(product, lumped, n, prior.drive_ng_per_mL, set(by_matrix))]


def of_update(after: Posterior, estimates: Sequence[Estimate]) -> list[Flag]:
    """What a reader must know of this update."""
    prior = after.prior
    found = []
    for index, item in enumerate(after.matches):
        words = f"observations[{index}] ({item.observation.kind} at {item.observation.t_min:g} min)"
        if not any(item.predicts):
            found.append(
                Flag(
                    "observation-not-predicted", f"{words}: no model predicts {item.observation.output}; it is not used"
                )
            )
            continue
        if outside(item, prior):
            found.append(
                Flag(
                    "observation-outside-prediction",
                    f"{words}: {item.observation.value:g} {item.observation.unit} lies outside the 99 % band predicted"
                    " beforehand. It is used in full; check the reading, the dose and the time",
                )
            )
        if not all(item.predicts):
            without = [c.model.id for c, able in zip(prior.candidates, item.predicts, strict=True) if not able]
            found.append(
                Flag(
                    "observation-not-predicted-by",
                    f"{words}: {', '.join(without)} do not predict it; it neither raises nor lowers their weight",
                )
            )
    assumed = sorted({item.observation.kind for item in after.matches if not _published(item, prior)})
    if assumed:
        found.append(
            Flag(
                "assumed-residual-error",
                f"{', '.join(assumed)}: how far a reading strays from its prediction is an assumption of this project"
                " for some or all models [P]",
            )
        )
    if after.tempering_fraction < 1:
        found.append(
            Flag(
                "tempered",
                f"Only {after.untempered_samples:.0f} effective samples explain what was seen; the likelihood counts to"
                f" the power {after.tempering_fraction:.2g} so that {LEAST_EFFECTIVE_SAMPLES} do. The bands are wider"
                " than the observations alone would make them; the models may not fit this patient",
            )
        )
    if after.matches:
        found += [
            Flag("mode-not-found", f"{item.model}: the search for the most probable patient did not settle")
            for item in estimates
            if not item.found
        ]
    return found


def _published(found: Match, prior: Prior) -> bool:
    if found.observation.kind == "sedation":
        return False
    errors = [error_of(found.observation, item.model) for item in prior.candidates]
    return all(error.published and error.shared is None for error in errors)
