"""Batches that wait at the same moment are stored in one transaction: on SQLite each costs a wait for the disk.

A floor of fifty chairs sends fifty batches a second. While one is on its way to the disk the others gather, and the
next of them takes all that have gathered. Nobody is answered before the transaction that holds their batch has ended.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from django.db import DatabaseError, connection, transaction

T = TypeVar("T")


@dataclass(eq=False, slots=True)
class _Work(Generic[T]):
    """What one caller wants stored, and what came of it."""

    act: Callable[[], T]
    done: bool = False
    value: T | None = None
    problem: Exception | None = None

    def alone(self) -> None:
        """Do it, and keep what it says or how it fails."""
        try:
            self.value = self.act()
        except Exception as problem:  # noqa: BLE001  raised again where the caller waits
            self.problem = problem


class Together:
    """The callers of one process that write the same kind of thing."""

    def __init__(self) -> None:
        self._waiting: list[_Work[Any]] = []
        self._gate = threading.Lock()
        self._turn = threading.Lock()

    def do(self, act: Callable[[], T]) -> T:
        """Do ``act`` in a transaction that others may share; its refusal concerns nobody else.

        Raises
        ------
        Exception
            Whatever ``act`` raised, or what kept the transaction from its end.
        """
        if connection.vendor != "sqlite" or connection.in_atomic_block:
            return act()
        mine: _Work[T] = _Work(act)
        with self._gate:
            self._waiting.append(mine)
        with self._turn:
            if not mine.done:
                with self._gate:
                    group, self._waiting = self._waiting, []
                # Not among them only where whoever took it was ended on the way.
                _store(group if mine in group else [*group, mine])
        if mine.problem is not None:
            raise mine.problem
        return cast(T, mine.value)


def _store(group: list[_Work[Any]]) -> None:
    if len(group) == 1 or not _in_one(group):
        for work in group:
            work.alone()
    for work in group:
        work.done = True


def _in_one(group: list[_Work[Any]]) -> bool:
    """All in one transaction; whether it ended well. Else nothing of it stands, and each has to be done alone."""
    try:
        with transaction.atomic():
            for work in group:
                work.value, work.problem = None, None
                with transaction.atomic():
                    work.alone()
                    if work.problem is not None:
                        transaction.set_rollback(True)
                if isinstance(work.problem, DatabaseError):
                    raise work.problem
    except DatabaseError:
        for work in group:
            work.value, work.problem = None, None
        return False
    return True
