"""What stands behind a rule, what speaks against it, and what a change of a source or a claim would touch."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from importlib import resources
from typing import Any

from limen.care.wording import threshold_text
from limen.errors import InputError
from limen.evidence import Verification, cite, sources
from limen.evidence.disputes import Dispute, SidedClaim, disputes
from limen.evidence.grades import grades
from limen.evidence.marks import weakest
from limen.knowledge.index import ClaimAt, Roots, claims, files, mappings, tree_of, users, weakest_mark
from limen.knowledge.instruments import instruments
from limen.knowledge.lines import line_of
from limen.knowledge.protocols import protocols
from limen.knowledge.rules import rules
from limen.knowledge.surfaces import surface_of

_READ = {Verification.READ, Verification.SECONDARY, Verification.COMPUTED}


def knowledge_roots() -> Roots:
    """The folders that hold clinical values: the clinic's rules, and the models of the dose science."""
    return {
        "": resources.files("limen.knowledge") / "data",
        "pharmacology": resources.files("limen.pharmacology") / "data",
        "models": resources.files("limen.pharmacology.models") / "data",
    }


@functools.cache
def _every() -> tuple[ClaimAt, ...]:
    return claims(knowledge_roots())


def dossier(name: str) -> dict[str, Any]:
    """What speaks for and against one rule, protocol, model, claim or dispute; or who rests on one source.

    Returns
    -------
    dict
        The contract of ``evidence show``, with ``traced`` (whether a source that was read stands behind it; where not,
        it is a clinic rule or unverified and its mark says so), ``disputes`` and ``grade``.

    Raises
    ------
    InputError
        If nothing is on record under the name; lists names near it.

    Examples
    --------
    >>> found = dossier("SETTING-HOME")
    >>> found["claims_against"][0][:21], found["disputes"]
    ('A cohort at home impr', ['home-use'])
    """
    every = _every()
    if name in sources():
        return _of_source(name, every)
    about = [claim for claim in every if claim.owner == name]
    if not about:
        return _of_dispute(name, every)
    sided = [dispute for dispute in disputes().values() if name in (*dispute.bears_on, dispute.rule)]
    own_for, own_against = _own_words(name, about)
    supports = [_worded(claim) for claim in _sided(sided, name, "supports")]
    opposes = [_worded(claim) for claim in _sided(sided, name, "opposes")]
    keys = dict.fromkeys(
        (*(key for claim in about for key in claim.sources),
         *(key for dispute in sided for claim in dispute.claims for key in claim.sources))
    )  # fmt: skip
    mark = weakest_mark(about)
    return {
        "id": name,
        "title": _title(name),
        "verification": mark.value,
        "claims_for": [*own_for, *supports],
        "claims_against": [*own_against, *opposes],
        "sources": [_cited(key) for key in keys],
        "used_by": ["screen"] if name in rules() else sorted({claim.file for claim in about}),
        "traced": any(claim.mark in _READ for claim in about),
        "disputes": [dispute.id for dispute in sided],
    }


def contradictions() -> list[dict[str, Any]]:
    """Every question that sources answer differently: the disputes on file, then each protocol with both sides."""
    found = [contradiction_of(dispute) for dispute in disputes().values()]
    for protocol in protocols().values():
        evidence = protocol.evidence
        if not (evidence.supports and evidence.opposes):
            continue
        found.append(
            {
                "id": protocol.id,
                "title": f"Does it help: {protocol.title}?",
                "held": f"{protocol.status}; both sides stand on the plan",
                "bears_on": [protocol.id],
                "sides": [
                    {"answer": answer, "claims": [_stated(item.text, item.sources, item.verification) for item in side]}
                    for answer, side in (("For", evidence.supports), ("Against", evidence.opposes))
                ],
            }
        )
    return found


def contradiction_of(dispute: Dispute) -> dict[str, Any]:
    """One dispute with every side, its claims, their sources' kinds and marks."""
    return {
        "id": dispute.id,
        "title": dispute.question,
        "held": dispute.held.text,
        "bears_on": list(dispute.bears_on),
        "sides": [
            {
                "answer": side.answer,
                "supports": list(side.supports),
                "opposes": list(side.opposes),
                "claims": [
                    {"id": claim.id} | _stated(claim.text, claim.sources, claim.verification) for claim in side.claims
                ],
            }
            for side in dispute.sides
        ],
    }


def affects(name: str) -> dict[str, Any]:
    """What depends on a source, a claim or a rule: change it, and these must be looked at.

    Returns
    -------
    dict
        ``rests``: every place that cites it, with file and line; ``owners``: the rules, protocols, instruments and
        models they belong to, by kind; ``referred_by``: what names those owners; ``commands``, ``screens``, ``texts``.

    Raises
    ------
    InputError
        If nothing is on record under the name.
    """
    every = _every()
    sided: list[str] = []
    if name in sources():
        kind, resting = "source", [claim for claim in every if name in claim.sources]
        told = [
            (dispute, claim) for dispute in disputes().values() for claim in dispute.claims if name in claim.sources
        ]
    elif any(claim.owner == name for claim in every):
        kind, resting, told = "rule", [claim for claim in every if claim.owner == name], []
    else:
        kind, resting = "claim", []
        told = [
            (dispute, claim)
            for dispute in disputes().values()
            for claim in dispute.claims
            if name in (claim.id, dispute.id)
        ]
        if not told:
            raise _nothing(name, every)
    for dispute, claim in told:
        sided += [owner for side in dispute.sides if claim in side.claims for owner in (*side.supports, *side.opposes)]
    owners = list(dict.fromkeys([*(claim.owner for claim in resting), *sided]))
    touched = [claim for claim in every if claim.owner in owners] if kind == "claim" else [
        *resting, *(claim for claim in every if claim.owner in sided)
    ]  # fmt: skip
    by_kind: dict[str, list[str]] = {}
    for owner in owners:
        by_kind.setdefault(_kind(owner, touched), []).append(owner)
    feeds = [surface for surface in {claim.file: surface_of(claim.file) for claim in touched}.values() if surface]
    return {
        "id": name,
        "kind": kind,
        "rests": [
            {
                "owner": claim.owner,
                "at": f"{claim.file}:{claim.line}",
                "text": claim.text,
                "mark": str(claim.mark or ""),
            }
            for claim in resting
        ],
        "disputes": list(dict.fromkeys(dispute.id for dispute, _ in told)),
        "owners": by_kind,
        "referred_by": list(_referring(set(owners))),
        "commands": _once(item for feed in feeds for item in feed.commands),
        "screens": _once(item for feed in feeds for item in feed.screens),
        "texts": _once(item for feed in feeds for item in feed.texts),
    }


def _of_source(name: str, every: Iterable[ClaimAt]) -> dict[str, Any]:
    source = sources()[name]
    resting = [claim for claim in every if name in claim.sources]
    sided = [claim for dispute in disputes().values() for claim in dispute.claims if name in claim.sources]
    weight = grades()[source.grade]
    return {
        "id": name,
        "title": source.citation,
        "verification": weakest_mark(resting).value if resting else weakest([c.verification for c in sided]).value,
        "claims_for": [f"{claim.owner}: {claim.text}" for claim in resting]
        + [f"{claim.id}: {claim.text}" for claim in sided],
        "claims_against": [],
        "sources": [_cited(name)],
        "used_by": [*users(name, every), *(claim.id for claim in sided)],
        "grade": {"kind": source.grade, "words": weight.words, "strongest_mark": weight.strongest.value},
    }


def _of_dispute(name: str, every: Iterable[ClaimAt]) -> dict[str, Any]:
    """A dispute by its name or by that of the rule it holds to, or one of its claims."""
    for dispute in disputes().values():
        if name in (dispute.id, dispute.rule):
            return contradiction_of(dispute) | {"verification": dispute.held.verification.value}
        for claim in dispute.claims:
            if name == claim.id:
                return _of_claim(dispute, claim)
    raise _nothing(name, every)


def _of_claim(dispute: Dispute, claim: SidedClaim) -> dict[str, Any]:
    (side,) = [side for side in dispute.sides if claim in side.claims]
    return {
        "id": claim.id,
        "title": dispute.question,
        "verification": claim.verification.value,
        "claims_for": [claim.text],
        "claims_against": [_worded(item) for other in dispute.sides if other is not side for item in other.claims],
        "sources": [_cited(key) for key in claim.sources],
        "used_by": [*side.supports, *side.opposes],
        "disputes": [dispute.id],
    }


def _own_words(name: str, about: Iterable[ClaimAt]) -> tuple[list[str], list[str]]:
    """What the files themselves say for and against."""
    against: list[str] = []
    supports = [claim.text for claim in about]
    if name in rules():
        supports = [
            f"{tier.level}: {threshold_text(tier.when)}. {tier.action} [{tier.verification.value}]"
            for tier in rules()[name].tiers
        ]
    elif name in protocols():
        against = [statement.text for statement in protocols()[name].evidence.opposes]
    return [text for text in dict.fromkeys(supports) if text not in against], against


def _title(name: str) -> str:
    known = next((shelf[name].title for shelf in (rules(), protocols(), instruments()) if name in shelf), name)
    return str(known)


def _sided(sided: Iterable[Dispute], name: str, way: str) -> Iterator[SidedClaim]:
    for dispute in sided:
        for side in dispute.sides:
            if name in getattr(side, way):
                yield from side.claims


def _worded(claim: SidedClaim) -> str:
    return f"{claim.text} [{claim.verification.value}; {_kinds(claim.sources)}; {claim.id}]"


def _stated(text: str, keys: tuple[str, ...], mark: Verification) -> dict[str, Any]:
    return {"text": text, "verification": mark.value, "kind": _kinds(keys), "sources": list(keys)}


def _kinds(keys: Iterable[str]) -> str:
    return ", ".join(_once(grades()[cite(key).grade].words for key in keys))


def _cited(key: str) -> dict[str, Any]:
    source = cite(key)
    weight = grades()[source.grade]
    return {
        "key": key,
        "citation": source.citation,
        "doi": source.doi,
        "pmid": source.pmid,
        "url": source.url,
        "grade": source.grade,
        "strongest_mark": weight.strongest.value,
        "note": source.note,
    }


def _kind(owner: str, touched: Iterable[ClaimAt]) -> str:
    surface = next((surface_of(claim.file) for claim in touched if claim.owner == owner), None)
    return surface.kind if surface else "other"


def _referring(owners: set[str]) -> Iterator[str]:
    """Places outside the owners themselves that name one of them."""
    for file, path in files(knowledge_roots()):
        for keys, named, node in mappings(tree_of(path), path.name.removesuffix(".yaml")):
            if named in owners:
                continue
            for key, value in node.items():
                held = [value] if isinstance(value, str) else value if isinstance(value, list) else []
                for item in held:
                    if isinstance(item, str) and item in owners and key not in {"id", "rule"}:
                        yield f"{named} ({file}:{line_of(path, (*keys, key))}) names {item}"


def _once(items: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(items))


def _nothing(name: str, every: Iterable[ClaimAt]) -> InputError:
    names = {claim.owner for claim in every} | set(disputes())
    near = sorted(owner for owner in names if owner.lower().startswith(name.lower()[:3]))
    return InputError(
        f"nothing is on record under {name!r}",
        where="ID",
        allowed="a rule, protocol, model, source, claim or dispute",
        hint=f"Near it: {', '.join(near[:8])}" if near else "",
    )
