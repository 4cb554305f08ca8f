"""The monitoring form of nasal esketamine on paper: each field with its value and its time, or said to be empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from limen.reports.document import Document, Part
from limen.reports.figures.clock import Clock

_LINE = "____________________"


def field_times(row: Mapping[str, Any], clock: Clock) -> str:
    """When the events behind a field happened, by the wall clock."""
    return ", ".join(dict.fromkeys(clock.at(t_s) for t_s in row.get("at_t_s") or ()))


def rems_document(
    form: Mapping[str, Any], *, issuer: str, aside: Sequence[str], identity: Sequence[tuple[str, str]], clock: Clock
) -> Document:
    """The form as a document.

    Parameters
    ----------
    form : mapping
        What ``limen.session.rems.rems_form`` made.
    """
    lacking = len(form["missing"])
    status = "Nothing is missing." if not lacking else f"{lacking} fields are empty; each says why."
    due = form.get("within_days")
    parts = [
        Part(group["title"], rows=tuple((row["title"], _said(row, clock)) for row in group["fields"]))
        for group in form["groups"]
    ]
    if form["problems"]:
        parts.insert(0, Part("Does not fit", paragraphs=tuple(f"{text}." for text in form["problems"])))
    return Document(
        issuer=issuer,
        title=form["title"],
        aside=tuple(aside),
        status=status + (f" To be submitted within {due} days of the session." if due else ""),
        identity=tuple(identity),
        parts=tuple(parts),
        origin="Filled from the events of this session alone; nothing is carried over from an earlier one. "
        f"Times: {clock.words}.",
    )


def _said(row: Mapping[str, Any], clock: Clock) -> str:
    if row["value"] is None:
        known = f" ({row['said']})" if row["said"] and row["said"] != "not recorded" else ""
        return f"{_LINE} empty: {row['why']}{known}"
    at = field_times(row, clock)
    return f"{row['said']}, from {at}" if at else str(row["said"])
