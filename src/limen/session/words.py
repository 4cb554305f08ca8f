"""Words that staff use for a grade, as numbers."""

from __future__ import annotations

from typing import Any

_DISTRESS = {"none": 0, "no": 0, "mild": 1, "moderate": 2, "marked": 2, "severe": 3}


def distress_grade(value: Any) -> Any:
    """Distress as 0 none, 1 mild, 2 moderate, 3 severe; what is not understood comes back as it was.

    A bare yes has no grade and counts as moderate: someone should look.

    Examples
    --------
    >>> [distress_grade(value) for value in (False, True, "severe", 1)]
    [0, 2, 3, 1]
    """
    if isinstance(value, bool):
        return 2 if value else 0
    if isinstance(value, str):
        return _DISTRESS.get(value.strip().lower(), value)
    return value
