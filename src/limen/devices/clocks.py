"""Clocks of devices: one that never jumps for ages, and how far another one is off."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")
# Enough to outvote a stray time stamp, few enough to follow a clock that was set within seconds.
WINDOW = 15
# Between differences of one clock: stamps are to the second, and the way takes now more, now less.
STEADY_S = 3.0
# Messages that are compared with each other were written at least so far apart: a burst of one moment says nothing.
APART_S = 1.0


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


class DeviceClock:
    """How late a message is, by the clock of the device that wrote it, however wrong that clock may be.

    A message that waited on its way looks like one of a clock that is behind. What tells them apart is their pace:
    messages that waited come faster than they were written, a clock that was set goes on as ours does. So a clock is
    taken to be further behind only once the newest messages agree how far.

    Attributes
    ----------
    ahead_s : float or None
        How far it is taken to be ahead; ``None`` before its first message.

    Examples
    --------
    >>> clock = DeviceClock()
    >>> clock.late_s(925.0, 1000.0), clock.late_s(926.0, 1061.0)
    (0.0, 60.0)
    """

    def __init__(self, ahead_s: float | None = None) -> None:
        self.ahead_s = ahead_s
        self._newest: list[float] = []
        self._compared_s = -math.inf

    def late_s(self, stamp_s: float, now_s: float) -> float:
        """Seconds that a message of this stamp, which came now, was on its way beyond what is usual."""
        ahead_s = stamp_s - now_s
        if abs(stamp_s - self._compared_s) >= APART_S:
            self._compared_s = stamp_s
            self._newest = with_offset(self._newest, ahead_s)
        usual_s = statistics.median(self._newest)
        steady = len(self._newest) == WINDOW and max(self._newest) - min(self._newest) <= STEADY_S
        if self.ahead_s is None or steady or usual_s > self.ahead_s:
            self.ahead_s = usual_s
        late_s = self.ahead_s - ahead_s
        return round(late_s, 3) if late_s > STEADY_S else 0.0
