"""Trouble that is asked for in words: which chair, when, what, for how long."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from limen.errors import InputError
from limen.simulator.chair import VirtualChair
from limen.simulator.deterioration import Illness, find_deterioration
from limen.simulator.faults import KINDS, Fault
from limen.units import parse_duration_min

_KEYS = ("chair", "at", "kind", "for", "signal", "amount")


@dataclass(frozen=True, slots=True)
class Trouble:
    """One fault or deterioration.

    Attributes
    ----------
    chair : int or None
        Number of the chair, from 1; ``None`` for every one.
    at_s : float
        In the patient's own time.
    """

    kind: str
    at_s: float
    for_s: float | None = None
    chair: int | None = None
    signal: str | None = None
    amount_s: float = -3600.0

    def make(self) -> Fault | Illness:
        """The fault or illness itself.

        Raises
        ------
        InputError
            If the kind is neither.
        """
        if self.kind in KINDS:
            end_s = math.inf if self.for_s is None else self.at_s + self.for_s
            return Fault(self.kind, self.at_s, end_s, self.signal, self.amount_s)  # type: ignore[arg-type]
        return Illness(find_deterioration(self.kind), self.at_s, self.for_s)

    def befall(self, chair: VirtualChair) -> None:
        """Let it come over a chair."""
        made = self.make()
        if isinstance(made, Fault):
            chair.faults.append(made)
        else:
            chair.illnesses.append(made)


def parse_trouble(text: str, *, where: str = "trouble") -> Trouble:
    """Trouble from words such as ``chair=2,at=10min,kind=probe-off,for=3min``.

    Raises
    ------
    InputError
        If a key, a time or the kind is unknown.

    Examples
    --------
    >>> parse_trouble("chair=2,at=10min,kind=probe-off,for=3min")
    Trouble(kind='probe-off', at_s=600.0, for_s=180.0, chair=2, signal=None, amount_s=-3600.0)
    """
    given: dict[str, str] = {}
    for part in text.split(","):
        key, equals, value = part.strip().partition("=")
        if not equals or key not in _KEYS or key in given:
            raise InputError(
                f"cannot read {part.strip()!r:.60}", where=where, allowed="KEY=VALUE of " + ", ".join(_KEYS)
            )
        given[key] = value.strip()
    return trouble_of(given, where=where)


def trouble_of(given: dict[str, Any], *, where: str = "trouble") -> Trouble:
    """The same from keys and values."""
    unknown = sorted(set(given) - set(_KEYS))
    if unknown:
        raise InputError(f"unknown key {unknown[0]!r}", where=where, allowed=", ".join(_KEYS))
    if not given.get("kind"):
        raise InputError("names no kind", where=where, allowed="kind=" + "|".join(KINDS))
    chair = str(given.get("chair", "")).strip()
    if chair and not (chair.isascii() and chair.isdigit() and int(chair) > 0):
        raise InputError(f"chair {chair!r:.20}", where=where, allowed="a number from 1")
    made = Trouble(
        kind=str(given["kind"]),
        at_s=seconds(given.get("at", "0 s"), where=f"{where}.at"),
        for_s=seconds(given["for"], where=f"{where}.for") if given.get("for") else None,
        chair=int(chair) if chair else None,
        signal=given.get("signal") or None,
        amount_s=seconds(given["amount"], where=f"{where}.amount") if given.get("amount") else -3600.0,
    )
    made.make()  # an unknown kind or signal is refused here, with the names there are
    return made


def seconds(text: str, *, where: str) -> float:
    """Seconds of a time such as ``10 min``, ``90 s`` or ``-1 h``.

    Examples
    --------
    >>> seconds("10min", where="at"), seconds("-1 h", where="amount")
    (600.0, -3600.0)
    """
    plain = str(text).strip()
    sign = -1.0 if plain.startswith("-") else 1.0
    return round(sign * 60.0 * parse_duration_min(plain.removeprefix("-"), where=where), 6)
