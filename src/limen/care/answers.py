"""Answers to a questionnaire, or its total, read and checked: what was given, and the number that each adds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from limen.errors import InputError
from limen.knowledge.instruments import Instrument, Items

Answer = int | float | bool | None


def read_answers(instrument: Instrument, given: Any, where: str) -> tuple[dict[str, Answer], tuple[str, ...]]:
    """Answers by key ``q1``, ``q2``, ... and the keys that the instrument does not know.

    Raises
    ------
    InputError
        If the number of answers is wrong, or an answer is not one of those allowed.

    Examples
    --------
    >>> from limen.knowledge.instruments import get_instrument
    >>> read_answers(get_instrument("PHQ-2"), [3, None], "items")
    ({'q1': 3, 'q2': None}, ())
    """
    items = instrument.items
    if items is None:
        raise InputError(
            f"the items of {instrument.id} are not held here",
            where=where,
            allowed='{"total": ...}, the total as it was read from the licensed form',
        )
    keys = tuple(f"q{number}" for number in range(1, items.count + 1))
    every = (*keys, *items.follow_up)
    if isinstance(given, Mapping):
        unknown = tuple(f"{where}.{key}" for key in given if key not in every)
        answers = {key: given.get(key) for key in every}
    elif isinstance(given, Sequence) and not isinstance(given, str | bytes):
        if len(given) not in {len(keys), len(every)}:
            raise InputError(
                f"{len(given)} answers to {instrument.id}",
                where=where,
                allowed=f"{len(keys)} answers in the order of the questionnaire, null where one is missing",
            )
        answers = {key: given[index] if index < len(given) else None for index, key in enumerate(every)}
        unknown = ()
    else:
        raise InputError(
            f"no answers to {instrument.id}", where=where, allowed="a list of answers, or an object q1, q2..."
        )
    for number, (key, answer) in enumerate(answers.items(), start=1):
        _check(items, min(number, items.count), answer, f"{where}.{key}")
    return answers, unknown


def _check(items: Items, number: int, answer: Any, where: str) -> None:
    if answer is None:
        return
    accepts = items.range_of(number)
    if accepts.kind == "yes-no":
        if not isinstance(answer, bool):
            raise InputError(f"answer {answer!r}", where=where, allowed="true, false or null")
        return
    if items.not_assessed is not None and answer == items.not_assessed and not isinstance(answer, bool):
        return
    whole = isinstance(answer, int) or (items.half_points and isinstance(answer, float) and (2 * answer).is_integer())
    if not whole or isinstance(answer, bool) or not accepts.low <= answer <= accepts.high:
        steps = "a number in halves" if items.half_points else "a whole number"
        raise InputError(f"answer {answer!r}", where=where, allowed=f"{steps} {accepts.low} to {accepts.high}, or null")
    if accepts.only and answer not in accepts.only:
        raise InputError(
            f"answer {answer!r}", where=where, allowed=", ".join(str(one) for one in accepts.only) + " or null"
        )


def read_total(knowledge: Instrument, value: Any, where: str) -> int | float | None:
    """A total that was read elsewhere, such as from a licensed form.

    Raises
    ------
    InputError
        If the scale has no such total.

    Examples
    --------
    >>> from limen.knowledge.instruments import get_instrument
    >>> read_total(get_instrument("MoCA"), 26, "total")
    26
    """
    if value is None:
        return None
    low, high = knowledge.lowest_total, knowledge.highest_total
    halves = knowledge.rule == "parts" or (knowledge.items is not None and knowledge.items.half_points)
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not number or not low <= value <= high or (not halves and int(value) != value):
        kind = "a number" if halves else "a whole number"
        raise InputError(f"total {value!r}", where=where, allowed=f"{kind} {low} to {high}, or null")
    found: int | float = value
    return found


def numbers_of(instrument: Instrument, answers: Mapping[str, Answer]) -> dict[int, Fraction | None]:
    """What each item adds: yes is 1, a reversed item counts upside down, "not assessed" is missing.

    Examples
    --------
    >>> from limen.knowledge.instruments import get_instrument
    >>> dast = get_instrument("DAST-10")
    >>> sum(numbers_of(dast, {f"q{item}": False for item in range(1, 11)}).values())
    Fraction(1, 1)
    """
    items = instrument.items
    if items is None:
        return {}
    found: dict[int, Fraction | None] = {}
    for number in range(1, items.count + 1):
        answer = answers[f"q{number}"]
        if answer is None or (answer is not True and answer is not False and answer == items.not_assessed):
            found[number] = None
            continue
        value = Fraction(answer)
        accepts = items.range_of(number)
        found[number] = accepts.low + accepts.high - value if number in items.reversed_items else value
    return found
