"""What a patient was given here before, from the book and the sessions, as planning counts it."""

from __future__ import annotations

from django.db.models import OuterRef, Subquery, Sum
from django.db.models.fields.json import KeyTextTransform, KeyTransform

from limen.care.course import Reading
from limen.care.exposure import Exposure, History, Scored
from limen.clinic.courses.models import Course
from limen.clinic.outcomes.models import QuestionnaireResponse
from limen.clinic.patients import queries
from limen.clinic.sessions.models import Session
from limen.clinic.sites.zones import today, zone_of
from limen.clinic.stock.models import LedgerEntry
from limen.knowledge.course import course_rules
from limen.knowledge.protocols import protocols
from limen.knowledge.titration import ImprovedLessThan


def history_of(course: Course) -> History:
    """Every dose of the patient at this site, by any course, route and product, and the scores that judge a response.

    The milligrams are those of the book. A session in which nothing was given is no exposure. Whether a dose was
    tolerated is not recorded as an answer, so it is not known here, and a proposal asks.
    """
    return History(
        exposures=tuple(_exposures(course)),
        scores=tuple(_scores(course)),
        # A course that has not begun begins today: what an earlier one gave is not of it.
        course_from=course.started_on or today(course.site),
        zone=zone_of(course.site),
    )


def _exposures(course: Course) -> list[Exposure]:
    given = LedgerEntry.objects.filter(session=OuterRef("pk"), kind="give").order_by().values("session")
    rows = (
        Session.objects.filter(patient=course.patient, started_at__isnull=False)
        .annotate(
            given_mg=Subquery(given.annotate(total=Sum("amount_mg")).values("total")),
            planned_min=KeyTextTransform("duration_min", KeyTransform("dose", "plan__result")),
            planned_kg=KeyTextTransform("weight_kg", KeyTransform("dose", "plan__result")),
        )
        .values_list(
            "started_at", "given_mg", "course__product", "course__route", "plan__protocol", "planned_min", "planned_kg"
        )
    )
    return [
        Exposure(
            at=started_at,
            dose_mg=float(given_mg),
            product=product,
            route=route,
            protocol=protocol,
            duration_min=_number(planned_min) or 0.0,
            weight_kg=_number(planned_kg),
        )
        for started_at, given_mg, product, route, protocol, planned_min, planned_kg in rows
        if given_mg and started_at is not None
    ]


def _number(text: str | float | None) -> float | None:
    return None if text is None or text == "null" else float(text)


def _instruments() -> set[str]:
    """The scales that a rule of titration or of stopping looks at."""
    rules = [one.titration.raises for one in protocols().values() if one.titration is not None]
    named = {name for rule in rules if isinstance(rule, ImprovedLessThan) for name in rule.instruments}
    return named | {course_rules().stop.instrument}


def _scores(course: Course) -> list[Scored]:
    """Scores answered here, and scores recorded as facts of the chart."""
    wanted = _instruments()
    answered = QuestionnaireResponse.objects.filter(patient=course.patient, instrument__in=wanted)
    found = [
        Scored(name, Reading(at, result["total"], result["status"], result["band"]))
        for name, at, result in answered.values_list("instrument", "at", "result")
    ]
    kinds = {f"scores.{name}": name for name in wanted}
    facts = queries.facts(course.patient).filter(kind__in=kinds, effective_at__isnull=False)
    found += [
        Scored(kinds[kind], Reading(at, value))
        for kind, at, value in facts.values_list("kind", "effective_at", "value")
        if at is not None and isinstance(value, int) and not isinstance(value, bool)
    ]
    return found
