"""Whom an unanswered alarm calls next: one pure function of what stands, who was called, and who can be reached.

A call goes to a person. It is *delivered* when a screen of that person has shown it, *accepted* when the person said
"I am going". Only an acknowledgement answers the alarm itself; a call that was accepted holds the ladder for a time.
Where nobody of a step can be reached the next step does not wait for its time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from limen.care.alarm_state import Alarm
from limen.knowledge.alarm_response import AlarmResponse, Ladder, Step


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the site.

    Attributes
    ----------
    roles : tuple of str
        Roles held at the site.
    answers : bool
        Whether the person may answer an alarm.
    present : bool
        Whether a screen of this person has asked for calls just now.
    """

    id: str
    roles: tuple[str, ...]
    answers: bool
    present: bool


@dataclass(frozen=True, slots=True)
class Call:
    """One person called for one alarm; times in seconds of the session."""

    alarm: str
    person: str
    step: int
    called_t_s: float
    delivered_t_s: float | None = None
    accepted_t_s: float | None = None


@dataclass(frozen=True, slots=True)
class Escalation:
    """What is to be done now for one alarm.

    Attributes
    ----------
    calls : tuple of Call
        To be made now.
    reached : bool
        Whether anybody called so far has been shown it.
    exhausted : bool
        Whether every step has been called, and the last one long enough ago to have been delivered.
    """

    alarm: str
    calls: tuple[Call, ...]
    reached: bool
    exhausted: bool


def escalate(
    alarms: Iterable[Alarm],
    made: Sequence[Call],
    people: Sequence[Person],
    *,
    owner: str | None,
    rules: AlarmResponse,
    now_t_s: float,
) -> tuple[Escalation, ...]:
    """The calls that are due for every alarm that stands unanswered.

    Parameters
    ----------
    alarms : iterable of Alarm
        Those that stand.
    made : sequence of Call
        Every call made so far, for these alarms and others.
    people : sequence of Person
        Everybody of the site.
    owner : str or None
        The id of the chair's owner.
    now_t_s : float
        The session's second.

    Returns
    -------
    tuple of Escalation
        One for each unanswered alarm whose priority has a ladder.

    Examples
    --------
    >>> from limen.knowledge.alarm_response import alarm_response
    >>> alarm = Alarm("k", 100.0, "SpO2 low", "physiological", "high", "SPO2", 84.0, 90.0, "%", "MON-4", "stop",
    ...     "", 100.0, (), "P")
    >>> team = [Person("dk", ("nurse",), True, True), Person("mo", ("nurse",), True, True)]
    >>> rules = alarm_response()
    >>> [call.person for call in escalate([alarm], [], team, owner="dk", rules=rules, now_t_s=100)[0].calls]
    ['dk']
    >>> shown = [Call(alarm.id, "dk", 0, 100.0, delivered_t_s=101.0)]
    >>> escalate([alarm], shown, team, owner="dk", rules=rules, now_t_s=119)[0].calls
    ()
    >>> [call.person for call in escalate([alarm], shown, team, owner="dk", rules=rules, now_t_s=120)[0].calls]
    ['mo']
    """
    found = []
    for alarm in alarms:
        ladder = rules.ladder(alarm.priority)
        if ladder is None or alarm.acknowledged_t_s is not None:
            continue
        mine = [call for call in made if call.alarm == alarm.id]
        found.append(_climb(alarm, ladder, mine, people, owner, rules, now_t_s))
    return tuple(found)


def _climb(
    alarm: Alarm,
    ladder: Ladder,
    made: Sequence[Call],
    people: Sequence[Person],
    owner: str | None,
    rules: AlarmResponse,
    now_t_s: float,
) -> Escalation:
    reached = any(call.delivered_t_s is not None for call in made)
    on_the_way = any(
        call.accepted_t_s is not None and now_t_s - call.accepted_t_s < rules.accepted_for_s for call in made
    )
    called = {call.person for call in made}
    new: list[Call] = []
    skipping = False  # nobody of the step before could be reached: do not wait for this one's time
    exhausted = not on_the_way
    for index, step in enumerate(ladder.steps):
        if on_the_way:
            break
        if now_t_s - alarm.t_s < step.after_s and not skipping:
            exhausted = False
            break
        wanted = _of(step, people, owner)
        fresh = [person for person in wanted if person.id not in called]
        new += [Call(alarm.id, person.id, index, now_t_s) for person in fresh]
        called |= {person.id for person in fresh}
        theirs = [call for call in made if call.person in {person.id for person in wanted}]
        skipping = not _may_reach(wanted, theirs, rules, now_t_s)
        exhausted = exhausted and not fresh
    late = [call for call in made if now_t_s - call.called_t_s < rules.undelivered_after_s]
    return Escalation(alarm.id, tuple(new), reached, exhausted and not new and not late)


def _of(step: Step, people: Sequence[Person], owner: str | None) -> list[Person]:
    if step.who == "owner":
        return [person for person in people if person.id == owner]
    if step.who == "floor":
        return [person for person in people if person.answers and person.present]
    return [person for person in people if step.who in person.roles]


def _may_reach(wanted: Sequence[Person], made: Sequence[Call], rules: AlarmResponse, now_t_s: float) -> bool:
    """Whether a call to this step was delivered, or still may be: a screen is there and its time is not over."""
    if any(call.delivered_t_s is not None for call in made):
        return True
    waiting = {call.person for call in made if now_t_s - call.called_t_s >= rules.undelivered_after_s}
    return any(person.present and person.id not in waiting for person in wanted)
