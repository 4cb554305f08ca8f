"""The alarm of a patient who leaves the band that was forecast: low priority, and it stands until somebody has seen it.

A forecast learns from the very value that left it, and its next band may hold that value. So the alarm does not end by
a newer band alone: it ends when the value is back inside and the alarm has been acknowledged.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from typing import TYPE_CHECKING

from limen.care.alarm_limits import RANK, Crossing, shown
from limen.care.alarm_state import ExpectedBand, Slot
from limen.care.figures import figure

if TYPE_CHECKING:
    from limen.care.alarm_work import Work

RULE = "DEV-1"


def bounds(band: ExpectedBand, t_s: float) -> tuple[float, float] | None:
    """The band at a time, by straight lines; ``None`` where it says nothing.

    Examples
    --------
    >>> bounds(ExpectedBand("NIBP_SYS", (0.0, 100.0), (100.0, 110.0), (140.0, 160.0)), 50.0)
    (105.0, 150.0)
    >>> bounds(ExpectedBand("NIBP_SYS", (0.0, 100.0), (100.0, 110.0), (140.0, 160.0)), 101.0) is None
    True
    """
    if not band.t_s[0] <= t_s <= band.t_s[-1]:
        return None
    right = min(bisect_right(band.t_s, t_s), len(band.t_s) - 1)
    left = right - 1
    share = (t_s - band.t_s[left]) / (band.t_s[right] - band.t_s[left])
    return (
        band.low[left] + share * (band.low[right] - band.low[left]),
        band.high[left] + share * (band.high[right] - band.high[left]),
    )


def judge_deviation(work: Work, signal: str, value: float, measured_t_s: float) -> None:
    """Hold the newest valid value, in the signal's unit, against what was forecast for its time."""
    rules = work.watch.rules.deviation
    band = work.expected.get(signal)
    if rules is None or signal not in rules.outside_s:
        return
    key = f"deviation/{signal}"
    slot = work.slots.get(key, Slot())
    found = None if band is None else bounds(band, measured_t_s)
    outside = found is not None and not found[0] <= value <= found[1]
    if not outside:
        if slot.alarm is None:
            if slot != Slot():
                work.slots[key] = Slot()
        elif slot.alarm.acknowledged_t_s is not None and slot.alarm.t_s < work.tick.t_s:
            work.settle(key, None)
        return
    since = dict(slot.crossed_t_s).get(RANK["warn"], measured_t_s)
    if slot.alarm is None:
        slot = replace(slot, crossed_t_s=((RANK["warn"], since),))
        work.slots[key] = slot
        if measured_t_s - since >= rules.outside_s[signal] and found is not None:
            work.settle(key, _crossing(work, signal, value, found), value=value, measured_t_s=measured_t_s)


def _crossing(work: Work, signal: str, value: float, found: tuple[float, float]) -> Crossing:
    rules = work.watch.rules.deviation
    assert rules is not None  # noqa: S101  the caller has looked
    tier = work.watch.rules.tiers[rules.tier]
    over = value > found[1]
    said, low, high = _words(work, signal, value, found)
    return Crossing(
        rank=RANK[rules.tier],
        tier=rules.tier,
        rule=RULE,
        signal=signal,
        condition=f"{signal} outside forecast",
        limit=float(high if over else low),
        priority=tier.priority,
        action=tier.action,
        because=f"{work.watch.title(signal)} {said} {'over' if over else 'under'} what was forecast, "
        f"{low} to {high}. {rules.do}",
        sources=rules.sources,
        verification=rules.verification.value,
    )


def _words(work: Work, signal: str, value: float, found: tuple[float, float]) -> tuple[str, str, str]:
    """The value with its unit and both ends of the band, so that none seems to stand where it does not."""
    unit = work.watch.rules.unit_of(signal)
    if work.watch.rules.figures == "as-measured":
        return shown(value, unit), f"{round(found[0]):g}", f"{round(found[1]):g}"
    own = work.watch.own(signal, work.limits)
    said = figure(value, "", (*work.watch.edges(signal, own), *found))
    return f"{said} {unit}".rstrip(), figure(found[0], "", [float(said)]), figure(found[1], "", [float(said)])
