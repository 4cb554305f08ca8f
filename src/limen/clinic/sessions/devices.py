"""Devices: registered once with a secret, put on one patient at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from limen.clinic.accounts.permissions import Permission
from limen.clinic.audit.act import about, acting, action, current, note
from limen.clinic.sessions.clock import session_time_s
from limen.clinic.sessions.ingest import new_token, token_hash
from limen.clinic.sessions.models import Device, DeviceAssociation, Session
from limen.errors import InputError, RefusedError
from limen.knowledge.monitoring import monitoring

if TYPE_CHECKING:
    from limen.clinic.accounts.models import User
    from limen.clinic.sites.models import Site

PUMP = "pump"  # its volume is read; nothing of it is watched against limits
BEDSIDE: dict[str, Any] = {
    "HR": {"period_s": 1.0},
    "SPO2": {"period_s": 1.0},
    "RR": {"period_s": 1.0},
    "NIBP_SYS": {"period_s": None},
    "NIBP_DIA": {"period_s": None},
}


@action(Permission.DEVICE_REGISTER, on="site")
def register_device(
    *,
    by: User,
    site: Site,
    name: str,
    kind: str = "monitor",
    streams: Mapping[str, Any] | None = None,
    label: str = "",
) -> tuple[Device, str]:
    """A device that may send values, and its secret, which is shown this once."""
    return _register(name, kind, streams, label)


def bootstrap_device(
    *,
    by: str,
    site: Site,
    name: str,
    kind: str = "monitor",
    streams: Mapping[str, Any] | None = None,
    label: str = "",
) -> tuple[Device, str]:
    """The same, from the machine itself."""
    with acting(by=by, action="sessions.bootstrap_device", site=site):
        return _register(name, kind, streams, label)


def _register(name: str, kind: str, streams: Mapping[str, Any] | None, label: str) -> tuple[Device, str]:
    given = dict(streams) if streams is not None else {} if kind == PUMP else BEDSIDE
    for signal in given:
        if monitoring().signal(signal) is None:
            allowed = ", ".join(entry.id for entry in monitoring().signals)
            raise InputError(f"unknown signal {signal!r}", where="streams", allowed=allowed)
    if Device.objects.filter(site=current().site, name=name).exists():
        raise InputError(f"{name} is registered already", where="name", allowed="a name that no device here has")
    if label and Device.objects.filter(site=current().site, label=label).exists():
        raise InputError(f"another device has the label {label}", where="label", allowed="a label that no device has")
    token = new_token()
    device = Device.objects.create(name=name, kind=kind, token_hash=token_hash(token), streams=given, label=label)
    about(device)
    note(name=name, kind=kind)
    return device, token


@action(Permission.DEVICE_REGISTER, on="device")
def renew_secret(*, by: User, device: Device) -> str:
    """Another secret for a device, shown this once: the one before was lost, or somebody else has it.

    Raises
    ------
    RefusedError
        If the device is on a patient, who would not be watched until it has the new one, or is retired.
    """
    device = _off_duty(device)
    secret = new_token()
    device.token_hash = token_hash(secret)
    device.save(update_fields=["token_hash"])
    note(device=device.name)
    return secret


@action(Permission.DEVICE_REGISTER, on="device")
def retire_device(*, by: User, device: Device) -> None:
    """Accept nothing more from a device. What it measured stays.

    Raises
    ------
    RefusedError
        If the device is on a patient, or is retired.
    """
    device = _off_duty(device)
    device.status = Device.Status.RETIRED
    device.save(update_fields=["status"])
    note(device=device.name)


def _off_duty(device: Device) -> Device:
    """The device, fresh and locked: active, and on nobody."""
    device = Device.objects.select_for_update(no_key=True).get(pk=device.pk)
    if device.status != Device.Status.ACTIVE:
        raise RefusedError(f"{device.name} is retired", where="device", allowed="an active device")
    on = DeviceAssociation.objects.select_related("session__chair").filter(device=device, ended_at=None).first()
    if on is not None:
        chair = on.session.chair.name
        raise RefusedError(f"{device.name} is on {chair}", where="device", hint="Take it off there first")
    return device


def streams_of(device: Device) -> dict[str, Any]:
    """The signals a device is expected to send, with their periods."""
    return dict(device.streams)


def check_read_back(session: Session, device: Device, *, label: str, chair: str) -> str:
    """What a person read on the device and on the chair, held against what they chose; the words to keep.

    Raises
    ------
    RefusedError
        If it is another device or another chair: the one in the room counts, not the one on the screen.
    """
    wanted = device.label or device.name
    if _plain(label) != _plain(wanted):
        raise RefusedError(
            f"the label read is {label.strip() or 'empty'}, the device chosen is {wanted}",
            where="label",
            allowed="the label of the device that is on the patient",
            hint="Look at the device at the chair",
        )
    if _plain(chair) != _plain(session.chair.name):
        raise RefusedError(
            f"the chair read is {chair.strip() or 'empty'}, this session is in {session.chair.name}",
            where="chair",
            allowed="the chair that the device stands at",
            hint="Look which patient sits there",
        )
    return f"{wanted} at {session.chair.name}"


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def join(session: Session, device: Device, *, read_back: str = "") -> DeviceAssociation:
    """Put a device on a session; inside an act. ``read_back`` is what :func:`check_read_back` gave."""
    device = Device.objects.select_for_update(no_key=True).get(pk=device.pk)
    if device.site_id != session.site_id or device.status != Device.Status.ACTIVE:
        raise InputError("no such device at this site", where="device", allowed="an active device of the site")
    taken = DeviceAssociation.objects.select_related("session__chair").filter(device=device, ended_at=None).first()
    if taken is not None:
        if taken.session_id == session.pk:
            return taken
        chair = taken.session.chair.name
        raise RefusedError(f"{device.name} is on {chair}", where="device", hint="Take it off there first")
    return DeviceAssociation.objects.create(
        device=device,
        session=session,
        started_at=timezone.now(),
        started_t_s=session_time_s(session) if session.started_at is not None else None,
        read_back=read_back,
    )


def leave(association: DeviceAssociation) -> None:
    """Take a device off; inside an act."""
    association.ended_at = timezone.now()
    association.save(update_fields=["ended_at"])
