"""Screenings and plans, reordered for the eye. Nothing is decided here, and nothing is left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from limen.clinic.patients import cssrs
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
    def told(self) -> str:
        """Why, where that says more than that it is not known."""
        return "" if self.why == f"{words.label(self.input)} not known" else cssrs.in_words(self.why)

    @property
    def needed(self) -> bool:
        """Whether a rule that can stop treatment waits for it."""
        return self.level not in ("warn", "info")


def gaps(missing: Iterable[Mapping[str, Any]]) -> list[Gap]:
    """What is missing, one line an input, those that can stop treatment first; histories stand by themselves.

    Examples
    --------
    >>> rows = [{"rule": "BAS-02", "input": "labs.alt_xULN", "why": "ALT not known", "level": "warn"},
    ...         {"rule": "SEL-15", "input": "labs.alt_xULN", "why": "ALT not known", "level": "block"}]
    >>> gaps(rows)
    [Gap(input='labs.alt_xULN', why='ALT not known', level='block', rules=('BAS-02', 'SEL-15'))]
    """
    by_input: dict[str, list[Mapping[str, Any]]] = {}
    for row in missing:
        if _history(row):
            continue
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


@dataclass(frozen=True)
class History:
    """A history that was not taken: one act answers all that waits for it."""

    name: str
    waiting: tuple[tuple[str, str], ...]


def histories(missing: Iterable[Mapping[str, Any]]) -> list[History]:
    """The problem list and the drug list where they were not asked, with each question that waits and its rule.

    Examples
    --------
    >>> histories([{"rule": "SEL-05", "input": "conditions: intracerebral haemorrhage", "why": "not on record, ask"}])
    [History(name='conditions', waiting=(('intracerebral haemorrhage', 'SEL-05'),))]
    """
    found: dict[str, dict[str, list[str]]] = {}
    for row in missing:
        name = _history(row)
        if name:
            about = str(row["input"]).partition(": ")[2] or str(row.get("title") or "all of them")
            found.setdefault(name, {}).setdefault(about, []).append(str(row["rule"]))
    return [
        History(name, tuple((about, ", ".join(dict.fromkeys(rules))) for about, rules in waiting.items()))
        for name, waiting in sorted(found.items())
    ]


def _history(row: Mapping[str, Any]) -> str:
    name = str(row["input"]).partition(":")[0]
    return name if name in ("conditions", "medications") else ""


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


def seen(finding: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    """What a finding looked at: words, value with its unit, and the day it was taken where that is known.

    Examples
    --------
    >>> seen({"input": {"sbp_mmHg": 148.0, "readings": [{"at_min": 15.0, "sbp_mmHg": 150.0, "dbp_mmHg": 93.0}]}})
    [('systolic pressure', '148\xa0mmHg', None), ('readings', '150/93 after 15\xa0min', None)]
    """
    taken = finding.get("input_taken_on") or {}
    rows = []
    for name, value in (finding.get("input") or {}).items():
        unit = words.unit_of(name)
        text = _readings(value) if _is_readings(value) else said_value(name, value)
        if unit and value is not None and not isinstance(value, bool | dict | list):
            text += f"{words.NO_BREAK}{unit}"
        rows.append((words.label(name), text, taken.get(name)))
    return rows


def said_value(name: str, value: Any) -> str:
    """One input of a rule in words: a question of the C-SSRS by its topic.

    Examples
    --------
    >>> said_value("item", "q6_recent"), said_value("asa_class", 2)
    ('6 recent (behaviour in the past 3 months)', '2')
    """
    return cssrs.in_words(value) if name == "item" and isinstance(value, str) else words.bare(value)


def _is_readings(value: Any) -> bool:
    return (
        isinstance(value, list) and bool(value) and all(isinstance(row, Mapping) and "sbp_mmHg" in row for row in value)
    )


def _readings(rows: list[Mapping[str, Any]]) -> str:
    return ", ".join(
        f"{words.bare(row['sbp_mmHg'])}/{words.bare(row.get('dbp_mmHg'))}"
        + (f" after {words.bare(row['at_min'])}{words.NO_BREAK}min" if row.get("at_min") else "")
        for row in rows
    )


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
