"""The dose science: published models as data, exact kinetics, simulation and the ensemble forecast.

The public surface is ``simulate.simulate`` (one model), ``forecast.forecast`` (the ensemble), ``models.list_models``
and ``models.get``, and the names below, which are loaded when first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from limen.pharmacology.outcome import Flag, Forecast, Member
    from limen.pharmacology.patient import PatientProfile
    from limen.pharmacology.regimen import Dose, DoseOrder, RateChange, doses_of_pump, parse_dose, resolve

__all__ = [
    "Dose",
    "DoseOrder",
    "Flag",
    "Forecast",
    "Member",
    "PatientProfile",
    "RateChange",
    "doses_of_pump",
    "parse_dose",
    "resolve",
]

_HOMES = {
    "Dose": "regimen",
    "DoseOrder": "regimen",
    "Flag": "outcome",
    "Forecast": "outcome",
    "Member": "outcome",
    "PatientProfile": "patient",
    "RateChange": "regimen",
    "doses_of_pump": "regimen",
    "parse_dose": "regimen",
    "resolve": "regimen",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"limen.pharmacology.{_HOMES[name]}"), name)
    raise AttributeError(name)
