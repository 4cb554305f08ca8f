"""Which limits a value crosses: the rules' tiers, or the patient's own limits in their place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from limen.care.alarm_state import OwnLimit
from limen.care.figures import figure
from limen.knowledge.monitoring import Action, Limit, MonitoringRules, Priority, Signal, TierName

Side = Literal["low", "high"]
# Values before the dose, each in the unit its key names (``sbp_mmHg``); a missing one is None.
Values = Mapping[str, float | None]

# Tiers as ranks. A confirmed hold stands over a hold, and both under a stop.
RANK: dict[TierName, int] = {"warn": 10, "hold": 20, "stop": 30}
CONFIRMED = 25
OWN_RULE = "own-limit"


@dataclass(frozen=True, slots=True)
class Crossing:
    """A limit that a value has crossed, with everything an alarm needs to say about it."""

    rank: int
    tier: str
    rule: str
    signal: str
    condition: str
    limit: float | None
    priority: Priority
    action: Action
    because: str
    sources: tuple[str, ...]
    verification: str
    delay_s: float = 0.0
    recheck_s: float | None = None


@dataclass(frozen=True, slots=True)
class _Step:
    limit: Limit
    threshold: float

    def crossed_by(self, value: float) -> bool:
        when = self.limit.when
        if when == "over":
            return value > self.threshold
        if when == "at-or-under":
            return value <= self.threshold
        if when == "under":
            return value < self.threshold
        return value >= self.threshold


class Watch:
    """The limits that hold in one session, ready to be asked once a second.

    Parameters
    ----------
    rules : MonitoringRules
        The installed rules, or those a session carries.
    baseline : Values
        The patient's values before the dose, by the keys of the contract (``sbp_mmHg``, ...). A missing one
        leaves the rules on a rise unjudged: see ``unjudged``.

    Examples
    --------
    >>> from limen.knowledge.monitoring import monitoring
    >>> watch = Watch(monitoring(), {"sbp_mmHg": 120.0})
    >>> [(c.rule, c.tier, c.limit) for c in watch.crossings("NIBP_SYS", "high", 150.0, own=None, symptomatic=False)]
    [('MON-1', 'warn', 144.0)]
    """

    def __init__(self, rules: MonitoringRules, baseline: Values | None = None) -> None:
        self.rules = rules
        self.signals: dict[str, Signal] = {entry.id: entry for entry in rules.signals}
        self.unjudged: list[dict[str, str]] = []
        self._ladders: dict[tuple[str, Side], list[_Step]] = {}
        self.baseline: Values = baseline or {}
        known = self.baseline
        for signal in [*self.signals, *rules.scores]:
            for limit in rules.limits:
                if limit.signal == self.followed(signal):
                    self._add(signal, limit, known)

    def _add(self, signal: str, limit: Limit, baseline: Values) -> None:
        threshold = limit.limit
        side: Side = "low" if limit.when in {"under", "at-or-under"} else "high"
        if limit.when == "rise-at-or-over":
            key = self.signals[signal].baseline or ""
            start = baseline.get(key)
            if start is None:
                self.unjudged.append(
                    {"rule": limit.rule, "input": f"baseline.{key}", "why": "not recorded: no limit on the rise"}
                )
                return
            threshold = round(start * (100 + limit.limit) / 100, 6)
        self._ladders.setdefault((signal, side), []).append(_Step(limit, threshold))

    def followed(self, signal: str) -> str:
        """The signal whose limits this one uses."""
        entry = self.signals.get(signal)
        return entry.limits_of if entry and entry.limits_of else signal

    def own(self, signal: str, limits: Mapping[str, OwnLimit]) -> OwnLimit | None:
        """The patient's own limits of a signal, if any: its own name first, then the signal it follows."""
        return limits.get(signal) or limits.get(self.followed(signal))

    def open_sides(self, limits: Mapping[str, OwnLimit]) -> list[dict[str, str]]:
        """Sides that a rule watches and the patient's own limits leave open: nothing is dropped in silence."""
        return [
            {"signal": signal, "side": side, "rule": steps[0].limit.rule}
            for (signal, side), steps in self._ladders.items()
            if (own := self.own(signal, limits)) is not None and getattr(own, side) is None
        ]

    def edges(self, signal: str, own: OwnLimit | None) -> tuple[float, ...]:
        """The limits of a signal or score that are in force, lowest first."""
        if own is not None:
            return tuple(sorted(bound for bound in (own.low, own.high) if bound is not None))
        both = (self._ladders.get((signal, side), ()) for side in self.sides(signal))
        return tuple(sorted({step.threshold for steps in both for step in steps}))

    def said(self, signal: str, value: float, own: OwnLimit | None) -> str:
        """A value with its unit, as the screens write it."""
        unit = self.rules.unit_of(signal)
        if self.rules.figures == "as-measured":
            return shown(value, unit)
        return figure(value, unit, self.edges(signal, own))

    def sides(self, signal: str) -> tuple[Side, Side]:
        """Both sides, low first."""
        return ("low", "high")

    def crossings(
        self, signal: str, side: Side, value: float, *, own: OwnLimit | None, symptomatic: bool
    ) -> list[Crossing]:
        """Every limit of one side that ``value`` crosses, mildest tier first, one for each tier.

        Parameters
        ----------
        signal : str
            A signal of the rules, or a score.
        side : str
            ``low`` or ``high``.
        value : float
            In the signal's unit.
        own : OwnLimit or None
            Limits of this patient; where given, the rules' limits of the signal do not count.
        symptomatic : bool
            Whether a symptom stands.
        """
        if own is not None:
            bound = own.low if side == "low" else own.high
            beyond = bound is not None and (value < bound if side == "low" else value > bound)
            said = self.said(signal, value, own)
            return [self._own(signal, side, said, bound)] if beyond and bound is not None else []
        steps = self._ladders.get((signal, side))
        if not steps:
            return []
        found: dict[int, Crossing] = {}
        for step in steps:
            rank = RANK[step.limit.tier]
            if rank not in found and step.crossed_by(value) and (symptomatic or not step.limit.with_symptom):
                found[rank] = self._crossing(signal, side, value, step, rank)
        return [found[rank] for rank in sorted(found)]

    def _own(self, signal: str, side: Side, said: str, bound: float) -> Crossing:
        policy = self.rules.own_limits
        high = signal in policy.high_signals
        entry = self.signals[signal]
        word = "under" if side == "low" else "over"
        return Crossing(
            rank=RANK["stop"] if high else RANK["hold"],
            tier="own",
            rule=OWN_RULE,
            signal=signal,
            condition=f"{signal} {side}",
            limit=bound,
            priority=policy.high_priority if high else policy.priority,
            action=policy.high_action if high else policy.action,
            because=f"{entry.title} {said} {word} own limit {shown(bound, entry.unit)}",
            sources=policy.sources,
            verification=policy.verification.value,
        )

    def _crossing(self, signal: str, side: Side, value: float, step: _Step, rank: int) -> Crossing:
        limit = step.limit
        tier = self.rules.tiers[limit.tier]
        title, unit = self.title(signal), self.rules.unit_of(signal)
        edge = _EDGE[limit.when].format(shown(step.threshold, unit))
        if limit.when == "rise-at-or-over":
            edge += f", {limit.limit:g} % over the start"
        if limit.with_symptom:
            edge += ", with a symptom"
        return Crossing(
            rank=rank,
            tier=limit.tier,
            rule=limit.rule,
            signal=signal,
            condition=f"{signal} {side}",
            limit=step.threshold,
            priority=tier.priority,
            action=tier.action,
            because=f"{title} {self.said(signal, value, None)}; limit {edge}. {limit.do}",
            sources=limit.sources,
            verification=limit.verification.value,
            delay_s=limit.delay_s,
            recheck_s=limit.recheck_s,
        )

    def confirmed(self, crossing: Crossing, *, after_s: float) -> Crossing:
        """The same crossing, seen again at its recheck."""
        step = next(
            entry
            for entry in self.rules.limits
            if entry.rule == crossing.rule and entry.tier == crossing.tier and entry.recheck_s is not None
        )
        do = step.confirmed_do or step.do
        seen = crossing.because.partition(". ")[0]
        return Crossing(
            rank=CONFIRMED,
            tier=f"{crossing.tier}-confirmed",
            rule=crossing.rule,
            signal=crossing.signal,
            condition=crossing.condition,
            limit=crossing.limit,
            priority=crossing.priority,
            action=crossing.action,
            because=f"{seen}, confirmed after {span(after_s)}. {do}",
            sources=crossing.sources,
            verification=crossing.verification,
        )

    def title(self, signal: str) -> str:
        """The signal or score as people call it."""
        entry = self.signals.get(signal)
        return entry.title if entry else self.rules.scores.get(signal, signal)

    def readable(self, signal: str, value: float | None) -> bool:
        """Whether a sample can be a reading of a living person: 0, nothing and the impossible cannot."""
        entry = self.signals[signal]
        return value is not None and entry.low < value <= entry.high


_EDGE = {
    "at-or-over": "{} or over",
    "over": "over {}",
    "at-or-under": "{} or under",
    "under": "under {}",
    "rise-at-or-over": "{} or over",
}


def shown(value: float, unit: str) -> str:
    """A number with its unit, as screens print it.

    Examples
    --------
    >>> shown(97.0, "%"), shown(5.0, "")
    ('97 %', '5')
    """
    return f"{value:g} {unit}".rstrip()


def span(duration_s: float) -> str:
    """A span of time, as screens print it.

    Examples
    --------
    >>> span(98)
    '1:38'
    """
    whole = round(duration_s)
    return f"{whole // 60}:{whole % 60:02d}"
