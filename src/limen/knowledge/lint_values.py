"""What is wrong with the values of one file, whatever it is about: units, ranges, orderings, bands, doubles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from limen.knowledge.index import mappings
from limen.knowledge.lines import Keys
from limen.units import UNIT_SUFFIXES

Fault = tuple[str, Keys, str]
"""Which check, at which keys, and what is wrong."""

# Pairs that must not fall, and the endings under which the same holds (lower_min, upper_min).
_RISING = (("low", "high"), ("lower", "upper"), ("lower", "typical"), ("typical", "upper"), ("minimum", "maximum"))
# What a unit can hold at all. These are no clinical limits: beyond them the number or its unit is a slip.
_POSSIBLE: dict[str, tuple[float, float]] = {
    "_fraction": (0, 1),
    "_kg": (0, 700),
    "_cm": (0, 300),
    "_years": (0, 130),
    "_mmHg": (-400, 400),
    "_per_min": (-400, 400),
    "_degC": (-10, 50),
    "_mg_per_kg": (0, 100),
    "_mg_per_kg_per_h": (0, 100),
    "_mg_per_mL": (0, 1000),
    "_mL": (0, 10_000),
    "_mg": (0, 100_000),
    "_s": (0, 10_000_000),
    "_h": (0, 100_000),
    "_days": (0, 40_000),
    "_months": (0, 1_500),
    "_weeks": (0, 6_000),
    "_pct": (-100, 1_000),
}
# Alarm tiers from the mildest.
_GRAVER = ("warn", "hold", "stop")
# Longest first: `_mg_per_kg` also ends in `_kg`.
_ENDINGS = tuple(sorted(UNIT_SUFFIXES, key=len, reverse=True))
_UNITS = {
    "%", "/min", "mmHg", "degC", "degF", "mg", "mg/kg", "mg/h", "mg/kg/h", "mcg/kg/min", "mg/mL", "mg/dL", "mL",
    "mL/h", "mL/min", "L/min", "min", "h", "s", "days", "weeks", "months", "years", "kg", "cm", "kg/m2", "mIU/L",
    "ng/mL", "points", "x ULN", "sessions",
}  # fmt: skip
# Keys whose number has its unit beside it, or is a count, a share or a score by what it is.
_BARE = {
    "limit", "lower", "typical", "upper", "low", "high", "value", "auc_ratio", "cmax_ratio", "at_least", "at_most",
    "only", "version", "rank", "start",
}  # fmt: skip


def value_faults(tree: Any, *, own_units: bool) -> Iterator[Fault]:
    """Every fault of one file's values.

    Parameters
    ----------
    own_units : bool
        Whether a number must carry its unit in its key; models of papers keep theirs in ``unit`` beside it.

    Examples
    --------
    >>> [what for _, _, what in value_faults({"id": "A", "dose_max": 1.5}, own_units=True)]
    ['dose_max 1.5 has no unit in its name']
    """
    for keys, _, node in mappings(tree, ""):
        yield from _falling(node, keys)
        yield from _impossible(node, keys)
        if own_units:
            yield from _without_unit(node, keys)
        for key, value in node.items():
            if isinstance(value, list):
                yield from _overlapping(value, (*keys, key))
                yield from _doubled(value, (*keys, key))
    if isinstance(tree, list):
        yield from _doubled(tree, ())
    yield from _tiers_out_of_order(tree)


def _numbers(node: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for key, value in node.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield str(key), value


def _ending(key: str) -> str | None:
    return next((ending for ending in _ENDINGS if key.endswith(ending)), None)


def _falling(node: Mapping[str, Any], keys: Keys) -> Iterator[Fault]:
    numbers = dict(_numbers(node))
    for low, high in _RISING:
        for name in numbers:
            if name != low and not name.startswith(f"{low}_"):
                continue
            other = high + name.removeprefix(low)
            if other in numbers and numbers[name] > numbers[other]:
                yield "order", (*keys, name), f"{name} {numbers[name]:g} lies above {other} {numbers[other]:g}"


def _impossible(node: Mapping[str, Any], keys: Keys) -> Iterator[Fault]:
    for key, value in _numbers(node):
        low, high = _POSSIBLE.get(_ending(key) or "", (float("-inf"), float("inf")))
        if not low <= value <= high:
            yield "range", (*keys, key), f"{key} {value:g} cannot be; {low:g} to {high:g} is possible"


def _without_unit(node: Mapping[str, Any], keys: Keys) -> Iterator[Fault]:
    unit = node.get("unit")
    if unit is not None and unit not in _UNITS:
        yield "unit", (*keys, "unit"), f"unknown unit {unit!r}"
    for key, value in _numbers(node):
        # A unit above counts too: {at_zero_kg: {male: 50, female: 45.5}}.
        named = any(_ending(str(part)) for part in (*keys, key))
        if isinstance(value, float) and key not in _BARE and not named:
            yield "unit", (*keys, key), f"{key} {value:g} has no unit in its name"


def _overlapping(items: list[Any], keys: Keys) -> Iterator[Fault]:
    """Bands with a name and two ends must not share a value."""
    bands = [
        (place, item)
        for place, item in enumerate(items)
        if isinstance(item, Mapping) and {"low", "high", "name"} <= set(item)
    ]
    for (_, before), (place, after) in pairwise(sorted(bands, key=lambda band: band[1]["low"])):
        if after["low"] <= before["high"]:
            yield (
                "overlap",
                (*keys, place),
                (f"band {after['name']!r} from {after['low']:g} overlaps {before['name']!r} to {before['high']:g}"),
            )


def _tiers_out_of_order(tree: Any) -> Iterator[Fault]:
    """A graver alarm limit lies further out than a milder one of the same rule, signal and direction, or with it."""
    last: dict[tuple[Any, ...], tuple[int, float, str]] = {}
    limits = [(keys, node) for keys, _, node in mappings(tree, "") if {"tier", "signal", "when", "limit"} <= set(node)]
    for keys, node in sorted(limits, key=lambda item: _GRAVER.index(item[1]["tier"])):
        upward = "over" in node["when"]
        which = (node.get("rule"), node["signal"], upward, "rise" in node["when"])
        grade, limit = _GRAVER.index(node["tier"]), node["limit"]
        before = last.get(which)
        if before is not None and before[0] < grade and (limit < before[1]) == upward and limit != before[1]:
            what = f"{node['tier']} at {limit:g} lies within {before[2]} at {before[1]:g}"
            yield "order", (*keys, "limit"), what
        last[which] = (grade, limit, node["tier"])


def _doubled(items: list[Any], keys: Keys) -> Iterator[Fault]:
    """Two entries of one name; with different titles they are two lines of one rule."""
    seen: set[tuple[str, Any]] = set()
    for place, item in enumerate(items):
        if not isinstance(item, Mapping) or not isinstance(item.get("id"), str):
            continue
        name = (item["id"], item.get("title"))
        if name in seen:
            yield "duplicate", (*keys, place), f"{item['id']!r} stands twice"
        seen.add(name)
