"""Rules of selection, baseline and interaction: schema and loader of ``data/selection`` and ``data/interactions``."""

from __future__ import annotations

import functools
import string
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Literal

from pydantic import model_validator

from limen.errors import KnowledgeError
from limen.evidence import read_yaml
from limen.evidence.yaml import Record
from limen.knowledge.claim import Claim
from limen.knowledge.conditions import Always, Condition, Equals, History, Mixed, Takes, Threshold, parts
from limen.knowledge.interactions import agent_terms

Level = Literal["block", "hold", "warn", "info"]
LEVELS: tuple[Level, ...] = ("block", "hold", "warn", "info")
Override = Literal["none", "medical-director", "prescriber"]
_ORDER = ("SEL", "IND", "SETTING", "SE", "EPI", "BAS", "REMS", "DOSE", "INT")
WORDS_IN_BECAUSE = frozenset({"condition", "medication", "pressure", "tier"})


class Scope(Record):
    """Where a rule or a tier bears; an empty list means everywhere.

    A case that does not name its product, route or setting is taken to be inside, unless ``only_if_stated``.
    ``not_indications`` and ``not_settings`` take out only what a case names. ``once_given`` names parts of the request
    without which the rule has nothing to judge.
    """

    indications: tuple[str, ...] = ()
    not_indications: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    not_settings: tuple[str, ...] = ()
    once_given: tuple[str, ...] = ()
    only_if_stated: bool = False

    @functools.cached_property
    def everywhere(self) -> bool:
        """Whether nothing is taken out."""
        return not any(getattr(self, name) for name in type(self).model_fields)


class Tier(Claim):
    """One level of a rule and the condition for it.

    Attributes
    ----------
    because : str
        The reason, with ``{name}`` for inputs of the condition, ``{condition}`` for the entries of the problem list,
        ``{medication}`` for the drugs, ``{pressure}`` for the readings and ``{tier}`` for the suicide-risk tier.
    override : str or None
        Who may decide against it, always with a reason; ``none`` for an act no one may order. Where not given: the
        medical director for a block, a prescriber for a hold.
    """

    level: Level
    when: Condition = Always(kind="always")
    scope: Scope = Scope()
    because: str
    action: str
    override: Override | None = None

    @property
    def may_override(self) -> Override | None:
        if self.override is not None:
            return self.override
        return {"block": "medical-director", "hold": "prescriber"}.get(self.level)  # type: ignore[return-value]

    @model_validator(mode="after")
    def _template_holds(self) -> Tier:
        known = WORDS_IN_BECAUSE | {
            part.input.partition(".")[2] for part in parts(self.when) if isinstance(part, Threshold | Equals)
        }
        try:
            fields = {name for _, name, _, _ in string.Formatter().parse(self.because) if name is not None}
        except ValueError as problem:
            raise ValueError(f"because: {problem}") from None
        if fields - known:
            raise ValueError(f"because names {sorted(fields - known)}, not an input of its condition")
        if self.level in {"warn", "info"} and self.override is not None:
            raise ValueError("only a block or a hold is overridden")
        return self


class Effect(Claim):
    """What one drug does to exposure by the routes named. Ratios are with the drug over without."""

    drug: str
    routes: tuple[str, ...]
    products: tuple[str, ...] = ()
    auc_ratio: float | None = None
    cmax_ratio: float | None = None


class Rule(Record):
    """One rule: its tiers from the strictest to the mildest; the first whose condition holds is the finding.

    Attributes
    ----------
    agents : tuple of str
        For an interaction, the drug classes or drugs it is about; every tier then also needs one of them.
    """

    id: str
    title: str
    scope: Scope = Scope()
    agents: tuple[str, ...] = ()
    tiers: tuple[Tier, ...]
    effects: tuple[Effect, ...] = ()

    @model_validator(mode="after")
    def _ordered(self) -> Rule:
        if not self.tiers:
            raise ValueError(f"{self.id}: a rule without a tier says nothing")
        ranks = [LEVELS.index(tier.level) for tier in self.tiers]
        if ranks != sorted(ranks):
            raise ValueError(f"{self.id}: tiers must stand from block to info")
        return self

    @functools.cached_property
    def about(self) -> Takes | None:
        """For an interaction: the condition that one of its drugs is taken."""
        return Takes(kind="takes", of=self.agents) if self.agents else None

    @property
    def sources(self) -> tuple[str, ...]:
        """Every source the rule rests on, once."""
        claims: tuple[Claim, ...] = (*self.tiers, *self.effects)
        return tuple(dict.fromkeys(key for claim in claims for key in claim.sources))


class CodeSet(Claim):
    """Conditions that mean the same to a rule.

    Attributes
    ----------
    icd10 : tuple of str
        ICD-10 codes; a shorter code covers the longer ones that begin with it.
    except_icd10 : tuple of str
        Codes that begin alike and do not belong.
    words : tuple of str
        Whole words of a plain name.
    phrases : tuple of str
        Beginnings of words in a plain name, so that ``aneurysm`` finds ``aneurysmal``.
    """

    id: str
    title: str
    icd10: tuple[str, ...] = ()
    except_icd10: tuple[str, ...] = ()
    snomed: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    except_phrases: tuple[str, ...] = ()


class _RuleFile(Record):
    rules: tuple[Rule, ...]


class _CodeSetFile(Record):
    code_sets: tuple[CodeSet, ...]


def _files(topic: str, prefix: str) -> list[Traversable]:
    folder = resources.files("limen.knowledge") / "data" / topic
    found = [path for path in folder.iterdir() if path.name.startswith(prefix) and path.name.endswith(".yaml")]
    return sorted(found, key=lambda path: path.name)


@functools.cache
def code_sets() -> dict[str, CodeSet]:
    """Every set of conditions, by its name."""
    found: dict[str, CodeSet] = {}
    for path in _files("selection", "conditions"):
        for item in read_yaml(path, _CodeSetFile).code_sets:
            if item.id in found:
                raise KnowledgeError(f"code set {item.id!r} stands twice", where=path.name)
            found[item.id] = item
    return found


@functools.cache
def rules() -> dict[str, Rule]:
    """Every rule by its ID: selection, baseline, then interactions.

    Raises
    ------
    KnowledgeError
        If a rule stands twice, or names a code set or a class of drugs that no file holds.

    Examples
    --------
    >>> rules()["SEL-04"].tiers[0].level
    'block'
    """
    found: dict[str, Rule] = {}
    for path in (*_files("selection", "rules"), *_files("interactions", "rules")):
        for rule in read_yaml(path, _RuleFile).rules:
            if rule.id in found:
                raise KnowledgeError(f"rule {rule.id!r} stands twice", where=path.name)
            for part in (part for tier in rule.tiers for part in parts(tier.when)):
                if isinstance(part, History) and part.of not in code_sets():
                    raise KnowledgeError(f"unknown code set {part.of!r}", where=f"{path.name} {rule.id}")
                named = part.of if isinstance(part, Takes | Mixed) else ()
                _known_agents((*named, *rule.agents), agent_terms(), f"{path.name} {rule.id}")
            _known_agents(tuple(effect.drug for effect in rule.effects), agent_terms(), f"{path.name} {rule.id}")
            found[rule.id] = rule
    return {name: found[name] for name in sorted(found, key=_place)}


def _place(name: str) -> tuple[int, str]:
    prefix = name.partition("-")[0]
    return (_ORDER.index(prefix) if prefix in _ORDER else len(_ORDER), name)


def _known_agents(named: tuple[str, ...], known: frozenset[str], where: str) -> None:
    unknown = [name for name in named if name not in known]
    if unknown:
        raise KnowledgeError(f"unknown drug or class {unknown[0]!r}", where=where)
