"""What an infusion pump says it has given, held against order, record and book. It is read, never commanded."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from limen.care.alarm_limits import span
from limen.care.alarm_state import Sample
from limen.knowledge.devices import PumpTolerance, device_rules

# A counter never runs back; what falls by less is the pump's own rounding.
_ROUNDING_mL = 0.05


@dataclass(frozen=True, slots=True)
class PumpVolume:
    """The volume that the pumps of a session counted.

    Attributes
    ----------
    volume_mL : float or None
        What ran in the session; ``None`` where no pump was read.
    rate_mL_per_h : float or None
        The newest rate that a pump gave.
    read_t_s : float or None
        When the newest volume was read.
    notes : tuple of str
        What a reader must know: a counter that was cleared or not read before the start, readings passed over.
    """

    volume_mL: float | None
    rate_mL_per_h: float | None = None
    read_t_s: float | None = None
    devices: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PumpRow:
    """The pump against one other account of the same drug."""

    what: str
    expected_mL: float | None
    difference_mL: float | None
    allowed_mL: float | None
    agrees: bool | None
    said: str


@dataclass(frozen=True, slots=True)
class PumpAccount:
    """The pump's volume and everything it was held against."""

    pump: PumpVolume
    rows: tuple[PumpRow, ...]
    verification: str

    @property
    def agrees(self) -> bool | None:
        """Whether nothing differs by more than the tolerance; ``None`` where nothing could be compared."""
        known = [row.agrees for row in self.rows if row.agrees is not None]
        return all(known) if known else None

    def to_json(self) -> dict[str, Any]:
        """The account as JSON, with its own ``agrees``."""
        return {**asdict(self), "agrees": self.agrees}


def pump_volume(readings: Iterable[Sample], *, start_t_s: float | None = None) -> PumpVolume:
    """The volume counted in a session, from readings of running counters.

    Parameters
    ----------
    readings : iterable of Sample
        ``PUMP_VOLUME`` in mL and ``PUMP_RATE`` in mL/h; others are passed over.
    start_t_s : float, optional
        When the drug began to run. What a counter showed before belongs to somebody else, and so does what it shows
        first where nobody wrote down that a drug runs.

    Examples
    --------
    >>> counts = [(0, 120.0), (60, 121.0), (120, 0.0), (180, 1.5)]
    >>> read = pump_volume([Sample(t_s, t_s, "PUMP_VOLUME", mL, "P1") for t_s, mL in counts], start_t_s=10)
    >>> read.volume_mL, read.notes
    (2.5, ('P1: the counter was cleared at 2:00',))
    """
    by_device: dict[str, list[Sample]] = {}
    rates: list[Sample] = []
    for sample in readings:
        if sample.value is None or sample.value < 0:
            continue
        if sample.signal == "PUMP_VOLUME":
            by_device.setdefault(sample.device, []).append(sample)
        elif sample.signal == "PUMP_RATE":
            rates.append(sample)
    rate = max(rates, key=lambda sample: sample.t_s).value if rates else None
    if not by_device:
        return PumpVolume(None, rate, notes=("no pump was read",))
    total = 0.0
    notes: list[str] = []
    for device, found in sorted(by_device.items()):
        ran, said = _counted(sorted(found, key=lambda sample: (sample.t_s, sample.seq or 0)), start_t_s)
        total += ran
        notes += [f"{device or 'the pump'}: {word}" for word in said]
    newest = max(sample.t_s for found in by_device.values() for sample in found)
    return PumpVolume(round(total, 3), rate, newest, tuple(sorted(by_device)), tuple(notes))


def _counted(found: Sequence[Sample], start_t_s: float | None) -> tuple[float, list[str]]:
    """The rises of one counter; a fall that the next reading takes back was no fall."""
    before = found[:1] if start_t_s is None else [sample for sample in found if sample.t_s <= start_t_s]
    after = found[len(before) :]
    level = _number(before[-1]) if before else 0.0
    notes = []
    if not before and after and _number(after[0]) > 0:
        notes.append(f"not read before the drug began to run; its counter is taken as it stood at {span(after[0].t_s)}")
    ran, strays = 0.0, 0
    for index, sample in enumerate(after):
        value = _number(sample)
        if value >= level - _ROUNDING_mL:
            ran += max(0.0, value - level)
            level = max(level, value)
        elif index + 1 < len(after) and _number(after[index + 1]) >= level - _ROUNDING_mL:
            strays += 1
        else:
            notes.append(f"the counter was cleared at {span(sample.t_s)}")
            ran += value
            level = value
    if strays:
        notes.append(f"{strays} stray readings passed over")
    return ran, notes


def _number(sample: Sample) -> float:
    return float(sample.value or 0.0)


def pump_account(
    pump: PumpVolume,
    *,
    ordered_mL: float | None,
    recorded_mL: float | None,
    given_mL: float | None,
    drawn_mL: float | None,
    unread_mL: float = 0.0,
    tolerance: PumpTolerance | None = None,
) -> PumpAccount:
    """The pump against the order, the record and the book.

    Parameters
    ----------
    ordered_mL : float or None
        The volume of the signed order.
    recorded_mL : float or None
        What the session's events say had run when the pump was read.
    unread_mL : float
        What they say ran after that. Where it is more than a pump may be off, nothing that counts to the end is
        compared: a pump that is not read any more does not differ.
    given_mL, drawn_mL : float or None
        What the book says was given, and drawn up: no pump can give more than was drawn up.

    Returns
    -------
    PumpAccount
        A row for each, with the tolerance that was used. What is not known is said, not passed over.
    """
    rule = tolerance or device_rules().pump_tolerance
    rows = (
        _row("ordered", ordered_mL, pump, rule, unread_mL=unread_mL),
        _row("recorded", recorded_mL, pump, rule),
        _row("given in the book", given_mL, pump, rule, unread_mL=unread_mL),
        _row("drawn up", drawn_mL, pump, rule, at_most=True),
    )
    return PumpAccount(pump, rows, rule.verification.value)


def _row(
    what: str,
    expected_mL: float | None,
    pump: PumpVolume,
    rule: PumpTolerance,
    *,
    at_most: bool = False,
    unread_mL: float = 0.0,
) -> PumpRow:
    if pump.volume_mL is None or expected_mL is None:
        missing = "no pump was read" if pump.volume_mL is None else "not known"
        return PumpRow(what, expected_mL, None, None, None, f"{what}: {missing}")
    if unread_mL > rule.allowed_mL(expected_mL):
        read = "" if pump.read_t_s is None else f" at {span(pump.read_t_s)}"
        said = f"{what} {expected_mL:g} mL: not compared, the pump was read last{read}, {unread_mL:g} mL before the end"
        return PumpRow(what, expected_mL, None, None, None, said)
    difference = round(pump.volume_mL - expected_mL, 3)
    allowed = round(rule.allowed_mL(expected_mL), 3)
    agrees = (difference if at_most else abs(difference)) <= allowed
    word = "agrees" if agrees else "DIFFERS"
    said = (
        f"{what} {expected_mL:g} mL, pump {pump.volume_mL:g} mL: {difference:+g} mL, {word} "
        f"(allowed {'+' if at_most else '±'}{allowed:g} mL)"
    )
    return PumpRow(what, expected_mL, difference, allowed, agrees, said)


@dataclass(frozen=True, slots=True)
class PumpNow:
    """The newest volume of a pump against what the record says had run when it was read.

    Attributes
    ----------
    agrees : bool or None
        Whether the difference is within the tolerance; ``None`` where one side is not known.
    since_t_s : float or None
        From which reading on the pump differs; ``None`` where it agrees. A pump that agrees again in between begins
        anew.
    """

    read_t_s: float | None
    volume_mL: float | None
    expected_mL: float | None
    difference_mL: float | None = None
    allowed_mL: float | None = None
    agrees: bool | None = None
    since_t_s: float | None = None


def pump_now(
    readings: Iterable[Sample],
    recorded_mL: Callable[[float], float | None],
    *,
    start_t_s: float | None = None,
    tolerance: PumpTolerance | None = None,
) -> PumpNow:
    """Hold the pump against the record at the moment it was read: a pump that is not read any more does not differ.

    Parameters
    ----------
    recorded_mL : callable
        What the session's events say has run by a time (s of the session).

    Examples
    --------
    >>> counts = [(t_s, t_s / 60) for t_s in range(0, 660, 60)] + [(t_s, 10.0) for t_s in range(660, 1260, 60)]
    >>> found = pump_now(
    ...     [Sample(t_s, t_s, "PUMP_VOLUME", mL, "P1") for t_s, mL in counts], lambda t_s: t_s / 60, start_t_s=0
    ... )
    >>> found.volume_mL, found.expected_mL, found.difference_mL, found.agrees, found.since_t_s
    (10.0, 20.0, -10.0, False, 660)
    """
    rule = tolerance or device_rules().pump_tolerance
    known = sorted(
        (one for one in readings if one.signal == "PUMP_VOLUME" and one.value is not None and one.value >= 0),
        key=lambda one: (one.t_s, one.seq or 0),
    )

    def at(place: int) -> PumpNow:
        read = pump_volume(known[: place + 1], start_t_s=start_t_s)
        t_s = known[place].t_s
        expected_mL = recorded_mL(t_s)
        if read.volume_mL is None or expected_mL is None:
            return PumpNow(t_s, read.volume_mL, expected_mL)
        row = _row("recorded", expected_mL, read, rule)
        return PumpNow(t_s, read.volume_mL, round(expected_mL, 3), row.difference_mL, row.allowed_mL, row.agrees)

    if not known:
        return PumpNow(None, None, None)
    newest = at(len(known) - 1)
    if newest.agrees is not False:
        return newest
    first = bisect_left(range(len(known)), True, key=lambda place: at(place).agrees is False)
    return replace(newest, since_t_s=known[first].t_s)
