"""The allergies on a chart: what was named, and whether anybody asked. Written from actions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from limen.clinic.audit.act import note
from limen.clinic.patients import queries
from limen.clinic.patients.models import Fact, Patient
from limen.errors import InputError, RefusedError

NAMED = "allergy"
ASKED = "history.allergies"
NONE_KNOWN, LISTED = "none known", "listed"
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Allergies:
    """The allergies that stand.

    Attributes
    ----------
    rows : tuple of Fact
        One for each allergy named, oldest first.
    asked : Fact or None
        The newest answer to "any allergies?".
    """

    rows: tuple[Fact, ...]
    asked: Fact | None

    @property
    def names(self) -> tuple[str, ...] | None:
        """Every allergy; empty where none is known; ``None`` where nobody asked.

        What was named and then taken back leaves the question open: "none" is only what somebody said.
        """
        if self.rows:
            return tuple(str(row.value) for row in self.rows)
        return () if self.asked is not None and self.asked.value == NONE_KNOWN else None


def allergies_of(patient: Patient) -> Allergies:
    """The allergies on record, and the newest answer."""
    found = [row for row in queries.facts(patient) if row.kind in (NAMED, ASKED)]
    return sorted_out(found)


def sorted_out(facts: Sequence[Fact]) -> Allergies:
    """The same from facts that were read already, oldest first."""
    named = tuple(row for row in facts if row.kind == NAMED and row.value)
    asked = [row for row in facts if row.kind == ASKED]
    return Allergies(named, asked[-1] if asked else None)


def record(patient: Patient, *, none: bool, names: Sequence[str], moment: datetime, source: str) -> list[Fact]:
    """Save one answer: none known, or the names.

    Raises
    ------
    InputError
        If neither or both are said, or a name is too long.
    RefusedError
        If none is said to be known while one stands on record.
    """
    said = list(dict.fromkeys(name.strip() for name in names if name.strip()))
    if none == bool(said):
        what = "none known, and names as well" if none else "no answer"
        raise InputError(what, where="names", allowed="none known, or at least one name")
    if any(len(name) > LONGEST_NAME for name in said):
        raise InputError("a long name", where="names", allowed=f"one allergy a line, at most {LONGEST_NAME} letters")
    stands = allergies_of(patient)
    if none and stands.rows:
        listed = "; ".join(str(row.value) for row in stands.rows)
        raise RefusedError(
            f"on record: {listed}", where="names", hint="Take back on the chart what is not true, then answer again"
        )
    held = {str(row.value).casefold() for row in stands.rows}
    fresh = [name for name in said if name.casefold() not in held]
    rows = [
        Fact.objects.create(
            site=patient.site, patient=patient, kind=kind, value=value, effective_at=moment, source=source
        )
        for kind, value in ((ASKED, NONE_KNOWN if none else LISTED), *((NAMED, name) for name in fresh))
    ]
    note(answer=rows[0].value, names=said)
    return rows
