"""What the book says: balances, the account of a session, the day by vial, the seal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Subquery

from limen.clinic.sessions.clock import session_now_s
from limen.clinic.sessions.models import Session, SessionEvent
from limen.clinic.sites.models import Site
from limen.clinic.sites.zones import today, zone_of
from limen.clinic.stock.actions import ordered_strength, without_strength
from limen.clinic.stock.book import entries, entry_of, rows, with_sessions
from limen.clinic.stock.models import LedgerEntry, Vial
from limen.clinic.stock.pumping import read_from_pump
from limen.ledger import (
    Difference,
    Entry,
    Reconciliation,
    balance,
    decimal_mg,
    effective,
    fold,
    reconcile,
    seal,
    verify,
)
from limen.ledger.book import VialState

_ORDER_EVENTS = ("infusion.stopped", "infusion.paused", "infusion.rate-changed", "entry.corrected", "emergency.started")
_ZERO = Decimal("0.0")
FEW_VIALS = 200
"""Up to here it is quicker to read the lines of each vial than the whole book."""


def site_balance(site: Site) -> dict[str, list[dict[str, str]]]:
    """``limen ledger balance`` for a site."""
    return balance(entries(rows(site)))


def site_verify(site: Site, *, checkpoint: str | None = None) -> dict[str, Any]:
    """``limen ledger verify`` for a site: the whole chain, from its first entry."""
    return verify((entry_of(row) for row in rows(site).iterator(chunk_size=2000)), checkpoint=checkpoint)


def last_seals(site: Site, count: int = 200) -> dict[str, Any]:
    """Whether the newest entries fit each other: quick enough for every page. ``site_verify`` checks them all."""
    newest = list(rows(site).order_by("-position")[: count + 1])[::-1]
    chain = entries(newest)
    bad = None
    for before, entry in zip([None, *chain], chain, strict=False):
        if before is None and entry.position != 1:
            continue
        expected = before.hash if before else ""
        if entry.prev_hash != expected or entry.hash != seal(entry.position, entry.line, entry.at, entry.prev_hash):
            bad = entry.position
            break
    total = chain[-1].position if chain else 0
    return {"entries": total, "checked": min(total, count), "ok": bad is None, "first_bad": bad, "last": chain[-1:]}


_FOLDED: dict[UUID, tuple[str, VialState]] = {}


def site_states(site: Site) -> dict[str, VialState]:
    """Every vial's state by its label, to be read only.

    The book only grows: a vial is folded again when the seal of its last line is another than the one folded before.
    """
    newest = LedgerEntry.objects.filter(vial=OuterRef("pk")).order_by("-position").values("hash")[:1]
    vials = Vial.objects.filter(site=site).annotate(seal=Subquery(newest)).exclude(seal=None)
    seals = {pk: (label, seal) for pk, label, seal in vials.values_list("pk", "label", "seal")}
    changed = [pk for pk, (_, seal) in seals.items() if pk not in _FOLDED or _FOLDED[pk][0] != seal]
    if changed:
        own = rows(site) if len(changed) > FEW_VIALS else rows(site).filter(vial__in=changed)
        states = fold(entries(own))
        for pk in changed:
            label, seal = seals[pk]
            _FOLDED[pk] = (seal, states[label])
    return {label: _FOLDED[pk][1] for pk, (label, _) in seals.items()}


def on_hand(site: Site, states: Mapping[str, VialState] | None = None) -> list[dict[str, Any]]:
    """Each vial that still holds something, with its state, soonest out of date first."""
    states = states if states is not None else site_states(site)
    held = [label for label, state in states.items() if state.on_hand_mg > 0]
    found = Vial.objects.filter(site=site, label__in=held).order_by("expiry", "label")
    return [{"vial": vial, "state": states[vial.label]} for vial in found]


def vial_book(vial: Vial) -> dict[str, Any]:
    """A vial's own lines and what they add up to."""
    own = list(with_sessions(rows(vial.site).filter(vial=vial)))
    states = fold(entries(own))
    return {"rows": own, "state": states.get(vial.label) or VialState(vial.label)}


@dataclass
class VialDay:
    """One vial's line on a day's ledger: opened = given + wasted + returned + still in a syringe."""

    vial: Vial
    opened_mg: Decimal = _ZERO
    given_mg: Decimal = _ZERO
    wasted_mg: Decimal = _ZERO
    returned_mg: Decimal = _ZERO
    other_mg: Decimal = _ZERO
    unexplained_mg: Decimal = _ZERO
    sessions: list[Session] = field(default_factory=list)
    witnessed: list[LedgerEntry] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def open_mg(self) -> Decimal:
        """Drawn and not yet accounted for."""
        return self.opened_mg - self.given_mg - self.wasted_mg - self.returned_mg


def day_by_vial(site: Site, day: date) -> list[VialDay]:
    """The vials touched on a day, each with that day's amounts. A line of another day's session is that day's."""
    start, end = _bounds(site, day)
    touched = set(rows(site).filter(at__gte=start, at__lt=end).values_list("vial_id", flat=True))
    own = list(with_sessions(rows(site).filter(vial_id__in=touched)))
    states = fold(entries(own))
    found: dict[str, VialDay] = {}
    by_key = {row.key: row for row in own}
    for line, amount in effective(entries(own)):
        row = by_key[line.key]
        if not start <= row.at < end:
            continue
        held = found.setdefault(line.vial, VialDay(row.vial, unexplained_mg=states[line.vial].unexplained_mg))
        _add(held, row, amount)
    return sorted(found.values(), key=lambda item: item.vial.label)


def _bounds(site: Site, day: date) -> tuple[datetime, datetime]:
    zone = zone_of(site)
    return datetime.combine(day, time.min, zone), datetime.combine(day + timedelta(days=1), time.min, zone)


def _add(held: VialDay, row: LedgerEntry, amount: Decimal) -> None:
    if row.kind == "draw":
        held.opened_mg += amount
    elif row.kind == "give":
        held.given_mg += amount
    elif row.kind == "waste":
        held.wasted_mg += amount
        held.witnessed.append(row)
    elif row.kind == "return":
        held.returned_mg += amount
    elif row.kind in ("lose", "destroy"):
        held.other_mg += amount
        held.remarks.append(f"{row.kind}: {row.reason}")
        if row.witness:
            held.witnessed.append(row)
    if row.session is not None and row.session not in held.sessions:
        held.sessions.append(row.session)


def totals(lines: Iterable[VialDay]) -> dict[str, Decimal]:
    """The foot of the day's table."""
    names = ("opened_mg", "given_mg", "wasted_mg", "returned_mg", "open_mg", "other_mg", "unexplained_mg")
    found = list(lines)
    return {name: sum((getattr(line, name) for line in found), _ZERO) for name in names}


def ordered_mg(session: Session) -> Decimal | None:
    """The dose that was signed."""
    dose = session.plan.result.get("dose") or {}
    return decimal_mg(dose["dose_mg"]) if dose.get("dose_mg") is not None else None


def session_account(session: Session) -> Reconciliation:
    """Whether a session closes: drawn against given, wasted and returned; order and pump against given.

    A difference from the order is explained by what was done to the pump; one from the pump by the reason given when
    it was stopped.
    """
    found = list(SessionEvent.objects.filter(session=session).order_by("seq"))
    own = rows(session.site).filter(session=session)
    pumped, pump_words = _pump(found)
    if pumped is None:
        pumped, pump_words = read_from_pump(session, pump_words)
    account = reconcile(
        entries(own),
        str(session.pk),
        ordered_mg=ordered_mg(session),
        pumped_mg=pumped,
        order_explained_by=[_words(event) for event in found if event.kind in _ORDER_EVENTS],
        pump_explained_by=pump_words,
    )
    if session.started_at is None:
        return account
    told = Difference("given by the session's record against the book", given_mg(session), account.given_mg)
    return account if told.explained else replace(account, differences=(*account.differences, told))


def given_mg(session: Session) -> Decimal:
    """What the session's events say was given, up to now."""
    from limen.clinic.sessions.record import state_of

    return decimal_mg(state_of(session, at_t_s=session_now_s(session)).given_mg)


def _pump(found: list[SessionEvent]) -> tuple[Decimal | None, list[str]]:
    """The pump's volume times its concentration over all infusions, or None where no volume was read."""
    concentration: float | None = None
    total: Decimal | None = None
    words = []
    for event in found:
        if event.kind == "infusion.started":
            concentration = event.data.get("concentration_mg_per_mL")
        elif event.kind == "infusion.stopped":
            volume = event.data.get("pump_volume_mL")
            if volume is not None and concentration:
                total = (total or _ZERO) + decimal_mg(float(volume) * float(concentration))
            if event.data.get("difference_reason"):
                words.append(f"{event.data['difference_reason']} ({event.by})")
        elif event.kind == "entry.corrected":
            words.append(_words(event))
    return total, words


def _words(event: SessionEvent) -> str:
    minute = int(event.t_s // 60)
    why = event.data.get("reason") or event.data.get("note") or ""
    said = event.kind.replace(".", " ").replace("-", " ")
    return f"{said} at {minute} min" + (f": {why}" if why else "")


def open_syringes(session: Session) -> list[dict[str, Any]]:
    """The vials a session drew from, each with what is still in its syringe and its entries."""
    own = list(rows(session.site).filter(session=session))
    vials = {row.vial for row in own}
    found = []
    for vial in sorted(vials, key=lambda item: item.label):
        state = fold(entries(rows(session.site).filter(vial=vial)))[vial.label]
        found.append(
            {
                "vial": vial,
                "open_mg": state.syringes.get(str(session.pk), _ZERO),
                "rows": [row for row in own if row.vial_id == vial.pk],
            }
        )
    return found


def drawn(session: Session) -> list[Entry]:
    """What was drawn up for a session: empty until somebody has."""
    return [entry for entry in entries(rows(session.site).filter(session=session)) if entry.kind == "draw"]


def candidates(session: Session) -> list[dict[str, Any]]:
    """The vials on hand that fit a session's signed order, soonest out of date first."""
    strength = ordered_strength(session.plan)
    free = without_strength(session.plan)
    day = today(session.site)
    return [
        item
        for item in on_hand(session.site)
        if item["vial"].product == session.course.product
        and (free or (item["vial"].strength_mg_per_mL is not None and item["vial"].strength_mg_per_mL == strength))
        and item["vial"].expiry is not None
        and item["vial"].expiry >= day
    ]


def unexplained_mg(site: Site, states: Mapping[str, VialState] | None = None) -> Decimal:
    """What nobody has accounted for: counts that differ, and syringes of sessions that are over."""
    states = states if states is not None else site_states(site)
    filled = {name for state in states.values() for name, amount in state.syringes.items() if name and amount}
    ended = Session.objects.filter(site=site, status=Session.Status.DISCHARGED, pk__in=filled)
    over = {str(pk) for pk in ended.values_list("pk", flat=True)}
    gaps = sum((abs(state.unexplained_mg) for state in states.values()), _ZERO)
    left = (amount for state in states.values() for name, amount in state.syringes.items() if name in over)
    return gaps + sum(left, _ZERO)


def corrections_of(site: Site, day: date) -> list[dict[str, Any]]:
    """The corrections of a day, each beside the entry it replaces."""
    start, end = _bounds(site, day)
    found = list(rows(site).filter(kind="correct", at__gte=start, at__lt=end))
    wrong = {row.key: row for row in rows(site).filter(key__in=[row.data.get("corrects") for row in found])}
    return [{"row": row, "wrong": wrong.get(row.data.get("corrects", ""))} for row in found]
