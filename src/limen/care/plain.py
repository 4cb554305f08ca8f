"""Numbers as a person writes them: without the last digits that floats make up."""

from __future__ import annotations

from typing import SupportsFloat


def plain(number: SupportsFloat) -> float:
    """Twelve significant digits: far finer than anything measured, and 114.1 where floats say 114.10000000000001.

    Examples
    --------
    >>> plain(0.35 * 81.5 * 4), plain(60 * 0.16 / 31)
    (114.1, 0.309677419355)
    """
    return float(f"{float(number):.12g}")
