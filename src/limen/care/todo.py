"""What is still to be asked or measured, and by whom; and what to ask again at every visit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from limen.care.case import Case
from limen.care.facts import Fact, shown_value
from limen.knowledge.conditions import (
    COMPUTED,
    All,
    AnyOf,
    Condition,
    Equals,
    History,
    PressureBeyond,
    Presume,
    SuicideRisk,
    Takes,
    Threshold,
    input_words,
)
from limen.knowledge.inputs import inputs
from limen.knowledge.interactions import term_words
from limen.knowledge.rules import LEVELS, Level, Rule, Tier, code_sets

HISTORIES = {"conditions": "problem list", "medications": "medicines"}


@dataclass(frozen=True, slots=True)
class Todo:
    """One input that is not known, with every rule that waits for it.

    Attributes
    ----------
    input : str
        A key of ``limen.knowledge.inputs``; ``conditions`` or ``medications`` where a whole history is to be taken.
    who : str
        Who can answer it.
    about : tuple of str
        For a history: what to ask about.
    """

    input: str
    title: str
    who: str
    level: Level
    why: str
    rules: tuple[str, ...]
    about: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "input": self.input,
            "title": self.title,
            "who": self.who,
            "level": self.level,
            "why": self.why,
            "rules": list(self.rules),
            "about": list(self.about),
        }


@dataclass(frozen=True, slots=True)
class AskAgain:
    """One question that a block turns on, to be asked at every visit.

    Attributes
    ----------
    last : str or None
        The answer on record.
    asked_today : bool
        Whether that answer is of the day of the decision.
    """

    input: str
    title: str
    who: str
    rules: tuple[str, ...]
    last: str | None
    taken_on: date | None
    asked_today: bool
    about: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "input": self.input,
            "title": self.title,
            "who": self.who,
            "rules": list(self.rules),
            "last": self.last,
            "taken_on": None if self.taken_on is None else self.taken_on.isoformat(),
            "asked_today": self.asked_today,
            "about": list(self.about),
        }


def who_answers(key: str) -> str:
    """Who can answer an input: a person's part in the clinic.

    Examples
    --------
    >>> who_answers("vitals.sbp_mmHg"), who_answers("conditions: epilepsy"), who_answers("request.diluted")
    ('nurse', 'patient', 'prescriber')
    """
    if key in inputs():
        return inputs()[key].who
    return "patient" if key.partition(":")[0] in HISTORIES else "prescriber"


def todo(missing: Iterable[tuple[str, str, str, Level]]) -> tuple[Todo, ...]:
    """What is missing as a list to work through: one line an input, what can stop treatment first.

    Parameters
    ----------
    missing : iterable of (rule, input, why, level)
        As a screening lists it.

    Examples
    --------
    >>> rows = [("SEL-14", "facts.breastfeeding", "not known", "hold"), ("SEL-26", "facts.escort", "not known", "hold")]
    >>> [(item.title, item.who, item.level, item.rules) for item in todo(rows)]
    [('breastfeeding', 'patient', 'hold', ('SEL-14',)), ('escort home', 'patient', 'hold', ('SEL-26',))]
    """
    grouped: dict[str, list[tuple[str, str, str, Level]]] = {}
    for row in missing:
        name = row[1].partition(":")[0]
        grouped.setdefault(name if name in HISTORIES else row[1], []).append(row)
    found = []
    for key, rows in grouped.items():
        about = [row[1].partition(": ")[2] for row in rows] if key in HISTORIES else []
        found.append(
            Todo(
                input=key,
                title=HISTORIES.get(key) or _title(key),
                who=who_answers(key),
                level=min((row[3] for row in rows), key=LEVELS.index),
                why="; ".join(dict.fromkeys(row[2] for row in rows)),
                rules=tuple(dict.fromkeys(row[0] for row in rows)),
                about=tuple(dict.fromkeys(text for text in about if text)),
            )
        )
    return tuple(sorted(found, key=lambda item: LEVELS.index(item.level)))


def is_repeat(case: Case) -> bool:
    """Whether this is not the first visit of the course."""
    done, number = case.number("facts.sessions_done"), case.number("facts.session_number")
    return (done is not None and done >= 1) or (number is not None and number >= 2)


def ask_again(case: Case, bearing: Iterable[tuple[Rule, tuple[Tier, ...]]]) -> tuple[AskAgain, ...]:
    """Every question that a block turns on, one line an input: asked again at each visit, whatever was said before.

    Parameters
    ----------
    bearing : iterable of (Rule, tuple of Tier)
        The rules that bear on the case, with the tiers that do.
    """
    rules: dict[str, dict[str, None]] = {}
    about: dict[str, dict[str, None]] = {}
    for rule, tiers in bearing:
        for tier in tiers:
            if tier.level != "block":
                continue
            questions = [*_questions(tier.when), *([_named("medications", rule.agents)] if rule.agents else [])]
            for key, of in questions:
                rules.setdefault(key, {})[rule.id] = None
                about.setdefault(key, {}).update(dict.fromkeys(of))
    return tuple(_asked(case, key, tuple(named), tuple(about[key])) for key, named in rules.items())


def _questions(condition: Condition) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The inputs that can make a condition true. What only lifts it (a letter) is not asked again."""
    match condition:
        case All() | AnyOf():
            for part in condition.of:
                yield from _questions(part)
        case Presume() if not condition.then:
            yield from _questions(condition.of)
        case Threshold() | Equals():
            if condition.input not in COMPUTED and not _settled(condition.input):
                yield condition.input, ()
        case History():
            yield "conditions", (code_sets()[condition.of].title,)
        case Takes():
            yield _named("medications", condition.of)
        case PressureBeyond():
            yield "vitals.sbp_mmHg", ()
        case SuicideRisk():
            yield "scores.C-SSRS", ()
        case _:
            return


def _settled(key: str) -> bool:
    """Whether an input is no question of a visit: it does not change, or has an interval of its own."""
    return key in {"patient.age_years", "patient.sex"} or key.startswith("labs.")


def _named(key: str, terms: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    return key, tuple(term_words(term) for term in terms)


def _asked(case: Case, key: str, rules: tuple[str, ...], about: tuple[str, ...]) -> AskAgain:
    if key in HISTORIES:
        taken_on = case.conditions_asked_on if key == "conditions" else case.medications_asked_on
        last = "taken" if taken_on is not None else None
        return AskAgain(key, HISTORIES[key], "patient", rules, last, taken_on, taken_on == case.on, about)
    held = case.facts.get(key)
    taken_on = held.taken_on if isinstance(held, Fact) else None
    last = shown_value(held) if isinstance(held, Fact) else None
    return AskAgain(key, _title(key), who_answers(key), rules, last, taken_on, taken_on == case.on)


def _title(key: str) -> str:
    return input_words(key)[0] if key in inputs() or key in COMPUTED else key
