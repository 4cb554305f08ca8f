"""The patient's own call page: one address for one session, held by the first device that opens it, without a sign-in.

The address is a secret of 256 bits, kept only as its digest. Whoever opens it first gets a second secret as a cookie;
from then on the address alone opens nothing. It ends with the session, or when staff make another.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from django.utils import timezone
from django.utils.crypto import constant_time_compare

from limen.clinic.accounts.permissions import Permission
from limen.clinic.audit.act import acting, action
from limen.clinic.sessions.clock import lock, session_now_s, session_time_s
from limen.clinic.sessions.floor_models import Comfort, PatientLink
from limen.clinic.sessions.models import Session
from limen.clinic.sessions.record import append, events_of
from limen.errors import InputError, RefusedError
from limen.session.floor import last_signal, standing_call
from limen.session.floor_events import PatientCalled

if TYPE_CHECKING:
    from limen.clinic.accounts.models import User
    from limen.clinic.patients.models import Patient

BY = "patient"
OPEN = ("planned", "running", "recovery")
AGAIN_S = 3.0  # presses within this time are one press
OK_AGAIN_S = 10.0
MOST_SIGNALS = 240  # beyond this only a call for help that nobody knows of is written down

Place = Literal["unknown", "over", "free", "mine", "taken"]


@dataclass(frozen=True, slots=True)
class Opened:
    """What an address leads to for the device that asks."""

    place: Place
    link: PatientLink | None = None


@action(Permission.SESSION_RECORD, on="session")
def make_call_page(*, by: User, session: Session) -> str:
    """A new address for this session's patient; the one before it ends. Returned once, kept as a digest only.

    Raises
    ------
    RefusedError
        If the session is over.
    """
    session = lock(session)
    if session.status not in OPEN:
        raise RefusedError(f"the session is {session.status}", where="session", allowed=", ".join(OPEN))
    PatientLink.objects.filter(session=session, ended_at=None).update(ended_at=timezone.now())
    token = secrets.token_urlsafe(32)
    PatientLink.objects.create(session=session, token_hash=_digest(token))
    return token


@action(Permission.FACTS_RECORD, on="patient")
def record_comfort(
    *, by: User, patient: Patient, helps: str, touch: str, words: str = "", avoid: str = "", person: str = ""
) -> Comfort:
    """Write down what this patient says helps when it gets hard.

    Raises
    ------
    InputError
        If nothing helps, or the answer on touch is missing.
    """
    if not helps.strip():
        raise InputError("says nothing", where="helps", allowed="the patient's own words")
    if touch not in Comfort.Touch.values:
        raise InputError("not asked", where="touch", allowed=", ".join(Comfort.Touch.labels))
    made: Comfort = Comfort.objects.create(
        patient=patient,
        helps=helps.strip(),
        touch=touch,
        words=words.strip(),
        avoid=avoid.strip(),
        person=person.strip(),
        recorded_by=by.display_name,
    )
    return made


def comfort_of(patient: Patient) -> Comfort | None:
    """The newest words of this patient."""
    return Comfort.objects.filter(patient=patient).first()


def look_up(token: str, device: str) -> Opened:
    """What an address leads to; ``device`` is the secret that this browser holds, or nothing."""
    link = (
        PatientLink.objects.select_related("session__site", "session__chair").filter(token_hash=_digest(token)).first()
    )
    if link is None:
        return Opened("unknown")
    if link.ended_at is not None or link.session.status not in OPEN:
        return Opened("over")
    if not link.device_hash:
        return Opened("free", link)
    mine = bool(device) and constant_time_compare(link.device_hash, _digest(device))
    return Opened("mine" if mine else "taken", link)


def begin(link: PatientLink) -> str | None:
    """Give the page to this device; ``None`` where another was first."""
    device = secrets.token_urlsafe(32)
    with acting(by=BY, action="sessions.open_call_page", site=link.session.site, target=f"session:{link.session_id}"):
        free = PatientLink.objects.filter(pk=link.pk, device_hash="", ended_at=None)
        taken = free.update(device_hash=_digest(device), opened_at=timezone.now())
    return device if taken else None


def signal(link: PatientLink, word: Literal["come", "ok"]) -> bool:
    """The patient says it; whether it was news. A call that stands is never lost, and not written a hundred times."""
    site = link.session.site
    with acting(by=BY, action="sessions.patient_call", site=site, target=f"session:{link.session_id}", audited=False):
        session = lock(link.session)
        if session.started_at is None:
            raise RefusedError("the session has not started", where="session")
        events = events_of(session)
        last, now_s = last_signal(events), session_time_s(session)
        stands = standing_call(events) is not None
        again_s = AGAIN_S if word == "come" else OK_AGAIN_S
        same = last is not None and last.signal == word and now_s - last.t_s < again_s
        many = sum(isinstance(event, PatientCalled) for event in events) >= MOST_SIGNALS
        if (same and (stands or word == "ok")) or (many and (stands or word == "ok")):
            return False
        append(session, "patient.called", by=BY, data={"signal": word})
        return True


def answered(link: PatientLink) -> dict[str, object]:
    """What the page tells the patient: whether staff know, for how long, and who is coming."""
    session = link.session
    if session.started_at is None:
        return {"state": "waiting", "by": None, "for_s": None}
    events = events_of(session)
    call, last = standing_call(events), last_signal(events)
    now_s = session_now_s(session)
    if call is not None:
        return {"state": "called", "by": None, "for_s": max(0, round(now_s - call.t_s))}
    going = [event for event in events if event.kind == "call.answered"]
    if going and (last is None or going[-1].t_s >= last.t_s) and now_s - going[-1].t_s < 300:
        return {"state": "coming", "by": going[-1].by, "for_s": max(0, round(now_s - going[-1].t_s))}
    if last is not None and last.signal == "ok" and now_s - last.t_s < 60:
        return {"state": "ok", "by": None, "for_s": max(0, round(now_s - last.t_s))}
    return {"state": "quiet", "by": None, "for_s": None}


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
