"""What has changed since the knowledge that a site signed, rule by rule, and where each change comes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from limen.knowledge.index import NAMES, mappings
from limen.knowledge.snapshot import Difference, differences
from limen.knowledge.surfaces import surface_of


@dataclass(frozen=True, slots=True)
class ChangedRule:
    """One rule, protocol, instrument or source, and every place in it that differs.

    Attributes
    ----------
    kind : str
        What it is, such as ``protocol``; ``source`` for the bibliography, ``other`` where nothing lists its folder.
    change : {"new", "gone", "changed"}
    screens : tuple of str
        Where the change is seen.
    """

    name: str
    kind: str
    change: str
    places: tuple[Difference, ...]
    screens: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As the command prints it."""
        return {
            "name": self.name,
            "kind": self.kind,
            "change": self.change,
            "screens": list(self.screens),
            "places": [place.to_json() for place in self.places],
        }


def changed_rules(was: Any, now: Mapping[str, Any]) -> tuple[ChangedRule, ...]:
    """What differs between the signed snapshot and another, gathered by rule.

    Parameters
    ----------
    was, now : mapping
        Two snapshots of `limen.knowledge.snapshot`.

    Raises
    ------
    InputError
        If the older one is no snapshot.

    Examples
    --------
    >>> def held(limit): return {"schema": 1, "release": "", "files": {"selection/x.yaml": {
    ...     "rules": [{"id": "SEL-99", "tiers": [{"level": "hold", "limit": limit}]}]}}}
    >>> [(item.name, item.kind, item.change) for item in changed_rules(held(160), held(150))]
    [('SEL-99', 'screening rule', 'changed')]
    """
    places = differences(was, now)
    gathered: dict[tuple[str, str], list[Difference]] = {}
    for place in places:
        trees = (was["files"].get(place.file), now["files"].get(place.file))
        gathered.setdefault((place.file, _owner(place, trees)), []).append(place)
    return tuple(_changed(file, name, tuple(found)) for (file, name), found in gathered.items())


def _owner(place: Difference, trees: tuple[Any, Any]) -> str:
    """The nearest name on the way to the place; the file's own where there is none."""
    known = {name for tree in trees if tree is not None for name in _names(tree)}
    on_the_way = [part for part in place.where.split(".") if part in known]
    if on_the_way:
        return on_the_way[0]
    if place.file.startswith("sources/"):
        return place.where.partition(".")[0]
    whole = next((tree for tree in trees if isinstance(tree, Mapping)), {})
    return next((str(whole[key]) for key in NAMES if key in whole), place.file)


def _names(tree: Any) -> Iterator[str]:
    for _, owner, _ in mappings(tree, ""):
        yield owner


def _changed(file: str, name: str, places: tuple[Difference, ...]) -> ChangedRule:
    surface = surface_of(file)
    whole = len(places) == 1 and places[0].where.rpartition(".")[2] in {name, "all of it"}
    change = "changed"
    if whole and places[0].was is None:
        change = "new"
    elif whole and places[0].now is None:
        change = "gone"
    kind = surface.kind if surface else "source" if file.startswith("sources/") else "other"
    return ChangedRule(name, kind, change, places, surface.screens if surface else ())
