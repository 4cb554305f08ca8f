"""How much of a drug a day, and from when to when, as an order or a statement says it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from limen.care.trial_json import daily_dose
from limen.errors import InputError
from limen.interop.fhir.reading import moment

_DAYS = {"h": 1.0 / 24.0, "d": 1.0, "wk": 7.0, "mo": 30.0}
_MG = {"mg": 1.0, "g": 1000.0, "ug": 0.001, "mcg": 0.001}


def taken_over(raw: Mapping[str, Any]) -> tuple[date | None, date | None]:
    """When a drug was begun and ended: the period of a statement, else the bounds of an order's timing.

    Examples
    --------
    >>> taken_over({"effectivePeriod": {"start": "2026-01-01", "end": "2026-03-01"}})
    (datetime.date(2026, 1, 1), datetime.date(2026, 3, 1))
    """
    period = raw.get("effectivePeriod")
    if not isinstance(period, Mapping):
        instructions = raw.get("dosageInstruction") or raw.get("dosage") or [{}]
        repeat = (instructions[0].get("timing") or {}).get("repeat") or {}
        period = repeat.get("boundsPeriod") or {}
    began, ended = moment(period.get("start")), moment(period.get("end"))
    return (began.date() if began else None), (ended.date() if ended else None)


def daily_mg(instructions: Mapping[str, Any]) -> float | None:
    """Milligrams a day of one dosage; ``None`` where it does not say how much or how often.

    Examples
    --------
    >>> timing = {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}
    >>> daily_mg({"timing": timing, "doseAndRate": [{"doseQuantity": {"value": 75, "code": "mg"}}]})
    150.0
    >>> daily_mg({"text": "50 mg once daily"})
    50.0
    """
    rates = instructions.get("doseAndRate") or [{}]
    quantity = rates[0].get("doseQuantity") or {}
    amount, unit = quantity.get("value"), _MG.get(str(quantity.get("code") or quantity.get("unit")))
    repeat = (instructions.get("timing") or {}).get("repeat") or {}
    days = _DAYS.get(str(repeat.get("periodUnit")))
    if isinstance(amount, int | float) and unit and days and repeat.get("frequency") and repeat.get("period"):
        return float(amount) * unit * float(repeat["frequency"]) / (float(repeat["period"]) * days)
    if amount is not None or not instructions.get("text"):
        return None
    try:
        return daily_dose(instructions["text"], "dosage.text")
    except InputError:
        return None  # words that name no milligrams a day: the dose is not known
