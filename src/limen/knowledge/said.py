"""What a free text says and what it denies: word beginnings found in one clause, unless a denial stands before them."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

Clause = tuple[str, ...]

_DENIALS = {"no", "not", "denies", "denied", "without", "nil"}
_FILLERS = {"any", "new", "further", "of", "a", "or", "nor", "the"}


@functools.lru_cache(maxsize=1024)
def clauses(text: str) -> tuple[Clause, ...]:
    """The clauses of a text, each as its words in lower case.

    Examples
    --------
    >>> clauses("Severe headache, no nausea")
    (('severe', 'headache'), ('no', 'nausea'))
    """
    parts = re.split(r"[,;.]|\band\b|\bbut\b|\bwith\b", text.lower())
    return tuple(tuple(re.findall(r"[a-z']+", part)) for part in parts)


def asserts(clause: Clause, words: str, vocabulary: Iterable[str]) -> bool:
    """Every word begins a word of the clause, and no denial stands before them with only listed words between.

    In doubt the text stands: a stop too many is safer than one too few.

    Parameters
    ----------
    words : str
        Beginnings of words that must all stand in the clause.
    vocabulary : iterable of str
        Beginnings of the words that a denial may reach across.

    Examples
    --------
    >>> asserts(("no", "chest", "pain"), "chest pain", ["chest", "pain"])
    False
    >>> asserts(("not", "well", "chest", "pain"), "chest pain", ["chest", "pain"])
    True
    """
    first = len(clause)
    for word in words.split():
        spot = next((index for index, said in enumerate(clause) if said.startswith(word)), None)
        if spot is None:
            return False
        first = min(first, spot)
    for said in reversed(clause[:first]):
        if said in _DENIALS:
            return False
        if said not in _FILLERS and not any(said.startswith(part) for part in vocabulary):
            return True
    return True
