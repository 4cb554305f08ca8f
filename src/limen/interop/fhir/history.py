"""Conditions, medicines and allergies: what is on record, with what the record says of its status."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from limen.care.allergies import none_known
from limen.interop.fhir.codes import ATC, DIAGNOSIS_SYSTEMS, RXNORM, SUBSTANCE_SYSTEMS
from limen.interop.fhir.dosing import daily_mg, taken_over
from limen.interop.fhir.facts import ImportedAllergy, ImportedCondition, ImportedMedication
from limen.interop.fhir.reading import (
    UnusableError,
    codings,
    first_code,
    known_codes,
    moment,
    reference_of,
    started,
    unknown_systems,
    words,
)

_ACTIVE_CONDITION = ("active", "recurrence", "relapse")
_NEVER_TRUE = ("refuted", "entered-in-error")
_CURRENT_MEDICATION = ("active", "on-hold", "intended", "unknown")
_PAST_MEDICATION = ("completed", "stopped", "cancelled")

_BRAND = re.compile(r"\[[^\]]*\]")
_DURATION_PREFIX = re.compile(r"^\s*\d+(?:\.\d+)?\s*(?:HR|ML|ACTUAT)\s+", re.IGNORECASE)
_STRENGTH_ON = re.compile(
    r"\s+\d[\d.,]*\s*(?:MG|MCG|UG|G|ML|MEQ|UNT|UNITS?|IU|%|HR|ACTUAT|MMOL|MG/ML|UNT/ML)\b.*$", re.IGNORECASE
)
_FORM_ON = re.compile(
    r"\s+(?:extended release|delayed release|oral|sublingual|injectable|injection|nasal|topical|transdermal|"
    r"tablets?|capsules?|solution|spray|patch|inhaler|inhalation|product)\b.*$",
    re.IGNORECASE,
)


def plain_names(display: str) -> tuple[str, ...]:
    """Ingredient names in the display of an RxNorm drug, without strength, form or brand.

    Examples
    --------
    >>> plain_names("Hydrochlorothiazide 25 MG")
    ('hydrochlorothiazide',)
    >>> plain_names("24 HR venlafaxine 150 MG Extended Release Oral Capsule [Effexor]")
    ('venlafaxine',)
    >>> plain_names("Acetaminophen 325 MG / oxycodone hydrochloride 5 MG Oral Tablet")
    ('acetaminophen', 'oxycodone hydrochloride')
    """
    names = []
    for part in _BRAND.sub(" ", display).split(" / "):
        name = _FORM_ON.sub("", _STRENGTH_ON.sub("", _DURATION_PREFIX.sub("", part.strip())))
        name = " ".join(name.split()).lower()
        if name:
            names.append(name)
    return tuple(dict.fromkeys(names))


def read_condition(raw: Mapping[str, Any], *, on: date | None) -> ImportedCondition:
    """One Condition.

    Raises
    ------
    UnusableError
        If it was refuted or entered in error, names nothing, begins after ``on``, or is coded only in a system Limen
        does not know.
    """
    verification = first_code(raw.get("verificationStatus"))
    if verification in _NEVER_TRUE:
        raise UnusableError(f"verification status {verification}")
    concept = raw.get("code")
    text = words(concept)
    if not text:
        raise UnusableError("a condition without a name or a code")
    codes = known_codes(concept, DIAGNOSIS_SYSTEMS)
    strange = unknown_systems(concept, DIAGNOSIS_SYSTEMS)
    if strange and not codes:
        raise UnusableError(
            f"unknown code system {strange[0]}: refused; known are ICD-10-CM and SNOMED CT. Enter it by hand"
        )
    onset = started(raw, "onsetDateTime", "onsetPeriod")
    began = moment(onset)
    if on is not None and began is not None and began.date() > on:
        raise UnusableError(f"onset {began.date()}, after {on}: refused")
    abated = started(raw, "abatementDateTime", "abatementPeriod")
    status = first_code(raw.get("clinicalStatus"))
    active = status in _ACTIVE_CONDITION or (status is None and abated is None)
    return ImportedCondition(
        text=text,
        codes=codes,
        status="active" if active else "resolved",
        onset=onset,
        abated=abated,
        verification=verification,
        source=reference_of(raw),
    )


def read_medication(raw: Mapping[str, Any], referred: Mapping[str, Mapping[str, Any]]) -> list[ImportedMedication]:
    """The drugs of one MedicationRequest or MedicationStatement, one for each ingredient.

    Raises
    ------
    UnusableError
        If its status says it was never so, or the drug cannot be named.
    """
    status = str(raw.get("status"))
    if raw.get("doNotPerform"):
        raise UnusableError("an order not to give the drug")
    if status not in _CURRENT_MEDICATION + _PAST_MEDICATION:
        raise UnusableError(f"status {status}")
    concept = raw.get("medicationCodeableConcept")
    if concept is None:
        target = (raw.get("medicationReference") or {}).get("reference", "")
        medication = _contained(raw, target) or referred.get(target)
        concept = medication.get("code") if medication else None
    text = words(concept)
    names = plain_names(text)
    if not names:
        raise UnusableError("a medicine that cannot be named")
    rxnorm = next((coding["code"] for coding in codings(concept) if coding.get("system") == RXNORM), None)
    atc = next((coding["code"] for coding in codings(concept) if coding.get("system") == ATC), None)
    began, ended = taken_over(raw)
    instructions = (raw.get("dosageInstruction") or raw.get("dosage") or [{}])[0]
    return [
        ImportedMedication(
            name=name,
            rxnorm=rxnorm,
            text=text,
            status=status,
            active=status in _CURRENT_MEDICATION,
            since=started(raw, "authoredOn", "effectiveDateTime", "effectivePeriod", "dateAsserted"),
            dose=instructions.get("text"),
            source=reference_of(raw),
            atc=atc,
            began=began,
            ended=ended,
            # The amount of an order is one drug's only where it names one.
            dose_mg_per_day=daily_mg(instructions) if len(names) == 1 else None,
        )
        for name in names
    ]


def _contained(raw: Mapping[str, Any], target: str) -> Mapping[str, Any] | None:
    if not target.startswith("#"):
        return None
    return next((item for item in raw.get("contained") or [] if item.get("id") == target[1:]), None)


def read_allergy(raw: Mapping[str, Any]) -> ImportedAllergy:
    """One AllergyIntolerance.

    Raises
    ------
    UnusableError
        If it was refuted or entered in error, or names nothing.
    """
    verification = first_code(raw.get("verificationStatus"))
    if verification in _NEVER_TRUE:
        raise UnusableError(f"verification status {verification}")
    text = words(raw.get("code"))
    if not text:
        raise UnusableError("an allergy without a name or a code")
    if none_known(text):
        raise UnusableError("says that none is known, not who asked and when: ask, and record the answer")
    return ImportedAllergy(
        text=text,
        codes=known_codes(raw.get("code"), SUBSTANCE_SYSTEMS),
        active=first_code(raw.get("clinicalStatus")) in ("active", None),
        source=reference_of(raw),
    )
