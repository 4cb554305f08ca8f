"""A dose chosen from the range that an order allows, as it can be drawn up from the presentation of its offer."""

from __future__ import annotations

import math
from dataclasses import replace

from limen.care.measured import measure
from limen.care.offer import Offer
from limen.errors import InputError
from limen.pharmacology.regimen import Dose
from limen.units import Concentration

_SAME_MG = 1e-9


def has_range(offer: Offer) -> bool:
    """Whether the order leaves the size of the dose open between two ends."""
    return offer.dose_mg is not None and offer.dose_max_mg is not None and offer.dose_max_mg > offer.dose_mg + _SAME_MG


def choices(offer: Offer) -> tuple[Offer, ...]:
    """The offer at each end of its range, the smaller first; as it stands where it has none.

    Examples
    --------
    >>> from datetime import date
    >>> from limen.care.standing_orders import Given, Person, Signature, Stock, offers, standing
    >>> from limen.knowledge.standing_orders import get_order
    >>> order = get_order("midazolam-agitation")
    >>> mark = Signature(order.id, order.digest, "A. Director", date(2026, 11, 1), date(2027, 11, 1), interval_min=10)
    >>> may = standing(order, [mark], date(2026, 11, 22))
    >>> person = Person(weight_kg=70, age_years=42, allergies=(), medications=(), conditions=())
    >>> offer, = offers([may], person, [Stock("midazolam", ("iv",), concentration_mg_per_mL=5)], [], 0)
    >>> [one.words for one in choices(offer)]
    ['midazolam 1 mg, 0.2 mL of 5 mg/mL, into a vein', 'midazolam 2 mg, 0.4 mL of 5 mg/mL, into a vein']
    >>> chosen(offer, 1.53).words
    'midazolam 1.5 mg, 0.3 mL of 5 mg/mL, into a vein'
    """
    if not has_range(offer) or offer.dose_max_mg is None:
        return (offer,)
    return (offer, chosen(offer, offer.dose_max_mg))


def chosen(offer: Offer, dose_mg: float) -> Offer:
    """The offer with another dose of its range, brought down to what a syringe or whole tablets measure.

    Parameters
    ----------
    dose_mg : float
        From ``offer.dose_mg`` to ``offer.dose_max_mg``; what was asked stays beside what is drawn.

    Raises
    ------
    InputError
        If the order allows no such dose, naming both ends.
    """
    low_mg, high_mg = offer.dose_mg, offer.dose_max_mg
    if low_mg is None or high_mg is None:
        raise InputError(f"{offer.title}: no dose in mg", where="dose_mg", allowed=offer.given_as or "none")
    if not (math.isfinite(dose_mg) and low_mg - _SAME_MG <= dose_mg <= high_mg + _SAME_MG):
        ends = f"{low_mg:g} mg" if low_mg == high_mg else f"{low_mg:g} to {high_mg:g} mg"
        raise InputError(f"{dose_mg:g} mg of {offer.drug}", where="dose_mg", allowed=ends)
    if math.isclose(dose_mg, low_mg, abs_tol=_SAME_MG):
        return offer
    if offer.units:
        unit_mg = low_mg / offer.units
        units = int(dose_mg / unit_mg + _SAME_MG)
        return replace(offer, dose_asked_mg=dose_mg, dose_mg=units * unit_mg, units=units)
    if offer.concentration_mg_per_mL is None:
        return replace(offer, dose_asked_mg=dose_mg, dose_mg=dose_mg)
    doses, _ = measure([Dose(dose_mg, "iv")], Concentration(offer.concentration_mg_per_mL))
    drawn_mg = doses[0].amount_mg
    volume_mL = round(drawn_mg / offer.concentration_mg_per_mL, 6)
    return replace(offer, dose_asked_mg=dose_mg, dose_mg=drawn_mg, volume_mL=volume_mL)
