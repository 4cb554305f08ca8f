"""The forecast that a plan carries: the ensemble, with virtual patients drawn from a fixed seed.

The seed is fixed so that the same plan shows the same bands on every screen and in every record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from limen.care.case import Case
from limen.care.interactions import perpetrators_of
from limen.care.leaving import leaving_after
from limen.care.planning import Forecaster
from limen.errors import InputError
from limen.pharmacology.effects import CHAIRSIDE
from limen.pharmacology.ensemble import ensemble
from limen.pharmacology.forecast import forecast
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose

PATIENTS = 200
SEED = 1
# Shown at least, and at least as long after the last dose ends: a patient is watched until he leaves.
HORIZON_MIN = 240.0
STEP_MIN = 2.0
# After a dose that ends earlier, the usual horizon still shows this much.
_WATCHED_MIN = 120.0


def forecaster(product: str, case: Case) -> Forecaster | None:
    """The forecast of a product, where a panel of published models is on file; else none.

    It reckons with the drugs the patient takes whose effect on ketamine was measured, and names them under ``with``.
    """
    if product not in ensemble().products:
        return None
    taken = perpetrators_of(case)
    escort = case.value("facts.escort")

    def run(doses: tuple[Dose, ...], patient: PatientProfile) -> Mapping[str, Any]:
        until_min = max((dose.end_min for dose in doses), default=0.0) + HORIZON_MIN
        until_min = HORIZON_MIN if until_min <= 2 * HORIZON_MIN - _WATCHED_MIN else until_min
        try:
            found = forecast(
                doses,
                patient,
                product,
                until_min=until_min,
                every_min=STEP_MIN * max(1, round(until_min / (2 * HORIZON_MIN))),
                n=PATIENTS,
                rng=np.random.default_rng(SEED),
                perpetrators=taken,
                setting=case.setting,
                wanted_effects=CHAIRSIDE,
                leaving=leaving_after(
                    product, [dose.route for dose in doses], escort=escort if isinstance(escort, bool) else None
                ),
            )
        except InputError as problem:
            # Outside what the models were made for: the plan still stands, and says why there is no curve.
            return {"outputs": {}, "flags": [{"code": "no-forecast", "message": str(problem)}], "sources": []}
        return {**found.to_json(), "with": list(taken)}

    return run
