"""What each kind of source can carry: a page of someone who sells is never the last word, however well it was read."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from importlib import resources

from pydantic import RootModel

from limen.evidence.marks import Verification
from limen.evidence.sources import Grade, cite
from limen.evidence.yaml import Record, read_yaml


class Weight(Record):
    """One kind of source.

    Attributes
    ----------
    rank : int
        Higher weighs more where sides are compared.
    strongest : Verification
        The strongest mark of a statement that rests on such sources alone.
    """

    rank: int
    strongest: Verification
    words: str


class _Grades(RootModel[dict[Grade, Weight]]):
    pass


@functools.cache
def grades() -> dict[Grade, Weight]:
    """Every kind of source with what it can carry.

    Examples
    --------
    >>> grades()["commercial"].strongest.value, grades()["randomised-trial"].strongest.value
    ('V2', 'V')
    """
    return read_yaml(resources.files("limen.evidence") / "data" / "grades.yaml", _Grades).root


def counted_mark(verification: Verification, keys: Iterable[str]) -> Verification:
    """The mark that counts: a reading of sources that cannot carry it is brought down to what they can.

    Only the two marks of reading are brought down; a clinic rule and a computed value stay what they are.

    Raises
    ------
    KnowledgeError
        If a source is not on file.

    Examples
    --------
    >>> counted_mark(Verification.READ, ["sel-janssen-cv-conditions"]).value
    'V2'
    >>> counted_mark(Verification.READ, ["sel-janssen-cv-conditions", "sel-nct01892995"]).value
    'V'
    """
    if verification not in {Verification.READ, Verification.SECONDARY}:
        return verification
    strongest = max((grades()[cite(key).grade].strongest for key in keys), key=lambda mark: mark.rank)
    return min(verification, strongest, key=lambda mark: mark.rank)
