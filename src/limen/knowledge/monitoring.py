"""What is watched in a session: signals, limits with their tiers, silence rules, listed symptoms, when to observe."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from importlib import resources
from typing import Literal

from pydantic import model_validator

from limen.errors import KnowledgeError
from limen.evidence import Verification, cite, read_yaml
from limen.evidence.yaml import Record
from limen.knowledge.said import asserts, clauses

TierName = Literal["warn", "hold", "stop"]
Priority = Literal["low", "medium", "high"]
Action = Literal["watch", "pause", "stop"]
When = Literal["at-or-over", "over", "at-or-under", "under", "rise-at-or-over"]
TakenBack = Literal["stands-until-the-next", "judged-again"]
Figures = Literal["as-measured", "whole-unless-it-misleads"]
Clauses = Literal["commas", "lines-and-signs-too"]

TIERS: tuple[TierName, ...] = ("warn", "hold", "stop")


class Tier(Record):
    """What a level of concern means: its alarm priority and what it asks of the staff."""

    priority: Priority
    action: Action


class Signal(Record):
    """One watched signal.

    Attributes
    ----------
    low, high : float
        A sample outside this range cannot be a reading of a living person: technical, never physiological.
        ``low`` itself is outside.
    baseline : str or None
        Key of the session's baseline for rules on a rise.
    limits_of : str or None
        A signal whose limits this one follows, as a pulse follows the heart rate.
    cuff : bool
        Measured on demand: its age is judged by the schedule, not in seconds.
    clear_s : float
        Hysteresis: how long the value must be back before the alarm ends.
    clear_verification : Verification
        The mark of that time; rules kept with older sessions do not say it, and theirs was the clinic's too.
    """

    id: str
    title: str
    unit: str
    low: float
    high: float
    clear_s: float
    clear_verification: Verification = Verification.CLINIC_RULE
    baseline: str | None = None
    limits_of: str | None = None
    cuff: bool = False


class Limit(Record):
    """One limit of one rule on one signal or score.

    Attributes
    ----------
    delay_s : float
        How long the limit must stay crossed before the alarm; 0: one valid sample is enough.
    with_symptom : bool
        Counts only while a symptom stands.
    recheck_s : float or None
        A crossing asks for a second reading after this long; if that crosses too, it is confirmed.
    do : str
        What to do, as the screen says it.
    """

    rule: str
    tier: TierName
    signal: str
    when: When
    limit: float
    do: str
    delay_s: float = 0
    with_symptom: bool = False
    recheck_s: float | None = None
    confirmed_do: str | None = None
    sources: tuple[str, ...]
    verification: Verification

    @property
    def unit(self) -> str:
        """Unit of ``limit``: the signal's own, or percent of the baseline for a rise."""
        return "%" if self.when == "rise-at-or-over" else monitoring().unit_of(self.signal)


class Reported(Record):
    """Something a person reports that is an alarm in itself.

    Attributes
    ----------
    words : tuple of str
        Each entry is a set of word beginnings that must all stand in the text.
    signal : str or None
        The signal whose newest value belongs beside it.
    replaces : str or None
        The milder report that this one stands for as well.
    action : str or None
        What it asks for, where that is not what its tier asks for: nausea is treated while the infusion goes on.
    """

    id: str
    title: str
    rule: str
    tier: TierName
    words: tuple[str, ...]
    do: str
    signal: str | None = None
    replaces: str | None = None
    action: Action | None = None
    sources: tuple[str, ...]
    verification: Verification


class Silence(Record):
    """When a stream that stops is stale, and when it is lost: the larger of a time and a number of periods."""

    floor_s: float
    periods: int
    cuffs_missed: int
    priority: Priority
    verification: Verification


class Technical(Record):
    """Alarms about the equipment."""

    stale: Silence
    lost: Silence
    invalid_priority: Priority
    invalid_clear_s: float
    cuff_grace_s: float
    live_period_max_s: float
    sources: tuple[str, ...]
    verification: Verification


class OwnLimits(Record):
    """Alarms on limits set for one patient; they replace the rule's limits of that signal."""

    priority: Priority
    action: Action
    high_signals: tuple[str, ...]
    high_priority: Priority
    high_action: Action
    sources: tuple[str, ...]
    verification: Verification


class Deviation(Record):
    """The alarm of a patient who leaves the band that was forecast.

    Attributes
    ----------
    outside_s : mapping of signal to seconds
        Those judged, and how long each must stay outside.
    level_pct : float
        Share of readings that the band is made to hold.
    """

    tier: TierName
    outside_s: dict[str, float]
    level_pct: float
    do: str
    sources: tuple[str, ...]
    verification: Verification


class Sound(Record):
    """How long a sound may be held back before it returns."""

    acknowledged_s: float
    paused_max_s: float
    of_the_tap: bool = False  # an answer that comes late is about what stood then; older sessions replay as watched
    sources: tuple[str, ...]
    verification: Verification


class Schedule(Record):
    """When pressure, pulse and saturation are due in one setting.

    Attributes
    ----------
    during_every_min, after_every_min : float or None
        Interval while the dose runs, and after its end.
    after_until_min : float or None
        How long after the end the schedule goes on.
    at_min : tuple of float
        Fixed minutes from the start of the dose, where a setting names them.
    """

    id: str
    title: str
    protocols: tuple[str, ...]
    what: tuple[str, ...]
    baseline: bool
    during_every_min: float | None = None
    after_every_min: float | None = None
    after_until_min: float | None = None
    at_min: tuple[float, ...] = ()
    until: str
    sources: tuple[str, ...]
    verification: Verification


class MonitoringRules(Record):
    """All of it, as one versioned value that a session can carry with it."""

    tiers: dict[TierName, Tier]
    signals: tuple[Signal, ...]
    limits: tuple[Limit, ...]
    reported: tuple[Reported, ...]
    technical: Technical
    own_limits: OwnLimits
    sound: Sound
    default_schedule: str
    observation_grace_s: float
    observation_grace_verification: Verification = Verification.CLINIC_RULE
    schedules: tuple[Schedule, ...]
    scores: dict[str, str]
    deviation: Deviation | None = None  # rules kept with older sessions know of none
    # What a value that was taken back leaves behind; sessions from before this was a rule replay as they were watched.
    taken_back: TakenBack = "stands-until-the-next"
    figures: Figures = "as-measured"  # how an alarm's words write a value; the same holds for older sessions
    clauses: Clauses = "commas"  # what ends a clause of what a person typed; the same holds for older sessions

    @model_validator(mode="after")
    def _consistent(self) -> MonitoringRules:
        if set(self.tiers) != set(TIERS):
            raise ValueError(f"tiers must be {', '.join(TIERS)}")
        known = {signal.id for signal in self.signals} | set(self.scores)
        for limit in self.limits:
            if limit.signal not in known:
                raise ValueError(f"{limit.rule}: unknown signal {limit.signal}")
        for signal in self.signals:
            if signal.limits_of and signal.limits_of not in known:
                raise ValueError(f"{signal.id}: limits_of unknown {signal.limits_of}")
            if signal.low >= signal.high:
                raise ValueError(f"{signal.id}: low is not under high")
        for entry in self.reported:
            if entry.signal is not None and entry.signal not in known:
                raise ValueError(f"{entry.id}: unknown signal {entry.signal}")
            if entry.replaces is not None and entry.replaces not in {other.id for other in self.reported}:
                raise ValueError(f"{entry.id}: replaces unknown {entry.replaces}")
        if self.default_schedule not in {schedule.id for schedule in self.schedules}:
            raise ValueError(f"default_schedule: no schedule {self.default_schedule}")
        for name in self.deviation.outside_s if self.deviation else ():
            if name not in known:
                raise ValueError(f"deviation: unknown signal {name}")
        if self.technical.stale.floor_s > self.technical.lost.floor_s:
            raise ValueError("technical: stale must come before lost")
        return self

    def signal(self, signal: str) -> Signal | None:
        """The signal with this id, or ``None``."""
        return next((entry for entry in self.signals if entry.id == signal), None)

    def unit_of(self, signal: str) -> str:
        """Unit of a signal; scores have none."""
        entry = self.signal(signal)
        return entry.unit if entry else ""

    def schedule_for(self, protocol: str | None) -> Schedule:
        """The schedule of a protocol; the default where no setting names it."""
        named = next((entry for entry in self.schedules if protocol in entry.protocols), None)
        return named or next(entry for entry in self.schedules if entry.id == self.default_schedule)

    def reported_in(self, texts: Iterable[str]) -> tuple[Reported, ...]:
        """The listed reports that the words of ``texts`` hold; a denied one ("no chest pain") does not count."""
        commas_only = self.clauses == "commas"
        listed = [clause for text in texts for clause in clauses(text, commas_only=commas_only)]
        vocabulary = frozenset(part for entry in self.reported for words in entry.words for part in words.split())
        found = [
            entry
            for entry in self.reported
            if any(asserts(clause, words, vocabulary) for clause in listed for words in entry.words)
        ]
        replaced = {entry.replaces for entry in found}
        return tuple(entry for entry in found if entry.id not in replaced)

    def source_keys(self) -> set[str]:
        """Every source cited."""
        cited = {*self.technical.sources, *self.own_limits.sources, *self.sound.sources}
        if self.deviation is not None:
            cited.update(self.deviation.sources)
        cited.update(key for limit in self.limits for key in limit.sources)
        cited.update(key for entry in self.reported for key in entry.sources)
        cited.update(key for schedule in self.schedules for key in schedule.sources)
        return cited


@functools.cache
def monitoring() -> MonitoringRules:
    """The installed rules.

    Raises
    ------
    KnowledgeError
        If the file is malformed or cites an unknown source.

    Examples
    --------
    >>> [(limit.tier, limit.limit) for limit in monitoring().limits if limit.signal == "SPO2"]
    [('warn', 95.0), ('hold', 92.0), ('stop', 90.0)]
    """
    path = resources.files("limen.knowledge") / "data" / "monitoring" / "monitoring.yaml"
    rules = read_yaml(path, MonitoringRules)
    for key in sorted(rules.source_keys()):
        cite(key, where=path.name)
    if not rules.limits:
        raise KnowledgeError("no limits", where=path.name)
    return rules
