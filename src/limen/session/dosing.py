"""How much of the dose has been given at any second, from what was done to the pump."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from limen.session.events import (
    DoseGiven,
    Event,
    InfusionPaused,
    InfusionRateChanged,
    InfusionResumed,
    InfusionStarted,
    InfusionStopped,
)

# A rest of the dose below this is the pump's last second, not a dose stopped early: doses are shown to 0.1 mg.
_ROUNDING_MG = 0.05
_ROUNDING_S = 1e-6


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of one rate; a pause has rate 0. ``end_t_s`` is ``None`` while it runs on."""

    start_t_s: float
    end_t_s: float | None
    rate_mg_per_h: float


@dataclass(frozen=True, slots=True)
class Infusion:
    """One infusion as far as it is known.

    Attributes
    ----------
    segments : tuple of Segment
        In order of time, up to its end.
    end_t_s : float or None
        When it was stopped, or ran empty; ``None`` while it runs or is paused.
    stopped : bool
        Whether a person stopped it.
    complete : bool
        Whether the whole dose went in.
    """

    id: str
    dose_mg: float
    duration_min: float
    route: str
    concentration_mg_per_mL: float | None
    start_t_s: float
    segments: tuple[Segment, ...]
    end_t_s: float | None
    stopped: bool
    complete: bool
    paused: bool
    pump_volume_mL: float | None = None
    difference_reason: str | None = None

    def given_mg(self, at_t_s: float) -> float:
        """Milligrams given up to ``at_t_s``, never over the dose."""
        total = 0.0
        for segment in self.segments:
            end = at_t_s if segment.end_t_s is None else min(segment.end_t_s, at_t_s)
            if end > segment.start_t_s:
                total += segment.rate_mg_per_h * (end - segment.start_t_s) / 3600.0
        return min(total, self.dose_mg)

    def rate_mg_per_h(self, at_t_s: float) -> float:
        """The rate at ``at_t_s``."""
        for segment in self.segments:
            if segment.start_t_s <= at_t_s and (segment.end_t_s is None or at_t_s < segment.end_t_s):
                return segment.rate_mg_per_h
        return 0.0

    def expected_end_t_s(self, at_t_s: float) -> float | None:
        """When the dose will be in at the rate that runs now; ``None`` while it is paused."""
        if self.end_t_s is not None:
            return self.end_t_s
        rate = self.segments[-1].rate_mg_per_h
        if rate == 0.0:
            return None
        last = self.segments[-1]
        rest = self.dose_mg - self.given_mg(last.start_t_s)
        return last.start_t_s + rest / rate * 3600.0


def infusions(events: Iterable[Event], at_t_s: float) -> tuple[Infusion, ...]:
    """The infusions of a session as they stand at ``at_t_s``.

    Parameters
    ----------
    events : iterable of Event
        In order of time, corrections already applied. Events about a pump that does not run are passed over.
    at_t_s : float
        Seconds since the start of the session.
    """
    found: list[Infusion] = []
    pump: _Pump | None = None
    for event in events:
        if event.t_s > at_t_s:
            break
        if isinstance(event, InfusionStarted):
            if pump is not None:
                found.append(pump.infusion(event.t_s))
            pump = _Pump(event)
        elif pump is not None:
            pump.take(event)
    if pump is not None:
        found.append(pump.infusion(at_t_s))
    return tuple(found)


def dose_span(events: Iterable[Event], at_t_s: float) -> tuple[float | None, float | None]:
    """When the first of the dose went in, and the last; no end while a pump runs or is paused.

    Parameters
    ----------
    events : iterable of Event
        In order of time, corrections already applied.
    at_t_s : float
        Seconds since the start of the session.
    """
    listed = [event for event in events if event.t_s <= at_t_s]
    given = infusions(listed, at_t_s)
    doses = [event.t_s for event in listed if isinstance(event, DoseGiven)]
    start = min([*(entry.start_t_s for entry in given), *doses], default=None)
    if given and given[-1].end_t_s is None:
        return start, None
    return start, max([*(entry.end_t_s for entry in given if entry.end_t_s is not None), *doses], default=None)


class _Pump:
    """One infusion while its events are read."""

    def __init__(self, start: InfusionStarted) -> None:
        self.start = start
        self.rate = start.dose_mg / start.duration_min * 60.0
        self.rests: list[tuple[float, float]] = [(start.t_s, self.rate)]
        self.stop: InfusionStopped | None = None

    def take(self, event: Event) -> None:
        if self.stop is not None:
            return
        if isinstance(event, InfusionPaused):
            self.rests.append((event.t_s, 0.0))
        elif isinstance(event, InfusionResumed):
            self.rests.append((event.t_s, self.rate))
        elif isinstance(event, InfusionRateChanged):
            rate = event.rate_mg_per_h
            if rate is None and event.rate_mL_per_h is not None and self.start.concentration_mg_per_mL is not None:
                rate = event.rate_mL_per_h * self.start.concentration_mg_per_mL
            if rate is not None:
                self.rate = rate
                paused = self.rests[-1][1] == 0.0
                self.rests.append((event.t_s, 0.0 if paused else rate))
        elif isinstance(event, InfusionStopped):
            self.stop = event

    def infusion(self, at_t_s: float) -> Infusion:
        start = self.start
        segments: list[Segment] = []
        left = start.dose_mg
        end: float | None = None
        stop_t_s = self.stop.t_s if self.stop is not None else None
        for index, (begin, rate) in enumerate(self.rests):
            until = self.rests[index + 1][0] if index + 1 < len(self.rests) else stop_t_s
            empty = begin + left / rate * 3600.0 if rate > 0 else None
            if empty is not None and (until if until is not None else at_t_s) >= empty - _ROUNDING_S:
                segments.append(Segment(begin, empty, rate))
                left, end = 0.0, empty
                break
            segments.append(Segment(begin, until, rate))
            if until is not None:
                left -= rate * (until - begin) / 3600.0
        if end is None:
            end = stop_t_s
        return Infusion(
            id=start.id or "",
            dose_mg=start.dose_mg,
            duration_min=start.duration_min,
            route=start.route,
            concentration_mg_per_mL=start.concentration_mg_per_mL,
            start_t_s=start.t_s,
            segments=tuple(segments),
            end_t_s=end,
            stopped=self.stop is not None,
            complete=left < _ROUNDING_MG,
            paused=end is None and segments[-1].rate_mg_per_h == 0.0,
            pump_volume_mL=self.stop.pump_volume_mL if self.stop else None,
            difference_reason=self.stop.difference_reason if self.stop else None,
        )
