"""Write docs/reference from the knowledge files, the models and the commands themselves. ``--check`` only compares."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import effects_page
import manual_pages
import models_page
import protocols_page as of_protocols
import routes_page
import typer
from typer.main import get_command

from limen.cli import main as cli
from limen.evidence import Verification, sources
from limen.knowledge.discharge import discharge
from limen.knowledge.instruments import instruments
from limen.knowledge.monitoring import monitoring
from limen.knowledge.release import knowledge_release
from limen.knowledge.rules import rules

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
MARKS = ", ".join(f"{mark.value} {mark.words}" for mark in Verification)
COMMON = "Every command that answers takes `--json`; `-` reads standard input; exit 2 and one line say what is wrong."
NOTE = "Made by `make docs` from the files the product itself reads. Do not edit.\n"


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table; a bar in a cell cannot break it."""
    columns = list(head)
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    for row in rows:
        cells = [str("" if cell is None else cell).replace("|", "/").replace("\n", " ").strip() for cell in row]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def rules_page() -> str:
    """Selection, baseline and interaction rules."""
    rows = [
        (
            rule.id if first else "",
            rule.title if first else "",
            tier.level,
            tier.because,
            tier.action,
            tier.may_override or "",
            ", ".join(tier.sources),
            str(tier.verification),
        )
        for rule in rules().values()
        for first, tier in [(index == 0, tier) for index, tier in enumerate(rule.tiers)]
    ]
    head = ("rule", "title", "level", "because", "do", "override", "sources", "mark")
    return f"# Screening rules\n\n{NOTE}\nMarks: {MARKS}.\n\n{table(head, rows)}"


def monitoring_page() -> str:
    """Alarm limits and what counts as silence."""
    known = monitoring()
    limits = [
        (
            limit.rule,
            limit.tier,
            known.tiers[limit.tier].priority,
            known.tiers[limit.tier].action,
            limit.signal,
            limit.when,
            f"{limit.limit:g}",
            f"{limit.delay_s:g}",
            limit.do,
            ", ".join(limit.sources),
            str(limit.verification),
        )
        for limit in known.limits
    ]
    quiet = ("state", "after the larger of", "or cuffs missed", "priority", "mark")
    head = ("rule", "tier", "priority", "action", "signal", "when", "limit", "delay s", "do", "sources", "mark")
    silence = [
        (
            name,
            f"{rule.floor_s:g} s or {rule.periods} periods",
            rule.cuffs_missed,
            rule.priority,
            str(rule.verification),
        )
        for name, rule in (("stale", known.technical.stale), ("lost", known.technical.lost))
    ]
    criteria = [(item.id, item.title, ", ".join(item.sources), str(item.verification)) for item in discharge().criteria]
    return (
        f"# Monitoring and discharge\n\n{NOTE}\nMarks: {MARKS}.\n\n## Limits\n\n{table(head, limits)}\n"
        f"## Silence (technical alarms)\n\n{table(quiet, silence)}\n"
        f"## Discharge criteria\n\n{table(('rule', 'criterion', 'sources', 'mark'), criteria)}"
    )


def protocols_page() -> str:
    """Protocols with their walls."""
    return of_protocols.page(table, NOTE, MARKS)


def instruments_page() -> str:
    """Instruments and how they score."""
    rows = [
        (
            item.id,
            f"{item.items.count} x {item.items.low}-{item.items.high}" if item.items else "total only",
            item.rule,
            "; ".join(f"{band.low}-{band.high} {band.name}" for band in item.bands.ranges) if item.bands else "",
            f"item {item.safety.item}" if item.safety else "",
            item.licence.text,
        )
        for item in instruments().values()
    ]
    head = ("instrument", "items", "rule", "bands", "safety item", "text")
    return f"# Instruments\n\n{NOTE}\n{table(head, rows)}"


def sources_page() -> str:
    """The bibliography."""
    rows = [
        (key, item.citation, item.grade, item.doi or item.pmid or "", item.note or "")
        for key, item in sorted(sources().items())
    ]
    return f"# Sources\n\n{NOTE}\n{table(('key', 'citation', 'grade', 'doi or pmid', 'what was read'), rows)}"


def commands_page() -> str:
    """The command line, from its own help texts."""
    cli.load_topics()
    root = get_command(cli.app)
    parts = [f"# Command line\n\n{NOTE}\n{COMMON}\n"]

    def describe(command: object, path: str) -> None:
        children = getattr(command, "commands", None)
        if children:
            for name in sorted(children):
                describe(children[name], f"{path} {name}")
            return
        with typer.Context(command, info_name=path) as context:  # type: ignore[arg-type]
            usage = " ".join(command.collect_usage_pieces(context))  # type: ignore[attr-defined]
            options = [record for param in command.params if (record := param.get_help_record(context))]  # type: ignore[attr-defined]
        summary = (getattr(command, "help", "") or "").split("\n\n")[0].replace("\n", " ")
        parts.append(f"## `{path} {usage}`\n\n{summary}\n\n{table(('option', 'meaning'), options)}")

    describe(root, "limen")
    return "\n".join(parts)


def pages() -> dict[str, str]:
    """Every page by its file name."""
    return {
        "rules.md": rules_page(),
        "monitoring.md": monitoring_page(),
        "protocols.md": protocols_page(),
        "instruments.md": instruments_page(),
        "models.md": "\n".join(
            (f"# Models\n\n{NOTE}\nMarks: {MARKS}. An empty cell was not read.\n", *models_page.sections(table))
        ),
        "effects.md": "\n".join(
            (f"# Effects\n\n{NOTE}\nMarks: {MARKS}. An empty cell was not read.\n", *effects_page.sections(table))
        ),
        "routes.md": "\n".join(
            (
                f"# Routes, other drugs and organs\n\n{NOTE}\nMarks: {MARKS}. An empty cell was not read.\n",
                *routes_page.sections(table),
            )
        ),
        "sources.md": sources_page(),
        "cli.md": commands_page(),
        **manual_pages.pages(NOTE, table),
        "README.md": f"# Reference\n\n{NOTE}\nKnowledge release {knowledge_release()}.\n\n"
        + "".join(
            f"- [{title}]({name})\n"
            for name, title in (
                ("manual/README.md", "Manual: every decision by its cases"),
                ("rules.md", "Screening rules"),
                ("monitoring.md", "Monitoring and discharge"),
                ("protocols.md", "Protocols"),
                ("instruments.md", "Instruments"),
                ("models.md", "Models"),
                ("effects.md", "Effects"),
                ("routes.md", "Routes, other drugs and organs"),
                ("sources.md", "Sources"),
                ("cli.md", "Command line"),
            )
        ),
    }


def main() -> int:
    """Write the pages and take away those of chapters that are gone, or say which differ."""
    made = pages()
    stale = [
        name
        for name, text in made.items()
        if not (FOLDER / name).exists() or (FOLDER / name).read_text("utf-8") != text
    ]
    gone = [path for path in (FOLDER / "manual").glob("*.md") if f"manual/{path.name}" not in made]
    stale += [f"manual/{path.name}" for path in gone]
    if "--check" in sys.argv:
        for name in stale:
            print(f"docs/reference/{name} is not what the files say; run make docs")  # noqa: T201
        return 1 if stale else 0
    (FOLDER / "manual").mkdir(parents=True, exist_ok=True)
    for name, text in made.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    for path in gone:
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
