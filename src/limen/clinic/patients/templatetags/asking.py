"""Template words for what is still to be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import template

from limen.care.todo import who_answers

register = template.Library()
_MANY = 4


@register.filter
def answered_by(key: Any) -> str:
    """Who can answer an input."""
    return who_answers(str(key))


@register.filter
def still_to_ask(result: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """The questions of a visit whose answer is not of the day, and that do not stand among what is missing already."""
    if result is None:
        return []
    missing = {str(item["input"]).partition(":")[0] for item in result["missing"]}
    return [item for item in result.get("ask_again") or () if not item["asked_today"] and item["input"] not in missing]


@register.filter
def rule_list(rules: Sequence[str]) -> str:
    """The rules that wait for an answer; how many, where they are many.

    Examples
    --------
    >>> rule_list(["SEL-01"]), rule_list([f"SEL-0{number}" for number in range(9)])
    ('SEL-01', '9 rules')
    """
    return ", ".join(rules) if len(rules) <= _MANY else f"{len(rules)} rules"
