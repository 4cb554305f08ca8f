"""What the patient's pages show: read from several applications, shaped for the templates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from limen.clinic.courses.models import Course, ScreeningResult
from limen.clinic.outcomes.models import Task
from limen.clinic.outcomes.queries import trajectory as points_of
from limen.clinic.patients import queries
from limen.clinic.patients.allergies import ASKED, NAMED
from limen.clinic.patients.fact_groups import fact_groups
from limen.clinic.patients.models import BundleImport, Fact, Patient
from limen.clinic.sessions.models import Session
from limen.clinic.sites.models import Site
from limen.clinic.stock.models import LedgerEntry
from limen.knowledge.inputs import inputs

_HIGHEST = {"PHQ-9": 27, "GAD-7": 21, "MADRS": 60}


def listed(site: Site, text: str) -> QuerySet[Patient]:
    """The patients of a site, each with ``verdict`` and ``judged_on`` of its newest screening, and ``open_tasks``."""
    newest = ScreeningResult.objects.filter(course__patient=OuterRef("pk")).order_by("-created_at")
    waiting = Task.objects.filter(patient=OuterRef("pk"), status=Task.Status.OPEN).order_by().values("patient")
    return queries.patients(site, text).annotate(
        verdict=Subquery(newest.values("verdict")[:1]),
        judged_on=Subquery(newest.values("on")[:1]),
        open_tasks=Coalesce(Subquery(waiting.annotate(count=Count("pk")).values("count")), 0),
    )


def with_courses(patients: list[Patient]) -> list[Patient]:
    """Each patient with ``course``, the newest one."""
    by_patient: dict[Any, Course] = {}
    for course in Course.objects.filter(patient__in=patients).order_by("created_at"):
        by_patient[course.patient_id] = course
    for patient in patients:
        patient.course = by_patient.get(patient.pk)  # type: ignore[attr-defined]
    return patients


def head(patient: Patient, rows: Iterable[Fact] | None = None) -> dict[str, Any]:
    """What the patient line of every page needs. ``rows``: the standing facts, oldest first, where they were read."""
    newest = {row.kind: row for row in (queries.facts(patient) if rows is None else rows)}
    return {"patient": patient, "weight": newest.get("patient.weight_kg"), "newest": newest}


def known_facts(newest: dict[str, Fact]) -> list[Fact]:
    """The newest fact of each kind, in the order of the entry page; then what no page asks. Allergies stand apart."""
    order = [key for group in fact_groups() for key in group.keys]
    rank = {key: place for place, key in enumerate(order)}
    rows = [row for row in newest.values() if row.kind not in (NAMED, ASKED)]
    return sorted(rows, key=lambda row: (rank.get(row.kind, len(rank)), row.kind))


def groups(newest: dict[str, Fact], form_of: Any) -> list[dict[str, Any]]:
    """The groups of the entry page with their forms and what is on record."""
    return [
        {
            "id": group.id,
            "title": group.title,
            "note": group.note,
            "last": [newest[key] for key in group.keys if key in newest],
            "form": form_of(group),
        }
        for group in fact_groups()
        if group.keys
    ]


def sessions_of(patient: Patient) -> list[Session]:
    """A patient's sessions, newest first, each with ``given_mg`` from the ledger."""
    given = LedgerEntry.objects.filter(session=OuterRef("pk"), kind="give").order_by().values("session")
    rows = Session.objects.filter(patient=patient).select_related("chair", "course").defer("header", "rules_snapshot")
    # A sum beside the session, not over a join: the database would group by every column, the rules of the day too.
    summed = rows.annotate(given_mg=Subquery(given.annotate(total=Sum("amount_mg")).values("total")))
    return list(summed.order_by("-started_at", "-number"))


def trajectory(patient: Patient, sessions: list[Session], instrument: str = "PHQ-9") -> dict[str, Any]:
    """A score over time and the sessions beside it, as the chart draws them."""
    read = points_of(patient, instrument)
    spec = inputs().get(f"scores.{instrument}")
    return {
        "instrument": instrument,
        "max": spec.high if spec is not None and spec.high is not None else _HIGHEST.get(instrument, 100),
        "points": [{"low": None, "high": None} | point for point in read["points"]],
        "sessions": [
            {
                "at": row.started_at,
                "number": row.number,
                "dose_mg": None if row.given_mg is None else float(row.given_mg),  # type: ignore[attr-defined]
            }
            for row in sessions
            if row.started_at is not None
        ],
        "levels": [],
    }


def report_of(record: BundleImport) -> dict[str, Any]:
    """The report of an import, and how often each reason stands in it."""
    counted = Counter((row["outcome"], row["resource"].partition("/")[0]) for row in record.report["not_imported"])
    report: dict[str, Any] = record.report
    return report | {
        "not_imported_by_reason": [
            {"outcome": outcome, "resource": resource, "count": count}
            for (outcome, resource), count in counted.most_common()
        ]
    }
