"""How far a value has been checked against its source."""

from __future__ import annotations

from enum import StrEnum


class Verification(StrEnum):
    """The mark that travels with every clinical value, from its file to the screen."""

    READ = "V"
    SECONDARY = "V2"
    UNVERIFIED = "M"
    CLINIC_RULE = "P"
    COMPUTED = "D"

    @property
    def words(self) -> str:
        """The mark in words, as screens and documents print it.

        Examples
        --------
        >>> Verification.UNVERIFIED.words
        "unverified: needs the medical director's sign-off"
        """
        return _WORDS[self]

    @property
    def rank(self) -> int:
        """0 for the weakest support; a finding that rests on several values carries the weakest mark."""
        return _RANK.index(self)


_WORDS = {
    Verification.READ: "read in source",
    Verification.SECONDARY: "read second-hand",
    Verification.UNVERIFIED: "unverified: needs the medical director's sign-off",
    Verification.CLINIC_RULE: "clinic rule",
    Verification.COMPUTED: "computed",
}
_RANK = (
    Verification.UNVERIFIED,
    Verification.CLINIC_RULE,
    Verification.COMPUTED,
    Verification.SECONDARY,
    Verification.READ,
)


def weakest(marks: list[Verification]) -> Verification:
    """The mark of a statement that rests on several values; unverified when it rests on none.

    Examples
    --------
    >>> weakest([Verification.READ, Verification.UNVERIFIED])
    <Verification.UNVERIFIED: 'M'>
    """
    return min(marks, key=lambda mark: mark.rank, default=Verification.UNVERIFIED)
