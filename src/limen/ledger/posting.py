"""Whether a line may be written, and the entry it becomes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from limen.errors import InputError, RefusedError
from limen.ledger.book import MOVES, fold
from limen.ledger.chain import seal
from limen.ledger.lines import Entry, Line

NEEDS_WITNESS = ("draw", "waste", "destroy")
NEEDS_SESSION = ("draw", "give", "waste", "return")
NEEDS_REASON = ("waste", "lose", "destroy", "correct")


def post(book: Sequence[Entry], line: Line, *, at: datetime, position: int, prev_hash: str) -> Entry:
    """The entry that a line becomes.

    Parameters
    ----------
    book : sequence of Entry
        The entries of the line's vial in the order of the book, with the entry of the same key if there is one.
    at : datetime
        Now, aware.
    position, prev_hash : int, str
        The next place in the site's chain and the hash of the entry before it (empty for the first).

    Returns
    -------
    Entry
        The new entry; or, where the same line was written before, the entry that stands.

    Raises
    ------
    InputError
        If the line lacks what its kind needs.
    RefusedError
        If it would take out more than is there, the vial is unknown, one person stands in both places, or the key was
        used for another line.

    Examples
    --------
    >>> from datetime import UTC
    >>> from decimal import Decimal
    >>> line = Line("receive", "V1", Decimal("50.0"), "omar", "k1")
    >>> entry = post([], line, at=datetime(2026, 11, 22, tzinfo=UTC), position=1, prev_hash="")
    >>> post([entry], line, at=datetime(2026, 11, 23, tzinfo=UTC), position=2, prev_hash=entry.hash) is entry
    True
    """
    if at.tzinfo is None:
        raise InputError(f"the time {at} names no zone", where="at", allowed="a time with its zone")
    before = next((entry for entry in book if entry.key == line.key), None)
    if before is not None:
        if before.line.content() == line.content():
            return before
        raise RefusedError(
            f"the key {line.key!r} was used for another line, entry {before.position}",
            where="key",
            allowed="a new key for a new line",
        )
    _check_people(line)
    _check_needs(line)
    own = [entry for entry in book if entry.vial == line.vial]
    if not own and line.kind != "receive":
        raise RefusedError(f"unknown vial {line.vial!r}", where="vial", allowed="a vial that was received")
    if line.corrects is not None:
        _check_correction(own, line)
    fold([*own, line])
    return Entry(position, line, at, prev_hash, seal(position, line, at, prev_hash))


def _check_people(line: Line) -> None:
    if line.witness is not None and line.witness.casefold() == line.by.casefold():
        raise RefusedError(f"{line.by} cannot witness their own act", where="witness", allowed="a second person")
    if line.witness is None and line.kind in NEEDS_WITNESS:
        raise InputError(f"{line.kind} needs a second person", where="witness", allowed="the second person's user name")


def _check_needs(line: Line) -> None:
    if line.session is None and line.kind in NEEDS_SESSION:
        raise InputError(f"{line.kind} without a session", where="session", allowed="the session it is for")
    if line.reason is None and line.kind in NEEDS_REASON:
        raise InputError(f"{line.kind} without a reason", where="reason", allowed="why, in a few words")
    if line.corrects is not None and line.kind != "correct":
        raise InputError(f"corrects on a {line.kind} line", where="corrects", allowed="on correct only")
    if line.kind == "correct" and line.corrects is None and line.witness is None:
        raise InputError(
            "a correction of what is on hand needs a second person", where="witness", allowed="their user name"
        )


def _check_correction(own: Sequence[Entry], line: Line) -> None:
    wrong = next((entry for entry in own if entry.key == line.corrects), None)
    if wrong is None or wrong.kind not in MOVES:
        raise RefusedError(
            f"no entry of vial {line.vial} with the key {line.corrects!r} that moved drug",
            where="corrects",
            allowed="the key of an entry of the same vial",
        )
    if wrong.line.session != line.session:
        raise RefusedError(
            f"entry {wrong.position} belongs to session {wrong.line.session}",
            where="session",
            allowed="the session of the entry it corrects",
        )
    if wrong.kind in NEEDS_WITNESS and line.witness is None:
        raise InputError(
            f"the correction of a {wrong.kind} needs a second person", where="witness", allowed="their user name"
        )
