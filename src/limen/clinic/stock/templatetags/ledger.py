"""Milligrams on the ledger's pages: exact, at least one decimal, never rounded."""

from __future__ import annotations

from decimal import Decimal

from django import template

from limen.ledger import show_mg

register = template.Library()


@register.filter
def exact(amount: Decimal | None) -> str:
    """``35.0``, ``35.685``; missing is said.

    Examples
    --------
    >>> exact(Decimal("35.000")), exact(Decimal("35.685")), exact(None)
    ('35.0', '35.685', 'not known')
    """
    return "not known" if amount is None else show_mg(amount)


@register.filter
def seal_words(digest: str) -> str:
    """The first twelve characters of a seal in groups of four, as people compare them.

    Examples
    --------
    >>> seal_words("9f3c71a8e05d0000")
    '9f3c 71a8 e05d'
    """
    return " ".join(digest[i : i + 4] for i in range(0, 12, 4))
