"""Everything a person does in a session. Each act: permission, one transaction, one event, one audit row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from django.db.models import Max
from django.utils import timezone

import limen
from limen.clinic.accounts.permissions import Permission
from limen.clinic.audit.act import about, action, note
from limen.clinic.courses.cases import value_of_day
from limen.clinic.courses.models import Plan
from limen.clinic.outcomes.queries import open_safety_tasks
from limen.clinic.sessions.at_once import next_dose
from limen.clinic.sessions.clock import lock
from limen.clinic.sessions.correcting import amend, resolve_event, shown_back, undo
from limen.clinic.sessions.devices import check_read_back, join, leave, streams_of
from limen.clinic.sessions.handover import accept_chair, decline_chair, offer_chair, take_over
from limen.clinic.sessions.models import AlarmSnapshot, DeviceAssociation, Session, SessionEvent
from limen.clinic.sessions.planned import REASON_LENGTH, refuse_old_order, refuse_replaced_order, that_stand
from limen.clinic.sessions.pumped import planned_infusion, refuse_faster
from limen.clinic.sessions.record import append, done_before, events_of, rules_of
from limen.clinic.sessions.rescuing import give_rescue
from limen.clinic.sessions.since_signed import refuse_new_findings
from limen.clinic.sites.models import Chair
from limen.clinic.sites.zones import today
from limen.errors import InputError, RefusedError
from limen.knowledge.monitoring import monitoring
from limen.knowledge.release import knowledge_release
from limen.session.events import ObservationRecorded
from limen.session.export import rules_snapshot
from limen.session.header import parse_header
from limen.session.replay import read_limits
from limen.session.ticks import refuse_open_sides, refuse_slow_streams
from limen.session.written import symptoms_left

if TYPE_CHECKING:
    from limen.clinic.accounts.models import User

__all__ = ["accept_chair", "amend", "decline_chair", "give_rescue", "offer_chair", "resolve_event", "take_over", "undo"]

# Who may record what. A kind that is not here has its own action, or comes from the system: an emergency above all,
# which calls people (clinic.emergency).
RECORDED = (
    "infusion.started",
    "infusion.resumed",
    "infusion.rate-changed",
    "dose.given",
    "observation.recorded",
    "symptom.reported",
    "rescue.given",
    "adverse-event.recorded",
    "call.answered",
)
_OBSERVED = set(ObservationRecorded.model_fields) - {"t_s", "received_t_s", "id", "by", "note", "kind"}
HALTED = ("infusion.paused", "infusion.stopped")
ANSWERED = ("alarm.acknowledged", "audio.paused")


@action(Permission.SESSION_SCHEDULE, on="plan")
def create_session(*, by: User, plan: Plan, chair: Chair, owner: User | None = None) -> Session:
    """A session of a signed plan, at a chair. Its header is what the plan rests on.

    Raises
    ------
    RefusedError
        If the plan is not signed, is not of today, has had its session, or needs more than one infusion.
    """
    plan = Plan.objects.select_for_update(of=("self",)).select_related("course__patient", "screening").get(pk=plan.pk)
    if plan.status != Plan.Status.SIGNED:
        raise RefusedError(f"the plan is {plan.status}", where="plan", allowed="a signed plan")
    if plan.on != today(plan.site):
        raise RefusedError(f"the plan rests on the facts of {plan.on}", where="plan", hint="Plan again today")
    if that_stand(Session.objects.filter(plan=plan)).exists():
        raise RefusedError("the plan has had its session", where="plan", allowed="one session for one signed plan")
    if chair.site_id != plan.site_id or not chair.is_active:
        raise InputError("no such chair at this site", where="chair", allowed="a chair in use")
    kinds = [step["kind"] for step in (plan.result.get("dose") or {}).get("steps") or ()]
    if kinds.count("infusion") > 1:
        raise RefusedError(
            f"{plan.protocol} is given in {kinds.count('infusion')} infusions",
            where="plan",
            allowed="one infusion, with doses at once before or beside it",
            hint="The plan and its forecast stand; record the session outside Limen",
        )
    number = 1 + (that_stand(plan.course.sessions.all()).aggregate(last=Max("number"))["last"] or 0)
    session = Session.objects.create(
        course=plan.course,
        patient=plan.course.patient,
        plan=plan,
        chair=chair,
        number=number,
        header=_header(plan, number),
        owner=owner or by,
    )
    about(session)
    note(plan=str(plan.pk), chair=chair.name)
    return session


_BASELINE = ("sbp_mmHg", "dbp_mmHg", "hr_per_min", "rr_per_min", "spo2_pct")


def _header(plan: Plan, number: int) -> dict[str, Any]:
    """What the session rests on. A vital sign of another day is no baseline: it is missing."""
    facts = {item["key"]: item["value"] for item in plan.screening.case.get("facts", [])}

    def part(name: str, keys: tuple[str, ...]) -> dict[str, Any]:
        return {key: facts.get(f"{name}.{key}") for key in keys}

    person = part("patient", ("age_years", "sex", "weight_kg", "height_cm", "ancestry"))
    if person["age_years"] is None and facts.get("patient.birth_date"):
        born = date.fromisoformat(facts["patient.birth_date"])
        person["age_years"] = plan.on.year - born.year - ((plan.on.month, plan.on.day) < (born.month, born.day))
    return {
        "protocol": plan.protocol,
        "product": plan.course.product,
        "route": plan.course.route,
        "patient": person,
        "baseline": {key: value_of_day(plan.screening.case, f"vitals.{key}", plan.on) for key in _BASELINE},
        "limits": None,
        "streams": None,
        "session_number": number,
    }


@action(Permission.SESSION_START, on="session")
def start_session(*, by: User, session: Session, key: str | None = None) -> SessionEvent:
    """Second 0: from now on the session is watched. The rules of today go with it.

    Raises
    ------
    RefusedError
        If its plan is no longer the signed one or not of today, something recorded since forbids it, a safety answer
        waits for a prescriber, a continuous stream is slower than a live session allows, another session is open in
        the chair, or this one has begun.
    """
    session = lock(session)
    if session.started_at is not None:
        known = done_before(session, "session.started", key)
        if known is not None:
            return known
        raise RefusedError("the session has started", where="session.started", allowed="once")
    if session.status != Session.Status.PLANNED:
        raise RefusedError(f"the session has {session.status}", where="session.started", allowed="a session of its own")
    unread = open_safety_tasks(session.patient).first()
    if unread is not None:
        raise RefusedError(
            f"a safety answer waits for a prescriber: {unread.title}",
            where="session.started",
            hint="A prescriber reviews it under Tasks first",
        )
    refuse_old_order(session)
    refuse_new_findings(session)
    Chair.objects.select_for_update(no_key=True).get(pk=session.chair_id)
    open_here = Session.objects.filter(chair=session.chair, status__in=["running", "recovery"]).first()
    if open_here is not None:
        raise RefusedError(f"chair {session.chair.name} has an open session", where="chair", allowed="an empty chair")
    devices = [row.device for row in DeviceAssociation.objects.filter(session=session, ended_at=None)]
    streams: dict[str, Any] = {}
    for device in devices:
        streams |= streams_of(device)
    session.header = {**session.header, "streams": _expected(streams)}
    refuse_slow_streams(parse_header(session.header, monitoring()), monitoring())
    session.rules_snapshot = rules_snapshot()
    session.knowledge_release = knowledge_release()
    session.product_version = limen.__version__
    session.started_at = timezone.now()
    session.owner = by  # whoever starts is there and in charge, whoever prepared it
    session.save()
    AlarmSnapshot.objects.create(session=session)
    row = append(session, "session.started", by=by.display_name, key=key)
    append(session, "owner.changed", by=by.display_name, data={"to": by.display_name})
    for device in devices:
        joined = {"device": device.name, "streams": streams_of(device)}
        append(session, "device.associated", by=by.display_name, data=joined)
    return row


def _expected(streams: dict[str, Any]) -> dict[str, Any]:
    """What the devices send, and saturation and heart whether or not one does: their silence is an alarm, no blank."""
    heart = {} if {"HR", "PULSE"} & streams.keys() else {"HR": {"period_s": 1.0}}
    return {"SPO2": {"period_s": 1.0}} | heart | streams


@action(Permission.SESSION_RECORD, on="session")
def record(
    *,
    by: User,
    session: Session,
    kind: str,
    data: Mapping[str, Any] | None = None,
    key: str | None = None,
    late_s: float = 0.0,
) -> SessionEvent:
    """Write down what was seen, asked, given or corrected."""
    _refuse_unknown(kind, RECORDED)
    # The deed that stands is found before anything is asked of the state that it has changed.
    session = lock(session)
    known = done_before(session, kind, key)
    if known is not None:
        return known
    values = dict(data or {})
    if kind in ("infusion.started", "dose.given"):
        refuse_replaced_order(session, values)
    if kind == "infusion.started":
        values = planned_infusion(session, values)
    elif kind == "dose.given":
        values = next_dose(session, values)
    elif kind == "infusion.rate-changed" and late_s == 0.0:
        refuse_faster(session, values)
    if kind == "observation.recorded":
        values = _without_gone(session, values)
        if not any(values.get(name) is not None for name in _OBSERVED):
            allowed = "at least one of " + ", ".join(sorted(_OBSERVED))
            raise InputError("holds no observation", where=kind, allowed=allowed)
        values = shown_back(session, values, kept=late_s > 0.0)
    return append(session, kind, by=by.display_name, data=values, key=key, late_s=late_s)


def _without_gone(session: Session, values: dict[str, Any]) -> dict[str, Any]:
    """Symptoms that are gone as those that are left: by the record as it stands now, not as a page last saw it."""
    gone = values.pop("symptoms_gone", None)
    if gone is None:
        return values
    if "symptoms" in values or not isinstance(gone, list) or not all(isinstance(text, str) for text in gone):
        raise InputError("is no list of symptoms", where="symptoms_gone", allowed="a list of texts, without symptoms")
    return {**values, "symptoms": list(symptoms_left(events_of(session), gone))}


@action(Permission.SESSION_STOP, on="session")
def halt(
    *,
    by: User,
    session: Session,
    kind: str,
    data: Mapping[str, Any] | None = None,
    key: str | None = None,
    late_s: float = 0.0,
) -> SessionEvent:
    """Pause or stop the pump. Never refused for want of a reason."""
    _refuse_unknown(kind, HALTED)
    return append(session, kind, by=by.display_name, data=dict(data or {}), key=key, late_s=late_s)


@action(Permission.ALARM_ACKNOWLEDGE, on="session")
def answer_alarm(
    *,
    by: User,
    session: Session,
    kind: str,
    data: Mapping[str, Any] | None = None,
    key: str | None = None,
    late_s: float = 0.0,
) -> SessionEvent:
    """Acknowledge one alarm, or hold the sound of those that stand."""
    _refuse_unknown(kind, ANSWERED)
    if kind == "alarm.acknowledged" and not any((data or {}).get(name) for name in ("alarm", "signal", "condition")):
        raise InputError("names no alarm", where="alarm", allowed="the id of one alarm: one answer, one condition")
    return append(session, kind, by=by.display_name, data=dict(data or {}), key=key, late_s=late_s)


@action(Permission.LIMITS_CHANGE, on="session")
def change_limits(
    *, by: User, session: Session, limits: Mapping[str, Any] | None, reason: str, key: str | None = None
) -> SessionEvent:
    """Set this patient's own limits, all of them; none goes back to the rules'.

    Raises
    ------
    InputError
        If a limit is malformed, or of a signal that nobody knows: the monitor could not watch the session.
    RefusedError
        If a side that the rules watch would be left without a limit.
    """
    if len(reason.strip()) < REASON_LENGTH:
        raise InputError("the reason says too little", where="reason", allowed=f"at least {REASON_LENGTH} letters")
    if limits:
        rules = rules_of(session)
        refuse_open_sides(read_limits({"limits": limits}, rules, where="limits"), rules)
    data = {"limits": dict(limits) if limits else None, "reason": reason.strip()}
    return append(session, "limits.changed", by=by.display_name, data=data, key=key)


@action(Permission.DISCHARGE_RECORD, on="session")
def ask_discharge(*, by: User, session: Session, key: str | None = None) -> SessionEvent:
    """Ask whether the patient may leave; the answer is kept with the second it was asked."""
    return append(session, "discharge.asked", by=by.display_name, key=key)


@action(Permission.DISCHARGE_RECORD, on="session")
def discharge(
    *, by: User, session: Session, condition: str = "", escort_name: str = "", reason: str = "", key: str | None = None
) -> SessionEvent:
    """The patient leaves; the session ends and its devices are free.

    Raises
    ------
    RefusedError
        If a criterion is not met and no reason is given: what is not met is named.
    """
    from limen.clinic.sessions.queries import readiness_now

    session = lock(session)
    known = done_before(session, "discharged", key)
    if known is not None:
        return known
    unmet = readiness_now(session)["unmet"]
    if unmet and len(reason.strip()) < REASON_LENGTH:
        raise RefusedError(
            "not ready: " + "; ".join(f"{item['rule']} {item['because']}" for item in unmet),
            where="discharged",
            allowed=f"every criterion met, or a reason of at least {REASON_LENGTH} letters",
        )
    note(unmet=[item["rule"] for item in unmet])
    words = {"condition": condition, "escort_name": escort_name, "reason": reason.strip()}
    data = {name: value for name, value in words.items() if value}
    row = append(session, "discharged", by=by.display_name, data=data, key=key)
    append(session, "session.ended", by=by.display_name)
    _close(session)
    return row


@action(Permission.SESSION_STOP, on="session")
def end_session(*, by: User, session: Session, reason: str, key: str | None = None) -> SessionEvent | None:
    """End a session that needs no discharge: not begun, or the patient was taken over elsewhere.

    One that has not begun, such as one made at the wrong chair, has no second in which an event could stand: the audit
    trail keeps who ended it and why, nothing is returned, and its signed plan may have its session.
    """
    if len(reason.strip()) < REASON_LENGTH:
        raise InputError("the reason says too little", where="reason", allowed=f"at least {REASON_LENGTH} letters")
    session = lock(session)
    known = done_before(session, "session.ended", key)
    if known is not None:
        return known
    if session.started_at is None:
        if session.status == Session.Status.PLANNED:
            session.status = Session.Status.ENDED
            session.save(update_fields=["status"])
            note(reason=reason.strip())
            _close(session)
        return None
    row = append(session, "session.ended", by=by.display_name, data={"reason": reason.strip()}, key=key)
    _close(session)
    return row


def _close(session: Session) -> None:
    for association in DeviceAssociation.objects.filter(session=session, ended_at=None):
        leave(association)
    Session.objects.filter(pk=session.pk).update(ended_at=timezone.now())


@action(Permission.DEVICE_ASSOCIATE, on="session")
def associate_device(
    *,
    by: User,
    session: Session,
    device: Any,
    label: str | None = None,
    chair: str | None = None,
    key: str | None = None,
) -> DeviceAssociation:
    """Put a device on this patient. From now on its values are this patient's.

    Parameters
    ----------
    label, chair : str, optional
        What the person read, or scanned, on the device and on the chair. A page always asks for both.

    Raises
    ------
    RefusedError
        If what was read is another device or chair, the device is on another patient, or the session is over.
    """
    session = lock(session)
    if done_before(session, "device.associated", key) is not None:
        return DeviceAssociation.objects.filter(session=session, device=device).latest("started_at")
    asked = label is not None or chair is not None
    read_back = check_read_back(session, device, label=label or "", chair=chair or "") if asked else ""
    if session.status not in ("planned", "running", "recovery"):
        raise RefusedError(f"the session is {session.status}", where="session", allowed="planned, running or recovery")
    refuse_slow_streams(parse_header({"streams": streams_of(device)}, monitoring()), monitoring())
    association = join(session, device, read_back=read_back)
    note(device=device.name, read_back=read_back)
    if session.started_at is not None:
        joined = {"device": device.name, "streams": streams_of(device)}
        append(session, "device.associated", by=by.display_name, data=joined, key=key)
    return association


@action(Permission.DEVICE_ASSOCIATE, on="session")
def release_device(*, by: User, session: Session, device: Any, reason: str = "") -> None:
    """Take a device off this patient. What it watched is lost, and says so, until another device takes over.

    A pump watched nothing, and a monitor that another has replaced watches nothing any more: an alarm about it would
    stand, and sound, until the session ends. Should the other one send nothing, its silence is said.
    """
    session = lock(session)
    association = DeviceAssociation.objects.filter(session=session, device=device, ended_at=None).first()
    if association is None:
        raise RefusedError(f"{device.name} is not on this session", where="device")
    leave(association)
    note(device=device.name)
    others = DeviceAssociation.objects.filter(session=session, ended_at=None).select_related("device")
    watched = {signal for row in others for signal in streams_of(row.device)}
    if session.started_at is not None and not streams_of(device).keys() <= watched:
        data = {"device": device.name, "reason": reason or "taken off"}
        append(session, "device.lost", by=by.display_name, data=data)


def _refuse_unknown(kind: str, allowed: tuple[str, ...]) -> None:
    if kind not in allowed:
        raise InputError(f"{kind!r} is not recorded here", where="kind", allowed=", ".join(allowed))
