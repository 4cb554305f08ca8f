"""What a list of allergies says about ketamine. Nobody asked is not the same as none known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime

from limen.care.facts import Fact, fact
from limen.knowledge.naming import read_name

KEY = "facts.ketamine_allergy"
_NONE_KNOWN = re.compile(r"\s*(?:no known\b.*\ballerg|n\.?k\.?(?:d\.?)?a\.?\s*$)", re.IGNORECASE)


def to_ketamine(text: str) -> bool:
    """Whether an allergy names ketamine or esketamine: by a brand too, and by what may be a misspelling of it.

    Examples
    --------
    >>> [to_ketamine(text) for text in ("Spravato (hives)", "ketamin", "penicillin", "ketorolac")]
    [True, True, False, False]
    """
    if "ketamine" in text.lower():
        return True
    read = read_name(text)
    return any(agent.id == "ketamine" for agent in read.agents)


def none_known(text: str) -> bool:
    """Whether an entry of a list of allergies says that there is none.

    Examples
    --------
    >>> [none_known(text) for text in ("No known allergy", "NKDA", "Latex; no known drug", "penicillin")]
    [True, True, False, False]
    """
    return _NONE_KNOWN.match(text) is not None


def with_ketamine(
    facts: Sequence[Fact],
    names: Sequence[str],
    *,
    asked: bool,
    asked_at: datetime | date | None,
    source: str,
) -> list[Fact]:
    """Facts with what a list of allergies makes of the question about ketamine.

    Parameters
    ----------
    facts : sequence of Fact
        Among them the question answered by itself, where somebody did.
    names : sequence of str
        Every allergy on record.
    asked : bool
        Whether somebody asked for all of them: what is not in the list is then absent.

    Returns
    -------
    list of Fact
        A name that stands for ketamine says yes, whatever was answered by hand. A list that was asked for and has none
        says no, but only where nobody answered by hand. Else the facts as they were.

    Examples
    --------
    >>> day = date(2026, 11, 22)
    >>> [item.value for item in with_ketamine([], [], asked=True, asked_at=day, source="asked")]
    [False]
    >>> with_ketamine([], ["penicillin"], asked=False, asked_at=None, source="on record")
    []
    """
    allergic = any(to_ketamine(text) for text in names)
    answered = any(item.key == KEY for item in facts)
    if not allergic and (answered or not asked):
        return list(facts)
    return [*(item for item in facts if item.key != KEY), fact(KEY, allergic, taken_at=asked_at, source=source)]
