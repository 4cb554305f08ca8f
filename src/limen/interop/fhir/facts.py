"""What a referral bundle holds for Limen: plain values, each with its unit, its time and the resource it came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Identifier:
    """One name tag of the patient: ``kind`` is the HL7 v2-0203 code (``MR``, ``SS`` ...) where the sender gave one."""

    system: str
    value: str
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class ImportedPatient:
    """Who the bundle is about. ``record_number`` is the medical record number, else the first identifier."""

    reference: str
    record_number: str | None
    identifiers: tuple[Identifier, ...]
    given_name: str
    family_name: str
    birth_date: date | None
    sex: str | None
    ancestry: str | None

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()

    def age_years(self, on: date) -> int | None:
        """Completed years on a day; None where the birth date is not on record.

        Examples
        --------
        >>> patient = ImportedPatient("Patient/1", None, (), "A", "B", date(1986, 11, 28), None, None)
        >>> patient.age_years(date(2026, 11, 27))
        39
        """
        born = self.birth_date
        if born is None:
            return None
        return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


@dataclass(frozen=True, slots=True)
class Fact:
    """One measured value, under its key in ``limen.knowledge.inputs`` and in the unit named there.

    ``current`` is false for a value that a later one of the same kind supersedes; it stays as history.
    """

    key: str
    value: float
    unit: str
    effective_at: datetime
    source: str
    title: str
    as_sent: str
    current: bool = True

    @property
    def on(self) -> date:
        """The day of the measurement where it was made."""
        return self.effective_at.date()

    @property
    def shown(self) -> str:
        """The value as a sentence shows it."""
        return f"{self.title} {self.value:.4g} {self.unit}".strip()


@dataclass(frozen=True, slots=True)
class ImportedCondition:
    """A diagnosis on record; ``codes`` are (``icd10`` or ``snomed``, code) pairs that all name the same condition."""

    text: str
    codes: tuple[tuple[str, str], ...]
    status: str
    onset: str | None
    abated: str | None
    verification: str | None
    source: str


@dataclass(frozen=True, slots=True)
class ImportedMedication:
    """One drug on record, by its plain ingredient name. ``active`` says what the record says, not what was taken.

    ``began`` and ``ended`` are the period it was taken, where the record gives one: an order's date is none.
    """

    name: str
    rxnorm: str | None
    text: str
    status: str
    active: bool
    since: str | None
    dose: str | None
    source: str
    atc: str | None = None
    began: date | None = None
    ended: date | None = None
    dose_mg_per_day: float | None = None


@dataclass(frozen=True, slots=True)
class ImportedAllergy:
    """An allergy or intolerance on record."""

    text: str
    codes: tuple[tuple[str, str], ...]
    active: bool
    source: str


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one entry of the bundle. ``outcome`` is its meaning there, or why it was not imported."""

    entry: int
    resource: str
    title: str
    imported: bool
    outcome: str
    on: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "entry": self.entry,
            "resource": self.resource,
            "title": self.title,
            "imported": self.imported,
            "outcome": self.outcome,
            "on": self.on,
        }


@dataclass(frozen=True, slots=True)
class ImportReport:
    """One row for each entry of the bundle, in its order: nothing is dropped in silence."""

    rows: tuple[Row, ...]

    @property
    def imported(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.imported)

    @property
    def not_imported(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if not row.imported)

    def to_json(self) -> dict[str, Any]:
        return {
            "entries": len(self.rows),
            "imported": [row.to_json() for row in self.imported],
            "not_imported": [row.to_json() for row in self.not_imported],
        }


@dataclass(frozen=True, slots=True)
class ImportedBundle:
    """Everything Limen took from a bundle, and the account of what it did not take."""

    patient: ImportedPatient
    facts: tuple[Fact, ...]
    conditions: tuple[ImportedCondition, ...]
    medications: tuple[ImportedMedication, ...]
    allergies: tuple[ImportedAllergy, ...]
    report: ImportReport = field(default_factory=lambda: ImportReport(()))

    def latest(self, key: str) -> Fact | None:
        """The newest value of a fact, or None where the bundle holds none."""
        return next((fact for fact in self.facts if fact.key == key and fact.current), None)
