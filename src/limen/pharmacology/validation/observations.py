"""The list of published observations, and the numbers that the printed parameters must give."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from importlib import resources

from pydantic import RootModel

from limen.errors import InputError, KnowledgeError
from limen.evidence import read_yaml
from limen.pharmacology.validation.schema import Check, Row

_FILES = ("concentrations", "metabolite-curves", "effects")


class _Rows(RootModel[tuple[Row, ...]]):
    pass


class _Checks(RootModel[tuple[Check, ...]]):
    pass


@functools.cache
def rows() -> tuple[Row, ...]:
    """Every published observation: 1 to 27 are concentrations, E1 to E17 effects.

    Examples
    --------
    >>> [row.id for row in rows()][:3]
    ['1', '2', '3']
    """
    folder = resources.files("limen.pharmacology.validation") / "data"
    found = tuple(row for name in _FILES for row in read_yaml(folder / f"{name}.yaml", _Rows).root)
    ids = [row.id for row in found]
    twice = sorted({item for item in ids if ids.count(item) > 1})
    if twice:
        raise KnowledgeError(f"the observation {twice[0]} stands twice", where="validation")
    return found


@functools.cache
def checks() -> tuple[Check, ...]:
    """Every model with the numbers an independent integration of its printed parameters gave.

    Examples
    --------
    >>> {check.model for check in checks()} >= {"domino", "herd-2007"}
    True
    """
    return read_yaml(resources.files("limen.pharmacology.validation") / "data" / "implementation.yaml", _Checks).root


def chosen(only: Sequence[str]) -> tuple[Row, ...]:
    """The rows with these ids, in the order of the list; all, where none is named.

    Raises
    ------
    InputError
        If there is no such row.
    """
    known = {row.id.lower(): row for row in rows()}
    for item in only:
        if item.lower() not in known:
            raise InputError(f"no observation {item!r}", where="--only", allowed="1 to 27, E1 to E17")
    wanted = {item.lower() for item in only}
    return tuple(row for row in rows() if not wanted or row.id.lower() in wanted)
