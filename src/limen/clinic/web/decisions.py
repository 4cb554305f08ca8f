"""Screenings and plans, reordered for the eye. Nothing is decided here, and nothing is left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from limen.clinic.web import words
from limen.evidence import sources

_RANK = ("block", "hold", "needs-data", "warn", "info")


@dataclass(frozen=True)
class Gap:
    """One input that is not known, with every rule that waits for it."""

    input: str
    why: str
    level: str
    rules: tuple[str, ...]

    @property
    def needed(self) -> bool:
        """Whether a rule that can stop treatment waits for it."""
        return self.level in ("block", "hold", "needs-data")


def gaps(missing: Iterable[Mapping[str, Any]]) -> list[Gap]:
    """What is missing, one line an input, those that can stop treatment first.

    Examples
    --------
    >>> rows = [{"rule": "BAS-02", "input": "labs.alt_xULN", "why": "ALT not known", "level": "warn"},
    ...         {"rule": "SEL-15", "input": "labs.alt_xULN", "why": "ALT not known", "level": "block"}]
    >>> gaps(rows)
    [Gap(input='labs.alt_xULN', why='ALT not known', level='block', rules=('BAS-02', 'SEL-15'))]
    """
    by_input: dict[str, list[Mapping[str, Any]]] = {}
    for row in missing:
        by_input.setdefault(str(row["input"]), []).append(row)
    found = [
        Gap(
            input=name,
            why="; ".join(dict.fromkeys(str(row.get("why") or "") for row in rows)),
            level=min((str(row.get("level", "hold")) for row in rows), key=_rank),
            rules=tuple(dict.fromkeys(str(row["rule"]) for row in rows)),
        )
        for name, rows in by_input.items()
    ]
    return sorted(found, key=lambda gap: _rank(gap.level))


_NOT_READ = {
    "unknown_inputs": "Not known here, so not used:",
    "unread_conditions": "Conditions no rule could read, so judge them yourself:",
    "unrecognised_medications": "Drugs not recognised, so interactions are not judged:",
}


def not_read(result: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """What came in and was not understood, by kind: said, because silence would read as "nothing against it".

    Examples
    --------
    >>> not_read({"unrecognised_medications": ["zzz"], "unread_conditions": []})
    [('Drugs not recognised, so interactions are not judged:', ['zzz'])]
    """
    return [(said, [words.bare(row) for row in result[key]]) for key, said in _NOT_READ.items() if result.get(key)]


def dose_walls(limits: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """The walls on the dose in mg, as the track draws them.

    Examples
    --------
    >>> dose_walls({"soft_max_mg": 78.0, "hard_max_mg": 104.0})
    [{'name': '78.0 soft', 'value': 78.0, 'hard': False}, {'name': '104.0 hard', 'value': 104.0, 'hard': True}]
    """
    known = limits or {}
    standing = [
        {
            "name": f"{words.amount(wall['limit'])} {wall['name']}",
            "value": wall["limit"],
            "hard": wall["kind"] == "hard",
        }
        for wall in known.get("walls") or ()
        if wall.get("unit") == "mg" and wall.get("bound") == "most"
    ]
    if standing:
        return standing
    named = (("soft", "soft_max_mg", False), ("hard", "hard_max_mg", True), ("day", "day_max_mg", True))
    return [
        {"name": f"{words.amount(known[key])} {name}", "value": known[key], "hard": hard}
        for name, key, hard in named
        if known.get(key) is not None
    ]


def citation(key: Any) -> str:
    """The source behind a key, as a reader can find it; an unknown key stays as it is."""
    found = sources().get(str(key))
    if found is None:
        return str(key)
    return found.citation + (f" doi:{found.doi}" if found.doi else "")


def _rank(level: str) -> int:
    return _RANK.index(level) if level in _RANK else 0
