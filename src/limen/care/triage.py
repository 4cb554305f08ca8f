"""Triage of the C-SSRS screener: the worst of ideation and behaviour, never better than what is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from limen.knowledge.instruments import SafetyAction

_TIERS = ("none", "low", "moderate", "high")
_IDEATION = {"q1": "low", "q2": "low", "q3": "moderate", "q4": "high", "q5": "high"}
_ACTIONS: dict[str, SafetyAction] = {
    "none": "none",
    "low": "clinician-aware-before-dosing-safety-plan-on-file",
    "moderate": "clinician-evaluation-before-dosing",
    "high": "do-not-leave-alone-same-day-evaluation-no-dose-without-documented-decision",
}


@dataclass(frozen=True, slots=True)
class Triage:
    """The result of one screener.

    Attributes
    ----------
    tier : {"none", "low", "moderate", "high", "indeterminate"}
    ideation_level : int
        The highest of questions 1 to 5 answered yes; 0 for none.
    treat_as_at_least : str or None
        Where an answer is missing, the tier to act on.
    item : str or None
        The answer that decided the tier.
    unanswered : tuple of str
        Questions that should have been asked and have no answer.
    """

    tier: str
    ideation_level: int
    treat_as_at_least: str | None
    action: SafetyAction
    item: str | None
    unanswered: tuple[str, ...]
    inconsistent: bool
    notes: tuple[str, ...]


def triage(answers: Mapping[str, bool | None]) -> Triage:
    """Tier the answers ``q1`` to ``q6`` and ``q6_recent`` (behaviour in the past 3 months).

    Questions 3 to 5 are asked when question 2 is yes; recency when question 6 is yes. A known high tier stands
    whatever else is missing; otherwise a missing answer leaves the tier indeterminate, treated as at least moderate.

    Sources: Columbia Lighthouse Project triage (tiers); the treatment of missing and contradictory answers is a
    clinic rule.

    Examples
    --------
    >>> triage(dict(q1=True, q2=False, q3=None, q4=None, q5=None, q6=True, q6_recent=False)).tier
    'moderate'
    """
    known = {key: answers.get(key) for key in (*_IDEATION, "q6", "q6_recent")}
    asked = {"q1", "q2", "q6"}
    if known["q2"]:
        asked |= {"q3", "q4", "q5"}
    if known["q6"]:
        asked.add("q6_recent")
    unanswered = tuple(key for key in known if key in asked and known[key] is None)
    notes: list[str] = []

    yes = [key for key in _IDEATION if known[key]]
    worst, item = ("none", None) if not yes else (_IDEATION[yes[-1]], yes[-1])
    behaviour, behaviour_item = _behaviour(known, notes)
    if _TIERS.index(behaviour) > _TIERS.index(worst):
        worst, item = behaviour, behaviour_item

    contradictions = []
    if known["q2"] is False and {"q3", "q4", "q5"} & set(yes):
        contradictions.append("question 2 is no but a later one is yes")
    if known["q6"] is False and known["q6_recent"]:
        contradictions.append("question 6 is no but recent behaviour is yes")
    if contradictions:
        notes.append(f"The answers contradict each other ({'; '.join(contradictions)}); the worst is kept. Ask again.")

    tier, at_least = worst, None
    if unanswered:
        at_least = worst if worst == "high" else "moderate"
        tier = worst if worst == "high" else "indeterminate"
        notes.append(f"Not answered: {', '.join(unanswered)}. Treat as at least {at_least} until asked.")
    return Triage(
        tier=tier,
        ideation_level=int(yes[-1][1]) if yes else 0,
        treat_as_at_least=at_least,
        action=_ACTIONS[at_least or worst],
        item=item,
        unanswered=unanswered,
        inconsistent=bool(contradictions),
        notes=tuple(notes),
    )


def _behaviour(known: Mapping[str, bool | None], notes: list[str]) -> tuple[str, str | None]:
    if known["q6_recent"]:
        return "high", "q6_recent"
    if not known["q6"]:
        return "none", None
    if known["q6_recent"] is None:
        notes.append("When the behaviour was is not recorded; it is treated as within the past 3 months.")
        return "high", "q6"
    return "moderate", "q6"
