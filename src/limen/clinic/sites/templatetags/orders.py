"""Words of standing orders and dosing settings on a page."""

from __future__ import annotations

from django import template

from limen.care.site_dosing import KIND_WORDS, MEASURE_WORDS
from limen.knowledge.standing_orders import ROUTE_WORDS

register = template.Library()


@register.filter
def route_word(route: str) -> str:
    """How a drug goes in."""
    return ROUTE_WORDS.get(route, route)


@register.filter
def limit_measure(measure: str) -> str:
    """What a site's limit bounds."""
    return MEASURE_WORDS.get(measure, measure)


@register.filter
def limit_kind(kind: str) -> str:
    """How a site's limit works."""
    return KIND_WORDS.get(kind, kind)
