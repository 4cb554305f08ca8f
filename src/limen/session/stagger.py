"""When to start a chair so that one person's observations do not fall due together.

Observations of an infusion fall due every 10 and then every 15 minutes, so chairs started 10 or 15 minutes apart
meet again and again. Thirteen minutes shares no such beat: two chairs never come nearer than two minutes.

What counts is who must do them. A colleague's chair takes nothing from this person's time until it is handed over, or
an emergency leaves one person with the room: so the better minute is found for the owner's own list, and what would
fall together in the whole room is told beside it, with whose chairs they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from limen.errors import InputError
from limen.knowledge.monitoring import Schedule

STAGGER_MIN = 13  # a rule of this project
LOOK_AHEAD_MIN = 30


@dataclass(frozen=True, slots=True)
class DueElsewhere:
    """An observation that is owed at another chair of the room, in seconds from now, and by whom."""

    chair: str
    due_s: float
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Stacked:
    """One observation of this chair that falls due together with one of another."""

    own_s: float
    chair: str
    apart_s: float
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class StartAdvice:
    """What starting now would stack, and a better minute. It is an offer: a person decides.

    Attributes
    ----------
    stacked : tuple of Stacked
        What falls due together if the dose starts now.
    near_start : str or None
        A chair of the same person that began less than the stagger ago.
    better_min : int or None
        Minutes to wait; ``None`` where now is as good as any minute.
    left : int
        How much is stacked even then.
    """

    stacked: tuple[Stacked, ...]
    near_start: str | None
    better_min: int | None
    left: int


def due_minutes(schedule: Schedule, duration_min: float, *, until_min: float = 240.0) -> tuple[float, ...]:
    """Minutes from the start of a dose at which a schedule asks for an observation.

    Examples
    --------
    >>> from limen.knowledge.monitoring import monitoring
    >>> due_minutes(monitoring().schedule_for("TRD-IV"), 40.0, until_min=90.0)
    (0.0, 10.0, 20.0, 30.0, 40.0, 55.0, 70.0, 85.0)
    """
    found = {0.0} if schedule.baseline else set()
    found |= {float(minute) for minute in schedule.at_min}
    for begin, every, end in (
        (0.0, schedule.during_every_min, duration_min),
        (duration_min, schedule.after_every_min, duration_min + (schedule.after_until_min or until_min)),
    ):
        minute = begin + (every or 0.0)
        while every and minute <= min(end, until_min) + 1e-9:
            found.add(minute)
            minute += every
    return tuple(sorted(minute for minute in found if minute <= until_min))


def stacks(own_s: Sequence[float], others: Sequence[DueElsewhere], apart_s: float) -> tuple[Stacked, ...]:
    """Observations that fall due nearer together than ``apart_s``."""
    return tuple(
        Stacked(mine, other.chair, abs(mine - other.due_s), other.owner)
        for mine in own_s
        for other in others
        if abs(mine - other.due_s) < apart_s - 1e-9
    )


def advise_start(
    schedule: Schedule,
    duration_min: float,
    others: Sequence[DueElsewhere],
    *,
    apart_s: float,
    starts_s: Sequence[tuple[str, float]] = (),
) -> StartAdvice:
    """What a dose that starts now would stack for the person who owns these chairs, and the next better minute.

    Parameters
    ----------
    schedule : Schedule
        The observations of the new chair.
    duration_min : float
        How long its dose is to run, from the first of it to the last; 0 for one dose at once.
    others : sequence of DueElsewhere
        What is still due at the same person's other chairs.
    apart_s : float
        Two observations nearer than this are one too many for one person: the grace time of the rules.
    starts_s : sequence of (str, float)
        The same person's other chairs with the seconds since each began its dose.

    Returns
    -------
    StartAdvice

    Raises
    ------
    InputError
        If the duration is negative.

    Examples
    --------
    >>> from limen.knowledge.monitoring import monitoring
    >>> rules = monitoring().schedule_for("TRD-IV")
    >>> running = [DueElsewhere("Chair 1", 60.0 * (minute - 15)) for minute in due_minutes(rules, 40.0) if minute > 15]
    >>> advise_start(rules, 40.0, running, apart_s=60.0, starts_s=[("Chair 1", 900.0)]).better_min
    1
    """
    if not duration_min >= 0:
        raise InputError(f"{duration_min:g} min", where="duration_min", allowed="0, for a dose at once, or more")
    own_s = [60.0 * minute for minute in due_minutes(schedule, duration_min)]
    now = stacks(own_s, others, apart_s)
    near = min(((gone_s, chair) for chair, gone_s in starts_s if gone_s < 60.0 * STAGGER_MIN), default=None)
    if not now and near is None:
        return StartAdvice((), None, None, 0)
    wait_min = 0 if near is None else -int(-(60.0 * STAGGER_MIN - near[0]) // 60.0)
    minutes = range(max(1, wait_min), LOOK_AHEAD_MIN + 1)
    counts = {minute: len(stacks([due + 60.0 * minute for due in own_s], others, apart_s)) for minute in minutes}
    best = min(minutes, key=lambda minute: (counts[minute], minute))
    better = near is not None or counts[best] < len(now)
    return StartAdvice(now, near[1] if near else None, best if better else None, counts[best] if better else len(now))


@dataclass(frozen=True, slots=True)
class RoomAdvice:
    """What a start means for its owner, and for the room should one person come to hold it all.

    Attributes
    ----------
    own : StartAdvice
        Against the owner's own chairs: this is the advice.
    room : StartAdvice
        Against every chair of the room.
    colleagues : tuple of Stacked
        What would fall together with somebody else's chairs if the dose started now.
    """

    own: StartAdvice
    room: StartAdvice
    colleagues: tuple[Stacked, ...]

    @property
    def silent(self) -> bool:
        """Whether there is nothing to say."""
        return self.own.better_min is None and not self.own.stacked and not self.colleagues


def advise_room(
    schedule: Schedule,
    duration_min: float,
    others: Sequence[DueElsewhere],
    *,
    owner: str | None,
    apart_s: float,
    starts_s: Sequence[tuple[str, float, str | None]] = (),
) -> RoomAdvice:
    """Advice for the person who starts a chair, with the whole room in view.

    Parameters
    ----------
    others : sequence of DueElsewhere
        What is still due at every other chair of the room, with its owner.
    owner : str or None
        Who will own the new chair.
    starts_s : sequence of (str, float, str or None)
        Chair, seconds since its dose began, and its owner.

    Examples
    --------
    >>> from limen.knowledge.monitoring import monitoring
    >>> rules = monitoring().schedule_for("TRD-IV")
    >>> running = [
    ...     DueElsewhere("Chair 1", 60.0 * (minute - 15), "N. Berg")
    ...     for minute in due_minutes(rules, 40.0) if minute > 15
    ... ]
    >>> advice = advise_room(rules, 40.0, running, owner="D. Kessel", apart_s=60.0)
    >>> advice.own.better_min, advice.room.better_min, {item.owner for item in advice.colleagues}
    (None, 1, {'N. Berg'})
    """
    mine = [other for other in others if other.owner == owner]
    begun = [(chair, gone_s) for chair, gone_s, whose in starts_s if whose == owner]
    own = advise_start(schedule, duration_min, mine, apart_s=apart_s, starts_s=begun)
    room = advise_start(schedule, duration_min, others, apart_s=apart_s, starts_s=begun)
    return RoomAdvice(own, room, tuple(item for item in room.stacked if item.owner != owner))
