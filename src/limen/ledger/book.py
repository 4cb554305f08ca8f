"""What the entries add up to: for each vial, and for each account of the double entry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from limen.errors import RefusedError
from limen.ledger.amounts import ZERO, show_mg
from limen.ledger.lines import Entry, Line

MOVES = ("receive", "draw", "give", "waste", "return", "lose", "destroy")
"""The kinds that move drug; ``transfer`` changes custody, ``count`` looks, ``correct`` replaces."""


@dataclass(slots=True)
class VialState:
    """One vial after its entries. ``syringes``, by session: what is drawn and not yet given, wasted or returned."""

    vial: str
    received_mg: Decimal = ZERO
    drawn_mg: Decimal = ZERO
    given_mg: Decimal = ZERO
    wasted_mg: Decimal = ZERO
    returned_mg: Decimal = ZERO
    lost_mg: Decimal = ZERO
    destroyed_mg: Decimal = ZERO
    adjusted_mg: Decimal = ZERO
    unexplained_mg: Decimal = ZERO
    syringes: dict[str, Decimal] = field(default_factory=dict)

    @property
    def in_syringe_mg(self) -> Decimal:
        return sum(self.syringes.values(), ZERO)

    @property
    def on_hand_mg(self) -> Decimal:
        """What the book says is in the vial."""
        left = self.received_mg - self.drawn_mg + self.returned_mg
        return left - self.lost_mg - self.destroyed_mg + self.adjusted_mg

    def to_json(self) -> dict[str, str]:
        names = ("received", "drawn", "given", "wasted", "returned", "in_syringe", "on_hand", "unexplained")
        more = ("lost", "destroyed", "adjusted")
        return {
            "vial": self.vial,
            **{f"{name}_mg": show_mg(getattr(self, f"{name}_mg")) for name in (*names, *more)},
        }


def fold(entries: Iterable[Entry | Line]) -> dict[str, VialState]:
    """Each vial's state after its entries, corrections applied.

    Parameters
    ----------
    entries : iterable of Entry or Line
        In the order of the book; those of one vial are enough for that vial.

    Raises
    ------
    RefusedError
        If more leaves a vial or a syringe than is in it.
    """
    states: dict[str, VialState] = {}
    for line, amount in effective(entries):
        state = states.setdefault(line.vial, VialState(line.vial))
        _apply(state, line, amount)
    return states


def effective(entries: Iterable[Entry | Line]) -> list[tuple[Line, Decimal]]:
    """Each line with the amount that counts: its own, or that of the last correction of it."""
    lines = [item.line if isinstance(item, Entry) else item for item in entries]
    right = {line.corrects: line.amount_mg for line in lines if line.kind == "correct" and line.corrects}
    return [(line, right.get(line.key, line.amount_mg)) for line in lines]


def _apply(state: VialState, line: Line, amount: Decimal) -> None:
    kind, session = line.kind, line.session or ""
    if kind == "receive":
        state.received_mg += amount
    elif kind == "draw":
        _enough(amount, state.on_hand_mg, f"vial {state.vial} holds", "draw")
        state.drawn_mg += amount
        state.syringes[session] = state.syringes.get(session, ZERO) + amount
    elif kind in ("give", "waste", "return"):
        held = state.syringes.get(session, ZERO)
        _enough(amount, held, f"the syringe of session {session} from vial {state.vial} holds", kind)
        state.syringes[session] = held - amount
        if kind == "give":
            state.given_mg += amount
        elif kind == "waste":
            state.wasted_mg += amount
        else:
            state.returned_mg += amount
    elif kind in ("lose", "destroy", "transfer"):
        _enough(amount, state.on_hand_mg, f"vial {state.vial} holds", kind)
        if kind == "lose":
            state.lost_mg += amount
            # A loss that is found by a count explains it; a loss beyond that is new, and left the vial too.
            state.unexplained_mg -= min(max(state.unexplained_mg, ZERO), amount)
        elif kind == "destroy":
            state.destroyed_mg += amount
    elif kind == "count":
        state.unexplained_mg = state.on_hand_mg - amount
    elif kind == "correct" and line.corrects is None:
        state.adjusted_mg += amount - state.on_hand_mg
        state.unexplained_mg = ZERO


def _enough(amount: Decimal, held: Decimal, whose: str, verb: str) -> None:
    if amount > held:
        raise RefusedError(
            f"cannot {verb} {show_mg(amount)} mg: {whose} {show_mg(held)} mg",
            where="amount_mg",
            allowed=f"up to {show_mg(held)} mg",
        )


def balance(entries: Iterable[Entry | Line]) -> dict[str, list[dict[str, str]]]:
    """The balance of every vial, as ``limen ledger balance`` prints it.

    Examples
    --------
    >>> received = Line("receive", "V1", Decimal("50.0"), "omar", "k1")
    >>> drawn = Line("draw", "V1", Decimal("35.0"), "nora", "k2", witness="pia", session="S1")
    >>> vial = balance([received, drawn])["vials"][0]
    >>> vial["drawn_mg"], vial["in_syringe_mg"], vial["on_hand_mg"], vial["unexplained_mg"]
    ('35.0', '35.0', '15.0', '0.0')
    """
    return {"vials": [state.to_json() for _, state in sorted(fold(entries).items())]}


def accounts(entries: Iterable[Entry | Line]) -> dict[str, Decimal]:
    """The double entry: what stands in each account. The sum over all accounts is always 0.

    Accounts are ``supplier``, ``vial:<vial>``, ``syringe:<session>``, ``patient:<session>``, ``waste``, ``lost``,
    ``destroyed`` and ``adjustment``.
    """
    totals: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for line, amount in effective(entries):
        vial, syringe = f"vial:{line.vial}", f"syringe:{line.session}"
        legs = {
            "receive": ("supplier", vial),
            "transfer": (vial, vial),
            "draw": (vial, syringe),
            "give": (syringe, f"patient:{line.session}"),
            "waste": (syringe, "waste"),
            "return": (syringe, vial),
            "lose": (vial, "lost"),
            "destroy": (vial, "destroyed"),
        }
        moved = amount
        if line.kind == "correct" and line.corrects is None:
            legs["correct"] = ("adjustment", vial)
            moved = amount - totals[vial]
        if line.kind in legs:
            source, target = legs[line.kind]
            totals[source] -= moved
            totals[target] += moved
    return dict(totals)
