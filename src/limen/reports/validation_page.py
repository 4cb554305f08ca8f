"""The pages of ``docs/validation``: the story with its numbers, every observation, and the pictures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from importlib import resources

from limen.errors import KnowledgeError
from limen.evidence import Verification
from limen.pharmacology.validation.comparison import NO_ANSWER, Checked, Comparison, counted
from limen.pharmacology.validation.prediction import PATIENTS, SEED
from limen.pharmacology.validation.rule import RULE
from limen.pharmacology.validation.words import cells, check_cells, count_words, predicted_words
from limen.reports import validation_pictures as pictures

_SLOT = re.compile(r"\[\[([^\]]+)\]\]")


def pages(found: Sequence[Comparison], checked: Sequence[Checked]) -> dict[str, str]:
    """Every file of the folder by its name.

    Parameters
    ----------
    found : sequence of Comparison
        Of all observations.
    checked : sequence of Checked
    """
    return {
        "README.md": _story(found, checked),
        "observations.md": _observations(found),
        "implementation.md": _implementation(checked),
        "ratios.svg": pictures.ratios(found).svg,
        "one-dose.svg": pictures.one_dose().svg,
        "metabolites.svg": pictures.metabolites(found).svg,
        "course.svg": pictures.course().svg,
    }


def _story(found: Sequence[Comparison], checked: Sequence[Checked]) -> str:
    template = (resources.files("limen.reports") / "data" / "validation.md").read_text(encoding="utf-8")
    return _SLOT.sub(lambda slot: _filled(slot[1].split(), found, checked), template)


def _filled(words: list[str], found: Sequence[Comparison], checked: Sequence[Checked]) -> str:
    """What stands in a slot of the story: a list, a setting, or a ratio of predicted over seen."""
    match words:
        case ["rule"]:
            return _list(RULE)
        case ["counts"]:
            return _list(count_words(counted(found), checked))
        case ["patients"]:
            return str(PATIENTS)
        case ["seed"]:
            return str(SEED)
        case ["peaks"]:
            peaks = [float(line.values.max()) for line in pictures.one_dose_lines()]
            return f"{min(peaks):.0f} and {max(peaks):.0f}"
        case ["range", row, by]:
            ratios = [item.ratio for item in _of(found, row, by) if item.ratio is not None]
            return f"{min(ratios):.2f} to {max(ratios):.2f}"
        case ["said", row, by]:
            return next(predicted_words(item.predicted) for item in _of(found, row, by) if item.predicted)
        case ["unanswered"]:
            return _list(
                f"**{item.row.id}** {item.what}: {item.why_not}"
                for item in found
                if item.status == NO_ANSWER and item.answer is None
            )
        case ["most", row, analyte]:
            return _furthest(found, row, analyte, ("cmax", "auc-0-24"))
        case ["most-peak", row, analyte]:
            return _furthest(found, row, analyte, ("cmax",))
        case [row, by, *measure]:
            return _ratio(found, row, by, measure)
    raise KnowledgeError(f"the story has no slot {' '.join(words)!r}", where="validation.md")


def _of(found: Sequence[Comparison], row: str, by: str) -> list[Comparison]:
    return [item for item in found if item.row.id == row and item.answer is not None and item.answer.by == by]


def _ratio(found: Sequence[Comparison], row: str, by: str, measure: Sequence[str]) -> str:
    for item in _of(found, row, by):
        seen = item.observed
        if seen is None or item.ratio is None:
            continue
        if not measure or list(measure) == [seen.measure, seen.of]:
            return f"{item.ratio:.2f}" if item.ratio < 10 else f"{item.ratio:.0f}"
    raise KnowledgeError(f"nothing is predicted for {row} by {by}", where="validation.md")


def _furthest(found: Sequence[Comparison], row: str, analyte: str, measures: Sequence[str]) -> str:
    """The largest departure of the rows of one paper, in per cent: ``row`` names the first of them."""
    source = next(item.row.sources for item in found if item.row.id == row)
    off_pct = [
        abs(100.0 * (item.ratio - 1.0))
        for item in found
        if item.row.sources == source
        and item.ratio is not None
        and item.observed is not None
        and item.observed.of == analyte
        and item.observed.measure in measures
    ]
    return f"{max(off_pct):.1f} %"


def _observations(found: Sequence[Comparison]) -> str:
    marks = ", ".join(f"{mark.value} {mark.words}" for mark in Verification)
    parts = [
        "# Every published observation\n\nMade by `limen validate --write-docs docs/validation`. Do not edit. How a"
        f" prediction passes stands in [the story](README.md).\n\nMarks: {marks}.\n"
    ]
    for row in dict.fromkeys(item.row.id for item in found):
        mine = [item for item in found if item.row.id == row]
        head = mine[0].row
        assumed = sorted({name for setting in head.settings for name in setting.assumed})
        parts.append(
            f"## {head.id}. {head.title}\n\n{head.population[0].upper()}{head.population[1:]}."
            + ("" if head.matrix == "effect" else f" Sampled: {head.matrix}.")
            + f" Sources: {', '.join(head.sources)}."
            + (f" Set by this project, not in the source: {', '.join(assumed)}." if assumed else "")
            + (f"\n\n{head.note}" if head.note else "")
            + "".join(f"\n\n{setting.note}" for setting in head.settings if setting.note)
            + "\n"
        )
        answered = [item for item in mine if item.answer is not None]
        if answered:
            heads = ("what", "seen", "by", "predicted (90 of 100)", "ratio", "result", "why")
            parts.append(_table(heads, (cells(item)[1:] for item in answered)))
        parts.extend(f"- No model: {item.what}: {item.why_not}.\n" for item in mine if item.answer is None)
    return "\n".join(parts)


def _implementation(checked: Sequence[Checked]) -> str:
    heads = ("model", "product", "number", "must be", "is", "error", "result")
    return (
        "# The code against its printed parameters\n\nMade by `limen validate --write-docs docs/validation`. Do not"
        " edit. An independent integration of each paper's equations gave these numbers once (70 kg, typical person,"
        " relative tolerance 1e-7). The code must give them within 1 %, or half of the last digit printed. This tests"
        " the code; whether the models are right is [another matter](README.md).\n\n"
        + _table(heads, map(check_cells, checked))
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(cell.replace("|", "/") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)
