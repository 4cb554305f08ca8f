"""What is asked of the forecast before a patient may leave: criteria, and the minimum stay of the discharge rules."""

from __future__ import annotations

from collections.abc import Sequence

from limen.care.discharge import minimum_stay
from limen.knowledge.discharge import MinimumTime, discharge
from limen.pharmacology.recovery import Criterion, Leaving, MinimumStay, default_criteria


def leaving_after(
    product: str, routes: Sequence[str], *, escort: bool | None = None, criteria: Sequence[Criterion] | None = None
) -> Leaving:
    """The criteria of recovery with the longest minimum stay of these routes.

    Parameters
    ----------
    escort : bool or None
        ``None`` while none is recorded: the stay of somebody who leaves alone.
    criteria : sequence of Criterion, optional
        A site's own; those of the product where not given.

    Examples
    --------
    >>> asked = leaving_after("racemic", ["iv"])
    >>> asked.minimum.stay_min, asked.minimum.rule
    (120.0, 'DIS-5 infusion, while no escort is recorded')
    """
    asked = tuple(criteria) if criteria is not None else default_criteria(product)
    found = [entry for route in dict.fromkeys(routes) if (entry := discharge().time_for(product, route)) is not None]
    if not found:
        return Leaving(asked)
    return Leaving(asked, max((_stay(entry, escort) for entry in found), key=lambda stay: stay.stay_min))


def _stay(entry: MinimumTime, escort: bool | None) -> MinimumStay:
    minutes, whom = minimum_stay(entry, escort)
    return MinimumStay(
        minutes,
        "end" if entry.counts_from == "end" else "start",
        f"DIS-5 {entry.id}, {whom}",
        entry.verification,
        entry.sources,
    )
