"""What a free text says and what it denies: word beginnings found in one clause, unless a denial stands before them."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

Clause = tuple[str, ...]

_DENIALS = {"no", "not", "denies", "denied", "without", "nil"}
_FILLERS = {"any", "new", "further", "of", "a", "or", "nor", "the"}


# What ends a clause: by the older reading commas and these words alone, by the newer one lines and signs as well.
_COMMAS = re.compile(r"[,;.]|\band\b|\bbut\b|\bwith\b")
_SIGNS = re.compile(r"[,;.!?()\n\r\u2013\u2014\u2028\u2029]|\s-+\s|\band\b|\bbut\b|\bwith\b")
# Tablets write an apostrophe as a quotation mark: can\u2019t is can't.
_APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc\u00b4`", "'"))


@functools.lru_cache(maxsize=1024)
def clauses(text: str, *, commas_only: bool = False) -> tuple[Clause, ...]:
    """The clauses of a text, each as its words in lower case.

    Parameters
    ----------
    commas_only : bool
        Read as older sessions were: a line, a dash or another sign ends no clause, and only ' is an apostrophe.

    Examples
    --------
    >>> clauses("Severe headache, no nausea")
    (('severe', 'headache'), ('no', 'nausea'))
    >>> clauses("No nausea! Can\u2019t breathe")
    (('no', 'nausea'), ("can't", 'breathe'))
    """
    low = text.lower()
    parts = _COMMAS.split(low) if commas_only else _SIGNS.split(low.translate(_APOSTROPHES))
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
