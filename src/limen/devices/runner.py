"""Plays a source of samples in real time into a gateway, until it ends or is stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from limen.devices.gateway import Gateway, GatewayRefusedError
from limen.simulator.chair import VirtualChair
from limen.simulator.samples import Sample

Report = Callable[[str], None]
Moments = Iterator[tuple[float, list[Sample]]]


def moments(samples: Iterable[Sample]) -> Moments:
    """Samples in time order, grouped by their moment."""
    for t_s, group in groupby(samples, key=lambda sample: sample.t_s):
        yield t_s, list(group)


def chair_moments(chair: VirtualChair) -> Moments:
    """The moments of a virtual chair, without end; a silent moment is an empty list."""
    index = 0
    while True:
        yield index * chair.period_s, chair.step()
        index += 1


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

    Due times count from the start, so a slow answer does not shift the later ones. A batch refused with 409 (no open
    session here) is dropped and said; another refusal ends the run.
    """
    begin_s = monotonic()
    taken = 0
    said = ""
    for t_s, samples in source:
        while (wait_s := begin_s + t_s - monotonic()) > 0 and not stopped():
            sleep(min(wait_s, 0.2))
        if stopped():
            break
        if samples:
            gateway.offer([(sample.signal, sample.value) for sample in samples])
        count, word = _send(gateway)
        taken += count
        if word != said:
            report(word or "connected")
            said = word
    return taken + _send(gateway)[0]


def _send(gateway: Gateway) -> tuple[int, str]:
    try:
        count = gateway.flush()
    except GatewayRefusedError as problem:
        if problem.status_code != 409:
            raise
        gateway.discard()
        return 0, f"refused, values dropped: {problem}"
    if gateway.spool.dropped:
        return count, f"{gateway.problem}; {gateway.spool.dropped} oldest values dropped"
    return count, f"{gateway.problem}, values are kept" if gateway.problem else ""
