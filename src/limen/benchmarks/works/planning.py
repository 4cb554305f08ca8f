"""One session planned with its screening, walls and syringe; without a forecast, with the typical one, with bands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from limen.benchmarks.charts import FULL
from limen.benchmarks.measure import medians_s, report
from limen.care.case_json import case_from_json
from limen.care.planning import Plan, plan
from limen.pharmacology import Dose, PatientProfile
from limen.pharmacology.effects import CHAIRSIDE
from limen.pharmacology.forecast import forecast

RUNS = 30
PATIENTS = 200
UNTIL_MIN = 240.0
EVERY_MIN = 2.0
# What a plan with its forecast may take.
TARGET_S = 0.050


def forecaster(patients: int) -> Any:
    """The forecast of a plan by every member of the ensemble; 0 patients for the typical one alone."""

    def run(doses: tuple[Dose, ...], patient: PatientProfile) -> Mapping[str, Any]:
        found = forecast(
            list(doses),
            patient,
            until_min=UNTIL_MIN,
            every_min=EVERY_MIN,
            n=patients,
            rng=np.random.default_rng(1) if patients else None,
            wanted_effects=CHAIRSIDE,
        )
        return {"outputs": len(found.outputs)}

    return run


def run() -> dict[str, Any]:
    """The contract's object; ``median_s`` is the plan with the forecast of 200 virtual patients and its bands."""
    case = case_from_json(FULL)
    banded, typical = forecaster(PATIENTS), forecaster(0)

    def planned(forecasts: Any = None) -> Plan:
        return plan(case, "TRD-IV", forecast=forecasts)

    made = planned(banded)
    if made.asked.doses[0].amount_mg != 46 or not (made.forecast or {}).get("outputs"):
        raise AssertionError("0.5 mg/kg of 92 kg are 46 mg, with a forecast")
    spent = medians_s(
        {"ours": lambda: planned(banded), "typical": lambda: planned(typical), "bare": planned},
        RUNS,
    )
    return report(
        "planning", n=1, points=int(UNTIL_MIN / EVERY_MIN) + 1, median_s=spent["ours"], runs=RUNS, fill_s=None,
        peers_s={}, typical_forecast_s=spent["typical"], without_forecast_s=spent["bare"], patients=PATIENTS,
        target_s=TARGET_S, within_target=spent["ours"] < TARGET_S,
    )  # fmt: skip
