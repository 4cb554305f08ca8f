"""A FHIR R4 Bundle becomes dated facts, with one line of account for every entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from limen.errors import InputError
from limen.interop.fhir.facts import (
    Fact,
    ImportedAllergy,
    ImportedBundle,
    ImportedCondition,
    ImportedMedication,
    ImportedPatient,
    ImportReport,
    Row,
)
from limen.interop.fhir.history import read_allergy, read_condition, read_medication
from limen.interop.fhir.observations import read_observation
from limen.interop.fhir.patient import read_patient
from limen.interop.fhir.reading import UnusableError, reference_of, target_of, words
from limen.interop.fhir.validation import fault

_USED = ("Condition", "MedicationRequest", "MedicationStatement", "AllergyIntolerance", "Observation")


def read_bundle(raw: Any, *, on: date | None = None) -> ImportedBundle:
    """Read a whole bundle about one patient.

    Parameters
    ----------
    raw : dict
        A FHIR R4 Bundle as parsed JSON.
    on : date, optional
        Today; measurements dated later are refused.

    Raises
    ------
    InputError
        If this is not a Bundle, holds no patient or more than one, or its patient cannot be read. Nothing is kept.
    """
    entries = _entries(raw)
    patient, patient_index, own = _patient(entries)
    if on is not None and patient.birth_date is not None and patient.birth_date > on:
        raise InputError(
            f"birth date {patient.birth_date}", where=f"entry[{patient_index}].birthDate", allowed=f"{on} or earlier"
        )
    reader = _Reader(patient, own, _by_reference(entries), on)
    rows = []
    for index, (_, resource) in enumerate(entries):
        if index == patient_index:
            rows.append(Row(index, patient.reference, patient.name or "Patient", True, _patient_words(patient)))
        else:
            rows.append(reader.read(index, resource))
    return reader.finish(rows)


class _Reader:
    """Collects what the entries hold while they are read one after another."""

    def __init__(
        self,
        patient: ImportedPatient,
        own: frozenset[str],
        referred: Mapping[str, Mapping[str, Any]],
        on: date | None,
    ) -> None:
        self._patient = patient
        self._own = own
        self._referred = referred
        self._on = on
        self._seen: set[str] = set()
        self._facts: list[tuple[int, Fact]] = []
        self._conditions: list[ImportedCondition] = []
        self._medications: list[ImportedMedication] = []
        self._allergies: list[ImportedAllergy] = []

    def read(self, index: int, resource: Mapping[str, Any]) -> Row:
        reference = reference_of(resource)
        title = words(resource.get("code") or resource.get("medicationCodeableConcept")) or _type_of(resource)
        try:
            outcome, on = self._take(index, resource, reference)
        except UnusableError as problem:
            return Row(index, reference, title, False, str(problem))
        return Row(index, reference, title, True, outcome, on)

    def _take(self, index: int, resource: Mapping[str, Any], reference: str) -> tuple[str, str | None]:
        kind = _type_of(resource)
        if kind == "Medication" and self._names_a_drug(resource):
            return "names the drug of an order that refers to it", None
        if kind not in _USED:
            raise UnusableError(f"not used by Limen: {kind}")
        problem = fault(dict(resource))
        if problem:
            raise UnusableError(problem)
        if resource.get("id") and reference in self._seen:
            raise UnusableError("stands in the bundle already")
        self._check_subject(resource)
        taken = self._store(index, resource, kind)
        self._seen.add(reference)
        return taken

    def _store(self, index: int, resource: Mapping[str, Any], kind: str) -> tuple[str, str | None]:
        if kind == "Condition":
            condition = read_condition(resource, on=self._on)
            self._conditions.append(condition)
            kept = f"condition, {condition.status}"
            if condition.verification not in (None, "confirmed"):
                kept += f", {condition.verification}"
            return kept, condition.onset
        if kind in ("MedicationRequest", "MedicationStatement"):
            drugs = read_medication(resource, self._referred)
            self._medications.extend(drugs)
            names = " and ".join(drug.name for drug in drugs)
            state = "on record as current, not confirmed" if drugs[0].active else f"history, {drugs[0].status}"
            return f"medicine {names}: {state}", drugs[0].since
        if kind == "AllergyIntolerance":
            allergy = read_allergy(resource)
            self._allergies.append(allergy)
            return f"allergy, {'active' if allergy.active else 'resolved'}", None
        facts = read_observation(resource, on=self._on)
        if not facts:
            raise UnusableError(f"not used by Limen: Observation, {words(resource.get('code')) or 'no code'}")
        self._facts.extend((index, fact) for fact in facts)
        return "", facts[0].on.isoformat()

    def _check_subject(self, resource: Mapping[str, Any]) -> None:
        subject = (resource.get("subject") or resource.get("patient") or {}).get("reference")
        if not subject:
            raise UnusableError("does not say which patient it is about")
        if subject not in self._own and not any(subject.endswith(f"/{name}") for name in self._own if "/" in name):
            raise UnusableError(f"about another patient: {subject}")

    def _names_a_drug(self, resource: Mapping[str, Any]) -> bool:
        targets = {key for key, value in self._referred.items() if value is resource}
        return any(target_of(other.get("medicationReference")) in targets for other in self._referred.values())

    def finish(self, rows: list[Row]) -> ImportedBundle:
        newest: dict[str, int] = {}
        for position, (_, fact) in enumerate(self._facts):
            best = newest.get(fact.key)
            if best is None or fact.effective_at >= self._facts[best][1].effective_at:
                newest[fact.key] = position
        facts = []
        words_of: dict[int, list[str]] = {}
        for position, (index, fact) in enumerate(self._facts):
            current = newest[fact.key] == position
            facts.append(fact if current else replace(fact, current=False))
            said = fact.shown
            if not current:
                said += f" kept as history, newer on {self._facts[newest[fact.key]][1].on}"
            words_of.setdefault(index, []).append(said)
        told = tuple(
            replace(row, outcome="; ".join(words_of[row.entry])) if row.entry in words_of else row for row in rows
        )
        return ImportedBundle(
            patient=self._patient,
            facts=tuple(facts),
            conditions=tuple(self._conditions),
            medications=tuple(self._medications),
            allergies=tuple(self._allergies),
            report=ImportReport(told),
        )


def _entries(raw: Any) -> list[tuple[str, Mapping[str, Any]]]:
    if not isinstance(raw, Mapping) or raw.get("resourceType") != "Bundle":
        kind = raw.get("resourceType") if isinstance(raw, Mapping) else type(raw).__name__
        raise InputError(f"this is {kind!r:.60}, not a Bundle", where="resourceType", allowed="a FHIR R4 Bundle")
    listed = raw.get("entry")
    if not isinstance(listed, list) or not listed:
        raise InputError("the bundle has no entries", where="entry", allowed="a list of entries with resources")
    entries = []
    for index, entry in enumerate(listed):
        resource = entry.get("resource") if isinstance(entry, Mapping) else None
        if not isinstance(resource, Mapping) or not isinstance(resource.get("resourceType"), str):
            raise InputError(
                "an entry without a resource", where=f"entry[{index}]", allowed="an object with a FHIR resource"
            )
        full_url = entry.get("fullUrl")
        entries.append((full_url if isinstance(full_url, str) else "", resource))
    return entries


def _patient(entries: list[tuple[str, Mapping[str, Any]]]) -> tuple[ImportedPatient, int, frozenset[str]]:
    found = [index for index, (_, resource) in enumerate(entries) if _type_of(resource) == "Patient"]
    if len(found) != 1:
        what = "the bundle holds no Patient" if not found else f"the bundle holds {len(found)} Patients"
        raise InputError(what, where="entry", allowed="exactly one Patient", hint="Send one bundle for each patient")
    index = found[0]
    full_url, resource = entries[index]
    problem = fault(dict(resource))
    if problem:
        raise InputError(f"the Patient is {problem}", where=f"entry[{index}]", allowed="a FHIR R4 Patient")
    patient = read_patient(resource, f"entry[{index}]")
    names = {full_url, reference_of(resource) if resource.get("id") else ""} - {""}
    return patient, index, frozenset(names)


def _by_reference(entries: list[tuple[str, Mapping[str, Any]]]) -> dict[str, Mapping[str, Any]]:
    table: dict[str, Mapping[str, Any]] = {}
    for full_url, resource in entries:
        for name in (full_url, reference_of(resource)):
            if name:
                table.setdefault(name, resource)
    return table


def _type_of(resource: Mapping[str, Any]) -> str:
    return str(resource["resourceType"])


def _patient_words(patient: ImportedPatient) -> str:
    parts = [f"record {patient.record_number}" if patient.record_number else "no record number"]
    parts.append(f"born {patient.birth_date}" if patient.birth_date else "birth date not on record, ask")
    parts.append(patient.sex or "sex not on record, ask")
    return "patient: " + ", ".join(parts)
