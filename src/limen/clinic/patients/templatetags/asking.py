"""Template words for what is still to be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import template

from limen.care.todo import who_answers

register = template.Library()


@register.filter
def answered_by(key: Any) -> str:
    """Who can answer an input."""
    return who_answers(str(key))


@register.filter
def not_today(questions: Sequence[Mapping[str, Any]] | None) -> list[Mapping[str, Any]]:
    """The questions of a visit whose answer is not of the day."""
    return [item for item in questions or () if not item["asked_today"]]
