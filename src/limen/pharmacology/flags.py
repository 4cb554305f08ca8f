"""What a reader must be told beside the numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from limen.pharmacology.absorption.assumed import assumed_flags, assumption
from limen.pharmacology.infusion_lines import overlaps
from limen.pharmacology.models.schema import Model, Product, Range
from limen.pharmacology.outcome import Flag
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose

Array = npt.NDArray[np.float64]

# Doses further apart than this fall on several occasions.
OCCASION_MIN = 1440.0


def of_model(
    model: Model, product: Product, patient: PatientProfile, doses: Sequence[Dose], *, metabolites: bool = True
) -> list[Flag]:
    """Caveats of a model for this patient and these doses, with those on metabolites where they are shown."""
    found = [
        Flag(caveat.code, f"{model.id}: {caveat.message} [{caveat.verification}]")
        for caveat in model.caveats
        if (not caveat.products or product in caveat.products)
        and (not caveat.routes or any(dose.route in caveat.routes for dose in doses))
        and (metabolites or not caveat.on_metabolite)
    ]
    found += _absorption(model, product, patient, doses)
    found += _domain(model, patient)
    found += _ancestry(model, patient)
    if patient.weight_kg is not None and patient.weight_kg != 70:
        found += _weight_dispute(model)
    window_min = model.unusable_after_fast_input_min
    if window_min is not None and any(
        dose.route == "iv" and dose.amount_mg > 0 and dose.duration_min < window_min for dose in doses
    ):
        found.append(
            Flag(
                "early-bolus-unusable",
                f"{model.id}: its small central volume makes false peaks; do not use it within {window_min:g} min of"
                f" a bolus or of an infusion shorter than that",
            )
        )
    return found


def of_patient(patient: PatientProfile) -> list[Flag]:
    """What is disputed for this patient whichever model is asked."""
    if patient.sex != "female":
        return []
    return [
        Flag(
            "sex-disputed",
            "Clearance of S-ketamine and norketamine was 20 % greater in the women of one study (Sigtermans 2009) [V];"
            " no effect of sex in 820 people (Perez-Ruixo 2021) [V2] nor in Chinese patients (Wang 2019) [V]. No model"
            " here changes with sex",
        )
    ]


def of_occasions(model: Model, doses: Sequence[Dose], n: int) -> list[Flag]:
    """Say so where one draw stands for several occasions."""
    starts_min = [dose.start_min for dose in doses]
    if not n or not model.between_occasions or max(starts_min) - min(starts_min) < OCCASION_MIN:
        return []
    names = ", ".join(effect for block in model.between_occasions for effect in block.effects)
    return [
        Flag(
            "one-occasion",
            f"{model.id}: {names} vary from one occasion to the next; each virtual patient keeps one value of them over"
            " all doses of this forecast [P]",
        )
    ]


def _absorption(model: Model, product: Product, patient: PatientProfile, doses: Sequence[Dose]) -> Iterable[Flag]:
    for route in dict.fromkeys(dose.route for dose in doses if dose.route != "iv"):
        own = model.pathway(route, product)  # type: ignore[arg-type]
        if own is None:
            yield from assumed_flags(route, product, age_years=patient.age_years)
        elif any(way.speed == "assumed" for way in own.ways):
            yield Flag(
                "assumed-absorption",
                f"{model.id}: the share absorbed by the route {route} is the model's own, its speed was not read; peak"
                f" at {assumption(route, product).speed.words}. The range holds 90 of 100 virtual patients and is not a"
                " measured spread",
            )


def _ancestry(model: Model, patient: PatientProfile) -> Iterable[Flag]:
    if patient.ancestry is None and any(covariate.ancestry for covariate in model.covariates):
        yield Flag(
            "ancestry-not-given",
            f"{model.id}: ancestry not given; its numbers for Asian and Japanese people are not applied",
        )


def _domain(model: Model, patient: PatientProfile) -> Iterable[Flag]:
    for name, value, studied in (
        ("age", patient.age_years, model.studied.age),
        ("weight", patient.weight_kg, model.studied.weight),
    ):
        if studied is None:
            yield Flag(f"{name}-range-unknown", f"{model.id}: the {name}s studied were not read; cannot be checked")
        elif value is None:
            yield Flag(
                f"{name}-not-given", f"{model.id}: {name} not given; cannot be checked against {_words(studied)}"
            )
        elif (studied.low is not None and value < studied.low) or (studied.high is not None and value > studied.high):
            yield Flag(
                f"outside-{name}",
                f"{model.id}: {name} {value:g} {studied.unit} is outside {_words(studied)}; used as given",
            )


def _words(studied: Range) -> str:
    if studied.low is None or studied.high is None:
        bound = f"{studied.low:g} and over" if studied.high is None else f"up to {studied.high:g}"
    else:
        bound = f"{studied.low:g} to {studied.high:g}"
    return f"{bound} {studied.unit} [{studied.verification}]"


def _weight_dispute(model: Model) -> Iterable[Flag]:
    disputed = {
        name: parameter
        for arm in model.arms
        for name, parameter in (arm.parameters or {}).items()
        if parameter.disputed_weight_exponent is not None
    }
    if disputed:
        one = next(iter(disputed.values()))
        yield Flag(
            "weight-exponent-disputed",
            f"{model.id}: {', '.join(disputed)} scale with weight to the power {one.weight_exponent:g}; another"
            f" transcription uses {one.disputed_weight_exponent:g} (11 % apart in plasma at 140 kg) [V2]",
        )


def of_regimen(doses: Sequence[Dose], until_min: float) -> list[Flag]:
    """Doses that the forecast does not hold, or holds in part."""
    found = []
    for dose in doses:
        if dose.end_min <= until_min and dose.start_min < until_min:
            continue
        words = f"{dose.amount_mg:g} mg {dose.route} at {dose.start_min:g} min"
        if dose.start_min >= until_min:
            found.append(Flag("dose-after-horizon", f"{words} starts at or after the end of the forecast: not in it"))
        else:
            found.append(Flag("dose-past-horizon", f"{words} still runs at the end of the forecast: in it in part"))
    for before, after in overlaps(doses):
        found.append(
            Flag(
                "overlapping-infusions",
                f"{after.amount_mg:g} mg from {after.start_min:g} min runs on line {after.line} together with"
                f" {before.amount_mg:g} mg until {before.end_min:g} min; the forecast adds them",
            )
        )
    return found
