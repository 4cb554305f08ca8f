"""What the drugs of a list do together with ketamine, looked up without a patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from limen.care.case import ROUTES, Case, Medication
from limen.care.judging import Outcome, Subject, subject
from limen.care.screening import bearing_tiers, finding_of, tier_outcome
from limen.errors import InputError
from limen.evidence import Verification
from limen.knowledge.naming import read_name, resolve, suggestions
from limen.knowledge.rules import Effect, Level, Override, Rule, Tier, rules
from limen.pharmacology.covariates.interactions import perpetrators


@dataclass(frozen=True, slots=True)
class DrugFinding:
    """One drug under one rule. Ratios are exposure with the drug over without; ``None`` where none was read.

    ``confidence_pct`` is under 100 where the name is only spelled like the drug: a person confirms it.
    """

    drug: str
    resolved: str
    rule: str
    level: Level
    because: str
    auc_ratio: float | None
    cmax_ratio: float | None
    action: str
    sources: tuple[str, ...]
    verification: Verification
    override: Override | None
    confidence_pct: float = 100.0

    def to_json(self) -> dict[str, Any]:
        return {
            "drug": self.drug,
            "resolved": self.resolved,
            "confidence_pct": self.confidence_pct,
            "confirm": self.confidence_pct < 100.0,
            "rule": self.rule,
            "level": self.level,
            "because": self.because,
            "effect": {"auc_ratio": self.auc_ratio, "cmax_ratio": self.cmax_ratio},
            "action": self.action,
            "sources": list(self.sources),
            "verification": self.verification.value,
            "override": self.override,
        }


@dataclass(frozen=True, slots=True)
class InteractionReport:
    """Every drug of the list in one place: a finding, not recognised, or recognised with no rule about it."""

    route: str
    findings: tuple[DrugFinding, ...]
    unknown: tuple[str, ...]
    no_finding: tuple[str, ...]
    suggestions: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The report in the shape of the ``interactions`` contract."""
        return {
            "route": self.route,
            "findings": [finding.to_json() for finding in self.findings],
            "unknown": list(self.unknown),
            "no_finding": list(self.no_finding),
            "suggestions": {name: list(found) for name, found in self.suggestions.items()},
        }


def perpetrators_of(case: Case) -> tuple[str, ...]:
    """The drugs a patient takes whose effect on ketamine's kinetics was measured by some route.

    A guess at a misspelled name changes no forecast before it is confirmed; screening reports it.

    Returns
    -------
    tuple of str
        By the names a forecast knows them by. A drug that is not named here is not known to be without effect.

    Examples
    --------
    >>> from datetime import date
    >>> drugs = (Medication("Rifadin 300 mg"), Medication("sertraline"), Medication("Ticlid", status="stopped"))
    >>> perpetrators_of(Case(on=date(2026, 11, 21), medications=drugs))
    ('rifampicin',)
    """
    measured = {name: entry.drug for entry in perpetrators() for name in (entry.drug, *entry.names)}
    taken = [agent for drug in case.medications if drug.status == "active" for agent in resolve(drug.name)[0]]
    found = [measured[name] for agent in taken for name in (agent.id, *agent.names) if name in measured]
    return tuple(dict.fromkeys(found))


def check(route: str, product: str | None, medications: Sequence[str]) -> InteractionReport:
    """Look up a list of drugs.

    A rule with a stricter tier that turns on something about the patient (sedation, sleep apnoea, setting) is
    reported at that tier: the stricter stands until the fact is known.

    Parameters
    ----------
    route : str
        Of the ketamine.
    product : str or None
        ``racemic``, ``s-ketamine`` or ``esketamine-nasal``.
    medications : sequence of str
        Names as a patient or a label gives them.

    Returns
    -------
    InteractionReport
        A name that is not recognised stands in ``unknown``, never in ``no_finding``. One that is spelled like a single
        drug is judged as that drug, with ``confidence_pct`` under 100; where no rule is about that drug it is unknown.

    Raises
    ------
    InputError
        If the route or product is unknown, or a medicine has no name.

    Examples
    --------
    >>> report = check("po", "racemic", ["Ticlid 250 mg", "vitamin d", "moonwort"])
    >>> [(finding.rule, finding.level, finding.auc_ratio) for finding in report.findings]
    [('INT-01', 'warn', 2.4)]
    >>> report.unknown, report.no_finding
    (('moonwort',), ('vitamin d',))
    """
    if route not in ROUTES:
        raise InputError(f"unknown route {route!r}", where="route", allowed=", ".join(ROUTES))
    names = list(dict.fromkeys(name.strip() for name in medications))
    if "" in names:
        raise InputError("a medicine without a name", where="medications", allowed="the drug's name")
    case = Case(
        on=date.min,
        route=route,
        product=product,
        medications=tuple(Medication(name) for name in names),
        medications_asked=True,
    )
    who = subject(case)
    findings: list[DrugFinding] = []
    for rule in rules().values():
        if rule.agents:
            findings += _rule_findings(rule, who)
    with_finding = {finding.drug for finding in findings}
    unknown = tuple(
        name for name in names if read_name(name).unknown or (read_name(name).guesses and name not in with_finding)
    )
    return InteractionReport(
        route=route,
        findings=tuple(findings),
        unknown=unknown,
        no_finding=tuple(name for name in names if name not in with_finding and name not in unknown),
        suggestions={name: near for name in names if resolve(name)[1] and (near := suggestions(name))},
    )


def _rule_findings(rule: Rule, who: Subject) -> list[DrugFinding]:
    met = _strictest(rule, who)
    if met is None:
        return []
    tier, outcome = met
    finding = finding_of(rule, tier, outcome, who)
    found = []
    for name, agent in who.drugs:
        if agent.id not in rule.agents and set(rule.agents).isdisjoint(agent.classes):
            continue
        effect = _effect(rule, agent.id, who.case)
        guess = who.guesses.get((name, agent.id))
        found.append(
            DrugFinding(
                drug=name,
                resolved=agent.id,
                rule=rule.id,
                level=tier.level,
                because=finding.because,
                auc_ratio=effect.auc_ratio if effect else None,
                cmax_ratio=effect.cmax_ratio if effect else None,
                action=tier.action,
                sources=tuple(dict.fromkeys((*tier.sources, *(effect.sources if effect else ())))),
                verification=tier.verification,
                override=tier.may_override,
                confidence_pct=100.0 if guess is None else guess.confidence_pct,
            )
        )
    return found


def _strictest(rule: Rule, who: Subject) -> tuple[Tier, Outcome] | None:
    """The first tier that is met, or that could be met by a fact not known."""
    for tier in bearing_tiers(rule, who.case):
        outcome = tier_outcome(rule, tier, who)
        if outcome.truth is not False:
            return tier, outcome
    return None


def _effect(rule: Rule, drug: str, case: Case) -> Effect | None:
    for effect in rule.effects:
        product_fits = not effect.products or case.product is None or case.product in effect.products
        if effect.drug == drug and case.route in effect.routes and product_fits:
            return effect
    return None
