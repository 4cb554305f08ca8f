"""Whether an entry of a problem list means what a rule asks about."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from datetime import date

from limen.care.case import Condition
from limen.knowledge.rules import CodeSet, code_sets

# Words straight before a name that turn it round.
_NEGATED = re.compile(
    r"(?:\bno|\bno known|\bnot|\bwithout|\bdenies|\bdenied|\bnegative for|\bnever had|\bruled out"
    r"|\b(?:family|no|no known) (?:history|hx|evidence|signs?) of|\bfamily history:?)\s+(?:an?\s+|any\s+)?$"
)


def belongs(item: Condition, to: CodeSet) -> bool:
    """Whether a condition is one of a set: by its code, or by its plain name.

    A name counts unless the words straight before it deny it or give it to the family.

    Examples
    --------
    >>> belongs(Condition("severe depression without psychotic features"), code_sets()["psychosis"])
    False
    >>> belongs(Condition(code="I71.43", system="icd10"), code_sets()["aneurysm"])
    True
    """
    if item.code and item.system == "icd10":
        code = _plain_code(item.code)
        excepted = any(code.startswith(_plain_code(other)) for other in to.except_icd10)
        if not excepted and any(code.startswith(_plain_code(other)) for other in to.icd10):
            return True
    if item.code and item.system == "snomed" and item.code in to.snomed:
        return True
    if item.code and item.system is None and _looks_icd10(item.code) and belongs(_as_icd10(item), to):
        return True
    return _named(item.text, to)


@functools.lru_cache(maxsize=4096)
def sets_of(code: str | None, system: str | None, text: str) -> frozenset[str]:
    """Every code set that a code or a plain name belongs to: what ``belongs`` says, without asking each set.

    Examples
    --------
    >>> sorted(sets_of("I71.43", "icd10", ""))
    ['aneurysm']
    """
    item = Condition(text, code, system)
    return frozenset(name for name in _candidates(code, system, text) if belongs(item, code_sets()[name]))


def _candidates(code: str | None, system: str | None, text: str) -> set[str]:
    """The sets that share a code or the beginning of a word: few, and none is left out."""
    by_code, by_beginning = _beginnings()
    found: set[str] = set()
    if code:
        plain = _plain_code(code)
        for length in range(1, len(plain) + 1):
            found |= by_code.get(plain[:length], set())
    for spelling in _spellings(text) if text else ():
        for word in re.findall(r"\w+", spelling):
            found |= by_beginning.get(word[:_SHORT], set())
    return found


_SHORT = 2  # letters: the shortest word of a code set


@functools.cache
def _beginnings() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    by_code: dict[str, set[str]] = {}
    by_beginning: dict[str, set[str]] = {}
    for name, to in code_sets().items():
        for code in (*to.icd10, *to.snomed):
            by_code.setdefault(_plain_code(code), set()).add(name)
        for phrase in (*to.phrases, *to.words):
            by_beginning.setdefault(phrase[:_SHORT], set()).add(name)
    return by_code, by_beginning


def recent(entries: Iterable[Condition], *, on: date, within_months: int) -> list[Condition]:
    """The entries that began within so many months; one without an onset counts as recent."""
    since = months_before(on, within_months)
    return [item for item in entries if item.onset is None or item.onset > since]


def months_before(day: date, months: int) -> date:
    """The same day of an earlier month, or its last day.

    Examples
    --------
    >>> months_before(date(2026, 3, 31), 1)
    datetime.date(2026, 2, 28)
    """
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def _plain_code(code: str) -> str:
    return code.replace(".", "").strip().upper()


def _looks_icd10(code: str) -> bool:
    return re.fullmatch(r"[A-TV-Z]\d[0-9A-Z](?:\.?[0-9A-Z]{1,4})?", code.strip().upper()) is not None


def _as_icd10(item: Condition) -> Condition:
    return Condition(code=item.code, system="icd10", status=item.status, onset=item.onset)


def _named(text: str, to: CodeSet) -> bool:
    pattern, excepted = _patterns(to.id)
    if pattern is None or not text:
        return False
    return any(_stands(spelling, pattern, excepted) for spelling in _spellings(text))


def _spellings(text: str) -> tuple[str, ...]:
    """The name as written, and a name in the order of an index (angina, unstable) as it is spoken."""
    lowered = " ".join(text.lower().replace("_", " ").split())
    noun, comma, rest = lowered.partition(", ")
    return (lowered, f"{rest} {noun}") if comma and "," not in rest else (lowered,)


def _stands(text: str, pattern: re.Pattern[str], excepted: re.Pattern[str] | None) -> bool:
    spared = [match.span() for match in excepted.finditer(text)] if excepted else []
    for match in pattern.finditer(text):
        inside = any(start <= match.start() and match.end() <= end for start, end in spared)
        if not inside and not _NEGATED.search(text[: match.start()]):
            return True
    return False


@functools.cache
def _patterns(name: str) -> tuple[re.Pattern[str] | None, re.Pattern[str] | None]:
    to = code_sets()[name]
    begins = [rf"\b{re.escape(phrase)}" for phrase in to.phrases]
    whole = [rf"\b{re.escape(word)}\b" for word in to.words]
    spared = [rf"\b{re.escape(phrase)}\w*" for phrase in to.except_phrases]
    return (
        re.compile("|".join([*begins, *whole])) if begins or whole else None,
        re.compile("|".join(spared)) if spared else None,
    )
