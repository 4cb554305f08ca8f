"""Template tags of emergency mode."""

from __future__ import annotations

from django import template

from limen.knowledge.emergency import EmergencyCards
from limen.knowledge.emergency import emergency_cards as installed

register = template.Library()


@register.simple_tag
def emergency_cards() -> EmergencyCards:
    """The role cards."""
    return installed()
