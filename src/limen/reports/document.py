"""A printed record as data: who it is about, its parts, who signed it, and the seal it carries on every page."""

from __future__ import annotations

from dataclasses import dataclass, field

from limen.reports.figures.data import Figure


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and their cells; a row shorter than the columns is one statement across them.

    Attributes
    ----------
    shares : tuple of int
        For a table of words: how the width is shared among the columns, all of them set from the left. Without it the
        columns are figures, and the last one takes what is left.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    shares: tuple[int, ...] = ()

    @property
    def laid(self) -> tuple[tuple[tuple[str, int], ...], ...]:
        """Each row as cells with the columns they span: what ends early goes across to the end."""
        return tuple(
            tuple(
                (cell, 1 if place + 1 < len(row) else len(self.columns) - len(row) + 1)
                for place, cell in enumerate(row)
            )
            for row in self.rows
        )


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a record: a heading over a large number, paragraphs, labelled values, timed lines, tables, a drawing.

    Attributes
    ----------
    figure : str or None
        A number in words that stands large.
    picture : Figure or None
        What is drawn, on paper and on the screen alike.
    """

    title: str
    figure: str | None = None
    paragraphs: tuple[str, ...] = ()
    rows: tuple[tuple[str, str], ...] = ()
    lines: tuple[tuple[str, str], ...] = ()
    tables: tuple[Table, ...] = ()
    marks: tuple[str, ...] = ()
    narrow: bool = False
    picture: Figure | None = None


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed, and when, in words."""

    name: str
    detail: str


@dataclass(frozen=True, slots=True)
class Document:
    """A whole record.

    Attributes
    ----------
    identity : tuple of (label, value)
        At least two identifiers of the patient stand first; they are repeated at the foot of every page.
    status : str
        ``Draft, not signed`` and the like; empty when signed.
    seal : str
        The hash of the signed content; empty on a draft.
    large : bool
        Larger letters, for a paper that a patient reads.
    """

    issuer: str
    title: str
    aside: tuple[str, ...] = ()
    status: str = ""
    identity: tuple[tuple[str, str], ...] = ()
    parts: tuple[Part, ...] = ()
    signatures: tuple[Signature, ...] = ()
    origin: str = ""
    seal: str = ""
    language: str = "en"
    large: bool = False
    running: tuple[str, ...] = field(default=())
