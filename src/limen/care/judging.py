"""Judging one typed condition against a case: true, false, or unknown with what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar, assert_never

from limen.care.case import Case
from limen.care.case import Condition as Entry
from limen.care.facts import Fact, Gap, shown_value
from limen.care.history import recent, sets_of
from limen.care.pressure import counted_pressures, mean_pressure, pressure_gap
from limen.care.triage import triage
from limen.care.trials import judge_trials
from limen.knowledge.conditions import (
    All,
    Always,
    AnyOf,
    Condition,
    Equals,
    History,
    Mixed,
    Not,
    PressureBeyond,
    Presume,
    SuicideRisk,
    Takes,
    Threshold,
    Unrecognised,
    Unrecorded,
    input_words,
)
from limen.knowledge.interactions import Agent, term_words
from limen.knowledge.naming import Guess, possible, read_name
from limen.knowledge.rules import Level, code_sets
from limen.knowledge.trials import trial_rules

T = TypeVar("T")

ASK = "not on record, ask"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one condition.

    Attributes
    ----------
    truth : bool or None
        ``None`` while it cannot be known.
    values : mapping
        Every input that was looked at, by its short name; ``None`` for one that is missing, an empty list for a history
        that was taken and holds nothing of the kind.
    taken_on : mapping
        The day of each value that is not from the day of the decision.
    entries : tuple of Condition
        The entries of the problem list that matched.
    drugs : tuple of (name, Agent or None)
        The medicines that matched, as they are written on the list.
    gaps : tuple of Gap
        What is missing, where the truth is unknown.
    asks : tuple of (Gap, level)
        What was presumed and is still to be asked.
    guessed : tuple of Guess
        The guesses at a drug's name without which it would not be true.
    """

    truth: bool | None
    values: Mapping[str, Any] = field(default_factory=dict)
    taken_on: Mapping[str, date] = field(default_factory=dict)
    entries: tuple[Entry, ...] = ()
    drugs: tuple[tuple[str, Agent | None], ...] = ()
    gaps: tuple[Gap, ...] = ()
    asks: tuple[tuple[Gap, Level], ...] = ()
    guessed: tuple[Guess, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """A case with its problem list and its medication list read once.

    Attributes
    ----------
    entries : mapping of str to tuple of Condition
        The entries of the problem list by the code set they belong to.
    unread : tuple of Condition
        Entries that belong to none.
    drugs : tuple of (str, Agent)
        Each medicine on the list with the drug it was read as, guesses among them.
    guesses : mapping of (str, str) to Guess
        The guesses among them, by name on the list and drug.
    """

    case: Case
    entries: Mapping[str, tuple[Entry, ...]]
    unread: tuple[Entry, ...]
    drugs: tuple[tuple[str, Agent], ...]
    unrecognised: tuple[str, ...]
    guesses: Mapping[tuple[str, str | None], Guess] = field(default_factory=dict)


def subject(case: Case) -> Subject:
    """Read the lists of a case; a medicine that the patient has stopped does not count."""
    sets = [(item, sets_of(item.code, item.system, item.text)) for item in case.conditions]
    entries = {name: tuple(item for item, of in sets if name in of) for name in code_sets()}
    drugs: list[tuple[str, Agent]] = []
    unrecognised: list[str] = []
    guesses: dict[tuple[str, str | None], Guess] = {}
    for item in case.medications:
        if item.status != "active":
            continue
        read = read_name(item.name, item.code)
        drugs += [(item.name, agent) for agent in read.agents]
        for guess in read.guesses:
            drugs.append((item.name, guess.agent))
            guesses[item.name, guess.agent.id] = guess
        whole = read.agents or read.guesses
        unrecognised += [f"{part} (in {item.name})" if whole else item.name for part in read.unknown]
    unread = tuple(item for item, of in sets if not of)
    return Subject(case, entries, unread, tuple(drugs), tuple(dict.fromkeys(unrecognised)), guesses)


def judge(condition: Condition, who: Subject) -> Outcome:
    """Judge a condition. Unknown parts leave it unknown unless the known parts decide (Kleene's logic)."""
    match condition:
        case All():
            return joined([judge(part, who) for part in condition.of], decides=False)
        case AnyOf():
            return joined([judge(part, who) for part in condition.of], decides=True)
        case Not():
            inner = judge(condition.of, who)
            if inner.truth and inner.guessed:
                # A guess may add a risk; it never takes one away.
                return _now(inner, None, tuple(_confirm(guess) for guess in inner.guessed))
            truth = None if inner.truth is None else not inner.truth
            return _now(inner, truth, inner.gaps, inner.asks)
        case Presume():
            inner = judge(condition.of, who)
            if inner.truth is not None:
                return inner
            asks = tuple((gap, condition.ask) for gap in inner.gaps) if condition.ask else ()
            return _now(inner, condition.then, (), asks)
        case Always():
            return Outcome(True)
        case Threshold():
            return _threshold(condition, who.case)
        case Equals():
            return _equals(condition, who.case)
        case History():
            return _history(condition, who)
        case Takes():
            return _takes(condition, who)
        case Mixed():
            return _mixed(condition, who.case)
        case Unrecognised():
            return _unrecognised(who)
        case PressureBeyond():
            return _pressure(condition, who.case)
        case SuicideRisk():
            return _suicide_risk(condition, who.case)
        case Unrecorded():
            return _unrecorded(condition, who.case)
        case _:
            assert_never(condition)


def _now(
    inner: Outcome, truth: bool | None, gaps: tuple[Gap, ...] = (), asks: tuple[tuple[Gap, Level], ...] = ()
) -> Outcome:
    """The same inputs with another truth."""
    return Outcome(truth, inner.values, inner.taken_on, inner.entries, inner.drugs, gaps, asks, inner.guessed)


def joined(outcomes: list[Outcome], *, decides: bool) -> Outcome:
    """``any`` when true decides, ``all`` when false does."""
    values: dict[str, Any] = {}
    taken_on: dict[str, date] = {}
    for outcome in outcomes:
        merge(values, outcome.values)
        taken_on.update(outcome.taken_on)
    entries = _flat(outcome.entries for outcome in outcomes)
    drugs = _flat(outcome.drugs for outcome in outcomes)
    truths = {outcome.truth for outcome in outcomes}
    if decides in truths:
        deciding = [outcome.asks for outcome in outcomes if outcome.truth is decides]
        # What is known decides; a presumption is asked about only where nothing else would have decided the same.
        asks = _flat(deciding) if all(deciding) else ()
        guesses = [outcome.guessed for outcome in outcomes if outcome.truth is decides]
        guessed = _flat(guesses) if decides and all(guesses) else ()
        return Outcome(decides, values, taken_on, entries, drugs, asks=asks, guessed=guessed)
    asks = _flat(outcome.asks for outcome in outcomes)
    if None not in truths:
        guessed = () if decides else _flat(outcome.guessed for outcome in outcomes)
        return Outcome(not decides, values, taken_on, entries, drugs, asks=asks, guessed=guessed)
    gaps = _flat(outcome.gaps for outcome in outcomes if outcome.truth is None)
    return Outcome(None, values, taken_on, entries, drugs, gaps, asks)


def merge(into: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Add inputs; lists of matched entries join, and what is known stands before what is not."""
    for name, value in values.items():
        held = into.get(name)
        if isinstance(held, list) and isinstance(value, list):
            into[name] = [*held, *(item for item in value if item not in held)]
        elif held is None:
            into[name] = value


def _flat(groups: Iterable[tuple[T, ...]]) -> tuple[T, ...]:
    found = [item for group in groups for item in group]
    return tuple(dict.fromkeys(found)) if len(found) > 1 else tuple(found)


def _look_up(key: str, case: Case) -> Fact | Gap:
    """A recorded fact, or a value computed from facts or asked with the request."""
    title = input_words(key)[0]
    if key == "computed.bmi_kg_per_m2":
        weight, height = case.current("patient.weight_kg"), case.current("patient.height_cm")
        for part in (weight, height):
            if isinstance(part, Gap):
                return part
        height_m = float(height.value) / 100.0  # type: ignore[union-attr,arg-type]
        return Fact(key, round(float(weight.value) / height_m**2, 1), case.on, "computed")  # type: ignore[union-attr,arg-type]
    if key == "computed.adequate_trials_at_most":
        history = judge_trials(case.trials) if case.trials_asked else None
        return Gap(key, "trials not listed") if history is None else Fact(key, history.at_most, case.on, "computed")
    if key == "request.concentration_mg_per_mL":
        asked: float | bool | None = case.request.concentration_mg_per_mL
    elif key == "request.diluted":
        asked = case.request.diluted
    else:
        found = case.current(key)
        if key == "facts.adequate_trials_failed" and isinstance(found, Gap):
            return _counted_trials(case, found)
        return _without_limit(case, found) if key == "labs.bilirubin_xULN" and isinstance(found, Gap) else found
    return Gap(key, f"{title} not given") if asked is None else Fact(key, asked, case.on, "request")


def _counted_trials(case: Case, gap: Gap) -> Fact | Gap:
    """The number worked out from the trials listed, where nobody gave one. A record's silence settles nothing."""
    if not case.trials and not case.trials_asked:
        return gap
    history = judge_trials(case.trials)
    number = history.number
    if number is None or not (case.trials_asked or number == history.at_least >= trial_rules().needed.number):
        return Gap(gap.key, history.words)
    return Fact(gap.key, number, case.on, "computed from the trials listed")


def _without_limit(case: Case, gap: Gap) -> Gap:
    """Bilirubin in mg/dL is not silently divided by a limit that no laboratory gave."""
    given = case.current("labs.bilirubin_mg_per_dL")
    if isinstance(given, Gap):
        return gap
    return Gap(gap.key, f"{shown_value(given)} on record, without the laboratory's upper limit")


def _used(found: Fact, case: Case) -> dict[str, date]:
    taken_on = found.taken_on
    return {_name(found.key): taken_on} if taken_on is not None and taken_on != case.on else {}


def _name(key: str) -> str:
    return key.partition(".")[2]


def _threshold(condition: Threshold, case: Case) -> Outcome:
    found = _look_up(condition.input, case)
    name = _name(condition.input)
    if isinstance(found, Gap):
        return Outcome(None, {name: None}, gaps=(found,))
    value = float(found.value)  # type: ignore[arg-type]
    beyond = {
        "over": value > condition.limit,
        "at-least": value >= condition.limit,
        "under": value < condition.limit,
        "at-most": value <= condition.limit,
    }
    return Outcome(beyond[condition.compare], {name: found.value}, _used(found, case))


def _equals(condition: Equals, case: Case) -> Outcome:
    found = _look_up(condition.input, case)
    name = _name(condition.input)
    if isinstance(found, Gap):
        return Outcome(None, {name: None}, gaps=(found,))
    if found.value in condition.unsettled:
        return Outcome(None, {name: found.value}, gaps=(Gap(condition.input, str(found.value).replace("-", " ")),))
    # 1 == True in Python; an answer of another type is not the same answer.
    same = any(type(value) is type(found.value) and value == found.value for value in condition.to)
    return Outcome(same, {name: found.value}, _used(found, case))


def _history(condition: History, who: Subject) -> Outcome:
    found = [item for item in who.entries[condition.of] if condition.status == "any" or item.status == "active"]
    if condition.within_months is not None:
        found = recent(found, on=who.case.on, within_months=condition.within_months)
    if found:
        return Outcome(True, {"condition": [item.shown for item in found]}, entries=tuple(found))
    if who.case.conditions_asked:
        return Outcome(False, {"condition": []})
    return Outcome(None, {"condition": None}, gaps=(Gap(f"conditions: {code_sets()[condition.of].title}", ASK),))


def _takes(condition: Takes, who: Subject) -> Outcome:
    found = tuple(
        (name, agent)
        for name, agent in who.drugs
        if agent.id in condition.of or not set(condition.of).isdisjoint(agent.classes)
    )
    if found:
        guesses = tuple(who.guesses[name, agent.id] for name, agent in found if (name, agent.id) in who.guesses)
        values = {"medication": list(dict.fromkeys(name for name, _ in found))}
        return Outcome(True, values, drugs=found, guessed=guesses if len(guesses) == len(found) else ())
    if who.case.medications_asked:
        return Outcome(False, {"medication": []})
    named = ", ".join(term_words(term) for term in condition.of)
    return Outcome(None, {"medication": None}, gaps=(Gap(f"medications: {named}", ASK),))


def _mixed(condition: Mixed, case: Case) -> Outcome:
    found = []
    for name in case.request.mixed_with:
        for agent in possible(name):
            if agent.id in condition.of or not set(condition.of).isdisjoint(agent.classes):
                found.append((name, agent))
    if found:
        return Outcome(True, {"mixed_with": [name for name, _ in found]}, drugs=tuple(found))
    return Outcome(False, {"mixed_with": list(case.request.mixed_with)})


def _confirm(guess: Guess) -> Gap:
    return Gap(f"medications: {guess.agent.id}", f"{guess.written!r} was read as {guess.agent.id}: confirm")


def _unrecognised(who: Subject) -> Outcome:
    guessed = [f"{name} (read as {drug}? confirm)" for name, drug in who.guesses]
    names = tuple(dict.fromkeys((*who.unrecognised, *guessed)))
    if names:
        drugs: tuple[tuple[str, Agent | None], ...] = tuple((name, None) for name in names)
        return Outcome(True, {"medication": list(names)}, drugs=drugs)
    if who.case.medications_asked:
        return Outcome(False, {"medication": []})
    return Outcome(None, {"medication": None}, gaps=(Gap("medications", ASK),))


def _unrecorded(condition: Unrecorded, case: Case) -> Outcome:
    gaps: list[Gap] = []
    for key in condition.any_of:
        found = case.current(key)
        if isinstance(found, Fact):
            return Outcome(False, {_name(key): found.value}, _used(found, case))
        gaps.append(found)
    stale = [gap for gap in gaps if gap.why.startswith("last ")]
    return Outcome(None, {_name(key): None for key in condition.any_of}, gaps=tuple((stale or gaps)[:1]))


def _suicide_risk(condition: SuicideRisk, case: Case) -> Outcome:
    found = case.current("scores.C-SSRS")
    if isinstance(found, Gap):
        return Outcome(None, {"tier": None}, gaps=(found,))
    if not isinstance(found.value, Mapping):
        raise TypeError("a C-SSRS screener is a set of answers")
    result = triage(found.value)
    tier = result.treat_as_at_least or result.tier
    values = {"tier": result.tier, "item": result.item}
    if tier in condition.tiers:
        return Outcome(True, values, _used(found, case))
    if result.tier == "indeterminate" and "high" in condition.tiers:
        gaps = tuple(Gap("scores.C-SSRS", f"item {item} not answered") for item in result.unanswered)
        return Outcome(None, values, gaps=gaps)
    return Outcome(False, values, _used(found, case))


def _pressure(condition: PressureBeyond, case: Case) -> Outcome:
    gap = pressure_gap(case)
    if gap is not None:
        return Outcome(None, {"sbp_mmHg": None, "dbp_mmHg": None}, gaps=(gap,))
    counted, settled = counted_pressures(case.pressures, condition.repeats, condition.spacing_min)
    judged = [mean_pressure(counted)] if settled and condition.reading == "settled" else list(counted)
    dbp_limit_mmHg = condition.dbp_mmHg
    if condition.stricter_from_age_years is not None and condition.stricter_dbp_mmHg is not None:
        age_years = case.age_years
        if age_years is None or age_years >= condition.stricter_from_age_years:
            dbp_limit_mmHg = condition.stricter_dbp_mmHg
    beyond = any(
        _beyond(reading.sbp_mmHg, condition.sbp_mmHg, condition.compare)
        or _beyond(reading.dbp_mmHg, dbp_limit_mmHg, condition.compare)
        for reading in judged
    )
    shown = judged[0] if len(judged) == 1 else max(judged, key=lambda reading: (reading.sbp_mmHg, reading.dbp_mmHg))
    values: dict[str, Any] = {
        "sbp_mmHg": shown.sbp_mmHg,
        "dbp_mmHg": shown.dbp_mmHg,
        "readings": [{"at_min": r.at_min, "sbp_mmHg": r.sbp_mmHg, "dbp_mmHg": r.dbp_mmHg} for r in case.pressures],
        "mean_of_repeats": settled,
    }
    if condition.stricter_from_age_years is not None:
        values["age_years"] = case.age_years
    return Outcome(beyond, values)


def _beyond(value: float, limit: float, compare: str) -> bool:
    return value > limit if compare == "over" else value >= limit
