"""What a reader must be told beside the numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from limen.pharmacology.effects import effect_flags, effects
from limen.pharmacology.models.schema import Model, Product, Range
from limen.pharmacology.outcome import Flag
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose

Array = npt.NDArray[np.float64]


def of_model(
    model: Model, product: Product, patient: PatientProfile, doses: Sequence[Dose], *, metabolites: bool = True
) -> list[Flag]:
    """Caveats of a model for this patient and these doses, with those on metabolites where they are shown."""
    found = [
        Flag(caveat.code, f"{model.id}: {caveat.message} [{caveat.verification}]")
        for caveat in model.caveats
        if (not caveat.products or product in caveat.products) and (metabolites or not caveat.on_metabolite)
    ]
    found += _domain(model, patient)
    if patient.weight_kg is not None and patient.weight_kg != 70:
        found += _weight_dispute(model)
    window_min = model.unusable_after_fast_input_min
    if window_min is not None and any(dose.duration_min < window_min for dose in doses if dose.amount_mg > 0):
        found.append(
            Flag(
                "early-bolus-unusable",
                f"{model.id}: its small central volume makes false peaks; do not use it within {window_min:g} min of"
                f" a bolus or of an infusion shorter than that",
            )
        )
    return found


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
        words = f"{dose.amount_mg:g} mg {dose.route} at {dose.start_min:g} min"
        if dose.start_min >= until_min:
            found.append(Flag("dose-after-horizon", f"{words} starts at or after the end of the forecast: not in it"))
        elif dose.end_min > until_min:
            found.append(Flag("dose-past-horizon", f"{words} still runs at the end of the forecast: in it in part"))
    return found


def of_effects(product: Product, lumped: bool, n: int, s_ketamine_peak_ng_per_mL: float) -> list[Flag]:
    """What the pressure curve rests on."""
    return effect_flags(product, lumped, n, {effects().pressure.output: s_ketamine_peak_ng_per_mL})
