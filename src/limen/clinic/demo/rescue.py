"""The demonstration's standing orders: what its director has signed, and the rescue drugs on its shelf."""

from __future__ import annotations

from datetime import timedelta

from limen.clinic.accounts.models import User
from limen.clinic.sites import actions
from limen.clinic.sites.models import Site
from limen.clinic.sites.zones import today
from limen.knowledge.standing_orders import standing_orders

# What a director might name where the sources are silent. Demonstration only.
TERMS: dict[str, dict[str, float]] = {
    "midazolam-agitation": {"interval_min": 10.0},
    "ondansetron-nausea": {"max_doses": 2},
    "glycopyrrolate-salivation": {"max_doses": 3},
    "adrenaline-anaphylaxis": {"max_doses": 3},
}
# Left unsigned, so that the page shows what an unsigned order looks like.
UNSIGNED = ("midazolam-seizure-iv", "labetalol-hypertension")
SHELF = (
    {"drug": "midazolam", "routes": ["iv", "im", "in"], "concentration_mg_per_mL": 5.0},
    {"drug": "ondansetron", "routes": ["iv", "im"], "concentration_mg_per_mL": 2.0},
    {"drug": "ondansetron", "routes": ["odt"], "unit_mg": 4.0, "label": "ondansetron melt"},
    {"drug": "lorazepam", "routes": ["iv"], "concentration_mg_per_mL": 4.0},
    {"drug": "glycopyrrolate", "routes": ["iv"], "concentration_mg_per_mL": 0.2},
    {"drug": "adrenaline", "routes": ["im"], "concentration_mg_per_mL": 1.0},
)


def stock_and_sign(site: Site, director: User) -> None:
    """Put the shelf on file and sign most of the orders for half a year."""
    actions.declare_rescue_stock(by=director, site=site, items=SHELF)
    ends = today(site) + timedelta(days=180)
    for order in standing_orders().values():
        if order.withheld is not None or order.id in UNSIGNED:
            continue
        terms = TERMS.get(order.id, {})
        most = terms.get("max_doses")
        actions.sign_standing_order(
            by=director,
            site=site,
            order=order.id,
            digest=order.digest,
            expires_on=ends,
            interval_min=terms.get("interval_min"),
            max_doses=None if most is None else int(most),
        )
