"""The rescue doses of a session as the standing orders count them."""

from __future__ import annotations

from collections.abc import Iterable

from limen.care.offer import Given
from limen.knowledge.naming import possible
from limen.knowledge.standing_orders import standing_orders
from limen.session.harm_events import RescueGiven


def given_of(rescues: Iterable[RescueGiven]) -> tuple[Given, ...]:
    """Each rescue that names a drug; of one written in words only, the drug is read and the dose stays unknown.

    Examples
    --------
    >>> given_of([RescueGiven(t_s=600, what="Zofran 4 mg")])
    (Given(drug='ondansetron', at_min=10.0, dose_mg=None, order=None),)
    """
    known = standing_orders()
    found: list[Given] = []
    for entry in rescues:
        order = known.get(entry.order or "")
        for drug in [order.drug] if order is not None else _drugs(entry):
            found.append(Given(drug, entry.t_s / 60, entry.dose_mg, None if order is None else order.id))
    return tuple(found)


def _drugs(entry: RescueGiven) -> list[str]:
    text = " ".join(part for part in (entry.drug, entry.what) if part).lower()
    rescue = {order.drug for order in standing_orders().values()}
    named = {agent.id for agent in possible(text)} if text else set()
    return sorted(drug for drug in rescue if drug in named or drug in text)
