"""What a site has signed of a standing order: the version, by whom, until when, on which terms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from limen.errors import InputError
from limen.knowledge.standing_orders import StandingOrder

State = Literal["signed", "unsigned", "changed", "expired", "withdrawn", "withheld"]

# A director signs for a year at most, and names at most so many doses: the clinic's own rules.
LONGEST_DAYS = 366
MOST_DOSES = 20


@dataclass(frozen=True, slots=True)
class Signature:
    """A medical director's signature under one version of an order at one site.

    Attributes
    ----------
    interval_min, max_doses : float, int or None
        The director's own terms: what the sources leave open, or stricter than they are.
    """

    order: str
    digest: str
    by: str
    signed_on: date
    expires_on: date
    interval_min: float | None = None
    max_doses: int | None = None
    withdrawn_on: date | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """An order with what a site has signed of it."""

    order: StandingOrder
    state: State
    because: str
    signature: Signature | None = None

    @property
    def interval_min(self) -> float | None:
        """Between two doses: the longer of the source's and the director's."""
        return _stricter(
            max,
            self.order.repeat.interval_min if self.order.repeat else None,
            self.signature.interval_min if self.signature else None,
        )

    @property
    def max_doses(self) -> int | None:
        """In one session: the smaller of the source's and the director's; one where no repeat was read."""
        if self.order.repeat is None:
            return None if self.order.given_as else 1
        said = _stricter(min, self.order.repeat.max_doses, self.signature.max_doses if self.signature else None)
        return None if said is None else int(said)


def standing(order: StandingOrder, signatures: Sequence[Signature], on: date) -> Standing:
    """Whether a site has signed this version of an order, on one day.

    Parameters
    ----------
    signatures : sequence of Signature
        Those of one site; the newest of this order counts.
    on : date
        The day at the site.

    Examples
    --------
    >>> from limen.knowledge.standing_orders import get_order
    >>> order = get_order("lorazepam-seizure")
    >>> standing(order, [], date(2026, 11, 22)).state
    'unsigned'
    >>> old = Signature(order.id, "0" * 64, "A. Director", date(2026, 1, 5), date(2027, 1, 5))
    >>> standing(order, [old], date(2026, 11, 22)).state
    'changed'
    """
    if order.withheld is not None:
        return Standing(order, "withheld", order.withheld.text)
    held = [entry for entry in signatures if entry.order == order.id and entry.signed_on <= on]
    last = held[-1] if held else None
    if last is None:
        return Standing(order, "unsigned", "The medical director of this site has not signed it")
    if last.withdrawn_on is not None and last.withdrawn_on <= on:
        return Standing(order, "withdrawn", f"Withdrawn on {last.withdrawn_on.isoformat()}", last)
    if last.digest != order.digest:
        return Standing(order, "changed", f"Changed since {last.by} signed it on {last.signed_on.isoformat()}", last)
    if on > last.expires_on:
        return Standing(order, "expired", f"The signature of {last.by} ended on {last.expires_on.isoformat()}", last)
    return Standing(order, "signed", f"By {last.by}, until {last.expires_on.isoformat()}", last)


def check_terms(order: StandingOrder, *, interval_min: float | None, max_doses: int | None) -> None:
    """Let a director's terms through that fill what the sources leave open, or are stricter than they are.

    Raises
    ------
    InputError
        If the order is withheld, a term that is asked is missing, or one is looser than the source.

    Examples
    --------
    >>> from limen.knowledge.standing_orders import get_order
    >>> check_terms(get_order("adrenaline-anaphylaxis"), interval_min=None, max_doses=None)
    Traceback (most recent call last):
    limen.errors.InputError: max_doses: the sources give no number of doses; allowed: the director's own number
    """
    if order.withheld is not None:
        raise InputError(f"{order.title} is no standing order", where="order", hint=order.withheld.text)
    asked = order.terms_asked
    if "interval_min" in asked and interval_min is None:
        raise InputError("the sources give no interval", where="interval_min", allowed="the director's own minutes")
    if "max_doses" in asked and max_doses is None:
        raise InputError("the sources give no number of doses", where="max_doses", allowed="the director's own number")
    if order.repeat is None and (interval_min is not None or max_doses not in {None, 1}):
        raise InputError("no repeat was read in the sources", where="max_doses", allowed="none, or 1")
    least = order.repeat.interval_min if order.repeat else None
    if (interval_min is not None and not (least or 0) <= interval_min <= 1440) or interval_min == 0:
        raise InputError(f"{interval_min:g} min", where="interval_min", allowed=f"{least or 1:g} to 1440 min")
    most = (order.repeat.max_doses if order.repeat else None) or MOST_DOSES
    if max_doses is not None and not 1 <= max_doses <= most:
        raise InputError(f"{max_doses} doses", where="max_doses", allowed=f"1 to {most}")


def _stricter(pick: Callable[[list[float]], float], *values: float | None) -> float | None:
    known = [value for value in values if value is not None]
    return pick(known) if known else None
