"""What the clinic knows of a session beside its events: emergencies, clocks, and values that were not taken."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from limen.clinic.calls.models import CallEntry
from limen.clinic.emergency.models import EmergencyEntry
from limen.clinic.sessions.ingest import OLDEST_S
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
        count, why = _held(row)
        if count:
            words.append(f"{count} values kept aside and not charted, the last because {why}")
    return {name: "; ".join(words) for name, words in found.items()}


def _held(row: DeviceAssociation) -> tuple[int, str]:
    """How many values that were measured on this patient were kept aside, whenever they came, and why the last was.

    A gateway that was cut off delivers hours later, when the device is on nobody or on the next patient.
    """
    held = HeldBatch.objects.filter(device=row.device, held_at__gte=row.started_at).order_by("id")
    if row.ended_at is not None:
        held = held.filter(held_at__lte=row.ended_at + timedelta(seconds=OLDEST_S))
    count, why = 0, ""
    for held_at, body, because in held.values_list("held_at", "body", "why"):
        mine = sum(_on_this_patient(row, held_at - timedelta(seconds=age_s)) for age_s in _ages_s(body))
        if mine:
            count, why = count + mine, because
    return count, why


def _on_this_patient(row: DeviceAssociation, at: datetime) -> bool:
    return row.started_at <= at and (row.ended_at is None or at <= row.ended_at)


def _ages_s(body: Mapping[str, Any]) -> list[float]:
    """How old each value was when it came: said with it, else by the clock of its batch."""
    return [sample["age_s"] if "age_s" in sample else body["sent_s"] - sample["t_s"] for sample in body["samples"]]


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
