"""A recorded session again, second by second: the alarms, the state, the answers and the note it had.

The seconds are those of :mod:`limen.session.ticks`, so a replay raises exactly what the live monitor raised.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from limen.care.alarm_limits import Watch
from limen.care.alarm_state import Alarm, AlarmState, Change, Sample
from limen.care.alarms import step
from limen.errors import InputError
from limen.knowledge.monitoring import MonitoringRules
from limen.session.events import DischargeAsked, EntryCorrected, Event, LimitPair, LimitsChanged
from limen.session.export import Recorded, read_export
from limen.session.header import parse_header
from limen.session.note import build_note
from limen.session.pump import pump_volume
from limen.session.readiness import ready_at
from limen.session.rems import applies, rems_form
from limen.session.schedule import due_list
from limen.session.signals import signal_views
from limen.session.state import SessionState, corrected, fold
from limen.session.ticks import begin_watch, monitor_ticks, tick_at, watched


@dataclass(frozen=True, slots=True)
class AlarmRun:
    """What the seconds brought.

    Attributes
    ----------
    alarms : tuple of Alarm
        Every alarm, in the order raised, with its end and its acknowledgement.
    ticks : int
        How many seconds were watched.
    """

    alarms: tuple[Alarm, ...]
    changes: tuple[Change, ...]
    state: AlarmState
    watch: Watch
    ticks: int


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """The contract's ``session replay``."""

    state: dict[str, Any]
    alarms: tuple[dict[str, Any], ...]
    discharge: tuple[dict[str, Any], ...]
    note: dict[str, Any]
    changes: tuple[dict[str, Any], ...]
    unknown_inputs: tuple[str, ...]
    what_if: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """The contract's keys and ours."""
        value: dict[str, Any] = {
            "state": self.state,
            "alarms": list(self.alarms),
            "discharge": list(self.discharge),
            "note": self.note,
            "changes": list(self.changes),
            "unknown_inputs": list(self.unknown_inputs),
        }
        if self.what_if is not None:
            value["what_if"] = self.what_if
        return value


def replay(export: Mapping[str, Any]) -> ReplayResult:
    """Run a recorded session again.

    Parameters
    ----------
    export : mapping
        The contract's ``S``.

    Raises
    ------
    InputError
        If the record is malformed, or holds an impossible value.

    Examples
    --------
    >>> result = replay({"schema": 1, "session": {"protocol": "TRD-IV"}, "events": [],
    ...     "samples": [{"t_s": 5, "signal": "SPO2", "value": 91}, {"t_s": 6, "signal": "SPO2", "value": 0}]})
    >>> [(alarm["t_s"], alarm["kind"], alarm["priority"], alarm["rule"]) for alarm in result.alarms]
    [(5.0, 'physiological', 'medium', 'MON-4'), (6.0, 'technical', 'low', 'TEC-INVALID')]
    """
    return replay_recorded(read_export(export))


def replay_recorded(recorded: Recorded) -> ReplayResult:
    """Run a checked record again."""
    run = run_alarms(recorded)
    header, rules, events = recorded.header, recorded.rules, recorded.events
    now = recorded.until_t_s
    last = max([now, *(max(event.t_s, event.known_t_s) for event in events)])
    state = fold(header, events, at_t_s=last)
    asked = [event for event in corrected(events) if isinstance(event, DischargeAsked)]
    answers = [
        ready_at(header, events, recorded.samples, run.watch, event.t_s, rules.discharge).to_json()
        for event in sorted(asked, key=lambda event: event.t_s)
    ]
    left_t_s = state.discharged_t_s
    at_leaving = (
        None
        if left_t_s is None
        else ready_at(header, events, recorded.samples, run.watch, left_t_s, rules.discharge).to_json()
    )
    due = due_list(header.protocol, state, rules.monitoring)
    return ReplayResult(
        state={
            **state.to_json(),
            "watched_until_t_s": run.state.t_s,
            "ticks": run.ticks,
            "signals": signal_views(run.state, run.watch),
            "standing_alarms": [alarm.id for alarm in run.state.alarms],
            "observations_due": due.to_json(),
            "pump": asdict(pump_volume(recorded.pump, start_t_s=state.dose_start_t_s)) if recorded.pump else None,
            "unjudged": [*run.watch.unjudged, *_unscheduled(recorded)],
            "open_sides": run.watch.open_sides(run.state.limits),
        },
        alarms=tuple(alarm.to_json() for alarm in run.alarms),
        discharge=tuple(answers),
        note=build_note(
            header,
            state,
            events,
            run.alarms,
            samples=recorded.samples,
            rules=rules.monitoring,
            due=due,
            answers=answers,
            at_leaving=at_leaving,
            recorded=recorded.recorded,
            rems=_rems(recorded, state, run.watch),
            until_t_s=now,
        ),
        changes=tuple(change.to_json() for change in run.changes),
        unknown_inputs=recorded.unknown_inputs,
    )


def _rems(recorded: Recorded, state: SessionState, watch: Watch) -> dict[str, Any] | None:
    """The filled monitoring form, where the product given asks for one."""
    if not applies(recorded.header, state):
        return None
    known = recorded.recorded.get("rems")
    return rems_form(recorded.header, recorded.events, recorded.samples, watch, known)


def rems_of(export: Mapping[str, Any]) -> dict[str, Any]:
    """The monitoring form of a recorded session, filled from its events, whether it is owed or not.

    Raises
    ------
    InputError
        If the record is malformed, or holds an impossible value.
    """
    recorded = read_export(export)
    watch, _ = begin_watch(recorded.header, recorded.rules.monitoring)
    known = recorded.recorded.get("rems")
    return rems_form(recorded.header, recorded.events, recorded.samples, watch, known)


def _unscheduled(recorded: Recorded) -> list[dict[str, str]]:
    """Said where the protocol has no schedule of its own and the default stands in."""
    rules, protocol = recorded.rules.monitoring, recorded.header.protocol
    if any(protocol in schedule.protocols for schedule in rules.schedules):
        return []
    used = rules.schedule_for(protocol).id
    why = f"no schedule names {protocol!r}: {used} is used" if protocol else f"not recorded: {used} is used"
    return [{"rule": "schedule", "input": "session.protocol", "why": why}]


def run_alarms(recorded: Recorded) -> AlarmRun:
    """Every second of a record through the alarm step."""
    watch, state = begin_watch(recorded.header, recorded.rules.monitoring)
    # Stable sorts: what was recorded in one instant keeps its order.
    events = sorted(recorded.events, key=lambda event: event.known_t_s)
    samples = sorted(recorded.samples, key=lambda sample: sample.received_t_s)
    changes: list[Change] = []
    known = taken = ticks = 0
    for t_s in monitor_ticks(None, recorded.until_t_s):
        news: list[Event] = []
        while known < len(events) and events[known].known_t_s <= t_s:
            news.append(events[known])
            known += 1
        fresh: list[Sample] = []
        while taken < len(samples) and samples[taken].received_t_s <= t_s:
            fresh.append(samples[taken])
            taken += 1
        so_far = events[:known]
        if not watched(so_far, t_s):
            continue
        tick = tick_at(
            t_s, header=recorded.header, rules=recorded.rules.monitoring, known=so_far, news=news, samples=fresh
        )
        state, changed = step(state, tick, watch)
        changes += changed
        ticks += 1
    return AlarmRun(collect(changes), tuple(changes), state, watch, ticks)


def collect(changes: list[Change]) -> tuple[Alarm, ...]:
    """The alarms that changes tell of, in the order raised, each in its last form."""
    found: dict[str, Alarm] = {}
    for change in changes:
        if change.alarm is not None:
            found[change.alarm.id] = change.alarm
    return tuple(found.values())


def what_if(export: Mapping[str, Any], limits: Mapping[str, Any]) -> ReplayResult:
    """The same session with other limits of the patient's own: which alarms would have come, which not.

    Parameters
    ----------
    limits : mapping
        Signal to ``low`` and ``high``, or an object with that under ``limits``. They hold for the whole session,
        whatever was changed in its course; own limits of the signals they do not name stay as they were.

    Raises
    ------
    InputError
        If a limit is malformed or its signal unknown.
    """
    recorded = read_export(export)
    pairs = read_limits(limits, recorded.rules.monitoring)
    was = replay_recorded(recorded)
    now = tuple(Alarm.from_json(alarm) for alarm in was.alarms)
    then = run_alarms(under_limits(recorded, pairs)).alarms
    gained, lost = alarm_differences(now, then)
    return replace(
        was,
        what_if={
            "limits": {signal: _pair(pair) for signal, pair in pairs.items()},
            "gained": [alarm.to_json() for alarm in gained],
            "lost": [alarm.to_json() for alarm in lost],
            "alarms": [alarm.to_json() for alarm in then],
        },
    )


def read_limits(limits: Any, rules: MonitoringRules, *, where: str = "what-if") -> dict[str, LimitPair]:
    """Own limits from their JSON: signal to ``low`` and ``high``, or an object with that under ``limits``.

    Raises
    ------
    InputError
        If a limit is malformed or its signal unknown, or none is named.
    """
    given = limits.get("limits", limits) if isinstance(limits, Mapping) else None
    if not isinstance(given, Mapping) or not given:
        raise InputError("names no limit", where=where, allowed='{"SPO2": {"low": 90}, ...}')
    return parse_header({"limits": dict(given)}, rules, where=where).limits or {}


def under_limits(recorded: Recorded, pairs: dict[str, LimitPair]) -> Recorded:
    """The record as it would be with these own limits from beginning to end; those of other signals stay."""
    changed = {event.id for event in recorded.events if isinstance(event, LimitsChanged)}

    def under(event: Event) -> Event:
        if isinstance(event, LimitsChanged):
            return event.model_copy(update={"limits": {**(event.limits or {}), **pairs}})
        if isinstance(event, EntryCorrected) and event.entry in changed and "limits" in (event.changes or {}):
            changes = dict(event.changes or {})
            own = {signal: pair.model_dump() for signal, pair in pairs.items()}
            return event.model_copy(update={"changes": {**changes, "limits": {**(changes["limits"] or {}), **own}}})
        return event

    limits = {**(recorded.header.limits or {}), **pairs}
    return replace(
        recorded,
        header=recorded.header.model_copy(update={"limits": limits}),
        events=tuple(under(event) for event in recorded.events),
    )


def alarm_differences(now: tuple[Alarm, ...], then: tuple[Alarm, ...]) -> tuple[tuple[Alarm, ...], tuple[Alarm, ...]]:
    """The alarms that only ``then`` has (gained), and those that only ``now`` has (lost)."""
    gained = tuple(alarm for alarm in then if not _kept(alarm, now))
    return gained, tuple(alarm for alarm in now if not _kept(alarm, then))


def _pair(pair: LimitPair) -> dict[str, float | None]:
    return {"low": pair.low, "high": pair.high}


def _kept(alarm: Alarm, others: tuple[Alarm, ...]) -> bool:
    """Whether one of the others says the same of the same time: condition and priority, in an overlapping span."""
    end = alarm.ended_t_s if alarm.ended_t_s is not None else float("inf")
    return any(
        other.condition == alarm.condition
        and other.kind == alarm.kind
        and other.priority == alarm.priority
        and other.t_s <= end
        and alarm.t_s <= (other.ended_t_s if other.ended_t_s is not None else float("inf"))
        for other in others
    )
