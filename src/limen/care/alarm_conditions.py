"""Alarms that a person's words raise: a listed symptom with any pressure, apnoea, panic, nausea."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from limen.care.alarm_limits import RANK, Crossing, span
from limen.care.alarm_state import Symptoms
from limen.knowledge.monitoring import Reported

if TYPE_CHECKING:
    from limen.care.alarm_work import Work


def set_symptoms(work: Work, act: Symptoms) -> None:
    """Let these symptoms stand, and judge the newest values again: some limits count only with a symptom."""
    appeared = bool(act.texts) != bool(work.symptoms)
    work.symptoms = act.texts
    if not appeared:
        return
    for signal, state in sorted(work.signals.items()):
        if state.value is not None and state.value_t_s is not None:
            work.judge(signal, state.value, state.value_t_s, newest=True)


def reported_crossings(work: Work) -> Iterator[tuple[Crossing | None, str]]:
    """For every listed report, its alarm where it stands and ``None`` where it does not."""
    standing = work.watch.rules.reported_in(work.symptoms) if work.symptoms else ()
    ids = {entry.id for entry in standing}
    for entry in standing:
        yield _crossing(work, entry), f"reported/{entry.id}"
    for key in sorted(work.slots):
        if key.startswith("reported/") and key.removeprefix("reported/") not in ids:
            yield None, key


def _crossing(work: Work, entry: Reported) -> Crossing:
    tier = work.watch.rules.tiers[entry.tier]
    return Crossing(
        rank=RANK[entry.tier],
        tier=entry.tier,
        rule=entry.rule,
        signal=entry.signal or "",
        condition=entry.title,
        limit=None,
        priority=tier.priority,
        action=entry.action or tier.action,
        because=f"{entry.title} reported{_beside(work, entry)}. {entry.do}",
        sources=entry.sources,
        verification=entry.verification.value,
    )


def _beside(work: Work, entry: Reported) -> str:
    """The newest value that belongs beside the report, with its age."""
    if entry.signal is None:
        return ""
    signal = work.watch.signals[entry.signal]
    state = work.signals.get(entry.signal)
    if state is None or state.value is None or state.value_t_s is None:
        return f"; {signal.title.lower()} not measured"
    age = span(max(0.0, work.tick.t_s - state.value_t_s))
    said = work.watch.said(signal.id, state.value, work.watch.own(signal.id, work.limits))
    return f"; {signal.title.lower()} {said}, measured {age} ago"
