"""Everything that is wrong, or soon will be, with the knowledge files: one finding each, with its file and line."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, Literal

from ruamel.yaml.error import YAMLError

import limen.knowledge as package
from limen.errors import KnowledgeError
from limen.evidence import sources
from limen.evidence.disputes import disputes
from limen.evidence.grades import grades
from limen.knowledge.dated import dated
from limen.knowledge.index import ClaimAt, Roots, claims_of, files, mappings, tree_of
from limen.knowledge.lines import line_of
from limen.knowledge.lint_values import value_faults
from limen.knowledge.release import yaml_files
from limen.knowledge.surfaces import surfaces

# An end that comes within so many days is told; the time a clinic needs to change a protocol and sign it.
SOON_DAYS = 90
# Keys whose entries name something that must be on file: rules, protocols, criteria, inputs.
_NAMING = ("bears_on", "supports", "opposes", "protocols", "discharge", "risk", "answers")
# Folders whose numbers are a paper's own, with their units beside them.
_OF_PAPERS = ("models/", "effects/", "pharmacology/")
File = tuple[str, Traversable, Any]
"""Its name, where it is, and its values."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend (``error``), or to know (``warning``).

    Attributes
    ----------
    check : str
        Which check found it: ``schema``, ``source``, ``unit``, ``range``, ``order``, ``overlap``, ``duplicate``,
        ``reference``, ``expired``, ``expiring``, ``unused-source``, ``down-graded``, ``unlisted-folder``.
    line : int or None
        ``None`` where only the file is known.
    """

    level: Literal["error", "warning"]
    check: str
    file: str
    line: int | None
    owner: str
    what: str

    @property
    def where(self) -> str:
        """``file:line owner``, as a terminal makes a link of it."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place} {self.owner}".strip()


def lint(roots: Roots, on: date, *, package_text: str | None = None) -> tuple[Finding, ...]:
    """Every finding, errors first.

    Parameters
    ----------
    on : date
        The day that ends are counted from.
    package_text : str, optional
        The text of everything that may cite a source; without it unused sources are not looked for.
    """
    found = list(_by_schema())
    # With a broken file the rest would be noise.
    whole = not found
    held: list[File] = []
    for name, path in files(roots):
        try:
            held.append((name, path, tree_of(path)))
        except YAMLError as problem:
            if whole:
                found.append(Finding("error", "schema", name, None, "", str(problem).splitlines()[0]))
    for name, path, tree in held:
        found += _of_file(name, path, tree)
    if whole:
        found += _of_claims(claim for name, path, tree in held for claim in claims_of(tree, name, path))
        found += _references(held)
        found += _ends(on)
        found += _folders(name for name, _, _ in held)
        if package_text is not None:
            found += _unused(package_text)
    return tuple(sorted(dict.fromkeys(found), key=lambda item: (item.level != "error", item.file, item.line or 0)))


def _by_schema() -> Iterator[Finding]:
    """Every file through the reader that the product itself uses."""
    every: tuple[Callable[[], object], ...] = (sources, grades, disputes, *_loaders())
    for load in every:
        try:
            load()
        except KnowledgeError as problem:
            file, _, rest = problem.where.partition(":")
            number, _, owner = rest.partition(" ")
            file, owner = (file, owner) if number.isdigit() else (problem.where, "")
            yield Finding("error", "schema", file, int(number) if number.isdigit() else None, owner, problem.what)


@functools.cache
def _loaders() -> tuple[Callable[[], object], ...]:
    """Every cached reader of the package that needs no argument, so that a new topic is checked from its first day."""
    found: dict[str, Callable[[], object]] = {}
    for module in pkgutil.iter_modules(package.__path__):
        if module.name in {"lint", "index"}:
            continue
        for name, item in vars(importlib.import_module(f"{package.__name__}.{module.name}")).items():
            code = getattr(getattr(item, "__wrapped__", None), "__code__", None)
            if hasattr(item, "cache_info") and code is not None and code.co_argcount == 0 and not name.startswith("_"):
                found[f"{item.__module__}.{name}"] = item
    return tuple(found.values())


def _of_file(name: str, path: Traversable, tree: Any) -> Iterator[Finding]:
    ours = not name.startswith(_OF_PAPERS)
    for check, keys, what in value_faults(tree, own_units=ours):
        owner = _owner(tree, keys, path)
        yield Finding("error", check, name, line_of(path, keys), owner, what)


def _owner(tree: Any, keys: tuple[str | int, ...], path: Traversable) -> str:
    owner = path.name.removesuffix(".yaml")
    for above, named, _ in mappings(tree, owner):
        if keys[: len(above)] == above:
            owner = named
    return owner


def _of_claims(every: Iterable[ClaimAt]) -> Iterator[Finding]:
    known = sources()
    for claim in every:
        at = (claim.file, claim.line, claim.owner)
        if not claim.sources:
            yield Finding("error", "source", *at, "a claim without a source")
        unknown = [key for key in claim.sources if key not in known]
        for key in unknown:
            yield Finding("error", "source", *at, f"unknown source {key!r}")
        if not unknown and claim.sources and claim.mark != claim.verification and claim.verification:
            kinds = ", ".join(dict.fromkeys(grades()[known[key].grade].words for key in claim.sources))
            yield Finding(
                "warning", "down-graded", *at, f"marked {claim.verification}, counts as {claim.mark}: {kinds}"
            )


def _references(held: list[File]) -> Iterator[Finding]:
    folder = resources.files("limen.evidence") / "data" / "disputes"
    own = [(f"disputes/{name}", path, tree_of(path)) for name, path in yaml_files(folder)]
    known: set[str] = set()
    for _, path, tree in (*held, *own):
        for _, owner, node in mappings(tree, path.name.removesuffix(".yaml")):
            known |= {owner, str(node.get("rule", owner))}
    for name, path, tree in (*held, *own):
        if name.startswith(_OF_PAPERS):
            continue
        for keys, owner, node in mappings(tree, ""):
            for key in _NAMING:
                value = node.get(key)
                for item in [value] if isinstance(value, str) else value if isinstance(value, list) else []:
                    if isinstance(item, str) and item not in known:
                        at = line_of(path, (*keys, key))
                        what = f"{key} names {item!r}, which is not on file"
                        yield Finding("error", "reference", name, at, owner, what)


def _ends(on: date) -> Iterator[Finding]:
    path = resources.files("limen.knowledge") / "data" / "dated" / "dated.yaml"
    for place, fact in enumerate(dated().facts):
        left = fact.days_left(on)
        at = ("dated/dated.yaml", line_of(path, ("facts", place, "ends_on")), fact.id)
        if left < 0 and fact.successor is None:
            yield Finding("error", "expired", *at, f"{fact.title}: ended on {fact.ends_on}. {fact.then}")
        elif 0 <= left <= SOON_DAYS:
            yield Finding(
                "warning", "expiring", *at, f"{fact.title}: ends on {fact.ends_on}, in {left} days. {fact.then}"
            )


def _folders(names: Iterable[str]) -> Iterator[Finding]:
    listed = surfaces()
    for folder in dict.fromkeys(name.partition("/")[0] for name in names if "/" in name):
        if folder not in listed:
            what = "nothing says which screens and texts it feeds; list it in surfaces.yaml"
            yield Finding("warning", "unlisted-folder", f"{folder}/", None, "", what)


def _unused(package_text: str) -> Iterator[Finding]:
    folder = resources.files("limen.evidence") / "data" / "sources"
    words = set(re.findall(r"[\w-]+", package_text))
    for name, path in yaml_files(folder):
        for key in tree_of(path):
            if key not in words:
                yield Finding(
                    "warning", "unused-source", f"sources/{name}", line_of(path, (key,)), key, "nothing cites it"
                )
