"""From the rows on record to the typed case that screening and planning decide on, and back to plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from django.utils import timezone

from limen.care.allergies import with_ketamine
from limen.care.case import Case, Condition, Medication, Request, build_case
from limen.care.facts import Fact, fact
from limen.clinic.courses.models import Course
from limen.clinic.patients import allergies, queries, trials
from limen.clinic.patients.consent_queries import records as consent_records
from limen.clinic.patients.consent_queries import standing_of
from limen.clinic.patients.models import ConditionRecord, MedicationRecord, Patient
from limen.clinic.patients.models import Fact as FactRow
from limen.clinic.sites.zones import local, today, zone_of
from limen.knowledge.inputs import history_max_age_days, inputs

_CONSENT = "facts.consent_signed"


def case_of(course: Course, *, on: date | None = None, request: Request | None = None) -> Case:
    """Everything on record about the patient that a decision on ``on`` may use.

    A fact's day is its day at the site, so that "the same day" is the clinic's day. What was corrected is left out.
    """
    patient = course.patient
    rows = list(queries.facts(patient))
    day, zone = on or today(course.site), zone_of(course.site)
    oldest = day - timedelta(days=history_max_age_days())
    taken: dict[str, date] = {}
    for row in rows:
        if row.kind.startswith("history.") and row.effective_at:
            asked_on = row.effective_at.astimezone(zone).date()
            if oldest <= asked_on <= day:
                taken[row.kind] = max(asked_on, taken.get(row.kind, asked_on))
    consent, withheld = _consent(course, day)
    by_course = {_CONSENT} if consent or withheld else set()
    listed = allergies.sorted_out(rows)
    known = [item for item in _facts(patient, rows) if item.key not in by_course]
    return build_case(
        on=day,
        # A consent recorded for the course governs over a value entered by hand, whichever is newer.
        facts=[
            *with_ketamine(
                known,
                listed.names or (),
                asked=listed.names is not None and listed.asked is not None,
                asked_at=_local(listed.asked, zone),
                source="allergies on record",
            ),
            *_course_facts(course),
            *consent,
        ],
        withheld=withheld,
        conditions=[_condition(row) for row in queries.conditions(patient)],
        conditions_asked="history.conditions" in taken,
        medications=[_medication(row) for row in queries.medications(patient)],
        medications_asked="history.medications" in taken,
        conditions_asked_on=taken.get("history.conditions"),
        medications_asked_on=taken.get("history.medications"),
        trials=[trials.as_trial(row) for row in queries.trials(patient)],
        trials_asked=trials.ASKED in taken,
        indication=course.indication or None,
        product=course.product or None,
        route=course.route or None,
        protocol=course.protocol or None,
        setting=course.setting or None,
        request=request,
    )


def _local(row: FactRow | None, zone: tzinfo) -> datetime | None:
    return None if row is None or row.effective_at is None else row.effective_at.astimezone(zone)


def _facts(patient: Patient, rows: list[FactRow]) -> list[Fact]:
    zone = zone_of(patient.site)
    known = inputs()
    found = [fact("patient.birth_date", patient.birth_date, taken_at=None, source="patient record")]
    if patient.sex != Patient.Sex.UNKNOWN:
        found.append(fact("patient.sex", patient.sex, taken_at=None, source="patient record"))
    for row in rows:
        if row.kind in known:
            found.append(fact(row.kind, row.value, taken_at=_local(row, zone), source=row.source))
    return found


def _consent(course: Course, day: date) -> tuple[list[Fact], dict[str, str]]:
    """What the consent to this course says, where one was recorded; else a value given by hand stands."""
    held = consent_records(course)
    if not held:
        return [], {}
    found = standing_of(course, day, held)
    taken_at = local(held[0].created_at, course.site)
    if found.state == "withdrawn":
        return [fact(_CONSENT, False, taken_at=taken_at, source="consent withdrawn")], {}
    if found.stands:
        return [fact(_CONSENT, True, taken_at=taken_at, source=f"consent {held[0].version}")], {}
    return [], {_CONSENT: f"{found.because}: ask again"}


def _course_facts(course: Course) -> list[Fact]:
    """What the course itself knows: which session this would be."""
    done = course.sessions.filter(started_at__isnull=False).count()
    day = today(course.site)
    return [
        fact("facts.sessions_done", done, taken_at=day, source="course"),
        fact("facts.session_number", done + 1, taken_at=day, source="course"),
    ]


def _condition(row: ConditionRecord) -> Condition:
    system = row.system if row.system in ("icd10", "snomed") else None
    return Condition(row.text, row.code or None, system, row.status, row.onset, row.source)


def _medication(row: MedicationRecord) -> Medication:
    last_taken_h = None
    if row.last_taken_at is not None:
        last_taken_h = max(0.0, round((timezone.now() - row.last_taken_at) / timedelta(hours=1), 2))
    return Medication(
        name=row.name,
        dose=row.dose or None,
        last_taken_h=last_taken_h,
        code=row.code or None,
        status=row.status,
        source=row.source,
    )


def case_as_json(case: Case) -> dict[str, Any]:
    """The case as it stood at the decision: every fact with its time and source."""
    request = case.request
    return {
        "on": case.on.isoformat(),
        "indication": case.indication,
        "product": case.product,
        "route": case.route,
        "protocol": case.protocol,
        "setting": case.setting,
        "facts": [
            {"key": item.key, "value": _plain(item.value), "taken_at": _plain(item.taken_at), "source": item.source}
            for item in case.facts.values()
        ],
        "pressures": [
            {"at_min": item.at_min, "sbp_mmHg": item.sbp_mmHg, "dbp_mmHg": item.dbp_mmHg} for item in case.pressures
        ],
        "conditions_asked": case.conditions_asked,
        "conditions": [
            {
                "text": item.text,
                "code": item.code,
                "system": item.system,
                "status": item.status,
                "onset": _plain(item.onset),
                "source": item.source,
            }
            for item in case.conditions
        ],
        "trials_asked": case.trials_asked,
        "trials": [
            {
                "drug": item.drug,
                "dose_mg_per_day": item.dose_mg_per_day,
                "weeks": item.weeks,
                "adherence": item.adherence,
                "response": item.response,
                "improvement_pct": item.improvement_pct,
                "episode": item.episode,
                "source": item.source,
            }
            for item in case.trials
        ],
        "medications_asked": case.medications_asked,
        "medications": [
            {
                "name": item.name,
                "dose": item.dose,
                "last_taken_h": item.last_taken_h,
                "code": item.code,
                "status": item.status,
                "source": item.source,
            }
            for item in case.medications
        ],
        "request": {
            "dose": request.dose,
            "sessions": request.sessions,
            "concentration_mg_per_mL": request.concentration_mg_per_mL,
            "diluted": request.diluted,
            "quantity": request.quantity,
            "mixed_with": list(request.mixed_with),
        },
    }


def value_of_day(case: Mapping[str, Any], key: str, day: date) -> Any:
    """A value of a kept case, if it was taken on that day; ``None`` where it is older, for then it is missing."""
    found = next((item for item in case.get("facts") or () if item["key"] == key), None)
    if found is None or (found["taken_at"] is not None and str(found["taken_at"])[:10] != day.isoformat()):
        return None
    return found["value"]


def _plain(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    return dict(value) if isinstance(value, Mapping) else value
