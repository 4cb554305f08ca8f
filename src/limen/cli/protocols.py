"""Commands: protocols."""

from __future__ import annotations

from typing import Any

import typer

from limen.cli.output import Json, print_json


def register(app: typer.Typer) -> None:
    """Add ``limen protocols list`` and ``limen protocols show``."""
    group = typer.Typer(
        name="protocols", help="Treatment protocols, every number with its source.", no_args_is_help=True
    )

    @group.command("list")
    def list_protocols(json: Json = False) -> None:
        """The protocols on record."""
        from limen.knowledge.protocols import protocols

        rows = [
            {
                "id": protocol.id,
                "title": protocol.title,
                "indication": protocol.indication,
                "product": protocol.product,
                "route": protocol.route,
                "settings": list(protocol.settings),
                "status": protocol.status,
                "version": protocol.version,
            }
            for protocol in protocols().values()
        ]
        if json:
            print_json(rows)
            return
        for row in rows:
            typer.echo(f"{row['id']:10} {row['title']} ({row['product']}, {row['route']}, {row['status']})")

    @group.command("show")
    def show_protocol(
        name: str = typer.Argument(metavar="ID", help="Protocol, such as TRD-IV."), json: Json = False
    ) -> None:
        """One protocol whole."""
        from limen.knowledge.protocols import get_protocol

        protocol = get_protocol(name)
        if json:
            print_json(protocol.model_dump(mode="json"))
        else:
            typer.echo("\n".join(_lines(protocol.model_dump(mode="json"))))

    app.add_typer(group)


def _lines(protocol: dict[str, Any]) -> list[str]:
    lines = [
        f"{protocol['id']} version {protocol['version']}: {protocol['title']}",
        f"  {protocol['product']}, {protocol['route']}, {protocol['status']}",
        f"  settings: {', '.join(protocol['settings'])}",
        "Dose",
    ]
    for step in protocol["steps"]:
        amount, span = step["amount"], step["duration"] or {}
        line = f"  {step['title']}: {_shown(amount['typical'])} {amount['unit']}"
        line += f" (reported {_shown(amount['lower'])} to {_shown(amount['upper'])})"
        if span:
            line += f" over {_shown(span['typical_min'])} min (reported {_shown(span['lower_min'])} to"
            line += f" {_shown(span['upper_min'])})"
        lines.append(f"{line} {_support(amount)}")
    lines.append("Walls")
    for wall in protocol["walls"]:
        bound = "at most" if wall["bound"] == "most" else "at least"
        over = "" if wall["measure"] in {"dose", "rate", "duration", "apart"} else f" in a {wall['measure']}"
        limit = f"{bound} {wall['limit']:g} {wall['unit']}{over}"
        lines.append(f"  {wall['rule']} {wall['name']} ({wall['kind']}): {limit} {_support(wall)}")
    lines.append("Course")
    for phase in protocol["course"]:
        count = f"{phase['sessions']} sessions, " if phase["sessions"] else ""
        lines.append(f"  {phase['phase']}: {count}{phase['spacing']} {_support(phase)}")
    lines += _titration_lines(protocol["titration"])
    for title, key in (
        ("A missed session", "missed"),
        ("Withdrawal", "taper"),
        ("Stop signals", "stop_signals"),
        ("Premedication", "premedication"),
        ("Staffing", "staffing"),
        ("Cautions", "cautions"),
    ):
        lines.append(title)
        lines += [f"  {item['text']} {_support(item)}" for item in protocol[key]] or ["  none on record"]
    lines.append(f"Before leaving: {', '.join(protocol['discharge']) or 'none on record'}")
    evidence = protocol["evidence"]
    lines.append("Evidence")
    lines.append(f"  {evidence['regulatory_status']['text']} {_support(evidence['regulatory_status'])}")
    lines += [f"  for: {item['text']} {_support(item)}" for item in evidence["supports"]]
    lines += [f"  against: {item['text']} {_support(item)}" for item in evidence["opposes"]]
    lines += [] if evidence["opposes"] else ["  against: none read, which is not the same as none there is"]
    return lines


def _titration_lines(rule: dict[str, Any] | None) -> list[str]:
    if rule is None:
        return ["Titration", "  no rule: no source read gives one"]
    steps = ", ".join(f"{rung:g}" for rung in rule["rungs"]) or "no step on record"
    return ["Titration", f"  from {_shown(rule['start'])} {rule['unit']}: {steps}. {rule['why']} {_support(rule)}"]


def _shown(number: float | None) -> str:
    return "not given" if number is None else f"{number:g}"


def _support(claim: dict[str, Any]) -> str:
    from limen.evidence import Verification

    return f"[{Verification(claim['verification']).words}: {', '.join(claim['sources'])}]"
