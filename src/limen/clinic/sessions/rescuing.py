"""A rescue drug by standing order: what may be given now, read aloud, heard by a second person, then written down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from limen.care.chosen_dose import choices, chosen, has_range
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
    found = [_shown(offer) for offer in offers_now(session, denied=denied)]
    return sorted(found, key=lambda item: (not item["usable"], not item["emergency"], str(item["title"])))


def drawn(session: Session, *, order: str, words: str, dose_mg: Any, denied: Sequence[str] = ()) -> dict[str, Any]:
    """A dose of an order's range as it can be drawn up: what is read back, in mg and mL.

    Parameters
    ----------
    words : str
        The offer it is chosen from, in its own words: an order may be offered by more than one route.

    Raises
    ------
    InputError
        If the order allows no such dose; the message names both ends.
    RefusedError
        If the order no longer says what was shown.
    """
    found = offers_now(session, denied=denied, only=[get_order(order).id])
    offer = next((one for one in found if one.words == words), None)
    if offer is None:
        raise _other_words(found, words)
    return _shown(chosen(offer, _mg(dose_mg)))


def _shown(offer: Offer) -> dict[str, Any]:
    ends = [{"dose_mg": one.dose_mg, "volume_mL": one.volume_mL, "words": one.words} for one in choices(offer)]
    return {**offer.to_json(), "words": offer.words, "choices": ends if has_range(offer) else []}


def _mg(value: Any) -> float:
    """A dose as a page or a query sends it."""
    try:
        if isinstance(value, bool):
            raise ValueError
        return float(value)
    except (TypeError, ValueError):
        raise InputError(f"{value!r} is no dose", where="dose_mg", allowed="a number of mg") from None


@action(Permission.SESSION_RECORD, on="session")
def give_rescue(
    *,
    by: User,
    session: Session,
    order: str,
    words: str,
    heard_by: User | None,
    dose_mg: Any = None,
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
    dose_mg : float, optional
        The dose chosen where the order gives a range; the smaller end where not given.
    denied : sequence of str
        Questions of the order that were asked at the chair and answered with no.

    Raises
    ------
    InputError
        If nobody heard it, or the same person did, or the order allows no such dose.
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
    sized = _sized(found, dose_mg, kept=late_s > 0.0)
    given = next((offer for offer in sized if offer.words == words), None)
    if late_s == 0.0:
        _refuse_unusable(sized, given, words)
    note(order=order, heard_by=heard_by.username)
    data: dict[str, Any] = {"order": order, "dose": words, "read_back_by": heard_by.display_name}
    if given is not None:
        data |= _doses(given)
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


def _sized(found: Sequence[Offer], dose_mg: Any, *, kept: bool) -> list[Offer]:
    """Each presentation of an order with the dose that was chosen; those whose range does not hold it fall away."""
    if dose_mg is None:
        return list(found)
    sized: list[Offer] = []
    why: InputError | None = None
    for offer in found:
        try:
            sized.append(chosen(offer, _mg(dose_mg)))
        except InputError as problem:
            why = problem
    if why is not None and not sized and not kept:
        raise why
    return sized


def _other_words(found: Sequence[Offer], words: str) -> RefusedError:
    now = "; ".join(offer.words for offer in found) or "nothing"
    return RefusedError(
        f"{words!r} was read back", where="words", allowed=now, hint="Read back what the order says now"
    )


def _refuse_unusable(found: Sequence[Offer], given: Offer | None, words: str) -> None:
    if given is None:
        raise _other_words(found, words)
    if not given.usable:
        why = "; ".join(reason.text for reason in given.against) or ", ".join(given.ask)
        raise RefusedError(
            f"{given.title}: {why}",
            where="order",
            hint="Call the prescriber. What was given all the same is written down in words",
        )
