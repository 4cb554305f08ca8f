"""Does a session close: drawn against given, wasted and returned; ordered against given; given against pumped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from limen.ledger.amounts import ZERO, show_mg
from limen.ledger.book import effective
from limen.ledger.lines import Entry, Line


@dataclass(frozen=True, slots=True)
class Difference:
    """Two amounts that need not agree, and what explains it where they do not."""

    what: str
    expected_mg: Decimal
    actual_mg: Decimal
    explained_by: tuple[str, ...] = ()

    @property
    def difference_mg(self) -> Decimal:
        return self.actual_mg - self.expected_mg

    @property
    def agrees(self) -> bool:
        """Whether the two are the same to 0.0 mg."""
        return show_mg(round(self.difference_mg, 1)) == "0.0"

    @property
    def explained(self) -> bool:
        """Nothing to explain, or explained."""
        return self.agrees or bool(self.explained_by)

    def to_json(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "expected_mg": show_mg(self.expected_mg),
            "actual_mg": show_mg(self.actual_mg),
            "difference_mg": show_mg(self.difference_mg),
            "explained_by": list(self.explained_by),
            "explained": self.explained,
        }


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The account of one session. It closes when nothing is left in a syringe and every difference is explained."""

    session: str
    drawn_mg: Decimal
    given_mg: Decimal
    wasted_mg: Decimal
    returned_mg: Decimal
    vials: tuple[str, ...]
    differences: tuple[Difference, ...]

    @property
    def open_mg(self) -> Decimal:
        """Drawn and not accounted for."""
        return self.drawn_mg - self.given_mg - self.wasted_mg - self.returned_mg

    @property
    def unexplained(self) -> tuple[Difference, ...]:
        return tuple(difference for difference in self.differences if not difference.explained)

    @property
    def closes(self) -> bool:
        return self.open_mg == 0 and not self.unexplained

    def to_json(self) -> dict[str, Any]:
        return {
            "session": self.session,
            "drawn_mg": show_mg(self.drawn_mg),
            "given_mg": show_mg(self.given_mg),
            "wasted_mg": show_mg(self.wasted_mg),
            "returned_mg": show_mg(self.returned_mg),
            "open_mg": show_mg(self.open_mg),
            "vials": list(self.vials),
            "differences": [difference.to_json() for difference in self.differences],
            "closes": self.closes,
        }


def reconcile(
    entries: Sequence[Entry | Line],
    session: str,
    *,
    ordered_mg: Decimal | None = None,
    pumped_mg: Decimal | None = None,
    order_explained_by: Sequence[str] = (),
    pump_explained_by: Sequence[str] = (),
) -> Reconciliation:
    """The account of one session.

    Parameters
    ----------
    entries : sequence of Entry or Line
        Every entry of the session and every correction of one; more does no harm.
    ordered_mg : Decimal, optional
        The dose that was signed.
    pumped_mg : Decimal, optional
        The pump's volume times the concentration in it.
    order_explained_by, pump_explained_by : sequence of str
        The events that explain a difference, such as "stopped at 22 min: nausea".

    Examples
    --------
    >>> lines = [
    ...     Line("receive", "V1", Decimal("50.0"), "omar", "k1"),
    ...     Line("draw", "V1", Decimal("35.0"), "nora", "k2", witness="pia", session="S1"),
    ...     Line("give", "V1", Decimal("30.0"), "nora", "k3", session="S1"),
    ... ]
    >>> account = reconcile(lines, "S1", ordered_mg=Decimal("35.0"))
    >>> account.open_mg, account.closes, [difference.what for difference in account.unexplained]
    (Decimal('5.0'), False, ['ordered against given'])
    """
    own = [(line, amount) for line, amount in effective(entries) if line.session == session]
    moved = {
        kind: sum((amount for line, amount in own if line.kind == kind), ZERO)
        for kind in ("draw", "give", "waste", "return")
    }
    given = moved["give"]
    differences = []
    if ordered_mg is not None:
        differences.append(Difference("ordered against given", ordered_mg, given, tuple(order_explained_by)))
    if pumped_mg is not None:
        differences.append(Difference("pumped against given", pumped_mg, given, tuple(pump_explained_by)))
    return Reconciliation(
        session=session,
        drawn_mg=moved["draw"],
        given_mg=given,
        wasted_mg=moved["waste"],
        returned_mg=moved["return"],
        vials=tuple(sorted({line.vial for line, _ in own})),
        differences=tuple(differences),
    )
