"""Everything that changes what is on record about a patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from limen.care.facts import fact as checked
from limen.clinic.accounts.models import User
from limen.clinic.accounts.permissions import Permission
from limen.clinic.audit.act import about, action, note
from limen.clinic.patients import allergies, trials
from limen.clinic.patients.models import ConditionRecord, Fact, MedicationRecord, Patient, Recorded, TrialRecord
from limen.clinic.sites.zones import today
from limen.errors import InputError, RefusedError
from limen.knowledge.inputs import inputs

if TYPE_CHECKING:
    from limen.clinic.sites.models import Site

HISTORIES = ("conditions", "medications", "trials")


@action(Permission.PATIENTS_REGISTER, on="site")
def register_patient(
    *,
    by: User,
    site: Site,
    mrn: str,
    family_name: str,
    given_name: str,
    birth_date: date,
    sex: str,
    phone: str = "",
) -> Patient:
    """A new patient of the site."""
    patient = new_patient(
        site, mrn=mrn, family_name=family_name, given_name=given_name, birth_date=birth_date, sex=sex, phone=phone
    )
    about(patient)
    return patient


def new_patient(
    site: Site, *, mrn: str, family_name: str, given_name: str, birth_date: date, sex: str, phone: str = ""
) -> Patient:
    """Check and save a patient, inside an act."""
    if not mrn.strip():
        raise InputError("no record number", where="mrn", allowed="the patient's number at this site")
    if not (family_name.strip() or given_name.strip()):
        raise InputError("no name", where="family_name", allowed="the patient's name")
    if not date(1900, 1, 1) <= birth_date <= today(site):
        raise InputError(f"date of birth {birth_date}", where="birth_date", allowed="from 1900 to today")
    if sex not in Patient.Sex.values:
        raise InputError(f"sex {sex!r}", where="sex", allowed=", ".join(Patient.Sex.values))
    if Patient.objects.filter(site=site, mrn=mrn.strip()).exists():
        raise InputError(f"record number {mrn} is on file already", where="mrn", allowed="a number not yet used")
    return Patient.objects.create(
        site=site,
        mrn=mrn.strip(),
        family_name=family_name.strip(),
        given_name=given_name.strip(),
        birth_date=birth_date,
        sex=sex,
        phone=phone.strip(),
    )


@action(Permission.FACTS_RECORD, on="patient")
def record_facts(
    *,
    by: User,
    patient: Patient,
    values: Mapping[str, Any],
    effective_at: datetime | None = None,
    source: str = "",
    units: Mapping[str, str] | None = None,
) -> list[Fact]:
    """Record values measured or asked at one time: all of them, or none.

    Parameters
    ----------
    values : mapping
        Keys of ``limen.knowledge.inputs``, such as ``vitals.sbp_mmHg``. A None is skipped: nothing was seen.
    effective_at : datetime, optional
        When it was measured or asked; now where not given.
    units : mapping, optional
        The unit a value came in, where it is not the key's own.
    """
    moment = _past(effective_at)
    given = {key: value for key, value in values.items() if value is not None}
    if not given:
        raise InputError("nothing to record", where="values", allowed="at least one value")
    _pressure_makes_sense(given)
    rows = [
        new_fact(patient, key, value, moment, source or by.display_name, unit=(units or {}).get(key))
        for key, value in given.items()
    ]
    note(facts=[row.kind for row in rows], effective_at=moment.isoformat())
    return rows


@action(Permission.FACTS_RECORD, on="patient")
def record_fact(
    *,
    by: User,
    patient: Patient,
    kind: str,
    value: Any,
    effective_at: datetime | None = None,
    source: str = "",
    unit: str | None = None,
) -> Fact:
    """Record one value. Pressures come in pairs: those are for ``record_facts``."""
    _pressure_makes_sense({kind: value})
    moment = _past(effective_at)
    note(facts=[kind], effective_at=moment.isoformat())
    return new_fact(patient, kind, value, moment, source or by.display_name, unit=unit)


def new_fact(
    patient: Patient, key: str, value: Any, moment: datetime | None, source: str, *, unit: str | None = None
) -> Fact:
    """Check and save one fact, inside an act."""
    if key in ("patient.birth_date", "patient.sex", "patient.age_years"):
        raise InputError("stands on the patient, not among the facts", where=key, allowed="the patient's own form")
    known = checked(key, value, taken_at=moment, source=source, unit=unit)
    return Fact.objects.create(
        site=patient.site,
        patient=patient,
        kind=key,
        value=known.value.isoformat() if isinstance(known.value, date) else _plain(known.value),
        unit=inputs()[key].unit or "",
        effective_at=moment,
        source=source,
    )


@action(Permission.FACTS_RECORD, on="patient")
def record_condition(
    *,
    by: User,
    patient: Patient,
    text: str,
    code: str = "",
    system: str = "",
    status: str = "active",
    onset: date | None = None,
    source: str = "",
) -> ConditionRecord:
    """A diagnosis on the problem list."""
    return new_condition(patient, text, code, system, status, onset, source or by.display_name, timezone.now())


def new_condition(
    patient: Patient,
    text: str,
    code: str,
    system: str,
    status: str,
    onset: date | None,
    source: str,
    moment: datetime | None,
) -> ConditionRecord:
    """Check and save a condition, inside an act."""
    from limen.care.case import Condition

    known = Condition(text.strip(), code.strip() or None, system or None, status, onset, source)
    if onset is not None and onset > today(patient.site):
        raise InputError(f"onset {onset} is in the future", where="onset", allowed="up to today")
    return ConditionRecord.objects.create(
        site=patient.site,
        patient=patient,
        text=known.text,
        code=known.code or "",
        system=known.system or "",
        status=known.status,
        onset=onset,
        source=source,
        effective_at=moment,
    )


@action(Permission.FACTS_RECORD, on="patient")
def record_medication(
    *,
    by: User,
    patient: Patient,
    name: str,
    dose: str = "",
    status: str = "active",
    last_taken_at: datetime | None = None,
    source: str = "",
) -> MedicationRecord:
    """A drug the patient takes, or has stopped."""
    if last_taken_at is not None:
        _past(last_taken_at, where="last_taken_at")
    return new_medication(patient, name, dose, "", status, last_taken_at, source or by.display_name, timezone.now())


def new_medication(
    patient: Patient,
    name: str,
    dose: str,
    code: str,
    status: str,
    last_taken_at: datetime | None,
    source: str,
    moment: datetime | None,
) -> MedicationRecord:
    """Check and save a medication, inside an act."""
    from limen.care.case import Medication

    known = Medication(name=name.strip(), dose=dose.strip() or None, code=code or None, status=status, source=source)
    return MedicationRecord.objects.create(
        site=patient.site,
        patient=patient,
        name=known.name,
        dose=known.dose or "",
        code=known.code or "",
        system="rxnorm" if code else "",
        status=known.status,
        last_taken_at=last_taken_at,
        source=source,
        effective_at=moment,
    )


@action(Permission.FACTS_RECORD, on="patient")
def mark_history_taken(*, by: User, patient: Patient, about: str) -> Fact:
    """Say that the patient was asked about all conditions, medications or trials: what is not listed is absent."""
    if about not in HISTORIES:
        raise InputError(f"history of {about!r}", where="about", allowed=" or ".join(HISTORIES))
    return Fact.objects.create(
        site=patient.site,
        patient=patient,
        kind=f"history.{about}",
        value=True,
        effective_at=timezone.now(),
        source=by.display_name,
    )


@action(Permission.FACTS_RECORD, on="patient")
def record_allergies(
    *,
    by: User,
    patient: Patient,
    none: bool = False,
    names: Sequence[str] = (),
    effective_at: datetime | None = None,
    source: str = "",
) -> list[Fact]:
    """The answer to "any allergies?": none known, or their names. Names add to those on record."""
    moment = _past(effective_at)
    return allergies.record(patient, none=none, names=names, moment=moment, source=source or by.display_name)


@action(Permission.FACTS_RECORD, on="patient")
def record_trial(*, by: User, patient: Patient, trial: Mapping[str, Any], source: str = "") -> TrialRecord:
    """One antidepressant that was tried: ``drug``, ``dose_mg_per_day``, ``weeks``, ``adherence``, ``response`` ..."""
    row = trials.write(patient, trial, moment=timezone.now(), source=source or by.display_name)
    about(row)
    return row


@action(Permission.FACTS_CORRECT, on="record")
def correct_trial(*, by: User, record: TrialRecord, trial: Mapping[str, Any], reason: str) -> TrialRecord:
    """Put another account of a trial in an entry's place; the old one stays, marked as entered in error."""
    _correctable(record, reason)
    return trials.write(
        record.patient, trial, moment=timezone.now(), source=by.display_name, of=record, reason=reason.strip()
    )


@action(Permission.FACTS_CORRECT, on="fact")
def correct_fact(*, by: User, fact: Fact, value: Any, reason: str) -> Fact:
    """Put another value in a fact's place, or none. The old row stays, marked as entered in error by the new one."""
    _correctable(fact, reason)
    retracted = value is None
    row = Fact.objects.create(
        site=fact.site,
        patient=fact.patient,
        kind=fact.kind,
        value=None if retracted else _corrected(fact.kind, value),
        unit=fact.unit,
        effective_at=fact.effective_at,
        source=by.display_name,
        entered_in_error_of=fact,
        retracted=retracted,
        reason=reason.strip(),
    )
    note(old=fact.value, new=row.value, reason=row.reason)
    return row


def _corrected(kind: str, value: Any) -> Any:
    """Another value for a fact of this kind, checked."""
    if kind == allergies.NAMED:
        name = str(value).strip()
        if not 0 < len(name) <= allergies.LONGEST_NAME:
            raise InputError("a name that cannot be kept", where="value", allowed="1 to 200 letters")
        return name
    if kind.startswith("history."):
        raise InputError("this says what was asked", where="value", allowed="nothing: take it back, then ask again")
    return _plain(checked(kind, value, taken_at=None).value)


@action(Permission.FACTS_CORRECT, on="record")
def retract_record(*, by: User, record: Recorded, reason: str) -> Recorded:
    """Mark a condition or medication as entered in error."""
    _correctable(record, reason)
    same: dict[str, Any] = {
        field.attname: getattr(record, field.attname)
        for field in record._meta.concrete_fields
        if field.name not in {"id", "created_at", "created_by", "entered_in_error_of", "retracted", "reason", "source"}
    }
    note(reason=reason.strip())
    same |= {"entered_in_error_of": record, "retracted": True, "reason": reason.strip(), "source": by.display_name}
    row: Recorded = type(record).objects.create(**same)
    return row


def _correctable(row: Recorded, reason: str) -> None:
    if row.retracted or row.corrections.exists():  # type: ignore[attr-defined]
        raise RefusedError("this entry has been corrected already", hint="Correct the newer one")
    if len(reason.strip()) < 5:
        raise InputError("no reason", where="reason", allowed="a few words: what was wrong")


def _past(moment: datetime | None, *, where: str = "effective_at") -> datetime:
    now = timezone.now()
    if moment is None:
        return now
    if moment > now:
        raise InputError(f"{moment:%Y-%m-%d %H:%M} is in the future", where=where, allowed="up to now")
    return moment


def _pressure_makes_sense(values: Mapping[str, Any]) -> None:
    systolic, diastolic = values.get("vitals.sbp_mmHg"), values.get("vitals.dbp_mmHg")
    if (systolic is None) != (diastolic is None):
        missing = "vitals.dbp_mmHg" if diastolic is None else "vitals.sbp_mmHg"
        raise InputError("half a pressure", where=missing, allowed="systolic and diastolic together")
    if isinstance(systolic, int | float) and isinstance(diastolic, int | float) and diastolic >= systolic:
        raise InputError(
            f"pressure {systolic:g}/{diastolic:g}", where="vitals.dbp_mmHg", allowed="diastolic below systolic"
        )


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value
