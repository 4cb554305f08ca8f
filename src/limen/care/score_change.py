"""What changed from the baseline: response, remission, and the amounts that matter, on exact fractions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from limen.care.answers import numbers_of, read_answers, read_total
from limen.care.totals import Total
from limen.care.totals import total as add_up
from limen.errors import InputError
from limen.knowledge.instruments import Instrument, get_instrument
from limen.knowledge.scoring_rules import Change as Amount

Number = int | float | None


@dataclass(frozen=True, slots=True)
class Change:
    """Against the baseline: ``pct`` is negative for a fall. ``None`` where either total is missing or baseline is 0.

    Attributes
    ----------
    important : mapping of name to bool or None
        Whether the improvement reaches each published amount that matters.
    declines : mapping of name to bool or None
        Whether it got worse by a published amount.
    """

    pct: float | None
    response: bool | None
    remission: Mapping[str, bool | None]
    important: Mapping[str, bool | None] = field(default_factory=dict)
    declines: Mapping[str, bool | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Start:
    """The baseline: its total, and its parts where its items are known."""

    total: Number = None
    parts: Mapping[str, Fraction | None] = field(default_factory=dict)


def judge_change(knowledge: Instrument, found: Total, total: Number, start: Start, notes: list[str]) -> Change:
    """The change of one score; what cannot be computed is ``None`` and said in ``notes``."""
    remission = {rule.flag: None if total is None else total <= rule.at_most for rule in knowledge.remission}
    rule = knowledge.response
    absolute = None
    if rule is not None and rule.at_most is not None and total is not None:
        absolute = total <= rule.at_most
    better = -1 if knowledge.better == "lower" else 1
    important = _reached(knowledge.changes, better, found, total, start)
    declines = _reached(knowledge.declines, -better, found, total, start)
    if start.total is None or total is None:
        return Change(None, absolute, remission, important, declines)
    if start.total == 0:
        notes.append("The baseline is 0, so no change can be computed.")
        return Change(None, absolute, remission, important, declines)
    gained = better * (Fraction(total) - Fraction(start.total))
    response = absolute
    if rule is not None and rule.fall_pct is not None:
        response = 100 * gained >= rule.fall_pct * Fraction(start.total)
    pct = float(100 * (Fraction(total) - Fraction(start.total)) / Fraction(start.total))
    return Change(pct, response, remission, important, declines)


def _reached(amounts: Iterable[Amount], way: int, found: Total, total: Number, start: Start) -> dict[str, bool | None]:
    """Whether the total or the part went that way by each amount; ``None`` where either end is missing."""
    reached: dict[str, bool | None] = {}
    for item in amounts:
        now = total if item.part is None else found.parts[item.part]
        before = start.total if item.part is None else start.parts.get(item.part)
        if now is None or before is None or (item.pct is not None and before == 0):
            reached[item.name] = None
            continue
        gone = way * (Fraction(now) - Fraction(before))
        if item.points is not None:
            reached[item.name] = gone >= Fraction(item.points)
        elif item.pct is not None:
            reached[item.name] = 100 * gone >= Fraction(item.pct) * Fraction(before)
    return reached


def change_between(instrument: str, total: Number, baseline: Number) -> Change:
    """How far one total lies from another of the same scale: change, response, remission.

    The one judgement of response: a scored questionnaire and a course of many ask it here.

    Parameters
    ----------
    total, baseline : int, float or None
        ``None`` is missing, and what needs it is then ``None``.

    Raises
    ------
    InputError
        If the instrument is unknown, or a total is none that its scale has.

    Examples
    --------
    >>> change_between("MADRS", 16, 32).response, change_between("MADRS", 17, 32).response
    (True, False)
    """
    knowledge = get_instrument(instrument)
    now, start = read_total(knowledge, total, "total"), Start(read_total(knowledge, baseline, "baseline.total"))
    parts = {item.part: None for item in (*knowledge.changes, *knowledge.declines) if item.part is not None}
    exact = None if now is None else Fraction(now)
    return judge_change(knowledge, Total(exact, "incomplete" if now is None else "complete", parts), now, start, [])


def read_baseline(knowledge: Instrument, baseline: Any) -> Start:
    """The baseline as it is given: items, or a total.

    Raises
    ------
    InputError
        If it is neither, or an answer or a total is not one the scale has.
    """
    if baseline is None:
        return Start()
    if not isinstance(baseline, Mapping) or not ({"items", "total"} & set(baseline)):
        raise InputError(
            "a baseline without items or total", where="baseline", allowed='{"items": [...]}, {"total": 20} or null'
        )
    if "items" in baseline:
        given, _ = read_answers(knowledge, baseline["items"], "baseline.items")
        found = add_up(knowledge, numbers_of(knowledge, given))
        return Start(found.shown(whole=whole_totals(knowledge)), found.parts)
    return Start(read_total(knowledge, baseline["total"], "baseline.total"))


def whole_totals(knowledge: Instrument) -> bool:
    """Whether the total is a whole number: a sum of whole answers, prorated or not."""
    return knowledge.rule == "sum" and not (knowledge.items and knowledge.items.half_points)
