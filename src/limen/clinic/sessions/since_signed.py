"""What was recorded about the patient after the plan was signed, and would not have let it be released."""

from __future__ import annotations

from dataclasses import replace

from limen.care.screening import screen
from limen.clinic.courses.cases import case_of
from limen.clinic.courses.models import Plan
from limen.clinic.patients.models import ConditionRecord, ConsentRecord, Fact, MedicationRecord
from limen.clinic.sessions.models import Session
from limen.errors import RefusedError

_KEEPS_FROM_DOSING = ("block", "hold")


def refuse_new_findings(session: Session) -> None:
    """Refuse to start where something recorded since the signature blocks or holds: a pregnancy test, a pressure.

    What the plan itself found, and was signed with, is the prescriber's; only what is new is judged.

    Raises
    ------
    RefusedError
        If consent was taken back, or a rule forbids it: names the rule, and why.
    """
    plan = Plan.objects.select_related("course__patient", "course__site").get(pk=session.plan_id)
    consent = plan.course.consents.last()
    if consent is not None and consent.kind == ConsentRecord.Kind.WITHDRAWN:
        raise RefusedError(
            "the patient has taken consent back", where="consent", hint="Nothing is given until it is given anew"
        )
    if not _recorded_since(plan):
        return
    known = {(item["rule"], item["level"]) for item in plan.result.get("findings") or ()}
    found = screen(replace(case_of(plan.course), protocol=plan.protocol)).findings
    new = [item for item in found if item.level in _KEEPS_FROM_DOSING and (item.rule, item.level) not in known]
    if new:
        raise RefusedError(
            "; ".join(f"{item.rule} {item.title}: {item.because}" for item in new)
            + ", recorded since the plan was signed",
            where="plan",
            allowed="a plan that rests on what is on record now",
            hint="End this session before it begins; a prescriber plans again",
        )


def _recorded_since(plan: Plan) -> bool:
    return plan.signed_at is not None and any(
        table.objects.filter(patient=plan.course.patient, created_at__gt=plan.signed_at).exists()
        for table in (Fact, ConditionRecord, MedicationRecord)
    )
