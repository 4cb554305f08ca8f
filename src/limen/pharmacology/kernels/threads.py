"""Whether a kernel may start threads here."""

from __future__ import annotations

import os

_owner: list[int] = []


def may_start() -> bool:
    """Whether this process may run a kernel on several threads.

    GNU OpenMP ends a process that was forked from one in which its threads have run. Such a child runs the same kernels
    on one thread, with the same answer.

    Examples
    --------
    >>> may_start()
    True
    """
    if not _owner:
        _owner.append(os.getpid())
    return _owner[0] == os.getpid()
