"""The Patient of a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from limen.errors import InputError
from limen.interop.fhir.facts import Identifier, ImportedPatient
from limen.interop.fhir.reading import first_code, reference_of

_RACE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race"
_BIRTH_SEX = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"
_OLDEST = date(1900, 1, 1)


def read_patient(raw: Mapping[str, Any], where: str) -> ImportedPatient:
    """The patient, from a Patient resource that is valid FHIR.

    Raises
    ------
    InputError
        If the record names a person who has died, or a birth date that cannot be.
    """
    if raw.get("deceasedBoolean") or raw.get("deceasedDateTime"):
        raise InputError("the patient is recorded as deceased", where=where, allowed="a living patient")
    identifiers = tuple(
        Identifier(item.get("system", ""), str(item["value"]), first_code(item.get("type")))
        for item in raw.get("identifier") or []
        if item.get("value")
    )
    given, family = _name(raw)
    return ImportedPatient(
        reference=reference_of(raw),
        record_number=_record_number(identifiers),
        identifiers=identifiers,
        given_name=given,
        family_name=family,
        birth_date=_birth_date(raw.get("birthDate"), f"{where}.birthDate"),
        sex=_sex(raw),
        ancestry=_ancestry(raw),
    )


def _record_number(identifiers: tuple[Identifier, ...]) -> str | None:
    ranked = [item for item in identifiers if item.kind == "MR"] or [item for item in identifiers if item.kind is None]
    return ranked[0].value if ranked else None


def _name(raw: Mapping[str, Any]) -> tuple[str, str]:
    names = raw.get("name") or []
    rank = {"official": 0, "usual": 1, None: 2}
    for name in sorted(names, key=lambda item: rank.get(item.get("use"), 3)):
        given, family = " ".join(part for part in name.get("given") or [] if part), name.get("family") or ""
        if given or family:
            return given, family
        if name.get("text"):
            return "", name["text"]
    return "", ""


def _birth_date(text: Any, where: str) -> date | None:
    if not isinstance(text, str) or len(text) < 10:
        return None
    try:
        born = date.fromisoformat(text[:10])
    except ValueError:
        raise InputError(f"cannot read the birth date {text!r}", where=where, allowed="YYYY-MM-DD") from None
    if born < _OLDEST:
        raise InputError(f"birth date {text}", where=where, allowed=f"{_OLDEST} or later")
    return born


def _sex(raw: Mapping[str, Any]) -> str | None:
    for extension in raw.get("extension") or []:
        if extension.get("url") == _BIRTH_SEX:
            return {"F": "female", "M": "male"}.get(extension.get("valueCode", ""))
    gender = raw.get("gender")
    return gender if gender in ("female", "male") else None


def _ancestry(raw: Mapping[str, Any]) -> str | None:
    """Only what the sender coded: CDC race codes, Japanese told apart because one drug model does so."""
    codes = {
        part.get("valueCoding", {}).get("code")
        for extension in raw.get("extension") or []
        if extension.get("url") == _RACE
        for part in extension.get("extension") or []
    } - {None}
    if "2039-6" in codes:
        return "japanese"
    if "2028-9" in codes:
        return "asian"
    return "other" if codes - {"ASKU", "UNK"} else None
