"""How a measured value is written: whole, unless that would put it on the other side of a limit, or on it.

Every screen, alarm and line of the rail writes a value by this one rule (``words.round`` of the live pages is the same
rule in the browser), so that the figure of a tile and the words of an alarm are the same number, and neither seems to
stand where the value does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

_MOST_PLACES = 3


def figure(value: float, unit: str, edges: Iterable[float] = ()) -> str:
    """A value in as few places as keep it on its side of every edge.

    Parameters
    ----------
    value : float
        In ``unit``, which is written after it; an empty one is not.
    edges : iterable of float
        The limits in force, in the same unit.

    Examples
    --------
    >>> figure(9.9, "/min"), figure(9.9, "/min", [10.0]), figure(9.96, "", [10.0]), figure(10.0, "", [10.0])
    ('10 /min', '9.9 /min', '9.96', '10')
    >>> figure(153.4, "", [153.6]), figure(153.7, "", [153.6]), figure(153.55, "", [153.6])
    ('153', '154', '153.55')
    """
    known = tuple(edges)
    for places in range(_MOST_PLACES + 1):
        text = str(Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))
        if all(_side(float(text), edge) == _side(value, edge) for edge in known):
            return f"{text} {unit}".rstrip()
    return f"{value!r} {unit}".rstrip()


def _side(value: float, edge: float) -> int:
    return (value > edge) - (value < edge)
