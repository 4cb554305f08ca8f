"""A rescue drug by standing order: what may be given now, read aloud, heard by a second person, then written down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from limen.care.offer import Offer
from limen.clinic.accounts.permissions import Permission
from limen.clinic.accounts.policy import holds
from limen.clinic.audit.act import action, note
from limen.clinic.sessions.clock import lock
from limen.clinic.sessions.models import Session, SessionEvent
from limen.clinic.sessions.record import append, done_before
from limen.clinic.sites.rescue import offers_now
from limen.errors import InputError, RefusedError
from limen.knowledge.standing_orders import get_order

if TYPE_CHECKING:
    from limen.clinic.accounts.models import User


def offered(session: Session, *, denied: Sequence[str] = ()) -> list[dict[str, Any]]:
    """What each signed order comes to for the person in the chair now; what may be given first."""
    found = [{**offer.to_json(), "words": offer.words} for offer in offers_now(session, denied=denied)]
    return sorted(found, key=lambda item: (not item["usable"], not item["emergency"], str(item["title"])))


@action(Permission.SESSION_RECORD, on="session")
def give_rescue(
    *,
    by: User,
    session: Session,
    order: str,
    words: str,
    heard_by: User | None,
    denied: Sequence[str] = (),
    reason: str = "",
    key: str | None = None,
    late_s: float = 0.0,
) -> SessionEvent:
    """Write down a rescue dose that was read aloud, heard by a second person, and given.

    Parameters
    ----------
    words : str
        The dose as it was read back: what the order said when it was shown.
    heard_by : User
        Who heard it: another person who may run a session here.
    denied : sequence of str
        Questions of the order that were asked at the chair and answered with no.

    Raises
    ------
    InputError
        If nobody heard it, or the same person did.
    RefusedError
        If the order may not be used now, or no longer says what was read back. A tap that was kept while the line was
        down is stored all the same: what was given was given.
    """
    session = lock(session)
    known = done_before(session, "rescue.given", key)
    if known is not None:
        return known
    if heard_by is None or heard_by.pk == by.pk or not holds(heard_by, Permission.SESSION_RECORD, session.site):
        raise InputError(
            "nobody else heard it", where="heard_by", allowed="a second person who may run a session at this site"
        )
    found = offers_now(session, denied=denied, only=[get_order(order).id])
    chosen = next((offer for offer in found if offer.words == words), None)
    if late_s == 0.0:
        _refuse_unusable(found, chosen, words)
    note(order=order, heard_by=heard_by.username)
    data: dict[str, Any] = {"order": order, "dose": words, "read_back_by": heard_by.display_name}
    if chosen is not None:
        data |= _doses(chosen)
    if reason.strip():
        data["reason"] = reason.strip()
    if denied:
        data["asked_and_denied"] = list(denied)
    return append(session, "rescue.given", by=by.display_name, data=data, key=key, late_s=late_s)


def _doses(offer: Offer) -> dict[str, Any]:
    parts = {
        "what": offer.title,
        "drug": offer.drug,
        "order_version": get_order(offer.order).digest,
        "dose_mg": offer.dose_mg,
        "volume_mL": offer.volume_mL,
        "concentration_mg_per_mL": offer.concentration_mg_per_mL if offer.volume_mL is not None else None,
        "route": offer.route,
    }
    return {name: value for name, value in parts.items() if value is not None}


def _refuse_unusable(found: Sequence[Offer], chosen: Offer | None, words: str) -> None:
    if chosen is None:
        now = "; ".join(offer.words for offer in found) or "nothing"
        raise RefusedError(
            f"{words!r} was read back", where="words", allowed=now, hint="Read back what the order says now"
        )
    if not chosen.usable:
        why = "; ".join(reason.text for reason in chosen.against) or ", ".join(chosen.ask)
        raise RefusedError(
            f"{chosen.title}: {why}",
            where="order",
            hint="Call the prescriber. What was given all the same is written down in words",
        )
