"""Devices: registered once with a secret, put on one patient at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from limen.clinic.accounts.permissions import Permission
from limen.clinic.audit.act import about, acting, action, current, note
from limen.clinic.sessions.ingest import new_token, token_hash
from limen.clinic.sessions.models import Device, DeviceAssociation, Session
from limen.errors import InputError, RefusedError
from limen.knowledge.monitoring import monitoring

if TYPE_CHECKING:
    from limen.clinic.accounts.models import User
    from limen.clinic.sites.models import Site

BEDSIDE: dict[str, Any] = {
    "HR": {"period_s": 1.0},
    "SPO2": {"period_s": 1.0},
    "RR": {"period_s": 1.0},
    "NIBP_SYS": {"period_s": None},
    "NIBP_DIA": {"period_s": None},
}


@action(Permission.DEVICE_REGISTER, on="site")
def register_device(
    *, by: User, site: Site, name: str, kind: str = "monitor", streams: Mapping[str, Any] | None = None
) -> tuple[Device, str]:
    """A device that may send values, and its secret, which is shown this once."""
    return _register(name, kind, streams)


def bootstrap_device(
    *, by: str, site: Site, name: str, kind: str = "monitor", streams: Mapping[str, Any] | None = None
) -> tuple[Device, str]:
    """The same, from the machine itself."""
    with acting(by=by, action="sessions.bootstrap_device", site=site):
        return _register(name, kind, streams)


def _register(name: str, kind: str, streams: Mapping[str, Any] | None) -> tuple[Device, str]:
    given = dict(streams) if streams is not None else BEDSIDE
    for signal in given:
        if monitoring().signal(signal) is None:
            allowed = ", ".join(entry.id for entry in monitoring().signals)
            raise InputError(f"unknown signal {signal!r}", where="streams", allowed=allowed)
    if Device.objects.filter(site=current().site, name=name).exists():
        raise InputError(f"{name} is registered already", where="name", allowed="a name that no device here has")
    token = new_token()
    device = Device.objects.create(name=name, kind=kind, token_hash=token_hash(token), streams=given)
    about(device)
    note(name=name, kind=kind)
    return device, token


def streams_of(device: Device) -> dict[str, Any]:
    """The signals a device is expected to send, with their periods."""
    return dict(device.streams)


def join(session: Session, device: Device) -> DeviceAssociation:
    """Put a device on a session; inside an act."""
    if device.site_id != session.site_id or device.status != Device.Status.ACTIVE:
        raise InputError("no such device at this site", where="device", allowed="an active device of the site")
    Device.objects.select_for_update(no_key=True).get(pk=device.pk)
    taken = DeviceAssociation.objects.select_related("session__chair").filter(device=device, ended_at=None).first()
    if taken is not None:
        if taken.session_id == session.pk:
            return taken
        chair = taken.session.chair.name
        raise RefusedError(f"{device.name} is on {chair}", where="device", hint="Take it off there first")
    return DeviceAssociation.objects.create(device=device, session=session, started_at=timezone.now())


def leave(association: DeviceAssociation) -> None:
    """Take a device off; inside an act."""
    association.ended_at = timezone.now()
    association.save(update_fields=["ended_at"])
