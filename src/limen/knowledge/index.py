"""Every claim of the knowledge files in one list: who rests on which source, in which line, under which mark."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Any

from ruamel.yaml import YAML

from limen.errors import KnowledgeError
from limen.evidence import Verification
from limen.evidence.compiled import parsed
from limen.evidence.grades import counted_mark
from limen.knowledge.lines import Keys, line_of
from limen.knowledge.release import yaml_files

# Keys that name the thing a claim belongs to.
NAMES = ("id", "rule")


@dataclass(frozen=True, slots=True)
class ClaimAt:
    """One claim as it stands in a file.

    Attributes
    ----------
    owner : str
        The nearest name above it: a rule, a protocol, an instrument, else the file.
    verification : str or None
        The mark as the file has it; `mark` is the one that counts.
    """

    owner: str
    file: str
    sources: tuple[str, ...]
    verification: str | None
    text: str
    keys: Keys
    path: Traversable

    @property
    def line(self) -> int:
        """The line it begins at."""
        return line_of(self.path, self.keys)

    @property
    def mark(self) -> Verification | None:
        """The mark that counts, brought down where its sources cannot carry it; ``None`` where the file has none."""
        if not self.verification:
            return None
        try:
            return counted_mark(Verification(self.verification), self.sources)
        except (KnowledgeError, ValueError):
            return Verification.UNVERIFIED


Roots = Mapping[str, Traversable]
"""Folders of knowledge by the name that files lying in them without a folder of their own go under."""


def files(roots: Roots) -> Iterator[tuple[str, Traversable]]:
    """Every file with its name, folder first."""
    for folder, root in roots.items():
        for name, path in yaml_files(root):
            yield (f"{folder}/{name}" if folder and "/" not in name else name), path


def claims(roots: Roots) -> tuple[ClaimAt, ...]:
    """Every claim under the folders: each mapping that names sources, with the nearest name above it."""
    return tuple(claim for name, path in files(roots) for claim in claims_of(tree_of(path), name, path))


def claims_of(tree: Any, name: str, path: Traversable) -> Iterator[ClaimAt]:
    """The claims of one file."""
    for keys, owner, node in mappings(tree, path.name.removesuffix(".yaml")):
        cited = node.get("sources", node.get("source"))
        if isinstance(cited, list | str):
            yield ClaimAt(
                owner=owner,
                file=name,
                sources=(cited,) if isinstance(cited, str) else tuple(str(key) for key in cited),
                verification=node.get("verification"),
                text=_words(node),
                keys=keys,
                path=path,
            )


def mappings(node: Any, owner: str, keys: Keys = ()) -> Iterator[tuple[Keys, str, Mapping[str, Any]]]:
    """Every mapping of a tree with its path and the nearest name above it, from the top down."""
    if isinstance(node, list):
        for place, item in enumerate(node):
            yield from mappings(item, owner, (*keys, place))
    if not isinstance(node, Mapping):
        return
    named = next((node[name] for name in NAMES if isinstance(node.get(name), str)), owner)
    yield keys, named, node
    for key, value in node.items():
        if key not in {"sources", "source"}:
            yield from mappings(value, named, (*keys, key))


def users(key: str, of: Iterable[ClaimAt]) -> tuple[str, ...]:
    """The rules, protocols, models and limits that rest on a source."""
    return tuple(dict.fromkeys(claim.owner for claim in of if key in claim.sources))


def weakest_mark(of: Iterable[ClaimAt]) -> Verification:
    """The weakest mark among claims; unverified where none carries one."""
    marks = [claim.mark for claim in of]
    return min((mark for mark in marks if mark), key=lambda mark: mark.rank, default=Verification.UNVERIFIED)


def tree_of(path: Traversable) -> Any:
    """One file as plain values, without its schema."""
    return parsed(path, path.read_text(encoding="utf-8"), lambda text: YAML(typ="safe").load(text))


def _words(node: Mapping[str, Any]) -> str:
    """The claim in the words it carries, else its values as a person reads them."""
    for key in ("text", "because", "do", "title"):
        if isinstance(node.get(key), str):
            level = f"{node['level']}: " if isinstance(node.get("level"), str) else ""
            return f"{level}{node[key]}"
    for keys, words in _SHAPES:
        if keys <= node.keys():
            return words(node)
    plain = {key: value for key, value in node.items() if isinstance(value, str | int | float) and key not in _UNSAID}
    return ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in plain.items())


def _wall_words(node: Mapping[str, Any]) -> str:
    measure = node.get("measure", "dose")
    of = "" if measure in {"dose", "duration", "apart"} else f", {_MEASURES.get(measure, f'a {measure}')}"
    when = [
        f"{said} {node[key]}{unit}"
        for key, said, unit in (
            ("over_weight_kg", "over", " kg"),
            ("from_bmi_kg_per_m2", "from a body mass index of", ""),
            ("first_sessions", "up to session", ""),
            ("step", "in step", ""),
        )
        if node.get(key) is not None
    ]
    bound = "at least" if node.get("bound") == "least" else "at most"
    limit = f"{bound} {node['limit']} {node['unit']}{of}"
    stands = f", {' or '.join(when)}" if when else ""
    return f"{node['name']} ({node['kind']}): {limit}{stands}. {node.get('why', '')}".strip()


def _phase_words(node: Mapping[str, Any]) -> str:
    count = f"{node['sessions']} sessions, " if node.get("sessions") else ""
    return f"{node['phase']}: {count}{node['spacing']}"


def _range_words(node: Mapping[str, Any]) -> str:
    unit = "min" if "lower_min" in node else node.get("unit", "")
    low, usual, high = (node.get(key, node.get(f"{key}_min")) for key in ("lower", "typical", "upper"))
    usually = "no usual one" if usual is None else f"usually {usual}"
    return f"{low} to {high} {unit}, {usually}"


_MEASURES = {"rate": "the rate"}
_UNSAID = frozenset({"verification", "rule"})
_SHAPES: tuple[tuple[frozenset[str], Callable[[Mapping[str, Any]], str]], ...] = (
    (frozenset({"name", "kind", "limit", "unit"}), _wall_words),
    (frozenset({"phase", "spacing"}), _phase_words),
    (frozenset({"lower", "upper", "unit"}), _range_words),
    (frozenset({"lower_min", "upper_min"}), _range_words),
)
