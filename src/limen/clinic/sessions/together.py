"""Batches that wait at the same moment are taken at once: on SQLite each transaction costs a wait for the disk.

A floor of fifty chairs sends fifty batches a second. While some are on their way to the disk the others gather, and the
next of them takes all that have gathered. Nobody is answered before the transaction that holds their batch has ended.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from django.db import OperationalError, connection

W = TypeVar("W")
A = TypeVar("A")


@dataclass(eq=False, slots=True)
class _Waiting(Generic[W, A]):
    """What one caller wants done, and what came of it."""

    wanted: W
    answer: A | Exception | None = None


class Together(Generic[W, A]):
    """The callers of one process that want the same kind of thing done.

    Parameters
    ----------
    act : callable
        Does it for several at once, in a transaction: for each in order an answer, or why it is refused.
    """

    def __init__(self, act: Callable[[Sequence[W]], Sequence[A | Exception]]) -> None:
        self.act = act
        self._waiting: list[_Waiting[W, A]] = []
        self._gate = threading.Lock()
        self._turn = threading.Lock()

    def do(self, wanted: W) -> A:
        """Have it done, perhaps with what others want.

        Raises
        ------
        Exception
            Why it is refused, or what kept the transaction from its end.
        """
        mine: _Waiting[W, A] = _Waiting(wanted)
        if connection.vendor != "sqlite" or connection.in_atomic_block:
            self._act([mine])
        else:
            with self._gate:
                self._waiting.append(mine)
            with self._turn:
                if mine.answer is None:
                    with self._gate:
                        group, self._waiting = self._waiting, []
                    # Not among them only where whoever took it was ended on the way.
                    self._act(group if mine in group else [*group, mine])
        if isinstance(mine.answer, Exception):
            raise mine.answer
        return cast(A, mine.answer)

    def _act(self, group: list[_Waiting[W, A]]) -> None:
        """Do it for all. Where that fails nothing of it stands, and each is tried alone.

        Not where the database was locked for as long as one waits: fifty who wait after each other would be answered in
        a quarter of an hour.
        """
        try:
            answers = self.act([waiting.wanted for waiting in group])
        except Exception as problem:  # noqa: BLE001  raised again where the caller waits
            if len(group) == 1 or _locked(problem):
                answers = [problem] * len(group)
            else:
                for waiting in group:
                    self._act([waiting])
                return
        for waiting, answer in zip(group, answers, strict=True):
            waiting.answer = answer


def _locked(problem: Exception) -> bool:
    code = getattr(problem.__cause__, "sqlite_errorcode", 0)
    return isinstance(problem, OperationalError) and code & 0xFF == sqlite3.SQLITE_BUSY
