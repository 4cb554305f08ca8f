"""Taking in a FHIR bundle: the patient, the dated facts, and an account of what was not taken."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from limen.clinic.accounts.models import User
from limen.clinic.accounts.permissions import Permission
from limen.clinic.accounts.policy import require
from limen.clinic.accounts.queries import name_of
from limen.clinic.audit.act import about, action, note
from limen.clinic.patients.actions import new_condition, new_fact, new_medication, new_patient
from limen.clinic.patients.models import BundleImport, ConditionRecord, Fact, MedicationRecord, Patient
from limen.clinic.sites.zones import today
from limen.errors import InputError, RefusedError
from limen.interop.fhir import ImportedBundle, case_conditions, case_facts, case_medications, read_bundle

if TYPE_CHECKING:
    from limen.clinic.sites.models import Site

_ON_THE_PATIENT = ("patient.birth_date", "patient.sex", "patient.age_years")


def import_bundle(*, by: User, site: Site, raw: Any, file_name: str = "") -> BundleImport:
    """Take in a FHIR R4 bundle about one patient: all of it, or nothing.

    A patient already on file (same record number) keeps their row; facts that stand already are not doubled. Each fact
    keeps the date and source it came with.

    Raises
    ------
    InputError
        If the bundle cannot be read, or names somebody else under a record number on file.
    RefusedError
        If this very bundle has been taken in before.
    """
    require(by=by, permission=Permission.PATIENTS_IMPORT, site=site, target=file_name, action="patients.import_bundle")
    # A large bundle takes seconds to read: not while the database is held for writing, when alarms are written too.
    bundle = read_bundle(raw, on=today(site))
    return _store(by=by, site=site, bundle=bundle, raw=raw, file_name=file_name)


@action(Permission.PATIENTS_IMPORT, on="site", name="patients.import_bundle")
def _store(*, by: User, site: Site, bundle: ImportedBundle, raw: Any, file_name: str) -> BundleImport:
    digest = hashlib.sha256(json.dumps(raw, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    patient = _patient(site, bundle)
    before = BundleImport.objects.filter(site=site, sha256=digest).first()
    if before is not None:
        raise RefusedError(
            f"this bundle was imported on {before.created_at:%Y-%m-%d %H:%M} UTC by {name_of(before.created_by)}",
            where=file_name,
            hint="Its facts are on the patient's chart",
        )
    counts = {
        "facts": _facts(patient, bundle),
        "conditions": _conditions(patient, bundle),
        "medications": _medications(patient, bundle),
    }
    made = BundleImport.objects.create(
        site=site,
        patient=patient,
        file_name=file_name[:200],
        sha256=digest,
        report=bundle.report.to_json() | {"stored": counts},
        raw=raw,
    )
    about(patient)
    note(sha256=digest, stored=counts)
    return made


def _patient(site: Site, bundle: ImportedBundle) -> Patient:
    sent = bundle.patient
    mrn = sent.record_number or sent.reference.rpartition("/")[2]
    held = Patient.objects.filter(site=site, mrn=mrn).select_related("site").first()
    if held is None:
        if sent.birth_date is None:
            raise InputError(
                "the bundle gives no date of birth",
                where="Patient.birthDate",
                allowed="YYYY-MM-DD",
                hint=f"Register the patient by form under record number {mrn} first, then import",
            )
        return new_patient(
            site,
            mrn=mrn,
            family_name=sent.family_name,
            given_name=sent.given_name,
            birth_date=sent.birth_date,
            sex=sent.sex or Patient.Sex.UNKNOWN,
        )
    same_name = held.family_name.casefold() == sent.family_name.casefold()
    if not same_name or (sent.birth_date is not None and sent.birth_date != held.birth_date):
        raise InputError(
            f"record number {mrn} belongs to {held}, born {held.birth_date}; the bundle says "
            f"{sent.family_name}, {sent.given_name}, born {sent.birth_date or 'not said'}",
            where="Patient",
            allowed="the same name and date of birth",
        )
    return held


def _facts(patient: Patient, bundle: ImportedBundle) -> int:
    held = {
        (row.kind, row.effective_at, row.source) for row in Fact.objects.filter(patient=patient).only("kind", "source")
    }
    stored = 0
    for item in case_facts(bundle):
        moment = item.taken_at
        if item.key in _ON_THE_PATIENT or (item.key, moment, item.source) in held:
            continue
        new_fact(patient, item.key, item.value, moment, item.source)  # type: ignore[arg-type]
        stored += 1
    for allergy in bundle.allergies:
        if allergy.active and ("allergy", None, allergy.source) not in held:
            Fact.objects.create(
                site=patient.site, patient=patient, kind="allergy", value=allergy.text, source=allergy.source
            )
            stored += 1
    return stored


def _conditions(patient: Patient, bundle: ImportedBundle) -> int:
    held = set(ConditionRecord.objects.filter(patient=patient).values_list("source", "code", "text"))
    stored = 0
    for item in case_conditions(bundle, today(patient.site)):
        if (item.source, item.code or "", item.text) in held:
            continue
        new_condition(
            patient, item.text, item.code or "", item.system or "", item.status, item.onset, item.source, None
        )
        stored += 1
    return stored


def _medications(patient: Patient, bundle: ImportedBundle) -> int:
    held = set(MedicationRecord.objects.filter(patient=patient).values_list("source", "name"))
    stored = 0
    for item in case_medications(bundle):
        if (item.source, item.name) in held:
            continue
        new_medication(patient, item.name, item.dose or "", item.code or "", item.status, None, item.source, None)
        stored += 1
    return stored
