"""Clocks of devices: one that never jumps for ages, and how far another one is off."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")
# Enough to outvote a stray time stamp, few enough to follow a clock that was set within seconds.
WINDOW = 15


def uptime_s() -> float:
    """Seconds since this machine started; nobody can set it."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def boot_id() -> str:
    """Names this start of the machine; empty where the system does not say."""
    try:
        return _BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return ""


class SteadyClock:
    """Seconds since the epoch that go on evenly, whoever sets the clock of the machine.

    Parameters
    ----------
    offset_s : float, optional
        Epoch minus uptime. A process that goes on with values of an earlier one takes that one's offset.
    """

    def __init__(
        self,
        offset_s: float | None = None,
        *,
        wall: Callable[[], float] = time.time,
        uptime: Callable[[], float] = uptime_s,
    ) -> None:
        self._uptime = uptime
        self.offset_s = wall() - uptime() if offset_s is None else offset_s

    def __call__(self) -> float:
        return self.offset_s + self._uptime()


def with_offset(offsets_s: Sequence[float], newest_s: float) -> list[float]:
    """The newest differences between two clocks, one more at the end."""
    return [*offsets_s, newest_s][-WINDOW:]


def skew_s(offsets_s: Sequence[float]) -> float | None:
    """How far a clock is ahead: the median of the newest differences, which no single stray stamp can move.

    Each difference is short by the time its message travelled, so the estimate is too.

    Examples
    --------
    >>> skew_s([0.1, 0.2, -3600.0, 0.1, 0.3])
    0.1
    >>> skew_s([]) is None
    True
    """
    return round(statistics.median(offsets_s), 3) if offsets_s else None
