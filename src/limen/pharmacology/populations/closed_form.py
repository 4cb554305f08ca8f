"""What is given by vein, in plasma and at the effect site, by the compiled closed form: for very large populations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from limen.pharmacology import population
from limen.pharmacology.effects import links
from limen.pharmacology.models.schema import Model, Omega, Product
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.patient_values import patient_values
from limen.pharmacology.regimen import Dose, Schedule
from limen.pharmacology.response import name_of

if TYPE_CHECKING:
    from limen.pharmacology.populations.crowd import Cohort

Array = npt.NDArray[np.float64]


def covers(model: Model, product: Product, doses: Sequence[Dose]) -> bool:
    """Whether every dose goes into a vein, and what is dosed is one to three compartments without a liver of its own.

    Examples
    --------
    >>> from limen.pharmacology.models import get
    >>> dose = [Dose(35, "iv", 0, 40)]
    >>> covers(get("domino"), "racemic", dose), covers(get("perez-ruixo-2021"), "s-ketamine", dose)
    (True, False)
    """
    return all(dose.route == "iv" for dose in doses) and all(
        "VH" not in model.parameters_of(arm) for arm in model.arms if product in arm.dose_fraction
    )


def columns(variability: Sequence[Omega]) -> tuple[str, ...]:
    """The columns of draws that these curves depend on."""
    return (*(effect for block in variability for effect in block.effects), "KE0")


def curves(
    model: Model,
    product: Product,
    patient: PatientProfile,
    schedule: Schedule,
    time_min: Array,
    draws: Array,
    *,
    variability: Sequence[Omega],
    ratios: Mapping[str, float] | None = None,
    cohort: Cohort | None = None,
) -> dict[str, Array]:
    """Every dosed analyte, and S and R together.

    Parameters
    ----------
    draws : array (rows, len(population.COLUMNS))
    variability : sequence of Omega
    ratios : mapping of parameter to ratio, optional
    cohort : Cohort, optional
        Body, age and dose of each row, where they differ.

    Returns
    -------
    dict of NAME to array (rows, times)
        ng/mL; the same numbers as ``response.respond``, to 1e-10.

    Examples
    --------
    >>> from limen.pharmacology.models import get
    >>> typical = np.zeros((1, len(population.COLUMNS)))
    >>> found = curves(
    ...     get("domino"), "racemic", PatientProfile(weight_kg=70), Schedule.of([Dose(35, "iv", 0, 40)]),
    ...     np.array([40.0]), typical, variability=(),
    ... )
    >>> {name: round(float(values.item())) for name, values in found.items()}
    {'ketamine_plasma_ng_per_mL': 240, 'ketamine_effect_site_ng_per_mL': 215}
    """
    from limen.pharmacology.kernels.mammillary import concentrations

    rows = len(draws)
    effects = population.log_effects(draws, variability)
    ke0_per_min = links(draws)["effect"]
    found: dict[str, Array] = {}
    for arm in model.arms:
        share = arm.dose_fraction.get(product)
        if share is None:
            continue
        body = patient if cohort is None else cohort
        values = patient_values(
            model.parameters_of(arm), body, effects, rows, covariates=model.covariates, ratios=ratios
        )
        taken = Schedule(schedule.start_min, share * schedule.rate_mg_per_min, share * schedule.bolus_mg)
        peripheral = [(values[f"V{place}"], values[f"Q{place}"]) for place in (2, 3) if f"V{place}" in values]
        plasma, site = concentrations(values["V1"], values["CL"], peripheral, taken, time_min, ke0_per_min=ke0_per_min)
        for matrix, concentration in ((model.matrix, plasma), ("effect_site", site)):
            if concentration is not None:
                ratio = 1.0 if cohort is None else cohort.dose_ratio[:, None]
                found[name_of(arm.analyte, matrix)] = np.multiply(concentration, ratio, out=concentration)
    for matrix in (model.matrix, "effect_site"):
        left, right = name_of("S_ketamine", matrix), name_of("R_ketamine", matrix)
        if left in found and right in found:
            found[name_of("ketamine", matrix)] = found[left] + found[right]
    return found
