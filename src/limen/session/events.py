"""What can happen in a session: a closed list of event kinds, each a frozen record with a time.

``t_s`` is when it happened, in seconds since the start of the session; it may be negative. ``received_t_s`` is when it
was written down (``t_s`` where not given). A kind that is not in the list is refused. A key that is not in the list is
kept and listed by :func:`unknown_keys`. An impossible value is refused here, at the door.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, get_args

from pydantic import BaseModel, Field, TypeAdapter, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from limen.errors import InputError
from limen.session.emergency_events import EmergencyStep
from limen.session.event_base import Checked, Dose, Duration, Recorded, Texts, TimeInSession, Whole
from limen.session.floor_events import CallAnswered, OwnerDeclined, OwnerOffered, PatientCalled
from limen.session.forecast_event import ForecastUpdated
from limen.session.harm_events import AdverseEventRecorded, RescueGiven
from limen.session.words import distress_grade


class SessionStarted(Recorded):
    """The session begins: second 0."""

    kind: Literal["session.started"] = "session.started"


class SessionEnded(Recorded):
    """The session is over; nothing is watched any more."""

    kind: Literal["session.ended"] = "session.ended"
    reason: str | None = None


class InfusionStarted(Recorded):
    """A pump starts to give ``dose_mg`` of base over ``duration_min``."""

    kind: Literal["infusion.started"] = "infusion.started"
    dose_mg: Dose
    duration_min: Duration
    route: str = "iv"
    concentration_mg_per_mL: Annotated[float, Field(gt=0, le=1000)] | None = None
    site: str | None = None


class InfusionPaused(Recorded):
    """The pump is paused."""

    kind: Literal["infusion.paused"] = "infusion.paused"
    reason: str | None = None


class InfusionResumed(Recorded):
    """The pump goes on at the rate it had."""

    kind: Literal["infusion.resumed"] = "infusion.resumed"
    reason: str | None = None


class InfusionRateChanged(Recorded):
    """The pump goes on at another rate, in mg or mL an hour."""

    kind: Literal["infusion.rate-changed"] = "infusion.rate-changed"
    rate_mg_per_h: Annotated[float, Field(gt=0, le=5000)] | None = None
    rate_mL_per_h: Annotated[float, Field(gt=0, le=2000)] | None = None
    reason: str | None = None

    @model_validator(mode="after")
    def _one_rate(self) -> InfusionRateChanged:
        if (self.rate_mg_per_h is None) == (self.rate_mL_per_h is None):
            raise PydanticCustomError("rate", "give one rate|rate_mg_per_h|rate_mg_per_h or rate_mL_per_h")
        return self


class InfusionStopped(Recorded):
    """The pump is stopped for good.

    Attributes
    ----------
    pump_volume_mL : float or None
        What the pump says it has given.
    difference_reason : str or None
        Why the pump's volume and the dose given differ, where they do.
    """

    kind: Literal["infusion.stopped"] = "infusion.stopped"
    reason: str | None = None
    pump_volume_mL: Annotated[float, Field(ge=0, le=5000)] | None = None
    difference_reason: str | None = None


class DoseGiven(Recorded):
    """A dose given at once: a bolus, an injection, a nasal device, a tablet."""

    kind: Literal["dose.given"] = "dose.given"
    dose_mg: Dose
    route: str
    devices: Annotated[Whole, Field(ge=1, le=3)] | None = None


class ObservationRecorded(Recorded):
    """What a person saw, measured and asked.

    Attributes
    ----------
    distress : int or None
        0 none, 1 mild, 2 moderate, 3 severe; the words and yes or no are read too (a bare yes counts as moderate).
    symptoms : tuple of str or None
        Everything the patient reports now; an empty list says that nothing is left.
    device_first_t_s : float or None
        When the first nasal device was used.
    vitals_acceptable, respiratory_depression : bool or None
        A person's own judgement, as the monitoring form of nasal esketamine asks for it.
    confirmed, unconfirmed : tuple of str or None
        Critical values that the person confirmed when they were shown back, and those that nobody confirmed.
    device_values : JSON
        What the monitor showed beside, with its age; the monitor's readings, not the person's.
    """

    kind: Literal["observation.recorded"] = "observation.recorded"
    moaas: Annotated[Whole, Field(ge=0, le=5)] | None = None
    dissociation: Annotated[Whole, Field(ge=0, le=4)] | None = None
    aldrete: Annotated[Whole, Field(ge=0, le=10)] | None = None
    cadss: Annotated[Whole, Field(ge=0, le=112)] | None = None
    sbp_mmHg: float | None = None
    dbp_mmHg: float | None = None
    hr_per_min: float | None = None
    rr_per_min: float | None = None
    spo2_pct: float | None = None
    symptoms: Texts | None = None
    oriented: bool | None = None
    walks_unaided: bool | None = None
    distress: Annotated[Whole, Field(ge=0, le=3)] | None = None
    escort: bool | None = None
    instructions_given: bool | None = None
    emergency_number_given: bool | None = None
    safety_plan_given: bool | None = None
    next_cssrs_on: str | None = None
    device_first_t_s: TimeInSession | None = None
    vitals_acceptable: bool | None = None
    respiratory_depression: bool | None = None
    confirmed: Texts | None = None
    unconfirmed: Texts | None = None
    device_values: dict[str, Any] | None = None

    @model_validator(mode="before")
    @classmethod
    def _grade(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and value.get("distress") is not None:
            return {**value, "distress": distress_grade(value["distress"])}
        return value


class SymptomReported(Recorded):
    """What the patient says is wrong, in words."""

    kind: Literal["symptom.reported"] = "symptom.reported"
    text: Annotated[str, Field(min_length=1, max_length=2000)]


class AlarmAcknowledged(Recorded):
    """One alarm is answered: named by its id or key, or by what it is about."""

    kind: Literal["alarm.acknowledged"] = "alarm.acknowledged"
    alarm: str | None = None
    signal: str | None = None
    condition: str | None = None
    rule: str | None = None


class AudioPaused(Recorded):
    """The sound is held back for a time; for the time of the rules where none is given."""

    kind: Literal["audio.paused"] = "audio.paused"
    duration_s: Annotated[float, Field(gt=0, le=3600)] | None = None


class LimitPair(Checked):
    """Own limits of one signal, in its unit; beyond them is an alarm."""

    low: Annotated[float, Field(ge=0, le=400)] | None = None
    high: Annotated[float, Field(ge=0, le=400)] | None = None

    unit: ClassVar[str] = "the signal's"

    @model_validator(mode="after")
    def _order(self) -> LimitPair:
        if self.low is None and self.high is None:
            raise PydanticCustomError("limits", "names no limit|low|low, high or both")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise PydanticCustomError("limits", "low is not under high|low|low under high")
        return self


class LimitsChanged(Recorded):
    """The patient's own limits, all of them, from now on; ``null`` or empty goes back to the rules'."""

    kind: Literal["limits.changed"] = "limits.changed"
    limits: dict[str, LimitPair] | None = None
    reason: str | None = None


class StreamSpec(Checked):
    """What is known of a stream: how often it gives a value."""

    period_s: Annotated[float, Field(gt=0, le=86400)] | None = None


class DeviceAssociated(Recorded):
    """A device is joined to the session."""

    kind: Literal["device.associated"] = "device.associated"
    device: str = ""
    signals: Texts = ()
    streams: dict[str, StreamSpec] | None = None
    period_s: Annotated[float, Field(gt=0, le=86400)] | None = None


class DeviceLost(Recorded):
    """A device is gone: its gateway says so."""

    kind: Literal["device.lost"] = "device.lost"
    device: str = ""
    reason: str | None = None


class OwnerChanged(Recorded):
    """Another person takes charge of the chair."""

    kind: Literal["owner.changed"] = "owner.changed"
    to: str | None = None


class EmergencyStarted(Recorded):
    """The emergency control was pressed."""

    kind: Literal["emergency.started"] = "emergency.started"
    reason: str | None = None


class EmergencyEnded(Recorded):
    """The emergency is over."""

    kind: Literal["emergency.ended"] = "emergency.ended"
    outcome: str | None = None


class DischargeAsked(Recorded):
    """Someone asks whether the patient may leave."""

    kind: Literal["discharge.asked"] = "discharge.asked"


class Discharged(Recorded):
    """The patient leaves."""

    kind: Literal["discharged"] = "discharged"
    condition: str | None = None
    escort_name: str | None = None
    reason: str | None = None


class EntryCorrected(Recorded):
    """An earlier event was wrong: these fields of it change, or all of it is taken back.

    Attributes
    ----------
    entry : str
        The ``id`` of the event; ``#3`` is the fourth of the list.
    changes : mapping or None
        Fields with their right values; ``None`` takes the entry back (entered in error).
    """

    kind: Literal["entry.corrected"] = "entry.corrected"
    entry: str
    changes: dict[str, Any] | None = None
    reason: str | None = None


class MonitorStarted(Recorded):
    """The monitor process began to watch, or began again."""

    kind: Literal["monitor.started"] = "monitor.started"


class MonitorStopped(Recorded):
    """The monitor process stopped watching."""

    kind: Literal["monitor.stopped"] = "monitor.stopped"
    reason: str | None = None


Event: TypeAlias = (
    SessionStarted
    | SessionEnded
    | InfusionStarted
    | InfusionPaused
    | InfusionResumed
    | InfusionRateChanged
    | InfusionStopped
    | DoseGiven
    | ObservationRecorded
    | SymptomReported
    | AlarmAcknowledged
    | AudioPaused
    | LimitsChanged
    | DeviceAssociated
    | DeviceLost
    | RescueGiven
    | AdverseEventRecorded
    | OwnerChanged
    | OwnerOffered
    | OwnerDeclined
    | PatientCalled
    | CallAnswered
    | EmergencyStarted
    | EmergencyEnded
    | DischargeAsked
    | Discharged
    | EntryCorrected
    | MonitorStarted
    | MonitorStopped
    | ForecastUpdated
    | EmergencyStep
)

KINDS: types.MappingProxyType[str, type[Event]] = types.MappingProxyType(
    {get_args(member.model_fields["kind"].annotation)[0]: member for member in get_args(Event)}
)


@functools.cache
def _adapter(kind: str) -> TypeAdapter[Event]:
    return TypeAdapter(KINDS[kind])


def parse_event(value: Mapping[str, Any], *, where: str = "event") -> Event:
    """One checked event from its JSON.

    Raises
    ------
    InputError
        If the kind is not in the list or a value is malformed or impossible. Names the key and what is allowed.

    Examples
    --------
    >>> parse_event({"t_s": 60, "kind": "infusion.started", "dose_mg": 35, "duration_min": 40}).dose_mg
    35.0
    """
    if not isinstance(value, Mapping):
        raise InputError(f"holds a {type(value).__name__}", where=where, allowed="an object with t_s and kind")
    kind = value.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise InputError(f"unknown event kind {kind!r}", where=f"{where}.kind", allowed=", ".join(KINDS))
    try:
        return _adapter(kind).validate_python(dict(value))
    except ValidationError as problem:
        raise refusal(problem.errors(include_url=False)[0], where) from None


def parse_events(values: Sequence[Any], *, where: str = "events") -> tuple[Event, ...]:
    """Checked events in the order given; an event without an id is called by its place: ``#0``, ``#1``, ...

    Raises
    ------
    InputError
        If an event is refused, or two carry one id.
    """
    found: list[Event] = []
    ids: set[str] = set()
    for index, value in enumerate(values):
        event = parse_event(value, where=f"{where}[{index}]")
        if event.id is None:
            event = event.model_copy(update={"id": f"#{index}"})
        if event.id in ids:
            raise InputError(f"two events with the id {event.id!r}", where=f"{where}[{index}].id", allowed="each once")
        ids.add(event.id or "")
        found.append(event)
    return tuple(found)


def unknown_keys(record: BaseModel) -> list[str]:
    """Keys that the vocabulary does not know, with their path; they are kept, not used."""
    found = list(record.model_extra or {})
    for name in type(record).model_fields:
        value = getattr(record, name)
        parts = value if isinstance(value, dict) else {"": value}
        for key, part in parts.items():
            if isinstance(part, BaseModel):
                spot = f"{name}.{key}" if key else name
                found += [f"{spot}.{entry}" for entry in unknown_keys(part)]
    return sorted(found)


def refusal(detail: ErrorDetails, where: str) -> InputError:
    """A pydantic error as one line for a user."""
    spot = ".".join([where, *(str(part) for part in detail["loc"])])
    message, _, rest = str(detail["msg"]).partition("|")
    if rest:
        name, _, allowed = rest.partition("|")
        return InputError(message, where=f"{spot}.{name}", allowed=allowed)
    if detail["type"] == "missing":
        return InputError("missing", where=spot, allowed="this key is needed")
    return InputError(f"{detail['input']!r:.60} refused", where=spot, allowed=_allowed(detail))


def _allowed(detail: ErrorDetails) -> str:
    text = str(detail["msg"])
    return text.removeprefix("Input should be ").removeprefix("a valid ")
