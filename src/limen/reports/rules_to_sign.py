"""Every rule as tables for a medical director to sign: what is held, under which mark, and what is not verified.

The same ``Document`` becomes a PDF (`limen.reports.paper`) and a Markdown text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date

from limen.care.dossier import contradictions, knowledge_roots
from limen.care.wording import threshold_text
from limen.evidence import Verification
from limen.knowledge.dated import dated
from limen.knowledge.discharge import discharge
from limen.knowledge.index import ClaimAt, claims
from limen.knowledge.instruments import Instrument, instruments
from limen.knowledge.monitoring import monitoring
from limen.knowledge.protocols import Protocol, Step, protocols
from limen.knowledge.release import knowledge_release
from limen.knowledge.rules import Rule, rules
from limen.knowledge.surfaces import surface_of
from limen.reports.document import Document, Part, Table

# Folders that have a table of their own; every other folder is listed claim by claim.
_TOLD = ("selection", "interactions", "protocols", "instruments")
_OF_PAPERS = ("models/", "effects/", "pharmacology/")
_BLANK = "____________________________"


def rules_to_sign(on: date, *, site: str = "") -> Document:
    """The whole of the clinic's knowledge as tables.

    Parameters
    ----------
    on : date
        The day it is made, from which ends are counted.
    site : str
        The clinic it is made for; left blank to be filled in where not given.

    Examples
    --------
    >>> made = rules_to_sign(date(2026, 11, 22), site="North Clinic")
    >>> made.identity[0], made.parts[-1].title
    (('Clinic', 'North Clinic'), 'Signature')
    """
    every = [claim for claim in claims(knowledge_roots()) if not claim.file.startswith(_OF_PAPERS)]
    return Document(
        issuer="Limen",
        title="Rules to sign",
        aside=(f"Made on {on.isoformat()}",),
        status="For the medical director",
        identity=(("Clinic", site or _BLANK), ("Knowledge release", knowledge_release())),
        parts=(
            _summary(every),
            _ends(on),
            _to_read(),
            _disputed(),
            *_screening(),
            *_protocols(),
            _limits(),
            _leaving(),
            _instruments(),
            *_others(every),
            _unverified(every),
            _signature(),
        ),
        running=(f"Knowledge release {knowledge_release()}", f"made on {on.isoformat()}"),
    )


def markdown(document: Document) -> str:
    """The document as Markdown; a bar in a cell cannot break its table.

    Examples
    --------
    >>> print(markdown(Document("Limen", "T", parts=(Part("P", tables=(Table(("a",), (("1|2",),)),)),))).strip())
    # T
    <BLANKLINE>
    ## P
    <BLANKLINE>
    | a |
    |---|
    | 1/2 |
    """
    lines = [f"# {document.title}", ""]
    lines += [f"- {label}: {value}" for label, value in document.identity]
    lines += [f"- {line}" for line in (*document.aside, document.status) if line]
    lines += [""] if document.identity else []
    for part in document.parts:
        lines += [f"## {part.title}", ""]
        for paragraph in part.paragraphs:
            lines += [paragraph, ""]
        for table in part.tables:
            lines += [_line(table.columns), "|" + "---|" * len(table.columns)]
            lines += [_line((*row, *[""] * (len(table.columns) - len(row)))) for row in table.rows]
            lines.append("")
        if part.rows:
            lines += [*(f"- {label}: {value}" for label, value in part.rows), ""]
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "/").replace("\n", " ") for cell in cells) + " |"


def _summary(every: list[ClaimAt]) -> Part:
    counted = Counter(claim.mark for claim in every if claim.mark)
    rows = tuple((mark.value, mark.words, str(counted[mark])) for mark in Verification)
    return Part(
        "What is signed",
        paragraphs=(
            "Every rule, limit, dose and scale of this release, with the mark of how far it was checked against its "
            "sources. What is marked M was read in no source; by signing, the medical director takes it over as a rule "
            "of the clinic or asks for another. It advises; a licensed person decides.",
        ),
        tables=(Table(("mark", "meaning", "statements"), rows, (1, 6, 2)),),
    )


def _ends(on: date) -> Part:
    rows = tuple(
        (fact.ends_on.isoformat(), _left(fact.days_left(on)), fact.title, fact.successor or fact.then)
        for fact in sorted(dated().facts, key=lambda fact: fact.ends_on)
    )
    return Part("What ends on a day", tables=(Table(("last day", "left", "what", "then"), rows, (2, 2, 6, 6)),))


def _left(days: int) -> str:
    return f"{days} days" if days >= 0 else "ended"


def _to_read() -> Part:
    rows = tuple((check.id, ", ".join(check.bears_on), check.text) for check in dated().open_checks)
    return Part("To be read or settled first", tables=(Table(("check", "bears on", "what"), rows, (4, 3, 8)),))


def _disputed() -> Part:
    rows = []
    for item in contradictions():
        sides = "; ".join(
            f"{side['answer']}: " + " ".join(f"{claim['text']} [{claim['verification']}]" for claim in side["claims"])
            for side in item["sides"]
        )
        rows.append((item["title"], sides, item["held"]))
    return Part("Where sources disagree", tables=(Table(("question", "sides", "held here"), tuple(rows), (3, 7, 4)),))


def _screening() -> Iterator[Part]:
    head = ("rule", "level", "mark", "override", "when, and what is done")
    for title, wanted in (("Selection and baseline", False), ("Interactions", True)):
        rows = tuple(row for rule in rules().values() if bool(rule.agents) == wanted for row in _tiers(rule))
        yield Part(title, tables=(Table(head, rows, (4, 1, 1, 3, 11)),))


def _tiers(rule: Rule) -> Iterator[tuple[str, ...]]:
    about = f"{', '.join(rule.agents)}: " if rule.agents else ""
    for place, tier in enumerate(rule.tiers):
        name = f"{rule.id} {rule.title}" if place == 0 else rule.id
        asked = f"{about}{threshold_text(tier.when)}. {tier.action}"
        yield name, tier.level, tier.verification.value, tier.may_override or "", asked


def _protocols() -> Iterator[Part]:
    steps = tuple(
        (protocol.id, step.title, step.amount.verification.value, _dose(step))
        for protocol in protocols().values()
        for step in protocol.steps
    )
    walls = tuple(row for protocol in protocols().values() for row in _walls(protocol))
    yield Part("Protocols: doses", tables=(Table(("protocol", "step", "mark", "dose"), steps, (3, 4, 1, 7)),))
    yield Part(
        "Protocols: walls",
        tables=(Table(("protocol", "wall", "kind", "limit", "mark", "why"), walls, (3, 3, 1, 3, 1, 7)),),
    )


def _dose(step: Step) -> str:
    amount = step.amount
    if amount.typical is None and amount.lower is None and amount.upper is None:
        return "nothing pre-filled: the prescriber enters it"
    start = "nothing pre-filled" if amount.typical is None else f"starts at {amount.typical:g} {amount.unit}"
    ends = [f"{value:g}" for value in (amount.lower, amount.upper) if value is not None]
    return f"{start}; reported {' to '.join(ends)} {amount.unit}" if ends else start


def _walls(protocol: Protocol) -> Iterator[tuple[str, ...]]:
    for wall in protocol.walls:
        limit = f"{wall.bound} {wall.limit:g} {wall.unit}"
        yield protocol.id, wall.name, wall.kind, limit, wall.verification.value, wall.why


def _limits() -> Part:
    rows = tuple(
        (
            item.rule,
            item.tier,
            f"{item.signal} {item.when.replace('-', ' ')} {item.limit:g}",
            item.verification.value,
            item.do,
        )
        for item in monitoring().limits
    )
    return Part("Alarm limits", tables=(Table(("rule", "tier", "limit", "mark", "do"), rows, (2, 1, 5, 1, 6)),))


def _leaving() -> Part:
    rows = tuple((item.id, item.verification.value, item.title) for item in discharge().criteria)
    return Part("Leaving", tables=(Table(("rule", "mark", "criterion"), rows, (2, 1, 10)),))


def _instruments() -> Part:
    rows = tuple((one.id, _mark_of(one), one.licence.text, _cuts(one)) for one in instruments().values())
    return Part(
        "Scales", tables=(Table(("scale", "mark", "words", "bands, cut and safety item"), rows, (4, 1, 1, 10)),)
    )


def _mark_of(one: Instrument) -> str:
    held = [one.items, one.missing, one.bands, one.screen, one.safety, one.response, *one.remission, *one.changes]
    return min((item.verification for item in held if item), key=lambda mark: mark.rank).value


def _cuts(one: Instrument) -> str:
    told = [f"{band.low}-{band.high} {band.name}" for band in one.bands.ranges] if one.bands else []
    if one.screen is not None:
        at_most = one.screen.at_most
        told.append(f"cut {one.screen.at_least} and over" if at_most is None else f"cut {at_most} and under")
    if one.safety is not None:
        told.append(f"item {one.safety.item} from {one.safety.rungs[0].at_least} to a person before dosing")
    return "; ".join(told) or "total or answers only"


def _others(every: list[ClaimAt]) -> Iterator[Part]:
    """Every further folder, statement by statement, so that nothing is signed unseen."""
    for folder in dict.fromkeys(claim.file.partition("/")[0] for claim in every):
        if folder in _TOLD:
            continue
        surface = surface_of(f"{folder}/")
        title = surface.kind if surface else folder.replace("-", " ").replace("_", " ")
        rows = tuple((claim.owner, _shown(claim), claim.text) for claim in every if claim.file.startswith(f"{folder}/"))
        yield Part(f"Statement by statement: {title}", tables=(Table(("rule", "mark", "statement"), rows, (4, 1, 11)),))


def _unverified(every: list[ClaimAt]) -> Part:
    rows = tuple(
        (claim.owner, f"{claim.file}:{claim.line}", claim.text)
        for claim in every
        if claim.mark in {None, Verification.UNVERIFIED}
    )
    return Part(
        "Everything unverified",
        paragraphs=(f"{len(rows)} statements that were read in no source. They stand as defaults until signed.",),
        tables=(Table(("rule", "where", "statement"), rows, (3, 5, 9)),),
    )


def _shown(claim: ClaimAt) -> str:
    return claim.mark.value if claim.mark else "none"


def _signature() -> Part:
    return Part(
        "Signature",
        paragraphs=(
            "I have read the rules of this release. I take over those marked M and P as rules of this clinic, but for "
            "the exceptions below.",
        ),
        rows=(
            ("Exceptions and changes", _BLANK),
            ("Medical director", _BLANK),
            ("Licence", _BLANK),
            ("Day", _BLANK),
            ("Signature", _BLANK),
            ("Next review by", _BLANK),
        ),
    )
