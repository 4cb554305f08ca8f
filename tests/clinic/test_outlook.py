"""What a session expects where the pump was not run as planned: the same place, drugs and body as in the plan."""

from __future__ import annotations

from typing import Any

import pytest

from clinic.orders import happened, planned
from clinic.people import Clinic
from limen.clinic.audit.act import acting
from limen.clinic.patients.models import Patient
from limen.clinic.sessions import outlook as module
from limen.clinic.sessions.models import Session
from limen.clinic.sessions.record import state_of
from limen.errors import InputError


@pytest.fixture
def session(clinic: Clinic, patient: Patient) -> Session:
    """Slowed to half its rate after ten minutes, in intensive care, in a patient who takes rifampicin."""
    made = planned(clinic, patient)
    with acting(by="tests", action="tests.session", site=clinic.site):
        made.plan.result = {**made.plan.result, "forecast": {"with": ["rifampicin"], "time_h": [], "outputs": {}}}
        made.course.setting = "intensive-care"
        made.header = {**made.header, "patient": {**made.header["patient"], "egfr_mL_per_min": 40, "child_pugh": "B"}}
    happened(made, "session.started", 0.0)
    happened(made, "infusion.started", 60.0, dose_mg=35.0, duration_min=40.0, route="iv")
    happened(made, "infusion.rate-changed", 660.0, rate_mg_per_h=26.25)
    return made


def test_the_new_forecast_is_asked_with_everything_the_plan_knew(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, Any] = {}

    def asked(doses: Any, patient: Any, product: str, **options: Any) -> None:
        seen.update(options, doses=doses, patient=patient)
        raise InputError("asked", where="here")

    monkeypatch.setattr(module, "forecast", asked)
    module._again.cache_clear()
    found = module.outlook(session, state_of(session, at_t_s=1200.0))
    module._again.cache_clear()
    assert found["basis"] == "pump"
    assert seen["setting"] == "intensive-care"
    assert seen["perpetrators"] == ("rifampicin",)
    assert (seen["patient"].egfr_mL_per_min, seen["patient"].child_pugh) == (40, "B")
    # ten minutes at 52.5 mg/h, then the remaining 26.25 mg at half of it: an hour
    first, second = seen["doses"]
    assert (first.amount_mg, first.duration_min) == pytest.approx((8.75, 10.0))
    assert (second.amount_mg, second.duration_min, second.start_min) == pytest.approx((26.25, 60.0, 10.0))


def test_a_withheld_value_stays_missing_on_the_way_to_the_chair() -> None:
    output = {"typical": [0.0, None, 12.345], "p05": None, "between_models": {"low": [0.0, 1.0, 2.0], "high": None}}
    bands = module._bands(output, 1)
    assert bands["typical"] == [0.0, None, 12.35] or bands["typical"] == [0.0, None, 12.34]
    assert bands["p05"] is None
    assert bands["low"] == [0.0, 1.0, 2.0]
