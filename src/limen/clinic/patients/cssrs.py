"""The C-SSRS screener as our pages show it: topics in our own words, and the triage tier beside the answers.

The wording of the instrument is licensed and not shipped: the person who asks has it on paper.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from limen.care.triage import triage
from limen.clinic.web.words import SAFETY_ACTIONS

TOPICS = {
    "q1": "wish to be dead",
    "q2": "thoughts of ending life",
    "q3": "with a method",
    "q4": "with some intent",
    "q5": "with plan and intent",
    "q6": "any behaviour, ever",
    "q6_recent": "behaviour in the past 3 months",
}


@dataclass(frozen=True, slots=True)
class Screener:
    """One screener: its tier, what it asks of the staff, and each answer by topic.

    Attributes
    ----------
    tier : str
        As triage has it; where an answer is missing, with the tier to act on.
    do : str
        What the tier asks for; empty where it asks for nothing.
    answers : tuple of (str, str)
        ``yes``, ``no``, ``not answered`` (it should have been) or ``not asked``, and the topics so answered.
    notes : tuple of str
        What the triage says about contradictions and unknown dates.
    """

    tier: str
    do: str
    answers: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def topic(key: str) -> str:
    """A question as a field's label: its number and its topic.

    Examples
    --------
    >>> topic("q3"), topic("q6_recent")
    ('3. With a method', '6 recent. Behaviour in the past 3 months')
    """
    words = TOPICS[key]
    return f"{key.removeprefix('q').replace('_', ' ')}. {words[:1].upper()}{words[1:]}"


def in_words(text: str) -> str:
    """A sentence about a question, its topic in place of its key.

    Examples
    --------
    >>> in_words("item q3 not answered")
    'item 3 (with a method) not answered'
    """
    return re.sub(
        rf"\b({'|'.join(sorted(TOPICS, reverse=True))})\b",
        lambda found: f"{found[0].removeprefix('q').replace('_', ' ')} ({TOPICS[found[0]]})",
        text,
    )


def screener(answers: Mapping[str, bool | None]) -> Screener:
    """Read a screener for the eye.

    Examples
    --------
    >>> screener({"q1": True, "q2": False, "q6": False}).answers[0]
    ('yes', 'wish to be dead')
    >>> screener({"q1": False, "q2": False}).tier
    'indeterminate, treat as at least moderate'
    """
    found = triage(answers)
    tier = found.tier
    if found.tier == "indeterminate":
        tier += f", treat as at least {found.treat_as_at_least}"
    by_answer: dict[str, list[str]] = {"yes": [], "not answered": [], "no": [], "not asked": []}
    for key, words in TOPICS.items():
        given = answers.get(key)
        missing = "not answered" if key in found.unanswered else "not asked"
        by_answer["yes" if given else missing if given is None else "no"].append(words)
    return Screener(
        tier=tier,
        do=SAFETY_ACTIONS.get(found.action, ""),
        answers=tuple((answer, "; ".join(words)) for answer, words in by_answer.items() if words),
        notes=tuple(line for line in found.notes if not line.startswith("Not answered")),
    )
