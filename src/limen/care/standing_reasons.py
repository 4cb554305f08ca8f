"""What speaks against a rescue drug in one person: allergies, conditions, other drugs, a slow heart, age."""

from __future__ import annotations

from collections.abc import Iterable

from limen.care.history import belongs
from limen.care.offer import Found, Person
from limen.evidence.marks import Verification
from limen.knowledge.interactions import term_words
from limen.knowledge.naming import possible
from limen.knowledge.rules import code_sets
from limen.knowledge.standing_orders import Against, StandingOrder, WithDrug, WithHistory


def allergic(order: StandingOrder, allergies: Iterable[str]) -> str | None:
    """The entry of a list of allergies that names the drug or its kind.

    A denial in an entry is not read: in doubt the drug is not given.

    Examples
    --------
    >>> from limen.knowledge.standing_orders import get_order
    >>> allergic(get_order("ondansetron-nausea"), ["penicillin", "Granisetron (rash)"])
    'Granisetron (rash)'
    """
    for text in allergies:
        lowered = text.lower()
        named = any(agent.id == order.drug for agent in possible(text))
        if named or any(word in lowered for word in (order.drug, *order.allergy_words)):
            return text
    return None


def against(entry: Against, person: Person) -> tuple[bool | None, str]:
    """Whether it holds for a person, ``None`` where nobody has asked; and the question, or what was found."""
    if isinstance(entry, WithHistory):
        title = code_sets()[entry.of].title
        if person.conditions is None:
            return None, f"{title}?"
        found = [item.shown for item in person.conditions if belongs(item, code_sets()[entry.of])]
        return bool(found), "; ".join(found)
    if isinstance(entry, WithDrug):
        if person.medications is None:
            return None, f"takes {' or '.join(term_words(name) for name in entry.of)}?"
        taken = [name for name in person.medications if _is_of(name, entry.of)]
        return bool(taken), "; ".join(taken)
    if person.hr_per_min is None:
        return None, f"heart rate under {entry.hr_per_min:g}/min?"
    return person.hr_per_min < entry.hr_per_min, f"heart rate {person.hr_per_min:g}/min"


def reason(entry: Against, found: str) -> Found:
    """The reason that an entry gives, with what was found in this person."""
    return Found(f"{entry.text} {found}".strip(), entry.rule, entry.sources, entry.verification)


def too_young(order: StandingOrder, person: Person) -> tuple[bool | None, Found | None]:
    """Whether the person is under the age that the dose was read for; ``None`` where the age is not known."""
    if order.from_age_years is None or order.age is None:
        return False, None
    why = Found(
        f"{order.age.text} From {order.from_age_years:g} years", None, order.age.sources, order.age.verification
    )
    if person.age_years is None:
        return None, why
    return person.age_years < order.from_age_years, why


def allergy(text: str) -> Found:
    """An allergy to the drug, in the words of the chart."""
    return Found(f"Allergy on record: {text}", None, ("limen",), Verification.CLINIC_RULE)


def _is_of(name: str, terms: tuple[str, ...]) -> bool:
    return any(agent.id in terms or set(agent.classes) & set(terms) for agent in possible(name))
