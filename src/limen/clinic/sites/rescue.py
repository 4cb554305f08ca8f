"""Reads for rescue: what a site has signed and holds, and what that comes to for the person in a chair."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from limen.care.alarms import Watch
from limen.care.case import Condition
from limen.care.offer import Offer, Person, Stock
from limen.care.standing import Signature, Standing, standing
from limen.care.standing_orders import offers, sheet
from limen.clinic.patients import queries as patients
from limen.clinic.patients.allergies import allergies_of
from limen.clinic.sessions.clock import session_time_s
from limen.clinic.sessions.models import Sample
from limen.clinic.sessions.record import rules_of, state_of
from limen.clinic.sites.models import OrderSignature, Site
from limen.clinic.sites.standing_orders import STOCK, stock_of
from limen.clinic.sites.zones import today, zone_of
from limen.knowledge.standing_orders import Problem, problems, standing_orders
from limen.session.rescue import given_of
from limen.session.state import SessionState

if TYPE_CHECKING:
    from limen.clinic.sessions.models import Session

# A heart rate older than this says nothing about a slow heart now.
FRESH_S = 300.0


@dataclass(frozen=True, slots=True)
class StockLine:
    """One presentation with whether it is still in date."""

    stock: Stock
    expires_on: date | None
    expired: bool
    item: dict[str, Any]


def signatures(site: Site) -> tuple[Signature, ...]:
    """Every signature at a site, oldest first, with its withdrawal where there is one."""
    zone = zone_of(site)
    found: list[Signature] = []
    for row in OrderSignature.objects.filter(site=site).select_related("signed_by").order_by("signed_at", "created_at"):
        day = row.signed_at.astimezone(zone).date()
        if row.kind == OrderSignature.Kind.WITHDRAW:
            last = next((index for index in reversed(range(len(found))) if found[index].order == row.order), None)
            if last is not None:
                found[last] = replace(found[last], withdrawn_on=day)
            continue
        found.append(
            Signature(
                order=row.order,
                digest=row.digest,
                by=row.signed_by.display_name,
                signed_on=day,
                expires_on=row.expires_on or day,
                interval_min=row.interval_min,
                max_doses=row.max_doses,
            )
        )
    return tuple(found)


def standing_at(site: Site) -> tuple[Standing, ...]:
    """Every order with what the site has signed of it today."""
    held, day = signatures(site), today(site)
    return tuple(standing(order, held, day) for order in standing_orders().values())


def by_problem(site: Site) -> list[tuple[Problem, list[Standing]]]:
    """The orders under the problem each answers."""
    held = {entry.order.id: entry for entry in standing_at(site)}
    return [(problem, [held[order.id] for order in problem.orders]) for problem in problems().values()]


def stock_lines(site: Site) -> list[StockLine]:
    """What the site says it holds."""
    day = today(site)
    found = []
    for item in site.capabilities.get(STOCK, ()):
        expires_on = date.fromisoformat(item["expires_on"]) if item.get("expires_on") else None
        found.append(StockLine(stock_of(item), expires_on, expires_on is not None and expires_on < day, item))
    return found


def stock_at(site: Site) -> tuple[Stock, ...]:
    """What the site holds that is in date."""
    return tuple(line.stock for line in stock_lines(site) if not line.expired)


def person_of(session: Session, *, denied: Sequence[str] = ()) -> Person:
    """The person in the chair, from the chart; what nobody has asked stays unknown.

    Parameters
    ----------
    denied : sequence of str
        Questions asked at the chair and answered with no, in the words of an offer's ``ask``.
    """
    patient = session.patient
    facts = patients.newest_facts(patient)
    on_record = allergies_of(patient)
    listed = on_record.names
    by_hand = facts.get("facts.ketamine_allergy")
    if by_hand is not None and by_hand.value is True:
        listed = (*(listed or ()), "ketamine")
    said = session.header.get("patient") or {}
    state = state_of(session)
    conditions = [_condition(row) for row in patients.conditions(patient)]
    medications = [row.name for row in patients.medications(patient) if row.status == "active"]
    return Person(
        weight_kg=said.get("weight_kg"),
        age_years=said.get("age_years"),
        allergies=listed,
        allergies_asked=on_record.asked is not None,
        conditions=tuple(conditions) if conditions or "history.conditions" in facts else None,
        medications=tuple(medications) if medications or "history.medications" in facts else None,
        hr_per_min=_heart(session, state),
        reported=tuple(entry.id for entry in rules_of(session).reported_in(str(item.value) for item in state.symptoms)),
        denied=tuple(denied),
    )


def _heart(session: Session, state: SessionState) -> float | None:
    """The newest heart rate that is fresh, whoever read it: a nurse's of four minutes ago gives way to a monitor's."""
    if session.started_at is None:
        return None
    now_s, watch = session_time_s(session), Watch(rules_of(session))
    rows = Sample.objects.filter(session=session, signal__in=("HR", "PULSE"), t_s__gte=now_s - FRESH_S)
    read = rows.order_by("-t_s", "-id").values_list("t_s", "signal", "value")
    found = [(t_s, float(value)) for t_s, signal, value in read if value is not None and watch.readable(signal, value)][
        :1
    ]
    by_hand = state.latest.get("hr_per_min")
    if by_hand is not None and now_s - by_hand.t_s <= FRESH_S:
        found.append((by_hand.t_s, float(by_hand.value)))
    return max(found)[1] if found else None


def offers_now(session: Session, *, denied: Sequence[str] = (), only: Iterable[str] = ()) -> tuple[Offer, ...]:
    """What each standing order comes to for the person in the chair at this moment.

    Parameters
    ----------
    only : iterable of str
        Ids of orders; all that are not withheld where not given.
    """
    wanted = set(only)
    orders = [
        entry
        for entry in standing_at(session.site)
        if entry.state != "withheld" and (not wanted or entry.order.id in wanted)
    ]
    given = given_of(state_of(session).rescues)
    now_min = session_time_s(session) / 60
    return offers(orders, person_of(session, denied=denied), stock_at(session.site), given, now_min)


def emergency_sheet(session: Session) -> tuple[Offer, ...]:
    """Every order for this person before anything was given: what is printed and kept at the chair."""
    return sheet(standing_at(session.site), person_of(session), stock_at(session.site))


def _condition(row: Any) -> Condition:
    system = row.system if row.system in ("icd10", "snomed") else None
    return Condition(row.text, row.code or None, system, row.status, row.onset, row.source)
