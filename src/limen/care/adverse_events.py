"""What an adverse event amounts to: its name, how severe, serious or not, expected or not, and whom to tell.

An event that nobody has asked about is unknown (``None``), never harmless: seriousness that was not asked is missing,
and an event that no label read here lists for the product counts as unexpected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from limen.evidence.marks import Verification, weakest
from limen.knowledge.adverse_events import OTHER, AdverseEvent, Dictionary, Duty, adverse_events


@dataclass(frozen=True, slots=True)
class Happened:
    """One event as it was recorded; ``None`` is not recorded.

    Attributes
    ----------
    code : str or None
        Of the dictionary; read from the words where it is not given and they name one event.
    serious : tuple of str or None
        The criteria met; empty says that none is.
    onset_t_s, ended_t_s, dose_start_t_s, dose_end_t_s : float or None
        Seconds from the start of the session.
    """

    text: str = ""
    code: str | None = None
    severity: int | None = None
    serious: tuple[str, ...] | None = None
    action: str | None = None
    outcome: str | None = None
    onset_t_s: float | None = None
    ended_t_s: float | None = None
    dose_start_t_s: float | None = None
    dose_end_t_s: float | None = None
    reported_to: str | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """What it amounts to.

    Attributes
    ----------
    serious, expected, in_window : bool or None
        ``None`` where it cannot be told.
    criteria : tuple of str
        What makes it serious.
    duties, may_be_due : tuple of Duty
        Whom to tell, and whom perhaps: it hangs on what nobody has asked.
    missing, problems : tuple of str
        What is not recorded, and what does not fit.
    """

    code: str
    title: str
    icd10: str | None
    severity: int | None
    grade: str | None
    serious: bool | None
    criteria: tuple[str, ...]
    expected: bool | None
    expected_because: str
    in_window: bool | None
    window: str | None
    duties: tuple[Duty, ...]
    may_be_due: tuple[Duty, ...]
    missing: tuple[str, ...]
    problems: tuple[str, ...]
    rule: str | None
    sources: tuple[str, ...]
    verification: Verification

    def to_json(self) -> dict[str, Any]:
        """For the note and the export."""
        return {
            "code": self.code,
            "title": self.title,
            "icd10": self.icd10,
            "severity": self.severity,
            "grade": self.grade,
            "serious": self.serious,
            "criteria": list(self.criteria),
            "expected": self.expected,
            "expected_because": self.expected_because,
            "in_window": self.in_window,
            "window": self.window,
            "duties": [duty_json(duty) for duty in self.duties],
            "may_be_due": [duty_json(duty) for duty in self.may_be_due],
            "missing": list(self.missing),
            "problems": list(self.problems),
            "rule": self.rule,
            "sources": list(self.sources),
            "verification": self.verification.value,
        }


def duty_json(duty: Duty) -> dict[str, Any]:
    """One duty for the note and the export; ``within_days`` is null where no source gives a time."""
    return {
        "id": duty.id,
        "title": duty.title,
        "within_days": duty.within_days,
        "text": duty.text,
        "sources": list(duty.sources),
        "verification": duty.verification.value,
    }


def classify(text: str, book: Dictionary | None = None) -> tuple[AdverseEvent, ...]:
    """The entries of the dictionary that a text names: to propose, a person chooses.

    Examples
    --------
    >>> [entry.id for entry in classify("panic, then vomited")]
    ['vomiting', 'anxiety']
    """
    return (book or adverse_events()).named_in(text)


def judge(event: Happened, product: str | None = None, book: Dictionary | None = None) -> Judged:
    """What one event amounts to.

    Parameters
    ----------
    product : str or None
        What was given; without it nothing can be called expected or not.
    book : Dictionary, optional
        The installed dictionary where not given.

    Raises
    ------
    InputError
        If the code is unknown.

    Examples
    --------
    >>> found = judge(Happened("seizure", severity=3, serious=("hospitalisation",)), "racemic")
    >>> found.serious, found.expected, [duty.id for duty in found.duties]
    (True, False, ['REGULATOR-FORM', 'DIRECTOR'])
    """
    used = book or adverse_events()
    entry = _entry(event, used)
    grade = next((item for item in used.grades if item.grade == event.severity), None)
    carried = {grade.serious} if grade is not None and grade.serious is not None else set()
    criteria = tuple(item.id for item in used.serious if item.id in {*carried, *(event.serious or ())})
    serious = True if criteria else (None if event.serious is None else False)
    expected, because, sources, marks = _expected(entry, product)
    return Judged(
        code=entry.id,
        title=entry.title,
        icd10=entry.icd10,
        severity=event.severity,
        grade=None if grade is None else grade.title,
        serious=serious,
        criteria=criteria,
        expected=expected,
        expected_because=because,
        in_window=_in_window(event, entry),
        window=None if entry.onset is None else entry.onset.text,
        duties=tuple(duty for duty in used.duties if _due(duty, serious, expected, product) is True),
        may_be_due=tuple(duty for duty in used.duties if _due(duty, serious, expected, product) is None),
        missing=_missing(event),
        problems=_problems(event, used, carried),
        rule=entry.rule or entry.risk,
        sources=sources,
        verification=weakest([*marks, *([] if grade is None else [grade.verification])]),
    )


def session_duties(product: str | None, book: Dictionary | None = None) -> tuple[Duty, ...]:
    """What is owed after every session of a product, with or without an event."""
    return tuple(duty for duty in (book or adverse_events()).duties if duty.when == "any" and product in duty.products)


def _entry(event: Happened, book: Dictionary) -> AdverseEvent:
    if event.code is not None:
        return book.event(event.code)
    named = book.named_in(event.text)
    return named[0] if len(named) == 1 else book.event(OTHER)


def _expected(entry: AdverseEvent, product: str | None) -> tuple[bool | None, str, tuple[str, ...], list[Verification]]:
    if product is None:
        return None, "product not recorded", (), []
    listed = [item for item in entry.expected if item.product == product]
    label = next((item for item in listed if item.by == "label"), None)
    if label is not None:
        said = f"listed in the label{f': {label.text}' if label.text else ''}"
        return True, said, label.sources, [label.verification]
    if listed:
        trials = tuple(dict.fromkeys(key for item in listed for key in item.sources))
        return False, "seen in trials; not read in the label", trials, [item.verification for item in listed]
    return False, "not read in the label of this product", (), [Verification.UNVERIFIED]


def _in_window(event: Happened, entry: AdverseEvent) -> bool | None:
    if entry.onset is None or event.onset_t_s is None:
        return None
    start = event.dose_start_t_s if entry.onset.of == "start" else event.dose_end_t_s
    if entry.onset.of == "end" and entry.onset.from_min == 0:
        # It may begin while the dose still runs.
        if event.dose_start_t_s is None or event.onset_t_s < event.dose_start_t_s:
            return None if event.dose_start_t_s is None else False
        if event.dose_end_t_s is None or event.onset_t_s <= event.dose_end_t_s:
            return True
    if start is None:
        return None
    after_min = (event.onset_t_s - start) / 60
    return entry.onset.from_min <= after_min and (entry.onset.to_min is None or after_min <= entry.onset.to_min)


def _due(duty: Duty, serious: bool | None, expected: bool | None, product: str | None) -> bool | None:
    """Whether a duty is owed; ``None`` where it hangs on whether the event was serious, and nobody has asked."""
    if duty.products and product not in duty.products:
        return False
    if duty.when == "any":
        return True
    if serious is False or (duty.when == "serious-unexpected" and expected is True):
        return False
    return None if serious is None else True


def _missing(event: Happened) -> tuple[str, ...]:
    asked: dict[str, Any] = {
        "severity": event.severity,
        "seriousness": event.serious,
        "action taken": event.action,
        "outcome": event.outcome,
        "onset": event.onset_t_s,
    }
    found = [name for name, value in asked.items() if value is None]
    if event.outcome in {"resolved", "resolved-with-sequelae", "fatal"} and event.ended_t_s is None:
        found.append("end")
    return tuple(found)


def _problems(event: Happened, book: Dictionary, carried: set[str]) -> tuple[str, ...]:
    found: list[str] = []
    known = {item.id for item in book.serious}
    found += [f"unknown criterion {name!r}" for name in event.serious or () if name not in known]
    if event.serious is not None:
        found += [
            f"grade {event.severity} carries {name}, which is not ticked"
            for name in sorted(carried - set(event.serious))
        ]
    if event.severity is not None and event.severity not in {1, 2, 3, 4, 5}:
        found.append(f"severity {event.severity} is no grade")
    if (event.outcome == "fatal") != (event.severity == 5) and event.outcome is not None and event.severity is not None:
        found.append("grade 5 and a fatal outcome go together")
    if event.onset_t_s is not None and event.ended_t_s is not None and event.ended_t_s < event.onset_t_s:
        found.append("it ended before it began")
    if event.ended_t_s is not None and event.outcome in {"ongoing", "recovering"}:
        found.append(f"ended, and the outcome is {event.outcome}")
    return tuple(found)


def summary(events: Sequence[Judged]) -> dict[str, Any]:
    """How many, how many serious, how many unexpected, and what is owed for them."""
    owed = {duty.id: duty.title for event in events for duty in event.duties}
    return {
        "events": len(events),
        "serious": sum(event.serious is True for event in events),
        "seriousness_not_asked": sum(event.serious is None for event in events),
        "unexpected": sum(event.expected is False for event in events),
        "owed": [{"id": name, "title": title} for name, title in owed.items()],
    }
