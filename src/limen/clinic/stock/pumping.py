"""What the pump of a session says, beside the order and the book. Reads only; no pump is ever told anything."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from typing import Any

from limen.care.alarm_state import Sample as Measured
from limen.clinic.sessions.models import Sample, Session
from limen.clinic.sessions.planned import dose_of
from limen.clinic.stock.book import entries, rows
from limen.knowledge.devices import device_rules
from limen.ledger import decimal_mg, effective
from limen.session.pump import PumpAccount, PumpNow, pump_account, pump_now, pump_volume
from limen.session.signals import PUMP_SIGNALS
from limen.session.state import SessionState


def pump_of(session: Session) -> PumpAccount:
    """The pump's volume against the order, the session's record and the book."""
    from limen.clinic.sessions.clock import session_now_s
    from limen.clinic.sessions.record import state_of

    state = state_of(session, at_t_s=session_now_s(session))
    mg_per_mL = _concentration(session, state)
    book = _book(session)
    syringe = dose_of(session).get("syringe") or {}
    pump = pump_volume(_readings(session), start_t_s=state.dose_start_t_s)
    recorded_mL = _volume(Decimal(str(state.given_mg)), mg_per_mL) if state.infusions else None
    by_then_mL = recorded_mL if pump.read_t_s is None else _recorded_mL(state, pump.read_t_s, mg_per_mL)
    return pump_account(
        pump,
        ordered_mL=syringe.get("volume_mL"),
        recorded_mL=by_then_mL,
        unread_mL=0.0 if recorded_mL is None or by_then_mL is None else round(recorded_mL - by_then_mL, 3),
        given_mL=_volume(book["give"], mg_per_mL),
        drawn_mL=_volume(book["draw"], mg_per_mL),
    )


def read_from_pump(session: Session, words: list[str]) -> tuple[Decimal | None, list[str]]:
    """The milligrams that the pump itself counted, where nobody wrote its volume down, and what explains a difference.

    A difference within the tolerance of pumps is explained by it, and says so.
    """
    account = pump_of(session)
    against = next(row for row in account.rows if row.what == "given in the book")
    volume_mL = account.pump.volume_mL
    if volume_mL is None or against.agrees is None:
        return None, words
    concentration = _concentration(session, None)
    if concentration is None:
        return None, words
    pumped = decimal_mg(volume_mL * concentration)
    if against.agrees and against.difference_mL:
        share = device_rules().pump_tolerance.share_pct
        words = [*words, f"within what a pump may be off: {against.allowed_mL:g} mL ({share:g} % or less)"]
    return pumped, words


def pump_at_its_reading(session: Session) -> PumpNow:
    """The newest volume against what the record says had run at that moment, and since when the two differ."""
    from limen.clinic.sessions.clock import session_now_s
    from limen.clinic.sessions.record import state_of

    state = state_of(session, at_t_s=session_now_s(session))
    mg_per_mL = _concentration(session, state)

    def recorded_mL(t_s: float) -> float | None:
        if not mg_per_mL or not state.infusions:
            return None
        return sum(one.given_mg(t_s) for one in state.infusions) / mg_per_mL

    return pump_now(_readings(session), recorded_mL, start_t_s=state.dose_start_t_s)


def _readings(session: Session) -> list[Measured]:
    rows_ = Sample.objects.filter(session=session, signal__in=list(PUMP_SIGNALS)).order_by("t_s", "id")
    names = ("t_s", "received_t_s", "signal", "value", "device__name", "seq")
    return [Measured(*row) for row in rows_.values_list(*names)]


def _concentration(session: Session, state: SessionState | None) -> float | None:
    """What is in the syringe: as the pump was started, else as the plan says."""
    started = state.infusions[-1].concentration_mg_per_mL if state is not None and state.infusions else None
    planned = (dose_of(session).get("syringe") or {}).get("concentration_mg_per_mL")
    found = started or planned
    return float(found) if found else None


def _recorded_mL(state: SessionState, t_s: float, mg_per_mL: float | None) -> float | None:
    """What the record says had gone in by a second of the session."""
    if not state.infusions:
        return None
    mg = sum(one.given_mg(t_s) for one in state.infusions) + sum(one.dose_mg for one in state.doses if one.t_s <= t_s)
    return _volume(Decimal(str(mg)), mg_per_mL)


def _volume(amount: Decimal | None, mg_per_mL: float | None) -> float | None:
    return None if amount is None or not mg_per_mL else round(float(amount) / mg_per_mL, 3)


def _book(session: Session) -> dict[str, Decimal | None]:
    """What the book gave and drew for this session; ``None`` where it has nothing of it."""
    own = list(effective(entries(rows(session.site).filter(session=session))))
    found: dict[str, Decimal | None] = {}
    for kind in ("give", "draw"):
        amounts = [amount for line, amount in own if line.kind == kind]
        found[kind] = sum(amounts, Decimal(0)) if amounts else None
    return found


def pump_json(session: Session) -> dict[str, Any] | None:
    """The account for a page, with ``now``: the pump at its newest reading. Nothing where no pump is read."""
    if session.started_at is None or not Sample.objects.filter(session=session, signal__in=list(PUMP_SIGNALS)).exists():
        return None
    return {**pump_of(session).to_json(), "now": asdict(pump_at_its_reading(session))}
