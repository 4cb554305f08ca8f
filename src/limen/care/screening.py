"""Who may be treated: every rule that bears on a case, judged with its input, its limit and its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from limen.care.case import Case
from limen.care.facts import Gap
from limen.care.judging import Outcome, Subject, joined, judge, merge, subject
from limen.care.todo import AskAgain, Todo, ask_again, is_repeat, todo
from limen.care.trials import TrialHistory, judge_trials
from limen.care.wording import reason, threshold_text
from limen.evidence import Verification
from limen.knowledge.naming import Guess
from limen.knowledge.protocols import get_protocol
from limen.knowledge.rules import LEVELS, Effect, Level, Override, Rule, Scope, Tier, rules

VERDICTS = ("excluded", "hold", "needs-data", "caution", "eligible")
# A level says what the software does; that is a proposal of this project even where the fact beneath was read.
LEVEL_VERIFICATION = Verification.UNVERIFIED


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that does not pass.

    Attributes
    ----------
    input : mapping
        Every input used, by name; ``None`` for one that was missing and did not matter.
    taken_on : mapping
        The day of each input that is not from the day of the decision.
    override : {"none", "medical-director", "prescriber"} or None
        Who may decide against it; ``None`` for a warning, which is acknowledged.
    drugs : tuple of (str, str)
        For an interaction: the name on the list and the ingredient it was read as.
    guesses : mapping of (str, str or None) to Guess
        Those of them that are guesses at a misspelled name: a person confirms them.
    """

    rule: str
    level: Level
    title: str
    because: str
    input: Mapping[str, Any]
    threshold: str
    action: str
    sources: tuple[str, ...]
    verification: Verification
    override: Override | None = None
    taken_on: Mapping[str, date] = field(default_factory=dict)
    drugs: tuple[tuple[str, str | None], ...] = ()
    effects: tuple[Effect, ...] = ()
    guesses: Mapping[tuple[str, str | None], Guess] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The finding in the shape of the ``screen`` contract."""
        found: dict[str, Any] = {
            "rule": self.rule,
            "level": self.level,
            "title": self.title,
            "because": self.because,
            "input": dict(self.input),
            "input_taken_on": {name: day.isoformat() for name, day in self.taken_on.items()},
            "threshold": self.threshold,
            "action": self.action,
            "sources": list(self.sources),
            "verification": Verification(self.verification).value,
            "level_verification": LEVEL_VERIFICATION.value,
            "override": self.override,
        }
        if self.drugs:
            found["drugs"] = [self._drug_json(drug, resolved) for drug, resolved in self.drugs]
        return found

    def _drug_json(self, drug: str, resolved: str | None) -> dict[str, Any]:
        guess = self.guesses.get((drug, resolved))
        sure = {} if guess is None else {"confidence_pct": guess.confidence_pct, "confirm": True}
        return {"drug": drug, "resolved": resolved, **sure}


@dataclass(frozen=True, slots=True)
class Missing:
    """One input that a rule needs and that is not known; ``level`` is the strictest it could come to."""

    rule: str
    input: str
    why: str
    level: Level
    title: str

    def to_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "input": self.input,
            "why": self.why,
            "level": self.level,
            "title": self.title,
        }


@dataclass(frozen=True, slots=True)
class Passed:
    """One rule that was judged and found nothing, with the input it was judged on."""

    rule: str
    title: str
    input: Mapping[str, Any]
    taken_on: Mapping[str, date]
    threshold: str

    def to_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "title": self.title,
            "input": dict(self.input),
            "input_taken_on": {name: day.isoformat() for name, day in self.taken_on.items()},
            "threshold": self.threshold,
        }


@dataclass(frozen=True, slots=True)
class Screening:
    """The verdict on one case with its whole reasoning.

    Every rule that bears on the case stands in ``findings``, ``missing`` or ``passed``. A rule whose mild tier is met
    while an input of a stricter one is missing stands in ``findings`` and in ``missing``.

    Attributes
    ----------
    unread_conditions : tuple of str
        Entries of the problem list that no rule reads: a person must.
    unrecognised_medications : tuple of str
        Names on the medication list that no file knows.
    guesses : mapping of (str, str) to Guess
        Names that were read as a drug they are spelled like, to be confirmed.
    trials : TrialHistory or None
        Each antidepressant that was tried with what became of it; ``None`` where none was listed.
    trials_by_hand : int or None
        The number of failed trials that a person gave; it stands, and a difference is shown beside it.
    todo : tuple of Todo
        ``missing`` as a list to work through: who can answer each input.
    ask_again : tuple of AskAgain
        From the second visit: every question that a block turns on, with what was last said and whether today.
    not_applicable : tuple of str
        Rules that do not bear on this indication, product, route or setting.
    """

    on: date
    verdict: str
    findings: tuple[Finding, ...]
    missing: tuple[Missing, ...]
    passed: tuple[Passed, ...]
    not_applicable: tuple[str, ...]
    unknown_inputs: tuple[str, ...]
    unread_conditions: tuple[str, ...]
    unrecognised_medications: tuple[str, ...]
    guesses: Mapping[tuple[str, str | None], Guess] = field(default_factory=dict)
    trials: TrialHistory | None = None
    trials_by_hand: int | None = None
    todo: tuple[Todo, ...] = ()
    ask_again: tuple[AskAgain, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The screening in the shape of the ``screen`` contract."""
        return {
            "verdict": self.verdict,
            "on": self.on.isoformat(),
            "findings": [finding.to_json() for finding in self.findings],
            "missing": [item.to_json() for item in self.missing],
            "passed": [item.to_json() for item in self.passed],
            "not_applicable": list(self.not_applicable),
            "todo": [item.to_json() for item in self.todo],
            "ask_again": [item.to_json() for item in self.ask_again],
            "unknown_inputs": list(self.unknown_inputs),
            "unread_conditions": list(self.unread_conditions),
            "unrecognised_medications": list(self.unrecognised_medications),
            "medications_to_confirm": [
                {"drug": name, "read_as": guess.name, "resolved": drug, "confidence_pct": guess.confidence_pct}
                for (name, drug), guess in self.guesses.items()
            ],
            "antidepressant_trials": None if self.trials is None else self.trials.to_json(self.trials_by_hand),
        }


def screen(case: Case) -> Screening:
    """Judge every rule of selection, baseline and interaction that bears on a case.

    Parameters
    ----------
    case : Case
        The facts, each with its date. A fact older than its kind allows counts as missing.

    Returns
    -------
    Screening
        ``excluded`` when a rule blocks, ``hold`` when one holds, ``needs-data`` when an input that a blocking or
        holding rule needs is missing, ``caution`` when one warns, else ``eligible``.

    Raises
    ------
    InputError
        If the case names a protocol that is not on file; the message lists those there are.

    Notes
    -----
    Sources stand on each finding, as keys of the bibliography (``limen.evidence.cite``).

    Examples
    --------
    >>> from limen.care.case_json import case_from_json
    >>> case = case_from_json({"on": "2026-11-21", "conditions": [{"text": "abdominal aortic aneurysm"}]})
    >>> found = screen(case)
    >>> found.verdict, next(finding.because for finding in found.findings if finding.rule == "SEL-04")
    ('excluded', 'On record: abdominal aortic aneurysm. A rise of pressure may rupture the vessel')
    """
    case = _with_protocol(case)
    who = subject(case)
    findings: list[Finding] = []
    missing: list[Missing] = []
    bearing: list[tuple[Rule, tuple[Tier, ...]]] = []
    passed: list[Passed] = []
    not_applicable: list[str] = []
    for rule in rules().values():
        tiers = bearing_tiers(rule, case)
        if not tiers:
            not_applicable.append(rule.id)
            continue
        bearing.append((rule, tiers))
        finding, gaps, outcomes = _judge_rule(rule, tiers, who)
        if finding is not None:
            findings.append(finding)
        missing += gaps
        if finding is None and not gaps:
            passed.append(_passed(rule, tiers, outcomes))
    findings.sort(key=lambda finding: LEVELS.index(finding.level))
    missing.sort(key=lambda item: LEVELS.index(item.level))
    return Screening(
        on=case.on,
        verdict=verdict([finding.level for finding in findings], [item.level for item in missing]),
        findings=tuple(findings),
        missing=tuple(missing),
        passed=tuple(passed),
        not_applicable=tuple(not_applicable),
        unknown_inputs=case.unknown_inputs,
        unread_conditions=tuple(item.shown for item in who.unread),
        unrecognised_medications=who.unrecognised,
        guesses=who.guesses,
        trials=judge_trials(case.trials) if case.trials or case.trials_asked else None,
        trials_by_hand=_by_hand(case),
        todo=todo((item.rule, item.input, item.why, item.level) for item in missing),
        ask_again=ask_again(case, bearing) if is_repeat(case) else (),
    )


def _by_hand(case: Case) -> int | None:
    number = case.number("facts.adequate_trials_failed")
    return None if number is None else int(number)


def _with_protocol(case: Case) -> Case:
    """The case with what its protocol says of indication, product and route, where the case itself is silent."""
    if case.protocol is None:
        return case
    protocol = get_protocol(case.protocol)
    return replace(
        case,
        indication=case.indication or protocol.indication,
        product=case.product or protocol.product,
        route=case.route or protocol.route,
    )


def verdict(found: list[Level], missing: list[Level]) -> str:
    """The verdict from the levels of the findings and of the rules whose input is missing.

    Examples
    --------
    >>> verdict(["warn"], ["hold"]), verdict(["hold"], ["block"]), verdict(["warn"], ["info"])
    ('needs-data', 'hold', 'caution')
    """
    if "block" in found:
        return "excluded"
    if "hold" in found:
        return "hold"
    if "block" in missing or "hold" in missing:
        return "needs-data"
    return "caution" if "warn" in found else "eligible"


def bearing_tiers(rule: Rule, case: Case) -> tuple[Tier, ...]:
    """The tiers of a rule that bear on the indication, product, route and setting of a case."""
    if not bears(rule.scope, case):
        return ()
    return tuple(tier for tier in rule.tiers if bears(tier.scope, case))


def bears(scope: Scope, case: Case) -> bool:
    """Whether a scope covers a case. What the case does not name counts as inside, unless the scope must be stated."""
    if scope.everywhere:
        return True
    named = (
        (scope.indications, case.indication),
        (scope.products, case.product),
        (scope.routes, case.route),
        (scope.settings, case.setting),
    )
    for allowed, value in named:
        if allowed and (scope.only_if_stated if value is None else value not in allowed):
            return False
    if case.indication in scope.not_indications or case.setting in scope.not_settings:
        return False
    given = {
        "request.concentration_mg_per_mL": case.request.concentration_mg_per_mL,
        "request.diluted": case.request.diluted,
    }
    return all(given[key] is not None for key in scope.once_given)


def _judge_rule(
    rule: Rule, tiers: tuple[Tier, ...], who: Subject
) -> tuple[Finding | None, list[Missing], list[Outcome]]:
    """The first tier that is met, and what is missing for the stricter tiers that could not be judged."""
    gaps: dict[Gap, Level] = {}
    outcomes: list[Outcome] = []
    for tier in tiers:
        outcome = tier_outcome(rule, tier, who)
        outcomes.append(outcome)
        if outcome.truth:
            open_gaps = {gap: level for gap, level in gaps.items() if LEVELS.index(level) < LEVELS.index(tier.level)}
            return finding_of(rule, tier, outcome, who), _missing(rule, open_gaps), outcomes
        open_here: list[tuple[Gap, Level]] = list(outcome.asks)
        if outcome.truth is None:
            open_here += [(gap, tier.level) for gap in outcome.gaps]
        for gap, level in open_here:
            gaps[gap] = min(gaps.get(gap, level), level, key=LEVELS.index)
    return None, _missing(rule, gaps), outcomes


def tier_outcome(rule: Rule, tier: Tier, who: Subject) -> Outcome:
    """A tier judged, together with the drugs its rule is about."""
    if rule.about is None:
        return judge(tier.when, who)
    about = judge(rule.about, who)
    return joined([about, judge(tier.when, who)], decides=False) if about.truth else about


def finding_of(rule: Rule, tier: Tier, outcome: Outcome, who: Subject) -> Finding:
    """The finding that a met tier makes."""
    drugs = tuple((name, agent.id if agent else None) for name, agent in outcome.drugs)
    guesses = {drug: who.guesses[drug] for drug in drugs if drug in who.guesses}
    doubt = "".join(f". {name!r} was read as {drug}: confirm" for (name, drug) in guesses)
    return Finding(
        rule=rule.id,
        level=tier.level,
        title=rule.title,
        because=reason(tier, outcome) + doubt,
        input=outcome.values,
        taken_on=outcome.taken_on,
        threshold=_threshold(rule, tier),
        action=tier.action,
        sources=tier.sources,
        verification=tier.verification,
        override=tier.may_override,
        drugs=drugs,
        effects=rule.effects,
        guesses=guesses,
    )


# The words of a tier never change; each entry holds its tier, so that no other can come by its identity.
_TEXTS: dict[int, tuple[Tier, str]] = {}


def _threshold(rule: Rule, tier: Tier) -> str:
    held = _TEXTS.get(id(tier))
    if held is None:
        held = _TEXTS[id(tier)] = (tier, _tier_text(rule, tier))
    return held[1]


def _tier_text(rule: Rule, tier: Tier) -> str:
    if rule.about is None:
        return threshold_text(tier.when)
    beyond = threshold_text(tier.when)
    return threshold_text(rule.about) if beyond == "always" else f"{threshold_text(rule.about)}, and {beyond}"


def _missing(rule: Rule, gaps: Mapping[Gap, Level]) -> list[Missing]:
    return [Missing(rule.id, gap.key, gap.why, level, rule.title) for gap, level in gaps.items()]


def _passed(rule: Rule, tiers: tuple[Tier, ...], outcomes: list[Outcome]) -> Passed:
    values: dict[str, Any] = {}
    taken_on: dict[str, date] = {}
    for outcome in outcomes:
        merge(values, outcome.values)
        taken_on.update(outcome.taken_on)
    texts = list(dict.fromkeys(_threshold(rule, tier) for tier in tiers))
    return Passed(rule.id, rule.title, values, taken_on, "; ".join(texts))
