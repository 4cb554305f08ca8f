"""The drugs that interaction rules know: ingredients, classes, brand names, common misspellings and codes."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Literal

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


class Combination(Record):
    """A brand that holds more than one ingredient."""

    name: str
    of: tuple[str, ...]


class DrugCode(Claim):
    """A code of a drug or, in ATC, of a whole class: longer codes that begin with it belong.

    Attributes
    ----------
    of : str
        An ingredient or a class.
    """

    code: str
    system: Literal["rxnorm", "atc"]
    of: str


class _AgentFile(Record):
    classes: tuple[DrugClass, ...] = ()
    agents: tuple[Agent, ...] = ()
    combinations: tuple[Combination, ...] = ()
    codes: tuple[DrugCode, ...] = ()


@functools.cache
def _file() -> _AgentFile:
    """Every file of drugs as one."""
    folder = resources.files("limen.knowledge") / "data" / "interactions"
    names = sorted(
        path.name for path in folder.iterdir() if path.name.startswith("agents") and path.name.endswith(".yaml")
    )
    files = [read_yaml(folder / name, _AgentFile) for name in names]
    return _AgentFile(
        classes=tuple(item for file in files for item in file.classes),
        agents=tuple(item for file in files for item in file.agents),
        combinations=tuple(item for file in files for item in file.combinations),
        codes=tuple(item for file in files for item in file.codes),
    )


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
def combinations() -> tuple[Combination, ...]:
    """Every brand of more than one ingredient.

    Raises
    ------
    KnowledgeError
        If it names an ingredient that no file holds.
    """
    for item in _file().combinations:
        unknown = [name for name in item.of if name not in agents()]
        if unknown:
            raise KnowledgeError(f"unknown drug {unknown[0]!r}", where=f"agents {item.name}")
    return _file().combinations


@functools.cache
def drug_codes() -> tuple[DrugCode, ...]:
    """Every code of a drug or class.

    Raises
    ------
    KnowledgeError
        If it names a drug or class that no file holds.
    """
    for item in _file().codes:
        if item.of not in agent_terms():
            raise KnowledgeError(f"unknown drug or class {item.of!r}", where=f"agents code {item.code}")
    return _file().codes


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
