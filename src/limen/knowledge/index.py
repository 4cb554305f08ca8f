"""Every claim of the knowledge files in one list: who rests on which source, and what is wrong with the files."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Any

from ruamel.yaml import YAML

from limen.errors import KnowledgeError
from limen.evidence import Verification, sources
from limen.knowledge.alarm_response import alarm_response
from limen.knowledge.discharge import discharge
from limen.knowledge.drugs import products
from limen.knowledge.inputs import inputs
from limen.knowledge.instruments import instruments
from limen.knowledge.interactions import agents
from limen.knowledge.measuring import measuring
from limen.knowledge.monitoring import monitoring
from limen.knowledge.protocols import protocols
from limen.knowledge.release import yaml_files
from limen.knowledge.rules import code_sets, rules
from limen.knowledge.surveillance import surveillance

_LOADERS: tuple[Callable[[], object], ...] = (
    sources,
    inputs,
    code_sets,
    agents,
    rules,
    products,
    protocols,
    instruments,
    monitoring,
    discharge,
    alarm_response,
    measuring,
    surveillance,
)
# Keys that name the thing a claim belongs to, and pairs that must not fall.
_NAMES = ("id", "rule")
_RISING = (("low", "high"), ("lower", "upper"), ("lower", "typical"), ("typical", "upper"), ("minimum", "maximum"))


@dataclass(frozen=True, slots=True)
class ClaimAt:
    """One claim as it stands in a file."""

    owner: str
    file: str
    sources: tuple[str, ...]
    verification: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that must be mended before the knowledge may be used."""

    where: str
    what: str


def claims(roots: Iterable[Traversable]) -> tuple[ClaimAt, ...]:
    """Every claim under the folders: each mapping that names sources, with the nearest name above it."""
    found: list[ClaimAt] = []
    for root in roots:
        for name, path in yaml_files(root):
            found += _walk(tree_of(path), path.name.removesuffix(".yaml"), name)
    return tuple(found)


def problems(roots: Iterable[Traversable]) -> tuple[Problem, ...]:
    """What is wrong with the knowledge files: nothing, when they may be used.

    Every loader reads its files by its own schema (unknown keys, missing sources, order of tiers, doubles); then every
    file is walked for sources that do not exist, claims without a source, and bounds that fall.
    """
    found: list[Problem] = []
    for load in _LOADERS:
        try:
            load()
        except KnowledgeError as problem:
            found.append(Problem(problem.where, problem.what))
    known = sources() if not found else {}
    for root in roots:
        for name, path in yaml_files(root):
            tree = tree_of(path)
            for claim in _walk(tree, path.name.removesuffix(".yaml"), name):
                if not claim.sources:
                    found.append(Problem(f"{name} {claim.owner}", "a claim without a source"))
                for key in claim.sources:
                    if known and key not in known:
                        found.append(Problem(f"{name} {claim.owner}", f"unknown source {key!r}"))
            found += [Problem(name, what) for what in _falling(tree, "")]
    return tuple(dict.fromkeys(found))


def users(key: str, of: Iterable[ClaimAt]) -> tuple[str, ...]:
    """The rules, protocols, models and limits that rest on a source."""
    return tuple(dict.fromkeys(claim.owner for claim in of if key in claim.sources))


def weakest_mark(of: Iterable[ClaimAt]) -> Verification:
    """The weakest mark among claims; unverified where none carries one."""
    marks = [Verification(claim.verification) for claim in of if claim.verification]
    return min(marks, key=lambda mark: mark.rank, default=Verification.UNVERIFIED)


def tree_of(path: Traversable) -> Any:
    """One file as plain values, without its schema."""
    return _parsed(path.read_text(encoding="utf-8"))


@functools.lru_cache(maxsize=256)
def _parsed(text: str) -> Any:
    return YAML(typ="safe").load(text)


def _walk(node: Any, owner: str, file: str) -> Iterator[ClaimAt]:
    if isinstance(node, list):
        for item in node:
            yield from _walk(item, owner, file)
    if not isinstance(node, Mapping):
        return
    named = next((node[name] for name in _NAMES if isinstance(node.get(name), str)), owner)
    cited = node.get("sources", node.get("source"))
    if isinstance(cited, list | str):
        yield ClaimAt(
            owner=named,
            file=file,
            sources=(cited,) if isinstance(cited, str) else tuple(str(key) for key in cited),
            verification=node.get("verification"),
            text=_words(node),
        )
    for key, value in node.items():
        if key not in {"sources", "source"}:
            yield from _walk(value, named, file)


def _words(node: Mapping[str, Any]) -> str:
    """The claim in the words it carries, else its plain values."""
    for key in ("text", "because", "do", "title"):
        if isinstance(node.get(key), str):
            level = f"{node['level']}: " if isinstance(node.get("level"), str) else ""
            return f"{level}{node[key]}"
    plain = {
        key: value for key, value in node.items() if isinstance(value, str | int | float) and key != "verification"
    }
    return ", ".join(f"{key} {value}" for key, value in plain.items())


def _falling(node: Any, path: str) -> Iterator[str]:
    if isinstance(node, list):
        for place, item in enumerate(node):
            yield from _falling(item, f"{path}[{place}]")
    if not isinstance(node, Mapping):
        return
    for low, high in _RISING:
        first, second = node.get(low), node.get(high)
        if isinstance(first, int | float) and isinstance(second, int | float) and first > second:
            yield f"{path or 'top'}: {low} {first} lies above {high} {second}"
    for key, value in node.items():
        yield from _falling(value, f"{path}.{key}" if path else str(key))
