"""What the models expect in this session: the plan's forecast, or a new one where the pump was not run as planned."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from limen.clinic.sessions.models import Session
from limen.clinic.sessions.planned import dose_of, plan_of
from limen.errors import InputError
from limen.pharmacology.effects import CHAIRSIDE
from limen.pharmacology.ensemble import ensemble
from limen.pharmacology.forecast import forecast
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose
from limen.session.given import given_doses
from limen.session.state import SessionState

SHOWN = (
    "sbp_change_mmHg",
    "hr_change_per_min",
    "ketamine_effect_site_ng_per_mL",
    "ketamine_plasma_ng_per_mL",
)
PATIENTS = 100
SEED = 1
HORIZON_MIN = 240.0
STEP_MIN = 2.0


def outlook(session: Session, state: SessionState, *, every: int = 1) -> dict[str, Any]:
    """The forecast on the session's own time axis.

    Returns
    -------
    dict
        ``t_s``, ``outputs`` (each with ``typical``, ``p05``, ``p95``, ``low``, ``high``), ``members``, ``flags`` and
        ``basis`` (``plan``: as signed; ``start``: as if it began now; ``pump``: as the pump was run). Empty ``outputs``
        where no model covers the dose: the flags say why.
    """
    planned: Mapping[str, Any] = plan_of(session).get("forecast") or {}
    begin_s = state.dose_start_t_s
    basis = "plan" if begin_s is not None else "start"
    found = planned
    if begin_s is not None and not _as_planned(session, state):
        basis = "pump"
        found = _again(
            session.course.product,
            given_doses(state),
            json.dumps(session.header.get("patient") or {}, sort_keys=True),
            session.course.setting or None,
            tuple(planned.get("with") or ()),
        )
    from_s = state.at_t_s if begin_s is None else begin_s
    times = [round(from_s + hour * 3600.0, 1) for hour in found.get("time_h", ())]
    return {
        "basis": basis,
        "t_s": times[::every],
        "outputs": {
            name: _bands(found["outputs"][name], every) for name in SHOWN if name in (found.get("outputs") or {})
        },
        "members": [member["id"] for member in found.get("members", ())],
        "flags": [flag["message"] for flag in found.get("flags", ())],
    }


def _bands(output: Mapping[str, Any], every: int) -> dict[str, list[float | None] | None]:
    """Thinned and rounded; a value that is withheld stays missing."""
    models = output.get("between_models") or {}
    parts = {
        "typical": output.get("typical"),
        "p05": output.get("p05"),
        "p95": output.get("p95"),
        "low": models.get("low"),
        "high": models.get("high"),
    }
    return {
        name: None if values is None else [None if value is None else round(value, 2) for value in values[::every]]
        for name, values in parts.items()
    }


def _as_planned(session: Session, state: SessionState) -> bool:
    """Whether the pump has run, and will run, as the plan says."""
    dose = dose_of(session)
    if state.doses or len(state.infusions) != 1:
        return False
    run = state.infusions[0]
    same = abs(run.dose_mg - (dose.get("dose_mg") or 0.0)) < 1e-6 and run.duration_min == dose.get("duration_min")
    return same and len(run.segments) == 1 and not (run.stopped and not run.complete)


@functools.lru_cache(maxsize=64)
def _again(
    product: str,
    doses: tuple[Dose, ...],
    patient: str,
    setting: str | None,
    taken: tuple[str, ...],
) -> Mapping[str, Any]:
    """The ensemble on what was really given, with the same drugs and in the same place as the plan's forecast.

    Kept, for the page asks again and again.
    """
    if product not in ensemble().products:
        return {"flags": [{"message": "No ensemble of models for this product"}]}
    try:
        made = forecast(
            doses,
            PatientProfile.from_json(json.loads(patient))[0],
            product,
            until_min=HORIZON_MIN,
            every_min=STEP_MIN,
            n=PATIENTS,
            rng=np.random.default_rng(SEED),
            perpetrators=taken,
            setting=setting,
            wanted_effects=CHAIRSIDE,
        )
    except InputError as problem:
        # Outside what the models were made for: the session goes on, and the page says why there is no curve.
        return {"flags": [{"message": str(problem)}]}
    return made.to_json()
