"""The drugs that interaction rules know: ingredients, classes, brand names and common misspellings."""

from __future__ import annotations

import difflib
import functools
import re
from importlib import resources

from pydantic import model_validator

from limen.errors import KnowledgeError
from limen.evidence import read_yaml
from limen.evidence.yaml import Record
from limen.knowledge.claim import Claim


class DrugClass(Claim):
    """A class of drugs that a rule is about."""

    id: str
    title: str


class Agent(Record):
    """One ingredient.

    Attributes
    ----------
    names : tuple of str
        Brand names, other names and common misspellings, in lower case.
    classes : tuple of str
        Empty for a drug that is recognised and that no rule is about.
    """

    id: str
    names: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _lower(self) -> Agent:
        if any(name != name.lower() for name in (self.id, *self.names)):
            raise ValueError(f"{self.id}: names stand in lower case")
        return self


class _AgentFile(Record):
    classes: tuple[DrugClass, ...]
    agents: tuple[Agent, ...]


@functools.cache
def _file() -> _AgentFile:
    return read_yaml(resources.files("limen.knowledge") / "data" / "interactions" / "agents.yaml", _AgentFile)


@functools.cache
def agents() -> dict[str, Agent]:
    """Every ingredient by its name.

    Raises
    ------
    KnowledgeError
        If a name stands twice or a class is not defined.
    """
    classes = {item.id for item in _file().classes}
    found: dict[str, Agent] = {}
    for agent in _file().agents:
        if agent.id in found:
            raise KnowledgeError(f"drug {agent.id!r} stands twice", where="agents.yaml")
        unknown = [name for name in agent.classes if name not in classes]
        if unknown:
            raise KnowledgeError(f"unknown class {unknown[0]!r}", where=f"agents.yaml {agent.id}")
        found[agent.id] = agent
    return found


@functools.cache
def drug_classes() -> dict[str, DrugClass]:
    """Every class by its name."""
    return {item.id: item for item in _file().classes}


@functools.cache
def agent_terms() -> frozenset[str]:
    """What a rule may name: every class and every ingredient."""
    return frozenset(drug_classes()) | frozenset(agents())


def term_words(term: str) -> str:
    """A class or an ingredient in words."""
    return drug_classes()[term].title if term in drug_classes() else term.replace("-", " ")


@functools.cache
def _by_name() -> dict[str, Agent]:
    table: dict[str, Agent] = {}
    for agent in agents().values():
        for name in (agent.id.replace("-", " "), *agent.names):
            spelled = " ".join(_words(name))
            if table.setdefault(spelled, agent) is not agent:
                raise KnowledgeError(f"the name {name!r} stands for two drugs", where="agents.yaml")
    return table


@functools.cache
def _pattern() -> re.Pattern[str]:
    longest_first = sorted(_by_name(), key=lambda name: (-len(name), name))
    return re.compile(r"(?<!\S)(?:" + "|".join(map(re.escape, longest_first)) + r")(?!\S)")


def _words(name: str) -> list[str]:
    return re.findall(r"[a-z]+(?:'s)?|\d+(?:\.\d+)?", name.lower().replace("’", "'"))


_PARTS = re.compile(r"\s/\s|\+|,|;|\band\b|\bwith\b")
# Words of a label that name no drug.
_LABEL = re.compile(
    r"\d+(?:\.\d+)?|mg|mcg|ug|g|ml|l|h|hr|hour|hours|unt|actuat|tablet|tab|tabs|capsule|caps|oral|solution|suspension"
    r"|injection|injectable|extended|release|sustained|modified|xr|er|sr|mr|cr|la|xl|film|coated|chewable|spray|inhaler"
    r"|patch|transdermal|system|day|days|pack|daily|bd|od|tds|prn|once|twice|nightly|hydrochloride|hcl|sodium|sulfate"
    r"|sulphate|maleate|succinate|tartrate|acetate|mesylate|hydrobromide|besylate|a|per|for|meal|metered|dose|in|of|the"
)


def resolve(name: str) -> tuple[tuple[Agent, ...], tuple[str, ...]]:
    """The ingredients that a name on a medication list holds, and the parts of it that are not recognised.

    A combination is read part by part. A misspelling is recognised only where it is listed: guessing at a drug's name
    is a decision for a person (see ``suggestions``).

    Examples
    --------
    >>> found, unknown = resolve("Hydrochlorothiazide 25 MG Oral Tablet")
    >>> [agent.id for agent in found], unknown
    (['hydrochlorothiazide'], ())
    """
    found: dict[str, Agent] = {}
    unknown: list[str] = []
    for part in _PARTS.split(name.lower()):
        words = _words(part)
        text = " ".join(words)
        matches = [_by_name()[match] for match in _pattern().findall(text)]
        found.update({agent.id: agent for agent in matches})
        if not matches and any(not _LABEL.fullmatch(word) for word in words):
            unknown.append(part.strip())
    if not found and not unknown:
        unknown.append(name.strip())
    return tuple(found.values()), tuple(unknown)


def suggestions(name: str) -> tuple[str, ...]:
    """Ingredients whose name is spelled much like this one: to ask about, never to act on.

    Examples
    --------
    >>> suggestions("teophillin")
    ('theophylline',)
    """
    words = [word for word in _words(name) if not _LABEL.fullmatch(word)]
    close = difflib.get_close_matches(" ".join(words), list(_by_name()), n=3, cutoff=0.8)
    return tuple(dict.fromkeys(_by_name()[match].id for match in close))
