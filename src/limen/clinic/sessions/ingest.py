"""Taking in what a device measured: whole batches, once, for the patient it is on and for nobody else."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from limen.clinic.accounts.policy import Denial
from limen.clinic.audit.act import acting
from limen.clinic.audit.models import AuditEntry
from limen.clinic.patients.models import Patient
from limen.clinic.sessions.clock import lock_times, stamp_s
from limen.clinic.sessions.health import Heard, hear, hold
from limen.clinic.sessions.models import Device, DeviceAssociation, LiveEvent, Sample, SampleBatch, Session
from limen.clinic.sessions.outbox import emit_all
from limen.errors import InputError, LimenError, RefusedError

LIVE = (Session.Status.RUNNING, Session.Status.RECOVERY)
OLDEST_S = 24 * 3600.0
OUTSIDE = "measured before this device was put on this patient"
Taken = dict[str, Any]
Key = tuple[int, str]  # number and signal: what a value is known by, of one device
MOST_AT_ONCE = 5000  # values; SQLite binds 32766 to one question
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


@dataclass(frozen=True, slots=True)
class Batch:
    """What a device sent in one message; the names are those that the message itself gives, if it does.

    ``came_at_s`` is when it came, on this process's steady clock: until it has its turn its values grow older.
    """

    device: Device
    key: str
    samples: Sequence[Measured]
    named_device: str | None = None
    named_session: str | None = None
    named_patient: str | None = None
    clock_off_s: float | None = None  # the device's own clock minus ours when the message came
    lost: int = 0  # values that its gateway had to drop, ever
    came_at_s: float = field(default_factory=time.monotonic)

    @property
    def by(self) -> str:
        """Who wrote it, as rows say it."""
        return f"device:{self.device.name}"


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
) -> Taken:
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
    [answer] = take_batches([Batch(device, batch_key, list(samples), named_device, named_session, named_patient)])
    if isinstance(answer, LimenError):
        raise answer
    return answer


def take_batches(batches: Sequence[Batch]) -> list[Taken | LimenError]:
    """Store batches of several devices at once, and answer each as ``take_batch`` would.

    Fifty chairs send fifty batches a second: each question is asked once for all, and the disk is waited for once.

    Returns
    -------
    list
        For each batch in order what became of it, or why it is refused. A refusal concerns nobody else.
    """
    answers: dict[int, Taken | LimenError] = {}
    for turn in _turns(batches):
        mine = [batches[place] for place in turn]
        with acting(by="devices", action="sessions.take_batch", site=mine[0].device.site, audited=False):
            answers.update(zip(turn, _take(mine), strict=True))
    return [answers[place] for place in range(len(batches))]


def _turns(batches: Sequence[Batch]) -> list[list[int]]:
    """Which are taken at once: those of one site, one of each device. A device's second has to know of its first."""
    turns: list[list[int]] = []
    first: dict[UUID, int] = {}  # for each device the first turn after that of its batch before
    for place, batch in enumerate(batches):
        fitting = range(first.get(batch.device.pk, 0), len(turns))
        number = next((number for number in fitting if _fits(batch, [batches[at] for at in turns[number]])), len(turns))
        if number == len(turns):
            turns.append([])
        turns[number].append(place)
        first[batch.device.pk] = number + 1
    return turns


def _fits(batch: Batch, turn: Sequence[Batch]) -> bool:
    count = len(batch.samples) + sum(len(other.samples) for other in turn)
    return turn[0].device.site_id == batch.device.site_id and count <= MOST_AT_ONCE


def _take(batches: Sequence[Batch]) -> list[Taken | LimenError]:
    devices = [batch.device.pk for batch in batches]
    on = DeviceAssociation.objects.filter(device__in=devices, ended_at=None)
    went_on = dict(on.values_list("device_id", "session_id"))
    sessions = lock_times(went_on.values())
    # All else under the lock, for another process may have taken a device off in the meantime.
    places = {found[0]: _Place(*found[1:]) for found in on.values_list("device_id", *_PLACE)}
    counts, values = _counts(batches), _values(batches)
    now, now_s = timezone.now(), time.monotonic()
    judged: list[_Intake | LimenError] = []
    for batch in batches:
        pk = batch.device.pk
        try:
            session, place = _whose(batch, went_on, sessions, places)
            received_s = stamp_s(session, place.tick_s, place.clock_offset_s or 0.0, now=now)
            # Measured so long before it came: not before it had its turn, when the device may be on another patient.
            came_s = received_s - round(now_s - batch.came_at_s, 1)
            times = (received_s, came_s, place.begin_s(session))
            judged.append(_judged(batch, session, *times, counts.get((pk, batch.key)), values.get(pk, {})))
        except LimenError as problem:
            judged.append(problem)
    taken = [intake.batch for intake in judged if isinstance(intake, _Intake)]
    hear(Heard(batch.device, batch.clock_off_s, batch.lost) for batch in taken)
    # Last, for it tells live pages: on PostgreSQL nobody else does from then on until the commit.
    _store([intake for intake in judged if isinstance(intake, _Intake) and intake.count is None], now)
    return [intake.answer() if isinstance(intake, _Intake) else intake for intake in judged]


_PLACE = ("session_id", "started_at", "started_t_s", "session__alarms__tick_t_s", "session__alarms__clock_offset_s")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a device is now, and how far that session's time has come: the columns of ``_PLACE``."""

    session_id: UUID
    started_at: datetime
    started_t_s: float | None
    tick_s: float | None
    clock_offset_s: float | None

    def begin_s(self, session: Session) -> float:
        """Session time of being put on this patient; what the device measured before is somebody else's."""
        if self.started_t_s is not None:
            return self.started_t_s
        return (self.started_at - session.started_at).total_seconds() if session.started_at else 0.0


@dataclass(frozen=True, slots=True)
class _Intake:
    """A batch that is not refused. ``count``: how many of its values were new when it came before, if it did.

    ``came_s`` and ``received_s`` are when it came and when it had its turn, in session time.
    """

    batch: Batch
    session: Session
    received_s: float
    came_s: float
    inside: list[Measured]
    outside: list[Measured]
    fresh: list[Measured]
    count: int | None

    def t_s(self, item: Measured) -> float:
        """When a value was measured, in session time."""
        return round(self.came_s - item.age_s, 3)

    def answer(self) -> Taken:
        """What its device is told."""
        stored = len(self.fresh) if self.count is None else self.count
        return {
            "batch": self.batch.key,
            "session": str(self.session.pk),
            "stored": stored,
            "known": len(self.inside) - stored,
            "outside": len(self.outside),
        }


def _whose(
    batch: Batch, went_on: Mapping[UUID, UUID], sessions: Mapping[UUID, Session], places: Mapping[UUID, _Place]
) -> tuple[Session, _Place]:
    """The session that a batch is for, by where its device is; refused where the message says otherwise."""
    device = batch.device
    _check_ages(batch.samples)
    if batch.named_device and batch.named_device != device.name:
        _refuse(device, f"the token belongs to {device.name}, the message names {batch.named_device}", "device")
    if device.pk not in went_on:
        raise RefusedError(
            f"device {device.name} is on no session", where="device", allowed="a device put on a session by a person"
        )
    place = places.get(device.pk)
    session = sessions[went_on[device.pk]]
    if place is None or place.session_id != session.pk:
        raise RefusedError("the device was taken off its session", where="device")
    _check_names(device, session, batch.named_session, batch.named_patient)
    if session.status not in LIVE:
        raise RefusedError("the session of this device is not running", where="session", allowed="running, recovery")
    return session, place


def _judged(
    batch: Batch,
    session: Session,
    received_s: float,
    came_s: float,
    begin_s: float,
    count: int | None,
    stored: Mapping[Key, Any],
) -> _Intake:
    inside: list[Measured] = []
    outside: list[Measured] = []
    for item in batch.samples:
        (inside if came_s - item.age_s >= begin_s else outside).append(item)
    fresh = _unknown(inside, stored)
    if count is not None and fresh:
        # A gateway that began to count anew: told that they stand, it would forget values that nobody has.
        raise RefusedError(
            f"batch {batch.key} came before, without number {fresh[0].seq} of {fresh[0].signal}",
            where="batch",
            allowed="a new key for each new batch",
        )
    return _Intake(batch, session, received_s, came_s, inside, outside, fresh, count)


def _counts(batches: Sequence[Batch]) -> dict[tuple[UUID, str], int]:
    """How many values a batch had that came before, by device and key."""
    devices, keys = {batch.device.pk for batch in batches}, {batch.key for batch in batches}
    rows = SampleBatch.objects.filter(device__in=devices, batch_key__in=keys)
    return {(device, key): count for device, key, count in rows.values_list("device_id", "batch_key", "count")}


def _values(batches: Sequence[Batch]) -> dict[UUID, dict[Key, float | None]]:
    """What is stored under the numbers of each device."""
    wanted = Q()
    for batch in batches:
        wanted |= Q(device=batch.device.pk, seq__in={item.seq for item in batch.samples})
    found: dict[UUID, dict[Key, float | None]] = {}
    for device, seq, signal, value in Sample.objects.filter(wanted).values_list("device_id", "seq", "signal", "value"):
        found.setdefault(device, {})[seq, signal] = value
    return found


def _store(intakes: list[_Intake], now: datetime) -> None:
    SampleBatch.objects.bulk_create(
        SampleBatch(
            device=intake.batch.device,
            batch_key=intake.batch.key,
            received_at=now,
            count=len(intake.fresh),
            created_by=intake.batch.by,
        )
        for intake in intakes
    )
    Sample.objects.bulk_create(
        Sample(
            session=intake.session,
            device=intake.batch.device,
            seq=item.seq,
            signal=item.signal,
            value=item.value,
            t_s=intake.t_s(item),
            received_t_s=intake.received_s,
            received_at=now,
            created_by=intake.batch.by,
        )
        for intake in intakes
        for item in intake.fresh
    )
    for intake in intakes:
        if intake.outside:
            values = {"samples": [asdict(item) for item in intake.outside]}
            hold(intake.batch.device, intake.batch.key, values, OUTSIDE, "")
    emit_all(
        LiveEvent(
            session=intake.session,
            kind=LiveEvent.Kind.SAMPLES,
            data={
                "received_t_s": intake.received_s,
                "values": [[item.signal, intake.t_s(item), item.value] for item in intake.fresh],
            },
            created_by=intake.batch.by,
        )
        for intake in intakes
        if intake.fresh
    )


def _check_ages(values: Sequence[Measured]) -> None:
    for item in values:
        if not -AHEAD_S <= item.age_s <= OLDEST_S:
            when = "after it was sent" if item.age_s < 0 else f"{item.age_s / 3600:.1f} h before it was sent"
            raise InputError(
                f"{item.signal} number {item.seq} was measured {when}",
                where="samples.t_s",
                allowed="at most a day before sent_s, on the same clock",
            )


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


def _unknown(values: list[Measured], stored: Mapping[Key, float | None]) -> list[Measured]:
    """The values not stored yet. A stored number with another value is refused, for one of the two is wrong."""
    fresh: dict[Key, Measured] = {}
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
