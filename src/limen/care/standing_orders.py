"""Rescue drugs by standing order: what may be given to this person now, in mg and in mL of what the site holds.

The interface::

    standing(order, signatures, on) -> Standing              has the site signed this version, and until when?
    offers(orders, person, stock, given, now_min) -> tuple[Offer, ...]
    sheet(orders, person, stock) -> tuple[Offer, ...]        the same before anything was given: for paper

``orders`` are :class:`Standing` (see :func:`standing`), ``person`` a :class:`Person`, ``stock`` what the site holds
(:class:`Stock`), ``given`` the rescue doses of this session (:class:`Given`), ``now_min`` minutes on the clock of
``given``. An :class:`Offer` that is not ``usable`` says why in ``against``; nobody gives it. One that is usable is an
offer: a licensed person decides.

What holds: an unsigned, changed or expired order is never usable; nor is one before its interval, beyond its number of
doses or its milligrams, or with an allergy to the drug. What was not asked holds an order back and is named in ``ask``;
in an emergency it is named and does not hold it back. A missing number is never guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from limen.care.measured import measure
from limen.care.offer import Found, Given, Offer, Person, Status, Stock
from limen.care.standing import Signature, Standing, State, check_terms, standing
from limen.care.standing_reasons import against, allergic, allergy, reason, too_young
from limen.evidence.marks import weakest
from limen.knowledge.bedside import bedside
from limen.knowledge.standing_orders import (
    ROUTE_WORDS,
    Against,
    DoseBand,
    StandingOrder,
    problem_of,
    standing_orders,
)
from limen.pharmacology.regimen import Dose
from limen.units import Concentration

__all__ = [
    "Found",
    "Given",
    "Offer",
    "Person",
    "Signature",
    "Standing",
    "State",
    "Status",
    "Stock",
    "check_terms",
    "offers",
    "sheet",
    "standing",
]

# The gravest reason names the offer.
_GRAVEST: tuple[Status, ...] = ("not-signed", "refused", "maximum", "wait", "ask", "no-stock")


def offers(
    orders: Sequence[Standing],
    person: Person,
    stock: Sequence[Stock],
    given: Sequence[Given],
    now_min: float,
) -> tuple[Offer, ...]:
    """What each order comes to for this person at this minute.

    Parameters
    ----------
    orders : sequence of Standing
        With what the site has signed of each.
    stock : sequence of Stock
        What the site holds.
    given : sequence of Given
        The rescue doses of this session so far.
    now_min : float
        On the same clock as ``given``.

    Returns
    -------
    tuple of Offer
        One for each route that the site holds a presentation for; where it holds none, one that says so.

    Examples
    --------
    >>> from limen.knowledge.standing_orders import get_order
    >>> from datetime import date
    >>> order = get_order("midazolam-seizure-im")
    >>> signed = Signature(order.id, order.digest, "A. Director", date(2026, 11, 1), date(2027, 11, 1))
    >>> may = standing(order, [signed], date(2026, 11, 22))
    >>> vial = Stock("midazolam", ("im",), concentration_mg_per_mL=5)
    >>> person = Person(weight_kg=70, age_years=42, allergies=(), medications=(), conditions=())
    >>> offer, = offers([may], person, [vial], [], 0)
    >>> offer.usable, offer.words
    (True, 'midazolam 10 mg, 2 mL of 5 mg/mL, into a muscle')
    >>> offers([may], person, [vial], [Given("midazolam", 0, 10, order.id)], 30)[0].status
    'maximum'
    """
    found: list[Offer] = []
    for entry in orders:
        order = entry.order
        if order.given_as is not None or order.withheld is not None:
            found.append(_Judge(entry, person, None, order.routes[0], given, now_min).offer())
            continue
        held: list[tuple[str, Stock | None]] = [
            (route, item) for route in order.routes for item in stock if _fits(order, route, item)
        ]
        for route, item in held or [(order.routes[0], None)]:
            found.append(_Judge(entry, person, item, route, given, now_min).offer())
    return tuple(found)


def sheet(orders: Sequence[Standing], person: Person, stock: Sequence[Stock]) -> tuple[Offer, ...]:
    """Every order that is not withheld, as it stands before anything was given: emergencies first."""
    named = [entry for entry in orders if entry.order.withheld is None]
    # What is reported changes from minute to minute: on paper it is a question.
    before = replace(person, reported=None)
    return tuple(sorted(offers(named, before, stock, (), 0.0), key=lambda offer: not offer.emergency))


def _fits(order: StandingOrder, route: str, item: Stock) -> bool:
    return item.drug == order.drug and route in item.routes


@dataclass(slots=True)
class _Judge:
    """One order by one route from one presentation: the reasons as they are found."""

    entry: Standing
    person: Person
    stock: Stock | None
    route: str
    given: Sequence[Given]
    now_min: float
    blocks: list[tuple[Status, Found]] = field(default_factory=list)
    ask: list[str] = field(default_factory=list)
    cautions: list[Found] = field(default_factory=list)

    @property
    def order(self) -> StandingOrder:
        return self.entry.order

    def offer(self) -> Offer:
        order, signature = self.order, self.entry.signature
        if self.entry.state != "signed":
            self._block("not-signed", self.entry.because)
        self._judge_person()
        counted = [dose for dose in self.given if _counts(dose, order)]
        next_at_min = self._again(counted)
        total_mg = self._total()
        band = self._band(bool(counted))
        low_mg, high_mg = self._size(band, total_mg)
        drawn_mg, volume_mL, units = self._drawn(low_mg)
        most_mg, most_mL, _ = self._drawn(high_mg, again=True)
        if drawn_mg is None:
            most_mg = most_mL = None
        elif most_mg is not None and most_mg < drawn_mg:
            most_mg, most_mL = drawn_mg, volume_mL
        found = {kind for kind, _ in self.blocks}
        status: Status = next((name for name in _GRAVEST if name in found), "usable")
        return Offer(
            order=order.id,
            drug=order.drug,
            title=order.title,
            indication=order.indication,
            emergency=order.emergency,
            route=self.route,
            state=self.entry.state,
            status=status,
            stock=None if self.stock is None else self.stock.words,
            concentration_mg_per_mL=None if self.stock is None else self.stock.concentration_mg_per_mL,
            given_as=order.given_as,
            dose_mg=drawn_mg,
            dose_max_mg=most_mg,
            dose_asked_mg=low_mg,
            volume_mL=volume_mL,
            volume_max_mL=most_mL,
            units=units,
            over_min=order.over_min,
            doses_given=len(counted),
            max_doses=self.entry.max_doses,
            given_mg=total_mg,
            total_max_mg=order.total_max_mg,
            interval_min=self.entry.interval_min,
            next_at_min=next_at_min,
            against=tuple(found for _, found in self.blocks),
            ask=tuple(self.ask),
            caution=tuple(self.cautions),
            sources=order.sources,
            verification=weakest([order.verification, *([] if band is None else [band.verification])]),
            signed_by=None if signature is None else signature.by,
            expires_on=None if signature is None else signature.expires_on,
        )

    def _block(self, status: Status, text: str) -> None:
        self.blocks.append((status, Found(text, None, self.order.sources, self.order.verification)))

    def _unknown(self, question: str) -> None:
        """What nobody has asked holds an order back, but not in an emergency."""
        if question in self.person.denied:
            return
        self.ask.append(question)
        if not self.order.emergency:
            self._block("ask", f"Ask first: {question}")

    def _judge_person(self) -> None:
        order, person = self.order, self.person
        if (named := allergic(order, person.allergies or ())) is not None:
            self.blocks.append(("refused", allergy(named)))
        elif person.allergies is None or not person.allergies_asked:
            self._unknown("allergies?")
        if order.needs_report:
            self._judge_report()
        young, why = too_young(order, person)
        if young is None:
            self._unknown("age?")
        elif young and why is not None:
            self.blocks.append(("refused", why))
        for entry in order.refuse:
            self._weigh(entry, refuse=True)
        for entry in order.caution:
            self._weigh(entry, refuse=False)
        if order.strength_mg_per_mL is not None and self.stock is not None:
            held = self.stock.concentration_mg_per_mL
            if held != order.strength_mg_per_mL:
                self._block("refused", f"{self.stock.words}: only {order.strength_mg_per_mL:g} mg/mL may be used")

    def _judge_report(self) -> None:
        """An order for a number with a symptom is no order for the number alone."""
        wanted = problem_of(self.order.id).reported
        if self.person.reported is None:
            self._unknown("a symptom with the pressure?")
        elif not set(self.person.reported) & set(wanted):
            support = bedside().no_drug
            why = Found(f"No symptom stands. {support.text}", support.rule, support.sources, support.verification)
            self.blocks.append(("refused", why))

    def _weigh(self, entry: Against, *, refuse: bool) -> None:
        holds, found = against(entry, self.person)
        if holds is None:
            if refuse:
                self._unknown(found)
            elif found not in self.person.denied:
                self.ask.append(found)
        elif holds and refuse:
            self.blocks.append(("refused", reason(entry, found)))
        elif holds:
            self.cautions.append(reason(entry, found))

    def _again(self, counted: Sequence[Given]) -> float | None:
        """Whether it may be given again, and when."""
        others = [dose for dose in self.given if dose.drug == self.order.drug and dose not in counted]
        self.cautions += [_earlier(dose, self.now_min) for dose in others]
        if not counted or self.order.given_as is not None:
            return None
        most = self.entry.max_doses
        if most is not None and len(counted) >= most:
            self._block("maximum", f"Given {len(counted)} of {most} times in this session. The prescriber decides")
        if self.order.repeat is None:
            return None
        if most is None and self.order.total_max_mg is None:
            self._block("maximum", "No number of doses is on record for a repeat. The prescriber decides")
        if self.entry.interval_min is None:
            self._block("wait", "No interval is on record for a repeat. The prescriber decides")
            return None
        next_at_min = max(dose.at_min for dose in counted) + self.entry.interval_min
        if self.now_min >= next_at_min:
            return None
        self._block(
            "wait", f"{self.entry.interval_min:g} min between two doses: {next_at_min - self.now_min:g} min yet"
        )
        return next_at_min

    def _total(self) -> float | None:
        """Milligrams of the drug in this session; ``None`` where one dose was not written down."""
        amounts = [dose.dose_mg for dose in self.given if dose.drug == self.order.drug]
        known = [amount for amount in amounts if amount is not None]
        if len(known) == len(amounts):
            return float(sum(known))
        if self.order.total_max_mg is not None:
            self._block("maximum", f"An earlier dose of {self.order.drug} was not recorded in mg")
        return None

    def _band(self, later: bool) -> DoseBand | None:
        order = self.order
        wanted = {"each", "later" if later else "first"}
        bands = [band for band in order.doses if band.which in wanted]
        if not bands:
            return None
        if self.person.weight_kg is None:
            plain = [band for band in bands if not band.by_weight]
            if plain:
                return plain[0]
            # The dose itself hangs on it: no emergency makes it known.
            self.ask.append("weight?")
            self._block("ask", "Not recorded: weight")
            return None
        found = next((band for band in bands if band.holds(self.person.weight_kg)), None)
        if found is None:
            self._block("refused", f"No dose was read for {self.person.weight_kg:g} kg")
        return found

    def _size(self, band: DoseBand | None, total_mg: float | None) -> tuple[float | None, float | None]:
        """From and to, under the limits of one dose and of the session."""
        if band is None:
            return None, None
        low_mg = _smaller(band.low_mg, band.low_mg_per_kg, self.person.weight_kg)
        high_mg = _smaller(band.high_mg, band.high_mg_per_kg, self.person.weight_kg)
        order = self.order
        if order.single_max_mg is not None:
            high_mg = min(high_mg, order.single_max_mg)
        if order.total_max_mg is not None and total_mg is not None:
            left_mg = order.total_max_mg - total_mg
            if left_mg < low_mg:
                self._block("maximum", f"{total_mg:g} of {order.total_max_mg:g} mg given in this session")
            else:
                high_mg = min(high_mg, left_mg)
        return low_mg, max(low_mg, high_mg)

    def _drawn(self, dose_mg: float | None, *, again: bool = False) -> tuple[float | None, float | None, int | None]:
        """Milligrams, millilitres and tablets that can be measured from what the site holds."""
        if dose_mg is None:
            return None, None, None
        if self.stock is None:
            if not again:
                route = ROUTE_WORDS[self.route]
                self._block("no-stock", f"No {self.order.drug} to give {route} is in this site's stock list")
            return dose_mg, None, None
        if self.stock.unit_mg is not None:
            units = dose_mg / self.stock.unit_mg
            if again:
                whole = int(units + 1e-9)  # the larger end is the most tablets that stay within it
                return whole * self.stock.unit_mg, None, whole
            if units != int(units):
                self._block("refused", f"{dose_mg:g} mg is no whole number of {self.stock.words}")
                return dose_mg, None, None
            return dose_mg, None, int(units)
        strength = Concentration(self.stock.concentration_mg_per_mL or 0.0)
        doses, rounding = measure([Dose(dose_mg, "iv")], strength)
        used_mg = doses[0].amount_mg
        if rounding is not None and not again:
            if rounding.used.value == 0:
                self._block("refused", f"Too little to measure: {rounding.because}")
            elif rounding.lost_pct > rounding.rule.warn_over_pct:
                self.cautions.append(Found(rounding.because, rounding.rule.rule, rounding.rule.sources))
        return used_mg, round(used_mg / strength.value, 6), None


def _counts(dose: Given, order: StandingOrder) -> bool:
    """Whether an earlier dose is a dose of this order: the same order, one of its group, or one nobody named."""
    if dose.order is None:
        return dose.drug == order.drug
    if dose.order == order.id:
        return True
    other = standing_orders().get(dose.order)
    return other is not None and other.group is not None and other.group == order.group


def _earlier(dose: Given, now_min: float) -> Found:
    amount = "an unknown dose" if dose.dose_mg is None else f"{dose.dose_mg:g} mg"
    return Found(f"{dose.drug} {amount} was given {now_min - dose.at_min:g} min ago for something else")


def _smaller(fixed_mg: float | None, per_kg_mg_per_kg: float | None, weight_kg: float | None) -> float:
    by_weight_mg = None if per_kg_mg_per_kg is None or weight_kg is None else per_kg_mg_per_kg * weight_kg
    return round(min(value for value in (fixed_mg, by_weight_mg) if value is not None), 6)
