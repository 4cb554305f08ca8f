"""Words of standing orders on a page."""

from __future__ import annotations

from django import template

from limen.knowledge.standing_orders import ROUTE_WORDS

register = template.Library()


@register.filter
def route_word(route: str) -> str:
    """How a drug goes in."""
    return ROUTE_WORDS.get(route, route)
