"""Words of the alarm log."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django import template
from django.utils.timezone import localtime

from limen.clinic.sessions.models import Session

register = template.Library()

_HAPPENED = {
    "raised": "began",
    "ended": "ended",
    "acknowledged": "seen",
    "audio-paused": "sound held back",
    "sound-returned": "sound is back",
    "not-matched": "an answer that matched no alarm",
    "called": "called",
    "delivered": "a screen showed it",
    "accepted": "is going",
    "nobody": "nobody could be reached",
}


@register.filter
def happened(row: Mapping[str, Any]) -> str:
    """What a row of the log says."""
    return _HAPPENED.get(str(row["kind"]), str(row["kind"]))


@register.filter
def session_clock(session: Session, t_s: float) -> str:
    """The time of day of a second of the session, in the zone of the page."""
    if session.started_at is None:
        return ""
    return localtime(session.started_at + timedelta(seconds=t_s)).strftime("%H:%M:%S")
