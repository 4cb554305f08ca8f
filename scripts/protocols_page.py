"""The reference page of the protocols: doses, limits, titration, course, withdrawal, staffing and evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from limen.knowledge.claim import Claim, Statement
from limen.knowledge.protocols import Protocol, protocols
from limen.knowledge.walls import WINDOWS

Table = Callable[[Iterable[str], Iterable[Iterable[object]]], str]

_PARTS = ("premedication", "missed", "taper", "stop_signals", "staffing", "cautions")


def page(table: Table, note: str, marks: str) -> str:
    """Every protocol, whole."""
    parts = [f"# Protocols\n\n{note}\nMarks: {marks}.\n"]
    parts += [_protocol(table, protocol) for protocol in protocols().values()]
    return "\n".join(parts)


def _protocol(table: Table, protocol: Protocol) -> str:
    weight = protocol.weight
    other = f", or {weight.alternative}" if weight.alternative else ""
    closed = "" if protocol.closed is None else f"\n\nRead, and never ordered: {protocol.closed.text}"
    blocks = [
        f"## {protocol.id}, version {protocol.version}: {protocol.title}\n\n"
        f"{protocol.product} by {protocol.route} for {protocol.indication}; {protocol.status}; "
        f"{', '.join(protocol.settings)}. Dosed by {weight.basis} weight{other}.{closed}\n",
        table(("step", "lowest", "usual", "highest", "unit", "minutes", "sources", "mark"), _steps(protocol)),
        table(("rule", "wall", "kind", "limit", "why", "sources", "mark"), _walls(protocol)),
    ]
    rule = protocol.titration
    if rule is not None:
        steps = ", ".join(f"{rung:g}" for rung in rule.rungs) or "no step on record"
        start = "not given" if rule.start is None else f"{rule.start:g}"
        words = [("rule", rule.rule), ("from", f"{start} {rule.unit}"), ("steps", steps), ("raised", _raised(protocol))]
        words += [("why", rule.why), ("sources", _keys(rule)), ("mark", rule.verification.value)]
        blocks.append(table(("titration", ""), words))
    blocks.append(table(("phase", "sessions", "spacing", "sources", "mark"), _course(protocol)))
    said = [
        (name.replace("_", " "), item.text, _keys(item), item.verification.value)
        for name in _PARTS
        for item in getattr(protocol, name)
    ]
    evidence = protocol.evidence
    sides: list[tuple[str, Iterable[Statement]]] = [
        ("status", [evidence.regulatory_status]),
        ("for", evidence.supports),
        ("against", evidence.opposes),
    ]
    said += [(side, item.text, _keys(item), item.verification.value) for side, items in sides for item in items]
    blocks.append(table(("on", "statement", "sources", "mark"), said))
    return "\n".join(blocks)


def _steps(protocol: Protocol) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for step in protocol.steps:
        amount, span = step.amount, step.duration
        minutes = None if span is None else _span(span.lower_min, span.typical_min, span.upper_min)
        numbers = [None if value is None else f"{value:g}" for value in (amount.lower, amount.typical, amount.upper)]
        rows.append((step.title, *numbers, amount.unit, minutes, _keys(amount), amount.verification.value))
    return rows


def _span(low_min: float | None, usual_min: float | None, high_min: float | None) -> str:
    usual = "not given" if usual_min is None else f"{usual_min:g}"
    ends = [f"{value:g}" for value in (low_min, high_min) if value is not None]
    return usual + (f" ({' to '.join(ends)})" if ends else "")


def _walls(protocol: Protocol) -> list[tuple[object, ...]]:
    return [
        (
            wall.rule,
            wall.name,
            wall.kind,
            f"{wall.bound} {wall.limit:g} {wall.unit}{_over(wall.measure)}",
            wall.why,
            _keys(wall),
            wall.verification.value,
        )
        for wall in protocol.walls
    ]


def _over(measure: str) -> str:
    if measure == "apart":
        return " apart"
    return f" a {measure}" if measure in WINDOWS else ""


def _course(protocol: Protocol) -> list[tuple[object, ...]]:
    return [
        (phase.phase, phase.sessions, phase.spacing, _keys(phase), phase.verification.value)
        for phase in protocol.course
    ]


def _raised(protocol: Protocol) -> str:
    rule = protocol.titration
    if rule is None:
        return ""
    told = rule.raises.model_dump()
    kind = str(told.pop("kind")).replace("-", " ")
    more = ", ".join(
        f"{name} {', '.join(value) if isinstance(value, tuple | list) else value}" for name, value in told.items()
    )
    return f"{kind}: {more}" if more else kind


def _keys(claim: Claim) -> str:
    return ", ".join(claim.sources)
