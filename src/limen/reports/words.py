"""Field names and values as a page says them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from limen.ledger import decimal_mg, show_mg

# Longest first: ``_mg_per_mL`` before ``_mL``.
_UNITS = (
    ("_mg_per_mL", "mg/mL"),
    ("_mg_per_kg", "mg/kg"),
    ("_mg_per_h", "mg/h"),
    ("_mL_per_h", "mL/h"),
    ("_mL_per_min", "mL/min"),
    ("_per_min", "/min"),
    ("_mmHg", "mmHg"),
    ("_degC", "°C"),
    ("_pct", "%"),
    ("_kg", "kg"),
    ("_mg", "mg"),
    ("_mL", "mL"),
    ("_min", "min"),
    ("_h", "h"),
)
_DISTRESS = ("none", "mild", "moderate", "severe")
_LABELS = {
    "sbp_mmHg": "Systolic pressure",
    "dbp_mmHg": "Diastolic pressure",
    "hr_per_min": "Heart rate",
    "rr_per_min": "Respiratory rate",
    "spo2_pct": "SpO2",
    "moaas": "MOAA/S",
    "cadss": "CADSS",
    "cssrs": "C-SSRS",
    "aldrete": "Modified Aldrete",
    "pdmp_on": "Prescription monitoring checked on",
    "identifier": "Record",
    "start_t_s": "Start",
    "stop_t_s": "End",
    "asked_t_s": "Discharge asked",
    "discharged_t_s": "Left",
    "let_go_by": "Let go by",
    "left_all_the_same": "Left all the same, because",
    "next_cssrs_on": "Next C-SSRS on",
    "ended_because": "Ended without discharge, because",
    "medicines_24_h": "Medicines in the last 24 h",
    "call_24_h": "Call after 24 h",
    "unmet": "Not met",
    "device_first_t_s": "First device",
    "events": "Events",
}


def label(name: str) -> str:
    """A field's name in words, without its unit.

    Examples
    --------
    >>> label("selection_asked_again"), label("pump_volume_mL"), label("sbp_mmHg"), label("expires_on")
    ('Selection asked again', 'Pump volume', 'Systolic pressure', 'Expires on')
    """
    known = _LABELS.get(name)
    if known:
        return known
    bare = name.removesuffix("_t_s")
    for ending, _ in _UNITS:
        if bare.endswith(ending):
            bare = bare.removesuffix(ending)
            break
    words = bare.replace("_", " ").strip() or name
    return f"{words[:1].upper()}{words[1:]}"


def within(name: str) -> str:
    """A field's name inside a sentence: small, unless it is an abbreviation.

    Examples
    --------
    >>> within("sbp_mmHg"), within("moaas"), within("spo2_pct")
    ('systolic pressure', 'MOAA/S', 'SpO2')
    """
    words = label(name)
    return words if any(letter.isupper() for letter in words[1:]) else f"{words[:1].lower()}{words[1:]}"


def unit(name: str) -> str:
    """The unit a field's name ends in, or nothing.

    Examples
    --------
    >>> unit("concentration_mg_per_mL"), unit("moaas")
    ('mg/mL', '')
    """
    return next((spelled for ending, spelled in _UNITS if name.endswith(ending)), "")


def said(name: str, value: Any) -> str:
    """A value as a page says it: milligrams exact, numbers with their unit, lists in a row.

    Examples
    --------
    >>> said("given_mg", 35), said("given_mg", 18.375), said("weight_kg", 71.5), said("ready", False)
    ('35.0 mg', '18.375 mg', '71.5 kg', 'no')
    >>> said("overrides", []), said("escort", None)
    ('none', 'not recorded')
    """
    if value is None:
        return "not recorded"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{within(str(key))} {said(str(key), item)}" for key, item in value.items()) or "none"
    if isinstance(value, list | tuple):
        return "; ".join(said(name, item) if isinstance(item, Mapping) else str(item) for item in value) or "none"
    if name == "distress" and value in range(len(_DISTRESS)):
        return f"{_DISTRESS[int(value)]} ({value:g})"
    if isinstance(value, int | float | Decimal):
        spelled = unit(name)
        if spelled == "mg":
            return f"{show_mg(value if isinstance(value, Decimal) else decimal_mg(float(value)))} mg"
        number = f"{float(value):.10g}"
        return f"{number} {spelled}" if spelled else number
    return str(value)
