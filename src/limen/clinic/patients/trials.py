"""The antidepressants that were tried: rows of the chart, and what the rules make of them. Written from actions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from limen.care.trial_json import read_trial
from limen.care.trials import JudgedTrial, Trial, TrialHistory, judge_trials
from limen.clinic.audit.act import note
from limen.clinic.patients import queries
from limen.clinic.patients.models import Fact, Patient, TrialRecord
from limen.clinic.sites.zones import today
from limen.errors import InputError, RefusedError
from limen.knowledge.naming import read_name
from limen.knowledge.trials import adequacy

ASKED = "history.trials"
BY_HAND = "facts.adequate_trials_failed"
VALUES = ("drug", "dose_mg_per_day", "weeks", "adherence", "response", "improvement_pct", "episode")
_COLUMN = {"weeks": "held_weeks"}


@dataclass(frozen=True, slots=True)
class Tried:
    """One trial on record with what the rules make of it."""

    row: TrialRecord
    judged: JudgedTrial


@dataclass(frozen=True, slots=True)
class Trials:
    """Every trial that stands, the count, and whether the list is said to be whole."""

    tried: tuple[Tried, ...]
    history: TrialHistory
    asked: Fact | None
    by_hand: Fact | None

    @property
    def sources(self) -> tuple[str, ...]:
        """The keys of what the trials were judged by."""
        return tuple(dict.fromkeys(key for item in self.tried for key in item.judged.sources))

    @property
    def disagreement(self) -> str | None:
        """How the number given by hand differs from what the list allows, where the list is said to be whole."""
        value = None if self.by_hand is None else self.by_hand.value
        if not isinstance(value, int) or (self.asked is None and value > self.history.at_most):
            return None
        return self.history.disagreement(value)


def trials_of(patient: Patient, newest: Mapping[str, Fact]) -> Trials:
    """The trials on a chart, judged together: a drug counts once. ``newest``: the newest fact of each kind."""
    rows = list(queries.trials(patient))
    judged = judge_trials(as_trial(row) for row in rows)
    tried = tuple(Tried(row, item) for row, item in zip(rows, judged.trials, strict=True))
    return Trials(tried, judged, newest.get(ASKED), newest.get(BY_HAND))


def as_trial(row: TrialRecord) -> Trial:
    """A row as the rules read it."""
    return Trial(
        drug=row.drug,
        dose_mg_per_day=row.dose_mg_per_day,
        weeks=row.held_weeks,
        adherence=row.adherence or None,
        response=row.response or None,
        improvement_pct=row.improvement_pct,
        episode=row.episode,
        source=row.source,
    )


def write(
    patient: Patient,
    values: Mapping[str, Any],
    *,
    moment: datetime,
    source: str,
    of: TrialRecord | None = None,
    reason: str = "",
) -> TrialRecord:
    """Check and save one trial, or the one that takes the place of another."""
    said = {name: values.get(name) for name in VALUES}
    if isinstance(said["drug"], str) and len(said["drug"].strip()) > 120:
        raise InputError("a long name", where="trial.drug", allowed="at most 120 letters")
    known = read_trial(
        {name: None if value == "" else value for name, value in said.items()}, "trial", today(patient.site)
    )
    was = {} if of is None else values_of(of)
    if was and all(_same(was[name], getattr(known, name)) for name in VALUES):
        raise RefusedError("nothing in it is another", where="trial", hint="Change something, or take the entry back")
    row: TrialRecord = TrialRecord.objects.create(
        site=patient.site,
        patient=patient,
        effective_at=moment if of is None else of.effective_at,
        source=source,
        entered_in_error_of=of,
        reason=reason,
        **{_COLUMN.get(name, name): _held(getattr(known, name), name) for name in VALUES},
    )
    note(trial=values_of(row), **({"was": was} if was else {}))
    return row


def values_of(row: TrialRecord) -> dict[str, Any]:
    """What an entry says, by the names of the form."""
    return {name: getattr(row, _COLUMN.get(name, name)) for name in VALUES}


def _held(value: Any, name: str) -> Any:
    return "" if value is None and name in ("adherence", "response") else value


def _same(old: Any, new: Any) -> bool:
    return (old or None) == (new or None) if not isinstance(old, float) else old == new


def unlisted(patient: Patient, found: Trials) -> list[str]:
    """Antidepressants on the medication list that no trial names: a list of drugs does not say how one helped."""
    listed = {item.judged.resolved for item in found.tried}
    rows = [(row, as_agent(row.name)) for row in queries.medications(patient)]
    return [f"{row.name} {row.dose}".strip() for row, drug in rows if drug is not None and drug not in listed]


def as_agent(name: str) -> str | None:
    """The antidepressant that a name stands for; ``None`` where it stands for none."""
    agents = read_name(name).agents
    found = [agent for agent in agents if agent.id in adequacy() or "antidepressant" in agent.classes]
    return found[0].id if len(found) == 1 else None


def corrected(patient: Patient) -> list[TrialRecord]:
    """What was put right or taken back: each entry that does so, with the old one it names."""
    rows = TrialRecord.objects.filter(patient=patient, entered_in_error_of__isnull=False)
    return list(rows.select_related("entered_in_error_of").order_by("-created_at"))
