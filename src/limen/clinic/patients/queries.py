"""Reads about patients. Corrected rows stay in the record; ``current`` leaves them out."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from django.db.models import F, Q, QuerySet
from django.http import Http404

from limen.clinic.patients.models import (
    ConditionRecord,
    ConsentRecord,
    Fact,
    MedicationRecord,
    Patient,
    Recorded,
    TrialRecord,
)
from limen.clinic.sites.models import Site

T = TypeVar("T", bound=Recorded)


def patients(site: Site, text: str = "") -> QuerySet[Patient]:
    """The patients of a site; with ``text``, those whose name or record number holds each of its words."""
    found = Patient.objects.filter(site=site)
    for word in text.split():
        found = found.filter(Q(family_name__icontains=word) | Q(given_name__icontains=word) | Q(mrn__icontains=word))
    return found


def patient(site: Site, patient_id: Any) -> Patient:
    """One patient of the site. A patient of another site does not exist here.

    Raises
    ------
    Http404
        If there is none.
    """
    found = Patient.objects.filter(site=site, pk=patient_id).select_related("site").first()
    if found is None:
        raise Http404("no such patient")
    return found


def current(rows: QuerySet[T]) -> QuerySet[T]:
    """Without what was corrected and without retractions."""
    return rows.filter(corrections=None, retracted=False)


def facts(patient: Patient) -> QuerySet[Fact]:
    """The facts that stand, oldest first; those without a date before all others."""
    return _dated(current(Fact.objects.filter(patient=patient)))


def newest_facts(patient: Patient) -> dict[str, Fact]:
    """The newest standing fact of each kind."""
    return {row.kind: row for row in facts(patient)}


def recorded_since(patient: Patient, moment: datetime) -> int:
    """How many entries came on record after a moment, corrections and retractions too: a verdict then knew none."""
    facts, *others = (
        kind.objects.filter(patient=patient, created_at__gt=moment).order_by().values("pk")
        for kind in (Fact, ConditionRecord, MedicationRecord, TrialRecord)
    )
    consents = ConsentRecord.objects.filter(course__patient=patient, created_at__gt=moment).order_by().values("pk")
    return facts.union(*others, consents, all=True).count()


def conditions(patient: Patient) -> QuerySet[ConditionRecord]:
    """The problem list as it stands."""
    return current(ConditionRecord.objects.filter(patient=patient)).order_by("status", "-onset", "text")


def medications(patient: Patient) -> QuerySet[MedicationRecord]:
    """The medication list as it stands."""
    return current(MedicationRecord.objects.filter(patient=patient)).order_by("status", "name")


def trials(patient: Patient) -> QuerySet[TrialRecord]:
    """The antidepressants tried, in the order they were entered."""
    return current(TrialRecord.objects.filter(patient=patient)).order_by("created_at")


def _dated(rows: QuerySet[T]) -> QuerySet[T]:
    return rows.order_by(F("effective_at").asc(nulls_first=True), "created_at")
