"""What a person wrote down, as the alarm step takes it: values, scores, symptoms, and what was put right afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from limen.care.alarm_state import Act, Amend, Reading, Sample, Score, Symptoms
from limen.session.events import EntryCorrected, Event, ObservationRecorded
from limen.session.state import corrected, in_order, standing_symptoms

_SIGNALS = {
    "sbp_mmHg": "NIBP_SYS",
    "dbp_mmHg": "NIBP_DIA",
    "hr_per_min": "HR",
    "rr_per_min": "RR",
    "spo2_pct": "SPO2",
}


@dataclass(frozen=True, slots=True)
class ByHand:
    """What an event brings to a tick beside what every event of its kind does: acts before that and after, values."""

    first: tuple[Act, ...] = ()
    then: tuple[Act, ...] = ()
    samples: tuple[Sample, ...] = ()


def judged_again(event: Event, known: Sequence[Event], news: Sequence[Event], true: Sequence[Event]) -> ByHand:
    """What an observation, or the correction of one, means to the alarm step.

    An observation counts as it stands now, even where it was put right within the same second; of scores the newest
    governs, whichever was written down last.

    Parameters
    ----------
    event : Event
        New in this tick.
    known, news : sequence of Event
        Everything known, and what no earlier tick took, in the order recorded.
    true : sequence of Event
        Everything known with corrections applied, in the order it happened.
    """
    if isinstance(event, ObservationRecorded):
        stands = _observation(true, event.id)
        if stands is None:
            return ByHand()
        newest = {score.signal: entry.id for entry in _observations(true) for score in _scores(entry)}
        governing = tuple(score for score in _scores(stands) if newest[score.signal] == stands.id)
        return ByHand(then=governing, samples=_values(stands))
    if not isinstance(event, EntryCorrected) or _observation(known, event.entry) is None:
        return ByHand()
    if any(new.id == event.entry for new in news):
        return ByHand()
    return ByHand(first=(_amend(event, known, true),))


def until_the_next(event: Event, known: Sequence[Event], news: Sequence[Event], true: Sequence[Event]) -> ByHand:
    """The same by the rules of sessions watched before :func:`judged_again`: they replay as they were watched.

    What was put right counts as written anew; a value taken back goes on counting until the next one, a score gives way
    to the one before it.
    """
    if isinstance(event, ObservationRecorded):
        return ByHand(then=_scores(event), samples=_values(event))
    gone = _observation(known, event.entry) if isinstance(event, EntryCorrected) else None
    if gone is None:
        return ByHand()
    stands = _observation(true, gone.id)
    if stands is not None:
        return ByHand(then=_scores(stands), samples=_values(stands))
    again: list[Act] = []
    for taken in _scores(gone):
        left = [score for entry in _observations(true) for score in _scores(entry) if score.signal == taken.signal]
        again += [Score(event.t_s, score.signal, score.value) for score in left[-1:]]
    return ByHand(then=tuple(again))


def _amend(event: EntryCorrected, known: Sequence[Event], true: Sequence[Event]) -> Amend:
    place = next(index for index, other in enumerate(known) if other.id == event.id)
    before = _readings(_observation(corrected(known[:place]), event.entry))
    after = _readings(_observation(true, event.entry))
    written: dict[str, list[Reading]] = {}
    for observation in _observations(true):
        for signal, reading in _readings(observation).items():
            written.setdefault(signal, []).append(reading)
    return Amend(
        event.t_s,
        was={name: before.get(name) for name in sorted({*before, *after}) if before.get(name) != after.get(name)},
        written={name: tuple(sorted(found, key=lambda reading: reading[0])) for name, found in written.items()},
        symptoms=symptoms_now(event, true).texts,
    )


def symptoms_now(event: Event, true: Sequence[Event]) -> Symptoms:
    """The symptoms that stand after an event."""
    return Symptoms(event.t_s, tuple(str(noted.value) for noted in standing_symptoms(true)))


def symptoms_left(events: Sequence[Event], gone: Sequence[str]) -> tuple[str, ...]:
    """The symptoms that stand after ``events`` without those that are gone, by their words.

    Examples
    --------
    >>> from limen.session.events import SymptomReported
    >>> told = [SymptomReported(t_s=60.0, id="a", text="nausea"), SymptomReported(t_s=90.0, id="b", text="chest pain")]
    >>> symptoms_left(told, ["nausea"])
    ('chest pain',)
    """
    standing = standing_symptoms(in_order(corrected(events)))
    return tuple(str(noted.value) for noted in standing if noted.value not in gone)


def _scores(event: ObservationRecorded) -> tuple[Score, ...]:
    given = (("MOAAS", event.moaas), ("DISTRESS", event.distress))
    return tuple(Score(event.t_s, signal, value) for signal, value in given if value is not None)


def _values(event: ObservationRecorded) -> tuple[Sample, ...]:
    return tuple(
        Sample(event.t_s, event.known_t_s, signal, value, manual=True)
        for key, signal in _SIGNALS.items()
        if (value := getattr(event, key)) is not None
    )


def _readings(event: ObservationRecorded | None) -> dict[str, Reading]:
    """What an observation holds, by signal or score; a value cannot be newer than its arrival."""
    if event is None:
        return {}
    found = {score.signal: (score.t_s, float(score.value)) for score in _scores(event)}
    for sample in _values(event):
        if sample.value is not None:
            found[sample.signal] = (min(sample.t_s, sample.received_t_s), float(sample.value))
    return found


def _observations(true: Sequence[Event]) -> list[ObservationRecorded]:
    return [event for event in true if isinstance(event, ObservationRecorded)]


def _observation(events: Sequence[Event], entry: str | None) -> ObservationRecorded | None:
    return next((event for event in _observations(events) if entry is not None and event.id == entry), None)
