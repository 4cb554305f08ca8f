"""A record on paper: typst source, and the PDF it makes. No network, no clock; the same record gives the same bytes."""

from __future__ import annotations

import json
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from limen.reports.document import Document, Part
from limen.reports.figures.words import sentence


def render(document: Document) -> str:
    """The typst source of a document.

    The record goes in as one JSON string literal and is read as values, so a name such as ``#import "x"`` or ``$a$``
    stays a name.
    """
    record = json.dumps(_values(document), ensure_ascii=False, sort_keys=True)
    template = (resources.files("limen.reports") / "data" / "paper.typ").read_text(encoding="utf-8")
    return f"#let record = json(bytes({literal(record)}))\n{template}"


def pdf(source: str, *, fonts: Path | None = None) -> bytes:
    """The PDF of typst source that ``render`` made.

    Parameters
    ----------
    fonts : Path, optional
        A folder that holds B612 as TTF or OTF; without it DejaVu Sans stands in.
    """
    import typst

    folders = [folder for folder in (fonts, _fallback_fonts()) if folder is not None]
    installed = typst.Fonts(include_system_fonts=False, font_paths=folders)
    return typst.compile(source.encode("utf-8"), format="pdf", font_paths=installed, timestamp=0)


def _fallback_fonts() -> Path | None:
    """DejaVu Sans comes with matplotlib; found without importing it."""
    found = find_spec("matplotlib")
    if found is None or found.origin is None:
        return None
    return Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"


def _values(document: Document) -> dict[str, Any]:
    return {
        "issuer": document.issuer,
        "title": document.title,
        "aside": list(document.aside),
        "status": document.status,
        "identity": [list(pair) for pair in document.identity],
        "rows": [[_part(part) for part in row] for row in beside(document.parts)],
        "signatures": [[item.name, item.detail] for item in document.signatures],
        "origin": document.origin,
        "seal": document.seal,
        "language": document.language,
        "large": document.large,
        "running": list(document.running or tuple(value for _, value in document.identity[:2])),
    }


def _part(part: Part) -> dict[str, Any]:
    return {
        "title": part.title,
        "figure": part.figure,
        "paragraphs": list(part.paragraphs),
        "rows": [list(pair) for pair in part.rows],
        "lines": [list(pair) for pair in part.lines],
        "tables": [
            {"columns": list(table.columns), "rows": [list(row) for row in table.rows], "shares": list(table.shares)}
            for table in part.tables
        ],
        "marks": list(part.marks),
        "picture": _picture(part),
    }


def _picture(part: Part) -> dict[str, Any] | None:
    """The drawing of a part, with its sentences for those who hear the page."""
    if part.picture is None:
        return None
    from limen.reports.plots.figure import draw

    return {
        "svg": draw(part.picture, captioned=False).svg,
        "alt": " ".join(sentence(lane) for lane in part.picture.lanes),
        "caption": list(part.picture.caption),
    }


def beside(parts: tuple[Part, ...]) -> list[tuple[Part, ...]]:
    """Parts in rows: two narrow ones that follow each other share a row."""
    rows: list[tuple[Part, ...]] = []
    for part in parts:
        if part.narrow and rows and len(rows[-1]) == 1 and rows[-1][0].narrow:
            rows[-1] = (*rows[-1], part)
        else:
            rows.append((part,))
    return rows


def literal(text: str) -> str:
    """A text as typst reads a string, whatever is in it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
