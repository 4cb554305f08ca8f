"""How fast the engine is, beside the engines of others that do the same work in the same run and agree.

A work is one module of ``limen.benchmarks.works`` with ``run() -> dict``: the contract's keys, made by
`measure.report`. Its name is the module's, with dashes.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from limen.benchmarks import works as _works
from limen.errors import InputError


def names() -> tuple[str, ...]:
    """Every work there is.

    Examples
    --------
    >>> "forecast-single" in names()
    True
    """
    return tuple(sorted(item.name.replace("_", "-") for item in pkgutil.iter_modules(_works.__path__)))


def run(work: str) -> dict[str, Any]:
    """Measure one work in this process.

    Raises
    ------
    InputError
        If there is no such work; lists those there are.
    """
    if work not in names():
        raise InputError(f"unknown work {work!r}", where="work", allowed=", ".join(names()))
    module = importlib.import_module(f"{_works.__name__}.{work.replace('-', '_')}")
    found: dict[str, Any] = module.run()
    return found
