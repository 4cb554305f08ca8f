"""What the clinic knows of a session beside its events: emergencies, clocks, and values that were not taken."""

from __future__ import annotations

from typing import Any

from django.db.models import Sum

from limen.clinic.calls.models import CallEntry
from limen.clinic.emergency.models import EmergencyEntry
from limen.clinic.sessions.models import AlarmSnapshot, DeviceAssociation, DeviceHealth, HeldBatch, Session
from limen.clinic.sites.zones import local

# A clock that is off by less is not worth a reader's time.
_TOLD_S = 1.0


def newest_beside(session: Session) -> tuple[Any, ...]:
    """What grows as more is known beside the events: a draft made before it is out of date."""
    tick = AlarmSnapshot.objects.filter(session=session).values_list("tick_t_s", "clock_offset_s").first() or ()
    held = HeldBatch.objects.filter(device__associations__session=session)
    lists = (
        CallEntry.objects.filter(session=session),
        EmergencyEntry.objects.filter(emergency__session=session),
        held,
    )
    return (*tick, *(rows.order_by("-id").values_list("id", flat=True).first() for rows in lists))


def clock_turned_s(session: Session) -> float:
    """How far the server's clock was set back while the session ran, as the monitor measured it."""
    found = AlarmSnapshot.objects.filter(session=session).values_list("clock_offset_s", flat=True).first()
    return round(found or 0.0, 1)


def device_words(session: Session) -> dict[str, str]:
    """Of each device on this patient: its clock against the server's, and what it sent that was not charted."""
    found: dict[str, list[str]] = {}
    for row in (
        DeviceAssociation.objects.filter(session=session).select_related("device", "site").order_by("started_at")
    ):
        words = found.setdefault(row.device.name, [_clock(row)])
        held = HeldBatch.objects.filter(device=row.device, held_at__gte=row.started_at)
        if row.ended_at is not None:
            held = held.filter(held_at__lte=row.ended_at)
        count = held.aggregate(count=Sum("count"))["count"]
        if count:
            why = held.order_by("-id").values_list("why", flat=True).first()
            words.append(f"{count} values kept aside and not charted, the last because {why}")
    return {name: "; ".join(words) for name, words in found.items()}


def _clock(row: DeviceAssociation) -> str:
    """Its clock as it was last compared; where that was after this patient, that is said."""
    health = DeviceHealth.objects.filter(device_id=row.device_id).first()
    if health is None or health.skew_s is None or health.skew_at is None:
        return "its clock was not compared with the server's"
    at = f"{local(health.skew_at, row.site):%H:%M}"
    if health.skew_at < row.started_at or (row.ended_at is not None and health.skew_at > row.ended_at):
        at = f"{local(health.skew_at, row.site):%d %b %H:%M}, not in this session"
    if abs(health.skew_s) < _TOLD_S:
        return f"its clock agreed with the server's to a second at {at}"
    way = "ahead of" if health.skew_s > 0 else "behind"
    return f"its clock was {abs(health.skew_s):.1f} s {way} the server's at {at}; times here are the server's"
