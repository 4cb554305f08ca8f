"""What is known of a device itself: how far its clock is off, and which of its values were charted for nobody."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet
from django.utils import timezone

from limen.clinic.audit.act import acting
from limen.clinic.sessions.models import Device, DeviceAssociation, DeviceHealth, HeldBatch, Sample, Session
from limen.clinic.sessions.record import append, events_of
from limen.devices.clocks import skew_s, with_offset
from limen.errors import LimenError
from limen.knowledge.devices import device_rules
from limen.session.events import DeviceAssociated, DeviceLost

LIVE = (Session.Status.RUNNING, Session.Status.RECOVERY)
WRITE_EVERY = timedelta(seconds=10)  # a clock is compared with each batch, and written down this often
MOVED_S = 1.0  # or at once where it moved by more
KEEP_HELD = timedelta(days=7)
MOST_HELD = 2000  # rows of one device: one that is left on beside an empty chair must not fill the disk
_WORDS = 300
DOUBT_FOR = timedelta(minutes=1)  # a device that disagrees goes on sending; the last word of it stands this long
_WHOSE = ("patient", "session", "device")  # what a message can disagree about


def hold(device: Device, batch_key: str, body: dict[str, Any], why: str, where: str) -> None:
    """Keep values aside that are charted for nobody, once; inside an act. ``body`` holds them under ``samples``."""
    count = len(body["samples"])
    _, fresh = HeldBatch.objects.get_or_create(
        device=device, batch_key=batch_key, defaults={"why": why[:_WORDS], "count": count, "body": body}
    )
    if fresh:
        _of(device)
        DeviceHealth.objects.filter(device=device).update(
            held=F("held") + count, held_at=timezone.now(), held_why=why[:_WORDS], held_where=where[:40]
        )


def hold_refused(device: Device, batch_key: str, body: dict[str, Any], problem: LimenError, *, disagrees: bool) -> None:
    """Keep a refused batch aside; where it disagrees about the patient, its device's signals are lost as of now.

    Parameters
    ----------
    disagrees : bool
        The message names another patient, session or device than the association: nobody can tell whose the values
        are. The session is told once, until a value of the device is charted again.
    """
    with acting(by=f"device:{device.name}", action="sessions.hold_batch", site=device.site, audited=False):
        # Only a message that disagrees puts in doubt whose values they are; a session that has not begun does not.
        hold(device, batch_key, body, str(problem), problem.where if disagrees else "")
    if disagrees:
        _tell_session(device, problem)


def _tell_session(device: Device, problem: LimenError) -> None:
    on = DeviceAssociation.objects.select_related("session__site").filter(device=device, ended_at=None).first()
    if on is None or on.session.status not in LIVE:
        return
    with acting(by=f"device:{device.name}", action="sessions.device_disagrees", site=device.site):
        if not _told(on.session, device):
            reason = f"its messages name another {problem.where or 'patient'}: not charted"
            append(on.session, "device.lost", by=device.name, data={"device": device.name, "reason": reason})


def _told(session: Session, device: Device) -> bool:
    """Whether the session knows that this device is lost: nothing of it was charted since."""
    mine = [
        event
        for event in events_of(session)
        if isinstance(event, DeviceAssociated | DeviceLost) and event.device == device.name
    ]
    if not mine or not isinstance(mine[-1], DeviceLost):
        return False
    since = Sample.objects.filter(session=session, device=device, received_t_s__gt=mine[-1].known_t_s)
    return not since.exists()


@dataclass(frozen=True, slots=True)
class Heard:
    """What a message tells of its device beside values; ``off_s`` is the device's clock minus ours, if it gave one."""

    device: Device
    off_s: float | None
    lost: int


def hear(told: Iterable[Heard]) -> None:
    """Compare the clocks of some devices with ours, and note what their gateways had to drop; inside an act."""
    telling = [heard for heard in told if heard.off_s is not None or heard.lost]
    if not telling:
        return
    now = timezone.now()
    known = {row.device_id: row for row in DeviceHealth.objects.filter(device__in=[heard.device for heard in telling])}
    for heard in telling:
        row = known.get(heard.device.pk)
        if row is None or _news(row, heard, now):
            _note(row or _of(heard.device), heard, now)


def _news(row: DeviceHealth, heard: Heard, now: datetime) -> bool:
    """Whether it is to be written down: comparing is cheap, and writing once a second for each chair is not."""
    if heard.lost > row.lost:
        return True
    if heard.off_s is None:
        return False
    moved = row.skew_s is None or abs(heard.off_s - row.skew_s) > MOVED_S
    return moved or row.skew_at is None or not timedelta(0) <= now - row.skew_at < WRITE_EVERY


def _note(row: DeviceHealth, heard: Heard, now: datetime) -> None:
    if heard.off_s is not None:
        row.offsets = with_offset(row.offsets, round(heard.off_s, 3))
        row.skew_s, row.skew_at = skew_s(row.offsets), now
    row.lost = max(row.lost, heard.lost)
    row.save(update_fields=["offsets", "skew_s", "skew_at", "lost"])


def _of(device: Device) -> DeviceHealth:
    return DeviceHealth.objects.get_or_create(device=device)[0]


def forget_held() -> None:
    """Drop what was kept aside long enough to be asked for, and what a forgotten device sends on and on; in an act."""
    HeldBatch.objects.filter(held_at__lt=timezone.now() - KEEP_HELD).delete()
    for device in Device.objects.filter(held_batches__isnull=False).distinct():
        mine = HeldBatch.objects.filter(device=device).order_by("-id")
        last = mine.values_list("id", flat=True)[MOST_HELD : MOST_HELD + 1].first()
        if last is not None:
            mine.filter(id__lte=last).delete()


def device_view(device: Device) -> dict[str, Any]:
    """What a screen says of a device: its clock against ours, and what of it was not charted."""
    health = _known(device)
    skew = health.skew_s if health else None
    return {
        "device": device.name,
        "label": device.label or device.name,
        "kind": device.kind,
        "clock_skew_s": skew,
        "clock_skew_limit_s": device_rules().clock_skew.limit_s,
        "clock_wrong": _clock_wrong(health),
        "clock_checked_at": health.skew_at.isoformat() if health and health.skew_at else None,
        "held": health.held if health else 0,
        "held_at": health.held_at.isoformat() if health and health.held_at else None,
        "held_why": health.held_why if health else "",
        "lost": health.lost if health else 0,
    }


def devices_on(session: Session) -> list[dict[str, Any]]:
    """The same of each device that is on this patient now: when it was heard last, and what is in doubt."""
    found = []
    for row in _on(session=session).order_by("device__name"):
        heard = Sample.objects.filter(session=session, device=row.device).order_by("-id")
        more = {
            "signals": sorted(row.device.streams),  # PostgreSQL keeps no order of keys
            "heard_t_s": heard.values_list("received_t_s", flat=True).first(),
            "doubt": _doubt(row),
        }
        found.append(device_view(row.device) | more)
    return found


def doubts(**scope: Any) -> dict[UUID, str]:
    """For each session the one thing to be said on the board of a device on it; nothing where all is as it should be.

    ``scope`` narrows the associations: ``site=`` or ``session=``.
    """
    found: dict[UUID, str] = {}
    for row in _on(**scope):
        doubt = _doubt(row)
        if doubt and (doubt == "patient" or row.session_id not in found):
            found[row.session_id] = doubt
    return found


def _on(**scope: Any) -> QuerySet[DeviceAssociation]:
    return DeviceAssociation.objects.select_related("device__health").filter(ended_at=None, **scope)


def _doubt(row: DeviceAssociation) -> str:
    """``patient``: its messages disagree whose values they are. ``clock``: its clock is off by more than is allowed."""
    health = _known(row.device)
    if health is None:
        return ""
    held = health.held_at
    # a time that is still to come was written before the server's clock was set back
    if held and health.held_where in _WHOSE and held >= row.started_at and timezone.now() - held < DOUBT_FOR:
        return "patient"
    return "clock" if _clock_wrong(health) else ""


def _known(device: Device) -> DeviceHealth | None:
    """What is known of a device, asked for only where it was not read with it."""
    return getattr(device, "health", None)


def _clock_wrong(health: DeviceHealth | None) -> bool:
    return health is not None and health.skew_s is not None and abs(health.skew_s) > device_rules().clock_skew.limit_s
