"""Plays a source of samples in real time into a gateway, until it ends or is stopped."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from limen.devices.gateway import Gateway, GatewayRefusedError, goes_on
from limen.simulator.chair import VirtualChair
from limen.simulator.samples import Sample

Report = Callable[[str], None]
Moments = Iterator[tuple[float, list[Sample]]]


def moments(samples: Iterable[Sample]) -> Moments:
    """Samples in time order, grouped by their moment."""
    for t_s, group in groupby(samples, key=lambda sample: sample.t_s):
        yield t_s, list(group)


def chair_moments(
    chair: VirtualChair,
    *,
    speed_ratio: float = 1.0,
    until_s: float = math.inf,
    each: Callable[[VirtualChair], None] = lambda chair: None,
) -> Moments:
    """The moments of a virtual chair, in replayed time; a silent moment is an empty list.

    Parameters
    ----------
    speed_ratio : float
        The patient's time over replayed time.
    until_s : float
        The patient's last second.
    each : callable
        Called before each moment, as when a trainer may change the patient.
    """
    begin_s = chair.now_s
    while chair.now_s <= until_s:
        each(chair)
        due_s = (chair.now_s - begin_s) / speed_ratio
        yield due_s, [replace(sample, t_s=(sample.t_s - begin_s) / speed_ratio) for sample in chair.step()]


def play(
    source: Moments,
    gateway: Gateway,
    *,
    report: Report,
    stopped: Callable[[], bool] = lambda: False,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Offer each moment when it is due; returns how many samples the clinic took.

    Due times count from the start, so a slow answer does not shift the later ones. A batch that the clinic refuses for
    its patient, session or values is set aside and said; a device that it does not know ends the run.
    """
    begin_s = monotonic()
    taken = 0
    said = ""
    for t_s, samples in source:
        while (wait_s := begin_s + t_s - monotonic()) > 0 and not stopped():
            sleep(min(wait_s, 0.2))
        if stopped():
            break
        for measured_s, group in groupby(samples, key=lambda sample: sample.t_s):
            values = [(sample.signal, sample.value) for sample in group]
            gateway.offer(values, measured_at_s=gateway.now_s() - max(0.0, t_s - measured_s))
        count, word = send(gateway)
        taken += count
        if word != said:
            report(word or "connected")
            said = word
    return taken + send(gateway)[0]


def send(gateway: Gateway) -> tuple[int, str]:
    """Send what waits; returns how many samples the clinic took, and what is wrong in words.

    Values that the clinic refuses for what they are do not hold up those behind them.

    Raises
    ------
    GatewayRefusedError
        If the clinic does not know the device.
    """
    before = gateway.taken
    words: list[str] = []
    while True:
        try:
            gateway.flush()
        except GatewayRefusedError as problem:
            if not goes_on(problem):
                raise
            gateway.set_aside(problem)
            words.append(f"refused, not charted: {problem}")
            continue
        break
    if gateway.problem:
        words.append(f"{gateway.problem}, values are kept")
    if gateway.spool.problem:
        words.append(gateway.spool.problem)
    if gateway.ageless:
        words.append(f"{gateway.ageless} kept values not sent: the clock was set back, their age is unknown")
    if gateway.spool.dropped:
        words.append(
            f"{gateway.spool.dropped} values lost so far: the oldest where more than "
            f"{gateway.spool.capacity} wait, and what is over a day old or cannot be read"
        )
    return gateway.taken - before, "; ".join(dict.fromkeys(words))
