"""Which checks are due, counted from what was given: an exposure, what was done, and the day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from limen.care.signs import Due, Signs, by_signs, missing_signs
from limen.knowledge.surveillance import Check, For, Surveillance, surveillance

__all__ = ["Due", "Given", "Signs", "Someone", "due", "missing_signs"]


@dataclass(frozen=True, slots=True)
class Given:
    """One session as it was given."""

    on: date
    dose_mg: float | None = None


@dataclass(frozen=True, slots=True)
class Someone:
    """What decides whom a check concerns; ``None`` is not known, and then it concerns them."""

    age_years: float | None = None
    sex: str | None = None


_COMING_DAYS = 28
_ORDER = ("stop", "hold", "overdue", "due", "watch", "coming")


def due(
    sessions: Sequence[Given],
    done: Mapping[str, date],
    on: date,
    *,
    someone: Someone | None = None,
    signs: Signs | None = None,
) -> tuple[Due, ...]:
    """What is due on this day, the gravest first.

    Parameters
    ----------
    sessions : sequence of Given
        Every session of any course, in any order; one in the future is not counted.
    done : mapping of check to date
        When each check was last done; one done after ``on`` does not count.
    on : date
    someone : Someone, optional
    signs : Signs, optional

    Returns
    -------
    tuple of Due
        A check that was never done is counted from the session that made it due.

    Examples
    --------
    >>> weekly = [Given(date(2026, 1, 5) + timedelta(days=7 * week)) for week in range(12)]
    >>> found = due(weekly, {"BAS-12": date(2026, 1, 5)}, date(2026, 3, 30))
    >>> [(item.rule, item.level) for item in found if item.rule in {"BAS-12", "MNT-5"}]
    [('BAS-12', 'overdue'), ('MNT-5', 'due')]
    """
    rules = surveillance()
    given = sorted((session for session in sessions if session.on <= on), key=lambda session: session.on)
    person, seen = someone or Someone(), signs or Signs()
    found = [*by_signs(rules, seen)]
    if given:
        days = [session.on for session in given]
        known = {name: when for name, when in done.items() if when <= on}
        found += [item for check in rules.checks if (item := _check(rules, check, days, known, on, person)) is not None]
        found += [
            item for item in (_review(rules, days, known, on), _daily(rules, days), _stopped(rules, days, on)) if item
        ]
    return tuple(sorted(found, key=lambda item: (_ORDER.index(item.level), item.on or date.min, item.rule)))


def _check(
    rules: Surveillance, check: Check, days: Sequence[date], done: Mapping[str, date], on: date, person: Someone
) -> Due | None:
    if not _concerns(check.concerns, person):
        return None
    begun = _begins(rules, check, days, on)
    if begun is None:
        return None
    last = done.get(check.id)
    since = last or begun
    reasons = []
    dates = []
    span_days = check.every_days
    in_acute = check.acute_days is not None and since < days[0] + timedelta(days=check.acute_days)
    if in_acute:
        span_days = check.acute_every_days
    if last is None:
        dates.append(begun)
        reasons.append("never recorded")
    else:
        reasons.append(f"last done {last.isoformat()}")
        if span_days is not None:
            dates.append(last + timedelta(days=span_days))
            reasons.append(f"every {span_days} days{' in the first weeks' if in_acute else ''}")
        if check.every_sessions is not None:
            after = [day for day in days if day > last]
            reasons.append(f"{len(after)} sessions since, every {check.every_sessions}")
            if len(after) >= check.every_sessions:
                dates.append(after[check.every_sessions - 1])
    level = _level(min(dates), on)
    if level is None:
        return None
    return Due(
        check.id,
        check.title,
        level,
        min(dates),
        "; ".join(reasons),
        check.when_abnormal,
        check.sources,
        check.verification.value,
    )


def _begins(rules: Surveillance, check: Check, days: Sequence[date], on: date) -> date | None:
    """The day from which the check concerns this treatment."""
    if check.start == "first-session":
        return days[0]
    if check.start == "repeated":
        return days[1] if len(days) > 1 else None
    lasting = days[0] + timedelta(days=rules.maintenance_from_days)
    return lasting if on >= lasting and days[-1] >= lasting else None


def _concerns(whom: For, person: Someone) -> bool:
    if whom.sex is not None and person.sex in {"female", "male"} and person.sex != whom.sex:
        return False
    if person.age_years is None:
        return True
    low, high = whom.age_from_years, whom.age_to_years
    return (low is None or person.age_years >= low) and (high is None or person.age_years <= high)


def _level(when: date, on: date) -> Literal["overdue", "due", "coming"] | None:
    if when < on:
        return "overdue"
    if when == on:
        return "due"
    return "coming" if when <= on + timedelta(days=_COMING_DAYS) else None


def _review(rules: Surveillance, days: Sequence[date], done: Mapping[str, date], on: date) -> Due | None:
    rule = rules.review
    last = done.get(rule.id)
    reached = [(count, days[count - 1]) for count in rule.at_sessions if len(days) >= count]
    open_ = [(when, f"session {count} given") for count, when in reached if last is None or last < when]
    since = last or days[0]
    by_time = since + timedelta(days=rule.every_days)
    if days[-1] > since:
        open_.append((by_time, f"{rule.every_days} days since {'the last review' if last else 'the first session'}"))
    if not open_:
        return None
    when, because = min(open_)
    level = _level(when, on)
    if level is None:
        return None
    # A count is reached by the session itself: from that day on it is due, and not late before the next session.
    if because.startswith("session") and days[-1] == when:
        level = "due"
    totals = f"{len(days)} sessions since {days[0].isoformat()}"
    return Due(
        rule.id,
        rule.title,
        level,
        when,
        f"{because}; {totals}",
        "Justify it again, or stop",
        rule.sources,
        rule.verification.value,
    )


def _daily(rules: Surveillance, days: Sequence[date]) -> Due | None:
    rule = rules.daily
    run = 1
    for before, after in zip(reversed(days[:-1]), reversed(days), strict=False):
        if (after - before).days > 1:
            break
        run += (after - before).days
    if run <= rule.over_days:
        return None
    because = f"{run} days without a day between, up to {days[-1].isoformat()}"
    return Due(rule.id, rule.title, "watch", None, because, "Withdraw gradually", rule.sources, rule.verification.value)


def _stopped(rules: Surveillance, days: Sequence[date], on: date) -> Due | None:
    rule = rules.after_stop
    since = (on - days[-1]).days
    if len(days) < 2 or not rule.from_days <= since <= rule.to_days:
        return None
    because = f"{since} days since the last session"
    action = "Ask how it goes, if the next session is not planned"
    return Due(rule.id, rule.title, "watch", None, because, action, rule.sources, rule.verification.value)
