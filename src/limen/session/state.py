"""Events to state: one fold, and what may happen next.

The fold takes any well-formed list: an event that does not follow from those before it is kept and listed under
``irregular`` with the reason. :func:`legal` is the door for new events and refuses them instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from limen.errors import InputError, RefusedError
from limen.session.dosing import Infusion, dose_span, infusions
from limen.session.events import (
    DeviceAssociated,
    DeviceLost,
    DischargeAsked,
    Discharged,
    DoseGiven,
    EmergencyEnded,
    EmergencyStarted,
    EntryCorrected,
    Event,
    InfusionRateChanged,
    InfusionStarted,
    LimitPair,
    LimitsChanged,
    ObservationRecorded,
    OwnerChanged,
    SessionEnded,
    SessionStarted,
    SymptomReported,
    parse_event,
)
from limen.session.harm_events import AdverseEventRecorded, RescueGiven
from limen.session.header import SessionHeader

Phase = Literal["planned", "started", "running", "paused", "stopped", "recovery", "discharged", "ended"]

_PUMP = {"infusion.started", "infusion.paused", "infusion.resumed", "infusion.rate-changed", "infusion.stopped"}
_MOVES = {
    *_PUMP,
    "session.started",
    "session.ended",
    "dose.given",
    "discharged",
    "emergency.started",
    "emergency.ended",
}
_ALIVE: tuple[Phase, ...] = ("started", "running", "paused", "stopped", "recovery")

# In which phases an event may happen; a kind that is not here may happen at any time.
_WHEN: dict[str, tuple[Phase, ...]] = {
    "session.started": ("planned",),
    "infusion.started": ("started", "stopped", "recovery"),
    "infusion.paused": ("running",),
    "infusion.resumed": ("paused",),
    "infusion.rate-changed": ("running", "paused"),
    "infusion.stopped": ("running", "paused"),
    "dose.given": _ALIVE,
    "alarm.acknowledged": (*_ALIVE, "discharged"),
    "audio.paused": (*_ALIVE, "discharged"),
    "limits.changed": ("planned", *_ALIVE),
    "rescue.given": (*_ALIVE, "discharged"),
    "emergency.started": (*_ALIVE, "discharged"),
    "discharge.asked": ("started", "stopped", "recovery"),
    "discharged": ("started", "stopped", "recovery"),
    "session.ended": ("started", "stopped", "recovery", "discharged"),
}
_REASON: dict[Phase, str] = {
    "planned": "the session has not started",
    "started": "no infusion has started",
    "running": "the infusion is running",
    "paused": "the infusion is paused",
    "stopped": "the infusion has been stopped",
    "recovery": "the infusion is over",
    "discharged": "the patient has been discharged",
    "ended": "the session has ended",
}


@dataclass(frozen=True, slots=True)
class Noted:
    """A value with the second it was recorded."""

    t_s: float
    value: Any


@dataclass(frozen=True, slots=True)
class SessionState:
    """A session as it stands at ``at_t_s``.

    Attributes
    ----------
    given_mg : float
        Everything given so far: infusions to this second and doses at once.
    end_t_s : float or None
        When the last of the dose went in; ``None`` while it runs or before any was given.
    latest : mapping of str to Noted
        The newest entry of each observed key, with its time.
    symptoms : tuple of Noted
        Symptoms that stand: reported, and not gone by a later observation.
    irregular : tuple of mapping
        Events that do not follow from those before them: ``id``, ``t_s``, ``kind``, ``because``.
    """

    at_t_s: float
    phase: Phase
    started_t_s: float | None = None
    ended_t_s: float | None = None
    infusions: tuple[Infusion, ...] = ()
    doses: tuple[DoseGiven, ...] = ()
    given_mg: float = 0.0
    rate_mg_per_h: float = 0.0
    expected_end_t_s: float | None = None
    dose_start_t_s: float | None = None
    end_t_s: float | None = None
    observations: tuple[ObservationRecorded, ...] = ()
    latest: dict[str, Noted] = field(default_factory=dict)
    symptoms: tuple[Noted, ...] = ()
    adverse_events: tuple[AdverseEventRecorded, ...] = ()
    rescues: tuple[RescueGiven, ...] = ()
    limits: dict[str, LimitPair] = field(default_factory=dict)
    devices: tuple[str, ...] = ()
    owner: str | None = None
    emergency: bool = False
    asked_t_s: tuple[float, ...] = ()
    discharged_t_s: float | None = None
    corrections: tuple[EntryCorrected, ...] = ()
    irregular: tuple[dict[str, Any], ...] = ()

    @property
    def open_adverse_events(self) -> tuple[AdverseEventRecorded, ...]:
        """Adverse events without a time of resolution."""
        return tuple(entry for entry in self.adverse_events if entry.resolved_t_s is None)

    def to_json(self) -> dict[str, Any]:
        """The state for the contract; times are seconds since the start, missing is null."""
        return {
            "at_t_s": self.at_t_s,
            "phase": self.phase,
            "started_t_s": self.started_t_s,
            "ended_t_s": self.ended_t_s,
            "dose": {
                "given_mg": self.given_mg,
                "rate_mg_per_h": self.rate_mg_per_h,
                "start_t_s": self.dose_start_t_s,
                "end_t_s": self.end_t_s,
                "expected_end_t_s": self.expected_end_t_s,
                "infusions": [_infusion_json(entry, self.at_t_s) for entry in self.infusions],
                "doses": [entry.model_dump(mode="json", exclude_none=True) for entry in self.doses],
            },
            "observations": [entry.model_dump(mode="json", exclude_none=True) for entry in self.observations],
            "latest": {key: {"t_s": noted.t_s, "value": noted.value} for key, noted in sorted(self.latest.items())},
            "symptoms": [{"t_s": noted.t_s, "text": noted.value} for noted in self.symptoms],
            "adverse_events": [entry.model_dump(mode="json", exclude_none=True) for entry in self.adverse_events],
            "open_adverse_events": len(self.open_adverse_events),
            "rescues": [entry.model_dump(mode="json", exclude_none=True) for entry in self.rescues],
            "limits": {key: pair.model_dump(mode="json") for key, pair in sorted(self.limits.items())},
            "devices": list(self.devices),
            "owner": self.owner,
            "emergency": self.emergency,
            "discharged_t_s": self.discharged_t_s,
            "corrections": [entry.model_dump(mode="json", exclude_none=True) for entry in self.corrections],
            "irregular": list(self.irregular),
        }


def in_order(events: Iterable[Event]) -> tuple[Event, ...]:
    """Events by the second they happened; those of one second in the order they were recorded."""
    return tuple(sorted(events, key=lambda event: event.t_s))


def corrected(events: Iterable[Event], at_t_s: float | None = None) -> tuple[Event, ...]:
    """The events as they are known to have been: corrections made up to ``at_t_s`` applied, entries in error left out.

    Raises
    ------
    InputError
        If a correction names no earlier event, or gives it an impossible value.
    """
    listed = list(events)
    known = {event.id: event for event in listed}
    gone: set[str] = set()
    for event in listed:
        if not isinstance(event, EntryCorrected) or (at_t_s is not None and event.known_t_s > at_t_s):
            continue
        entry = known.get(event.entry)
        if entry is None or isinstance(entry, EntryCorrected):
            raise InputError(
                f"no entry {event.entry!r} to correct", where=f"{event.id}.entry", allowed="the id of an event"
            )
        if event.changes is None:
            gone.add(event.entry)
        else:
            merged = {**entry.model_dump(exclude_none=True), **event.changes, "kind": entry.kind, "id": entry.id}
            known[event.entry] = parse_event(merged, where=f"{event.id}.changes")
            gone.discard(event.entry)
    return tuple(known[event.id] for event in listed if event.id not in gone)


def fold(header: SessionHeader, events: Sequence[Event], *, at_t_s: float | None = None) -> SessionState:
    """The state of a session at one second.

    Parameters
    ----------
    header : SessionHeader
        What was fixed before.
    events : sequence of Event
        In the order recorded, each with its id (see ``parse_events``).
    at_t_s : float, optional
        The second to look at; the last event's where not given. Later events do not count.

    Returns
    -------
    SessionState

    Examples
    --------
    >>> from limen.session.events import parse_events
    >>> events = parse_events([
    ...     {"t_s": 0, "kind": "session.started"},
    ...     {"t_s": 60, "kind": "infusion.started", "dose_mg": 40, "duration_min": 40},
    ... ])
    >>> state = fold(SessionHeader(protocol="TRD-IV"), events, at_t_s=660)
    >>> state.phase, round(state.given_mg, 6)
    ('running', 10.0)
    """
    last = max((max(event.t_s, event.known_t_s) for event in events), default=0.0)
    now = last if at_t_s is None else at_t_s
    known = [event for event in events if event.known_t_s <= now and event.t_s <= now]
    true = in_order(corrected(known, now))
    given = infusions(true, now)
    doses = tuple(event for event in true if isinstance(event, DoseGiven))
    latest: dict[str, Noted] = {}
    for event in true:
        if isinstance(event, ObservationRecorded):
            for key, value in event.model_dump(exclude_none=True).items():
                if key in _OBSERVED_KEYS:
                    latest[key] = Noted(event.t_s, list(value) if isinstance(value, tuple) else value)
    limits = dict(header.limits or {})
    for event in true:
        if isinstance(event, LimitsChanged):
            limits = dict(event.limits or {})
    started = next((event.t_s for event in true if isinstance(event, SessionStarted)), None)
    discharged = next((event.t_s for event in true if isinstance(event, Discharged)), None)
    ended = next((event.t_s for event in true if isinstance(event, SessionEnded)), None)
    running = given[-1] if given else None
    over = running is not None and running.end_t_s is not None
    dose_start, dose_end = dose_span(true, now)
    return SessionState(
        at_t_s=now,
        phase=_phase(started, given, doses, discharged, ended),
        started_t_s=started,
        ended_t_s=ended,
        infusions=given,
        doses=doses,
        given_mg=sum(entry.given_mg(now) for entry in given) + sum(dose.dose_mg for dose in doses),
        rate_mg_per_h=0.0 if running is None or over else running.rate_mg_per_h(now),
        expected_end_t_s=running.expected_end_t_s(now) if running is not None else None,
        dose_start_t_s=dose_start,
        end_t_s=dose_end,
        observations=tuple(event for event in true if isinstance(event, ObservationRecorded)),
        latest=latest,
        symptoms=standing_symptoms(true),
        adverse_events=tuple(event for event in true if isinstance(event, AdverseEventRecorded)),
        rescues=tuple(event for event in true if isinstance(event, RescueGiven)),
        limits=limits,
        devices=_devices(true),
        owner=next((event.to for event in reversed(true) if isinstance(event, OwnerChanged)), None),
        emergency=_emergency(true),
        asked_t_s=tuple(event.t_s for event in true if isinstance(event, DischargeAsked)),
        discharged_t_s=discharged,
        corrections=tuple(event for event in known if isinstance(event, EntryCorrected)),
        irregular=_irregular(true),
    )


def legal(state: SessionState, event: Event) -> None:
    """Let an event through that may follow.

    Parameters
    ----------
    state : SessionState
        The session at the event's second.

    Raises
    ------
    RefusedError
        If it may not happen now. Says why and what would be allowed.

    Examples
    --------
    >>> from limen.session.events import InfusionPaused
    >>> legal(SessionState(at_t_s=0.0, phase="started"), InfusionPaused(t_s=5.0))
    Traceback (most recent call last):
    limen.errors.RefusedError: infusion.paused: no infusion has started; allowed: while running
    """
    because = _objection(state, event)
    if because is not None:
        phases = _WHEN.get(event.kind, ())
        raise RefusedError(because, where=event.kind, allowed="while " + ", ".join(phases) if phases else "")


def admit(header: SessionHeader, events: Sequence[Event], event: Event) -> SessionState:
    """The one door for a new event: what may follow follows, and the state after it comes back.

    Parameters
    ----------
    events : sequence of Event
        Everything recorded so far.
    event : Event
        The new one, with an id that no other has.

    Raises
    ------
    InputError
        If its id is taken, or a correction names no entry or an impossible value.
    RefusedError
        If it may not happen now.
    """
    if event.id is None or any(event.id == entry.id for entry in events):
        raise InputError(f"id {event.id!r}", where=f"{event.kind}.id", allowed="an id no other event has")
    legal(fold(header, events, at_t_s=max(event.t_s, event.known_t_s)), event)
    return fold(header, [*events, event])


def standing_symptoms(events: Iterable[Event]) -> tuple[Noted, ...]:
    """Symptoms that stand after ``events``: an observation that lists symptoms replaces all of them."""
    standing: tuple[Noted, ...] = ()
    for event in events:
        if isinstance(event, SymptomReported):
            standing = (*standing, Noted(event.t_s, event.text))
        elif isinstance(event, ObservationRecorded) and event.symptoms is not None:
            standing = tuple(Noted(event.t_s, text) for text in event.symptoms)
    return standing


_COMMON = {"t_s", "received_t_s", "id", "by", "note", "kind"}
# About the entry, not about the patient.
_OF_THE_ENTRY = {"confirmed", "unconfirmed", "device_values"}
_OBSERVED_KEYS = set(ObservationRecorded.model_fields) - _COMMON - _OF_THE_ENTRY


def _objection(state: SessionState, event: Event) -> str | None:
    phases = _WHEN.get(event.kind)
    last = state.infusions[-1] if state.infusions else None
    emptied = state.phase == "recovery" and last is not None and not last.stopped
    phase = state.phase
    if emptied and last is not None and last.end_t_s is not None and event.t_s < last.end_t_s:
        phase = "running"  # a tap that was kept while the line was down: at that second the pump had not run empty
    if phases is not None and phase not in phases:
        # A pump that ran empty is still stopped by hand a little later.
        if event.kind == "infusion.stopped" and emptied:
            return None
        return _REASON[phase]
    if isinstance(event, InfusionRateChanged) and event.rate_mL_per_h is not None:
        last = state.infusions[-1]
        if last.concentration_mg_per_mL is None:
            return "the syringe's concentration is not recorded, so mL are not milligrams"
    if isinstance(event, EmergencyEnded) and not state.emergency:
        return "no emergency was started"
    if event.kind in _PUMP and state.infusions and event.t_s < state.infusions[-1].segments[-1].start_t_s:
        return "the pump was changed after that second; correct the entry instead"
    return None


def _phase(
    started_t_s: float | None,
    given: tuple[Infusion, ...],
    doses: tuple[DoseGiven, ...],
    discharged_t_s: float | None,
    ended_t_s: float | None,
) -> Phase:
    if ended_t_s is not None:
        return "ended"
    if discharged_t_s is not None:
        return "discharged"
    if given:
        last = given[-1]
        if last.end_t_s is None:
            return "paused" if last.paused else "running"
        return "recovery" if last.complete else "stopped"
    if doses:
        return "recovery"
    return "planned" if started_t_s is None else "started"


def _devices(events: Iterable[Event]) -> tuple[str, ...]:
    joined: dict[str, bool] = {}
    for event in events:
        if isinstance(event, DeviceAssociated):
            joined[event.device] = True
        elif isinstance(event, DeviceLost):
            joined[event.device] = False
    return tuple(device for device, here in joined.items() if here)


def _emergency(events: Iterable[Event]) -> bool:
    on = False
    for event in events:
        if isinstance(event, EmergencyStarted):
            on = True
        elif isinstance(event, EmergencyEnded):
            on = False
    return on


def _irregular(events: Sequence[Event]) -> tuple[dict[str, Any], ...]:
    """Events that the door would have refused, judged only by what was done before them."""
    found: list[dict[str, Any]] = []
    before: list[Event] = []  # those that move the phase: few, however many were recorded
    for event in events:
        if event.kind not in _WHEN and not isinstance(event, EmergencyEnded):
            continue
        given = infusions(before, event.t_s)
        doses = tuple(entry for entry in before if isinstance(entry, DoseGiven))
        done = {type(entry): entry.t_s for entry in before}
        phase = _phase(done.get(SessionStarted), given, doses, done.get(Discharged), done.get(SessionEnded))
        if phase == "planned" and isinstance(event, InfusionStarted | DoseGiven):
            because: str | None = _REASON["planned"]
        else:
            state = SessionState(at_t_s=event.t_s, phase=phase, infusions=given, emergency=_emergency(before))
            because = _objection(state, event)
        if because is not None:
            found.append({"id": event.id, "t_s": event.t_s, "kind": event.kind, "because": because})
        if event.kind in _MOVES:
            before.append(event)
    return tuple(found)


def _infusion_json(entry: Infusion, at_t_s: float) -> dict[str, Any]:
    return {
        "id": entry.id,
        "dose_mg": entry.dose_mg,
        "duration_min": entry.duration_min,
        "route": entry.route,
        "given_mg": entry.given_mg(at_t_s),
        "start_t_s": entry.start_t_s,
        "end_t_s": entry.end_t_s,
        "stopped": entry.stopped,
        "complete": entry.complete,
        "pump_volume_mL": entry.pump_volume_mL,
        "segments": [
            {"start_t_s": part.start_t_s, "end_t_s": part.end_t_s, "rate_mg_per_h": part.rate_mg_per_h}
            for part in entry.segments
        ],
    }
