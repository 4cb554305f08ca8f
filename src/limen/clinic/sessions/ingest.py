"""Taking in what a device measured: whole batches, once, for the patient it is on and for nobody else."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db.models import Subquery
from django.utils import timezone

from limen.clinic.accounts.policy import Denial
from limen.clinic.audit.act import acting
from limen.clinic.audit.models import AuditEntry
from limen.clinic.patients.models import Patient
from limen.clinic.sessions.clock import lock_time, stamp_s
from limen.clinic.sessions.health import hold
from limen.clinic.sessions.models import Device, DeviceAssociation, LiveEvent, Sample, SampleBatch, Session
from limen.clinic.sessions.outbox import emit
from limen.errors import InputError, RefusedError

LIVE = (Session.Status.RUNNING, Session.Status.RECOVERY)
OLDEST_S = 24 * 3600.0
OUTSIDE = "measured before this device was put on this patient"
AHEAD_S = 2.0  # a device that stamps a value just after it wrote the batch


class UnknownError(InputError):
    """The row that the message names does not exist here. HTTP 404."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One value as the device sent it; ``age_s`` is how long before the sending it was measured."""

    seq: int
    signal: str
    value: float | None
    age_s: float


def new_token() -> str:
    """A device's secret, shown once."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What is stored of it. The token is 256 random bits, so one plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def device_of(token: str) -> Device | None:
    """The active device with this token."""
    wanted = token_hash(token)
    device = Device.objects.select_related("site").filter(token_hash=wanted, status=Device.Status.ACTIVE).first()
    return device if device and hmac.compare_digest(device.token_hash, wanted) else None


def take_batch(
    *,
    device: Device,
    batch_key: str,
    samples: Iterable[Measured],
    named_device: str | None = None,
    named_session: str | None = None,
    named_patient: str | None = None,
) -> dict[str, Any]:
    """Store a batch. The same batch again, and the same sample in another batch, change nothing.

    Returns
    -------
    dict
        ``batch``, ``session``, ``stored`` (new values), ``known`` (stored before), ``outside`` (measured
        before this device was put on this patient: not stored, whoever they were of).

    Raises
    ------
    UnknownError
        If the message names a session or patient that does not exist.
    RefusedError
        If the device is on no running session, the message names another patient or session than the one the device is
        on (audited), or a number that is stored already comes with another value.
    InputError
        If a value is measured in the future or more than a day ago. Nothing is stored.
    """
    values = list(samples)
    _check_ages(values)
    if named_device and named_device != device.name:
        _refuse(device, f"the token belongs to {device.name}, the message names {named_device}", "device")
    with acting(by=f"device:{device.name}", action="sessions.take_batch", site=device.site, audited=False):
        association = _association(device)
        session = lock_time(association.session_id)
        _check_names(device, session, named_session, named_patient)
        if session.status not in LIVE:
            raise RefusedError(
                "the session of this device is not running", where="session", allowed="running, recovery"
            )
        known = _under_lock(device, association, batch_key)
        now = timezone.now()
        received_s = stamp_s(session, known.tick_s, known.clock_offset_s, now=now)
        begin_s = _begin_s(session, association)
        inside = [item for item in values if received_s - item.age_s >= begin_s]
        fresh = _unknown(device, inside)
        stored = len(fresh) if known.stored is None else known.stored
        if known.stored is None:
            _store(device, session, batch_key, fresh, received_s, now)
            before = _unknown(device, [item for item in values if received_s - item.age_s < begin_s])
            if before:
                hold(device, batch_key, {"samples": [asdict(item) for item in before]}, OUTSIDE, "")
        return {
            "batch": batch_key,
            "session": str(session.pk),
            "stored": stored,
            "known": len(inside) - stored,
            "outside": len(values) - len(inside),
        }


def _begin_s(session: Session, association: DeviceAssociation) -> float:
    """Session time at which the device was put on this patient; what it measured before is somebody else's."""
    if association.started_t_s is not None:
        return association.started_t_s
    return (association.started_at - session.started_at).total_seconds() if session.started_at else 0.0


def _store(
    device: Device, session: Session, batch_key: str, fresh: list[Measured], received_s: float, now: datetime
) -> None:
    SampleBatch.objects.create(device=device, batch_key=batch_key, received_at=now, count=len(fresh))
    rows = Sample.objects.bulk_create(
        Sample(
            session=session,
            device=device,
            seq=item.seq,
            signal=item.signal,
            value=item.value,
            t_s=round(received_s - item.age_s, 3),
            received_t_s=received_s,
            received_at=now,
        )
        for item in fresh
    )
    if rows:
        values = [[row.signal, row.t_s, row.value] for row in rows]
        emit(session, LiveEvent.Kind.SAMPLES, {"received_t_s": received_s, "values": values})


def _check_ages(values: list[Measured]) -> None:
    for item in values:
        if not -AHEAD_S <= item.age_s <= OLDEST_S:
            when = "after it was sent" if item.age_s < 0 else f"{item.age_s / 3600:.1f} h before it was sent"
            raise InputError(
                f"{item.signal} number {item.seq} was measured {when}",
                where="samples.t_s",
                allowed="at most a day before sent_s, on the same clock",
            )


def _association(device: Device) -> DeviceAssociation:
    found = DeviceAssociation.objects.filter(device=device, ended_at=None).first()
    if found is None:
        raise RefusedError(
            f"device {device.name} is on no session", where="device", allowed="a device put on a session by a person"
        )
    return found


@dataclass(frozen=True, slots=True)
class _Known:
    """What has to be read under the session's lock; ``stored`` is the count of this batch, if it came before."""

    stored: int | None
    tick_s: float | None
    clock_offset_s: float


def _under_lock(device: Device, association: DeviceAssociation, batch_key: str) -> _Known:
    """Read in one question, after the lock: another process may have taken the device off in the meantime."""
    batch = SampleBatch.objects.filter(device=device, batch_key=batch_key).values("count")
    still = DeviceAssociation.objects.filter(pk=association.pk, ended_at=None).annotate(stored=Subquery(batch))
    found = still.values_list("stored", "session__alarms__tick_t_s", "session__alarms__clock_offset_s").first()
    if found is None:
        raise RefusedError("the device was taken off its session", where="device")
    stored, tick_s, clock_offset_s = found
    return _Known(stored, tick_s, clock_offset_s or 0.0)


def _check_names(device: Device, session: Session, named_session: str | None, named_patient: str | None) -> None:
    if named_session and named_session != str(session.pk):
        if not _exists(device, named_session):
            raise UnknownError(f"unknown session {named_session!r}", where="session")
        _refuse(device, f"the device is on session {session.pk}, the message names {named_session}", "session")
    if named_patient and named_patient != session.patient.mrn:
        if not Patient.objects.filter(site=device.site, mrn=named_patient).exists():
            raise UnknownError(f"unknown patient {named_patient!r}", where="patient")
        _refuse(device, "the device is on another patient than the message names", "patient")


def _exists(device: Device, named_session: str) -> bool:
    from uuid import UUID

    try:
        wanted = UUID(named_session)
    except ValueError:
        return False
    return Session.objects.filter(site=device.site, pk=wanted).exists()


class WrongPatientError(RefusedError):
    """A message for another patient, session or device than the token's. Audited by whoever answers the device."""

    def __init__(self, what: str, *, where: str, denial: Denial) -> None:
        super().__init__(what, where=where)
        self.denial = denial


def _refuse(device: Device, what: str, where: str) -> None:
    denial = Denial(
        site_id=str(device.site_id),
        actor=f"device:{device.name}",
        action="sessions.take_batch",
        target=f"device:{device.pk}",
        permission="",
    )
    raise WrongPatientError(what, where=where, denial=denial)


def audit_refusal(problem: WrongPatientError) -> None:
    """Put the refusal in the audit trail, after the transaction that it ended."""
    denial = problem.denial
    AuditEntry.denied(
        site_id=denial.site_id,
        actor=denial.actor,
        action=denial.action,
        target=denial.target,
        detail={"refused": problem.what, "where": problem.where},
    )


def _unknown(device: Device, values: list[Measured]) -> list[Measured]:
    """The values not stored yet. A stored number with another value is refused, for one of the two is wrong."""
    if not values:
        return []
    known = Sample.objects.filter(device=device, seq__in={item.seq for item in values})
    stored = {(seq, signal): value for seq, signal, value in known.values_list("seq", "signal", "value")}
    fresh: dict[tuple[int, str], Measured] = {}
    for item in values:
        key = (item.seq, item.signal)
        before = stored[key] if key in stored else fresh[key].value if key in fresh else item.value
        if before != item.value:
            raise RefusedError(
                f"number {item.seq} of {item.signal} is stored as {before}, sent again as {item.value}",
                where="samples.seq",
                allowed="a new number for each new value",
            )
        if key not in stored:
            fresh.setdefault(key, item)
    return list(fresh.values())
