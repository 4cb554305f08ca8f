"""Sessions of a course that were missed, by the schedule of its weeks, and what the protocol does about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from limen.errors import InputError
from limen.knowledge.missed import MissedWeeks
from limen.knowledge.protocols import Protocol


@dataclass(frozen=True, slots=True)
class Missed:
    """Sessions missed in one stretch of days, and the rule for them.

    Attributes
    ----------
    week : int
        Of the course; the last one of the stretch.
    planned, given : int or None, int
        From the first session to the end of the stretch; no number is planned where a person chose the interval.
    missed : int or None
        How many in this stretch; ``None`` where it depends on an interval that a person chose.
    do : {"keep-schedule", "step-back-if-worse"}
    advice : str
        In words. Whether a patient is worse is a clinician's judgement: the source names no score.
    """

    week: int
    ended_on: date
    planned: int | None
    given: int
    missed: int | None
    do: str
    because: str
    advice: str
    rule: MissedWeeks

    def to_json(self) -> dict[str, Any]:
        return {
            "week": self.week,
            "ended_on": self.ended_on.isoformat(),
            "planned": self.planned,
            "given": self.given,
            "missed": self.missed,
            "do": self.do,
            "because": self.because,
            "advice": self.advice,
            "text": self.rule.text,
            "sources": list(self.rule.sources),
            "verification": self.rule.verification.value,
        }


def missed_sessions(protocol: Protocol, sessions: Sequence[date], on: date) -> tuple[Missed, ...]:
    """What was missed up to a day, oldest first; nothing where the protocol has no rule, or no session was given.

    Weeks count from the day of the first session. A week is judged when it is over, and only a session short of the
    schedule *so far* is missed: one given a day early is not. Where a person chooses between intervals, the longest
    must be over before a session is missed for certain; past the shortest it is open.

    Parameters
    ----------
    sessions : sequence of date
        The days on which a dose of this course was given, in any order.
    on : date
        The day of the question.

    Raises
    ------
    InputError
        If a session lies after that day.

    Examples
    --------
    >>> from limen.knowledge.protocols import get_protocol
    >>> first = date(2026, 3, 2)
    >>> given = [first + timedelta(days=day - 1) for day in (1, 4, 8)]  # day 11 was missed
    >>> found = missed_sessions(get_protocol("ESK-TRD"), given, date(2026, 3, 16))
    >>> [(item.week, item.missed, item.do) for item in found]
    [(2, 1, 'keep-schedule')]
    """
    days = sorted(sessions)
    if days and days[-1] > on:
        raise InputError(f"a session on {days[-1].isoformat()}", where="sessions", allowed=f"up to {on.isoformat()}")
    if not protocol.missed or not days:
        return ()
    found: list[Missed] = []
    planned = short = 0
    for place, part in enumerate(protocol.missed):
        weeks_over = (on - days[0]).days // 7
        if len(part.every_weeks) > 1:
            found += _open_interval(protocol.missed, place, days, on)
            break
        step = part.every_weeks[0]
        last = weeks_over if part.to_week is None else min(part.to_week, weeks_over)
        for week in range(part.from_week + step - 1, last + 1, step):
            planned += part.sessions
            ended_on = days[0] + timedelta(days=7 * week - 1)
            given = sum(day <= ended_on for day in days)
            now_short = max(0, planned - given)
            if now_short > short:
                number = now_short - short
                because = f"week {week} ended with {given} of {planned} sessions given"
                advice = _advice(protocol.missed, place)
                found.append(Missed(week, ended_on, planned, given, number, part.do, because, advice, part))
            short = now_short
    return tuple(found)


def _open_interval(parts: Sequence[MissedWeeks], place: int, days: Sequence[date], on: date) -> list[Missed]:
    """Weeks whose interval a person chose: judged by the days since the last session."""
    part = parts[place]
    began = days[0] + timedelta(days=7 * (part.from_week - 1))
    since = (on - max(days[-1], began - timedelta(days=7 * part.every_weeks[0]))).days
    shortest, longest = 7 * part.every_weeks[0], 7 * part.every_weeks[-1]
    if on < began or since <= shortest:
        return []
    certain = since > longest
    choice = " or ".join(part.frequencies)
    because = f"{(on - days[-1]).days} days since the last session, {choice}"
    if not certain:
        because += ": missed if it is to be " + " or ".join(part.frequencies[:-1])
    week = (on - days[0]).days // 7 + 1
    return [Missed(week, on, None, len(days), 1 if certain else None, part.do, because, _advice(parts, place), part)]


def _advice(parts: Sequence[MissedWeeks], place: int) -> str:
    part = parts[place]
    if part.do == "keep-schedule":
        return "Keep the schedule: the next sessions stay on their days, none is added"
    before = [words for earlier in parts[:place] for words in earlier.frequencies]
    ladder = list(dict.fromkeys((*before, *part.frequencies)))
    steps = [
        f"from {words} to {ladder[ladder.index(words) - 1]}" for words in part.frequencies if ladder.index(words) > 0
    ]
    return f"Where you find the patient worse, one step back: {', '.join(steps)}. Otherwise go on as before"
