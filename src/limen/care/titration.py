"""What the protocol's own rule proposes for the next dose: the response it rests on, the step, the rule and the cap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

from limen.care.course import Point, Trajectory, trajectory
from limen.care.exposure import Exposure
from limen.care.plain import plain
from limen.care.plan_limits import Standing, hold
from limen.care.plan_past import Asking
from limen.knowledge.course import course_rules
from limen.knowledge.protocols import Protocol
from limen.knowledge.titration import EachSession, EffectNotEnough, ImprovedLessThan, Judged, Titration
from limen.pharmacology.regimen import DoseOrder, resolve

Decision = Literal["start", "raise", "stay", "lower", "stop", "none"]
# A dose this much over a rung is still that rung: what syringes and weights make of it.
_RUNG_SLACK = 1.05
_NOT_TOLERATED_ASKED = "Whether the last dose was tolerated is not on record: ask before it is raised"


@dataclass(frozen=True, slots=True)
class Proposal:
    """One proposal with its whole reasoning. It changes nothing: a prescriber takes it up by hand, or not.

    Attributes
    ----------
    decision : {"start", "raise", "stay", "lower", "stop", "none"}
    value : float or None
        In ``unit``; ``None`` where nothing is proposed, and ``because`` says why.
    dose_text : str or None
        The proposal as a dose is asked for.
    point, judged_by : Point or None, Trajectory or None
        The response it rests on.
    cap : Standing or None
        The wall that keeps it lower, or from being made.
    asks : tuple of str
        What is not on record and a person must know first.
    """

    rule: str
    decision: Decision
    because: str
    titration: Titration | None = None
    value: float | None = None
    dose_text: str | None = None
    dose_mg: float | None = None
    last: Exposure | None = None
    last_value: float | None = None
    last_on: date | None = None
    judged_by: Trajectory | None = None
    point: Point | None = None
    cap: Standing | None = None
    asks: tuple[str, ...] = ()
    stop_signal: dict[str, Any] | None = None

    @property
    def unit(self) -> str | None:
        """What ``value`` and ``last_value`` are in."""
        return None if self.titration is None else self.titration.unit

    def to_json(self) -> dict[str, Any]:
        """The ``titration`` part of the ``plan`` contract."""
        rule = self.titration
        rungs = () if rule is None else rule.rungs
        return {
            "rule": self.rule,
            "decision": self.decision,
            "proposal": None
            if self.value is None or rule is None
            else {
                "dose": self.dose_text,
                "value": self.value,
                "unit": rule.unit,
                "dose_mg": self.dose_mg,
                "step": rungs.index(self.value) + 1 if self.value in rungs else None,
                "of": len(rungs) or None,
            },
            "because": self.because,
            "response": self._response_json(),
            "last": None
            if self.last is None
            else {
                "on": None if self.last_on is None else self.last_on.isoformat(),
                "dose_mg": self.last.dose_mg,
                "value": self.last_value,
                "unit": self.unit,
                "tolerated": self.last.tolerated,
                "effect": self.last.effect,
            },
            "cap": None if self.cap is None else self.cap.to_json(),
            "ask": list(self.asks),
            "stop_signal": self.stop_signal,
            "steps": list(rungs),
            "by_hand": True,
            "why": None if rule is None else rule.why,
            "sources": [] if rule is None else list(rule.sources),
            "verification": None if rule is None else rule.verification.value,
        }

    def _response_json(self) -> dict[str, Any] | None:
        course, point = self.judged_by, self.point
        if course is None or point is None:
            return None
        start = course.baseline
        return {
            "instrument": course.instrument,
            "total": point.reading.total,
            "on": point.reading.at.date().isoformat(),
            "baseline": None if start is None else start.total,
            "baseline_on": None if start is None else start.at.date().isoformat(),
            "pct": point.pct,
            "response": point.response,
        }


def propose(
    protocol: Protocol,
    asking: Asking,
    walls: Sequence[Standing],
    weight_kg: float | None,
    session_number: int | None = None,
) -> Proposal:
    """The next dose by the protocol's rule, never over the lower of the caps.

    Parameters
    ----------
    asking : Asking
        What was given before and how it went.
    walls : sequence of Standing
        As they stand for the session that is planned.
    weight_kg : float or None
        The weight doses follow.
    session_number : int or None
        Where no history is given: the first session starts.

    Examples
    --------
    >>> from limen.knowledge.protocols import get_protocol
    >>> from limen.care.exposure import History
    >>> first = Asking("racemic", "sc", "TRD-SC", date(2026, 3, 2), History())
    >>> found = propose(get_protocol("TRD-SC"), first, (), 70.0)
    >>> found.decision, found.dose_text, found.dose_mg
    ('start', '0.5 mg/kg sc', 35.0)
    """
    given = list(asking.of_course)
    signal = _stop_signal(protocol, asking, given)
    found = _decide(protocol, asking, given, weight_kg, session_number)
    if signal is not None and signal["stop"]:
        found = replace(found, rule=signal["rule"], decision="stop", value=None, because=f"{signal['because']}")
    waits = tuple(f"Not on this day: {one.wall.name}, {one.wall.rule}" for one in walls if one.too_often)
    found = replace(found, stop_signal=signal, asks=(*found.asks, *waits) if found.value is not None else found.asks)
    return found if found.value is None else _under_the_caps(protocol, found, walls, weight_kg)


def rung_above(protocol: Protocol, asking: Asking, weight_kg: float | None) -> float | None:
    """The highest dose that skips no step: one above the highest given; ``None`` where that cannot be told."""
    rule = protocol.titration
    if rule is None or not rule.rungs or asking.history is None:
        return None
    known = [_in_unit(item, rule, weight_kg) for item in asking.of_course]
    if not known:
        return rule.start
    highest = max((value for value in known if value is not None), default=None)
    if highest is None:
        return None
    return next((rung for rung in rule.rungs if rung > highest * _RUNG_SLACK), max(rule.rungs[-1], highest))


def _decide(
    protocol: Protocol, asking: Asking, given: list[Exposure], weight_kg: float | None, session_number: int | None
) -> Proposal:
    rule, history = protocol.titration, asking.history
    if rule is None:
        return Proposal(protocol.id, "none", f"{protocol.id} has no rule of titration: no source read gives one")
    nothing = Proposal(rule.rule, "none", "", titration=rule)
    if not given:
        if history is None and session_number != 1:
            return replace(nothing, because="what was given before is not known")
        if rule.start is None:
            return replace(nothing, because=f"no source gives a dose to start from: {rule.why}")
        return replace(
            nothing, decision="start", value=rule.start, because=f"the first session starts here: {rule.why}"
        )
    last = given[-1]
    zone = history.zone if history is not None else None
    on = None if zone is None else last.day(zone)
    value = _in_unit(last, rule, weight_kg)
    known = replace(nothing, last=last, last_value=value, last_on=on)
    if value is None:
        return replace(known, because="the last dose, or how long it ran, is not on record")
    if not rule.rungs:
        return replace(known, because=f"no source gives the size of a step: {rule.why}")
    place = max((index for index, rung in enumerate(rule.rungs) if rung <= value * _RUNG_SLACK), default=-1)
    if last.tolerated is False:
        return _lower(known, rule, place)
    return _wait(_move(known, rule, place, asking, given), rule, asking)


def _lower(known: Proposal, rule: Titration, place: int) -> Proposal:
    if rule.lowers and place > 0:
        because = f"the last dose was not tolerated: one step down. {rule.why}"
        return replace(known, decision="lower", value=rule.rungs[place - 1], because=because)
    what = "there is no lower step" if rule.lowers else "no source gives a lower step"
    return replace(known, because=f"the last dose was not tolerated, and {what}: the prescriber decides")


def _move(known: Proposal, rule: Titration, place: int, asking: Asking, given: list[Exposure]) -> Proposal:
    """One rung up, or the same, by what the rule looks at."""
    here = None if place < 0 else rule.rungs[place]
    top = place == len(rule.rungs) - 1
    raises = rule.raises
    if isinstance(raises, ImprovedLessThan):
        course, point = _newest(raises.instruments, asking, given)
        known = replace(known, judged_by=course, point=point)
        if point is None or point.pct is None:
            names = " or ".join(raises.instruments)
            return replace(known, because=f"no {names} against the baseline since the last session")
        fell = f"{course.instrument if course else ''} fell {-point.pct:.0f} %"
        if -point.pct >= raises.pct:
            return replace(
                known, decision="stay", value=here, because=f"{fell}, {raises.pct:g} % or more: the same dose"
            )
        up = f"{fell}, under {raises.pct:g} %"
    elif isinstance(raises, EachSession):
        up = "a rising series: the next test dose"
        if top:
            return replace(known, because="the highest test dose has been given; no source gives the dose after it")
    elif isinstance(raises, EffectNotEnough):
        last = given[-1]
        if last.effect is None:
            return replace(known, because=f"whether the last dose was enough ({raises.effect}) is not on record")
        if last.effect == "enough":
            return _holding(known, rule, here, given)
        up = f"the last dose was not enough ({raises.effect})"
    else:
        up = f"may be raised on {raises.on}; no source gives a threshold"
        course, point = _newest((course_rules().stop.instrument,), asking, given)
        known = replace(known, judged_by=course, point=point)
        if point is not None and point.response:
            return replace(known, decision="stay", value=here, because=f"responded by {course_rules().response.rule}")
    if top:
        decision: Decision = "stay" if isinstance(raises, Judged) else "none"
        because = f"{up}, and this is the highest step" if decision == "none" else "this is the highest step"
        return replace(known, decision=decision, value=here if decision == "stay" else None, because=because)
    asks = () if known.last is not None and known.last.tolerated else (_NOT_TOLERATED_ASKED,)
    return replace(known, decision="raise", value=rule.rungs[place + 1], because=f"{up}. {rule.why}", asks=asks)


def _holding(known: Proposal, rule: Titration, here: float | None, given: list[Exposure]) -> Proposal:
    """The dose that works is kept, for as many sessions as the source says."""
    kept = 0
    for item in reversed(given):
        if item.effect != "enough":
            break
        kept += 1
    if rule.hold_sessions is not None and kept >= rule.hold_sessions:
        return replace(known, decision="stop", because=f"{kept} sessions at the dose that works: it stops. {rule.why}")
    because = "the last dose was enough: the same again"
    if rule.hold_sessions is not None:
        because += f", {kept + 1} of {rule.hold_sessions}"
    return replace(known, decision="stay", value=here or known.last_value, because=because)


def _wait(found: Proposal, rule: Titration, asking: Asking) -> Proposal:
    """A raise waits for the time the source gives."""
    if found.decision != "raise" or rule.wait_h is None or found.last_on is None:
        return found
    earliest = found.last_on + timedelta(hours=rule.wait_h)
    if asking.on < earliest:
        because = f"{rule.wait_h:g} h or more between steps: on {earliest.isoformat()} at the earliest"
        return replace(found, decision="none", value=None, because=because, asks=())
    if found.last_on == asking.on:
        return replace(found, asks=(*found.asks, f"{rule.wait_h:g} h or more since the last step"))
    return found


def _newest(
    instruments: Sequence[str], asking: Asking, given: list[Exposure]
) -> tuple[Trajectory | None, Point | None]:
    """The newest score of the first instrument that has one since the last session, against its baseline."""
    history = asking.history
    if history is None:
        return None, None
    sessions = [item.begins(history.zone) for item in given]
    for name in instruments:
        readings = [item.reading for item in history.scores if item.instrument == name]
        if not readings:
            continue
        course = trajectory(name, readings, sessions)
        point = course.latest
        if point is not None and point.pct is not None and point.sessions_before == len(sessions):
            return course, point
    return None, None


def _stop_signal(protocol: Protocol, asking: Asking, given: list[Exposure]) -> dict[str, Any] | None:
    """MNT-2, where it was found in this way of giving and the history is known."""
    history = asking.history
    if not protocol.stops_early or history is None or not given:
        return None
    name = course_rules().stop.instrument
    readings = [item.reading for item in history.scores if item.instrument == name]
    signal = trajectory(name, readings, [item.begins(history.zone) for item in given]).stop_signal
    if signal is None:
        return None
    return {"rule": signal.rule, "stop": signal.stop, "because": signal.because, "source": signal.source}


def _in_unit(item: Exposure, rule: Titration, weight_kg: float | None) -> float | None:
    """What was given, in the unit of the rungs; ``None`` where something it takes is not on record."""
    value = item.dose_mg
    if value is None:
        return None
    if rule.unit.startswith("mg/kg"):
        by_kg = item.weight_kg or weight_kg
        if by_kg is None:
            return None
        value /= by_kg
    if rule.unit.endswith("/h"):
        return None if item.duration_min <= 0 else plain(60.0 * value / item.duration_min)
    return plain(value)


def _under_the_caps(
    protocol: Protocol, found: Proposal, walls: Sequence[Standing], weight_kg: float | None
) -> Proposal:
    """The proposal, or the highest step under it that every cap allows; nothing where that is no more than before."""
    rule, wanted = found.titration, found.value
    if rule is None or wanted is None:
        return found
    cap: Standing | None = None
    for value in (wanted, *(rung for rung in reversed(rule.rungs) if rung < wanted)):
        if found.decision == "raise" and value <= (found.last_value or 0.0):
            break
        order = _order(protocol, rule, value, found.last)
        if order is None or (order.is_per_kg and weight_kg is None):
            why = "how long it runs" if order is None else "the weight"
            return replace(found, decision="none", value=None, because=f"{found.because} But {why} is not known")
        dose = resolve(order, weight_kg)
        binding = hold([dose], walls).binding
        if binding is None:
            because = found.because if cap is None else f"{found.because} Kept to the step under {cap.wall.name}"
            dose_mg = plain(dose.amount_mg)
            return replace(found, value=value, dose_text=_text(order), dose_mg=dose_mg, because=because, cap=cap)
        cap = cap or binding.standing
    because = f"{found.because} But {cap.wall.name if cap else 'a limit'} allows no more"
    return replace(found, decision="none", value=None, because=because, cap=cap)


def _order(protocol: Protocol, rule: Titration, value: float, last: Exposure | None) -> DoseOrder | None:
    step = protocol.steps[rule.step - 1]
    span_min = 0.0
    if step.duration is not None:
        usual = step.duration.typical_min
        span_min = usual if usual is not None else (last.duration_min if last is not None else 0.0)
        if span_min <= 0:
            return None
    return DoseOrder(value, rule.unit, protocol.route, span_min, step.at_min)


def _text(order: DoseOrder) -> str:
    over = f" over {order.duration_min:g} min" if order.duration_min else ""
    return f"{order.value:g} {order.unit} {order.route}{over}"
